package monitor_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
	"blogposter/scheduled/monitor"
	"blogposter/scripts/rivals"
)

// edited is p with a sentence more, and a date.
func edited(p rivals.Page, at time.Time) rivals.Page {
	p.Sections = append([]rivals.Section(nil), p.Sections...)
	p.Sections[0].Paragraphs = append([]string{"This page was brought up to date by our editors."}, p.Sections[0].Paragraphs...)
	p.Modified = at
	return p
}

func TestStage_Do_findsAllThenFetchesNothingThenExactlyWhatChanged(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	corpus := rivals.Corpus()
	detail := w.look()
	require.Contains(t, detail, "8 of 8 competitors")
	require.Equal(t, int64(len(corpus)), w.number(`SELECT count(*) FROM blogposter.watched_pages WHERE state = 'live'`), detail)
	require.Equal(t, int64(len(corpus)), w.number(`SELECT count(*) FROM blogposter.page_changes WHERE kind = 'new'`))
	require.GreaterOrEqual(t, len(corpus), 200)
	require.Len(t, w.reader.Reads(), len(w.rivals["guidepost-journal"].Pages()), "read by the reader, once each")
	w.copiesAreMerged(corpus)
	forum := w.rivals["four-paws-forum"].Pages()[0]
	got := w.page("four-paws-forum", forum.Path)
	require.Equal(t, forum.Comments, *got.Comments)
	require.True(t, forum.Published.Equal(*got.PublishedAt))
	require.Equal(t, forum.Title, got.Title)
	require.NotZero(t, got.Words)
	w.forget()

	detail = w.look()
	require.Contains(t, detail, "0 pages asked for")
	for key := range w.rivals {
		asked := w.asked(key)
		require.Len(t, asked, 1, key)
		require.Equal(t, http.StatusNotModified, asked[0].Status, key)
	}
	require.Empty(t, w.reader.Reads())
	require.Empty(t, w.changes())

	w.changesAreExactlyReported()
}

// copiesAreMerged compares the marks with the labels of the corpus.
func (w *world) copiesAreMerged(corpus []rivals.Page) {
	w.t.Helper()
	marked := map[string]string{}
	rows, err := w.db.Owner.Query(w.t.Context(), `SELECT a.url, b.url FROM blogposter.watched_pages a JOIN blogposter.watched_pages b ON b.id = a.same_as`)
	require.NoError(w.t, err)
	defer rows.Close()
	for rows.Next() {
		var copied, original string
		require.NoError(w.t, rows.Scan(&copied, &original))
		marked[copied] = original
	}
	want := map[string]string{}
	for _, p := range corpus {
		if p.CopyOf == "" {
			continue
		}
		for _, o := range corpus {
			if o.Key() == p.CopyOf {
				want[w.hosts[p.Site]+p.Path] = w.hosts[o.Site] + o.Path
			}
		}
	}
	require.Equal(w.t, want, marked)
	pages, err := w.store.WatchedPages(w.t.Context(), pipeline.Lease{SiteID: w.site})
	require.NoError(w.t, err)
	require.Len(w.t, pages, len(corpus)-len(want))
}

func (w *world) changesAreExactlyReported() {
	t := w.t
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	want := map[string]editorial.ChangeKind{}
	for _, key := range []string{"handler-weekly", "trailmates", "city-canine", "guidepost-journal", "vest-and-harness", "four-paws-forum"} {
		r := w.rivals[key]
		pages := r.Pages()
		r.Put(edited(pages[0], now))
		want[w.hosts[key]+pages[0].Path] = editorial.ChangeChanged
		r.Remove(pages[1].Path)
		want[w.hosts[key]+pages[1].Path] = editorial.ChangeGone
		added := pages[2]
		added.Path, added.Title = "/articles/brand-new", "Brand new"
		added.Published, added.Modified = now, now
		r.Put(added)
		want[w.hosts[key]+added.Path] = editorial.ChangeNew
	}
	w.look()
	got := map[string]editorial.ChangeKind{}
	changes := w.changes()
	for u, c := range changes {
		got[u] = c.Kind
	}
	require.Equal(t, want, got)
	for _, c := range changes {
		if c.Kind == editorial.ChangeChanged {
			require.Equal(t, 1, c.Added, c.URL)
			require.Zero(t, c.Removed, c.URL)
			require.Contains(t, c.Summary, "brought up to date")
			require.NotEqual(t, c.TextHash, c.Before)
		}
	}
	// Where lists are dated, only what moved was asked for; where only ETags
	// can tell, all else was answered 304.
	for _, key := range []string{"handler-weekly", "trailmates", "city-canine"} {
		pages := 0
		for _, r := range w.asked(key) {
			if len(r.Path) > 10 && r.Path[:10] == "/articles/" {
				pages++
			}
		}
		require.Equal(t, 3, pages, key)
	}
	whole := 0
	for _, r := range w.asked("vest-and-harness") {
		if r.Status == http.StatusOK && len(r.Path) > 10 && r.Path[:10] == "/articles/" {
			whole++
		}
	}
	require.Equal(t, 2, whole, "the edited page and the new one")
	require.Len(t, w.reader.Reads(), 2)
	w.forget()
	w.look()
	require.Empty(t, w.changes(), "all that was said")
}

func TestStage_Do_aPageThatReturnsIsBack(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "city-canine")
	r := w.rivals["city-canine"]
	w.look()
	p := r.Pages()[0]
	r.Remove(p.Path)
	w.look()
	require.Equal(t, editorial.PageGone, w.page("city-canine", p.Path).State)
	p.Modified = time.Now()
	r.Put(p)
	w.look()
	require.Equal(t, editorial.ChangeBack, w.changes()[w.hosts["city-canine"]+p.Path].Kind)
	require.Equal(t, editorial.PageLive, w.page("city-canine", p.Path).State)
}

func TestStage_Do_oneRivalsTroubleHoldsUpNoOther(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "city-canine", "handler-weekly", "trailmates")
	w.look()
	live := w.number(`SELECT count(*) FROM blogposter.watched_pages WHERE state = 'live'`)
	w.rivals["city-canine"].Serve("/sitemap_index.xml", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusBadGateway) })
	added := w.rivals["trailmates"].Pages()[0]
	added.Path, added.Modified = "/articles/another", time.Now()
	w.rivals["trailmates"].Put(added)
	detail := w.look()
	require.Contains(t, detail, "2 of 3 competitors")
	require.Contains(t, detail, "1 failed")
	require.Contains(t, w.report("city-canine"), "the server answered 502")
	require.Equal(t, live+1, w.number(`SELECT count(*) FROM blogposter.watched_pages WHERE state = 'live'`), "no page of it is gone")
	require.Len(t, w.changes(), 1)
}

func TestStage_Do_allInTroubleIsTriedAgain(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "city-canine", "trailmates")
	for key, path := range map[string]string{"city-canine": "/sitemap_index.xml", "trailmates": "/feed.json"} {
		w.rivals[key].Serve(path, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) })
	}
	_, _, err := monitor.New(w.rooms).Do(t.Context(), w.begin())
	require.ErrorContains(t, err, "none of the competitors")
	require.Equal(t, fault.KindRetryable, fault.KindOf(err))
	require.False(t, fault.IsNotYet(err), "it counts as a try")
}

func TestStage_Do_oddPagesAreRefusedWithTheirReason(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "city-canine")
	r := w.rivals["city-canine"]
	pages := r.Pages()
	private := pages[0]
	private.Path = "/private/plans"
	r.Put(private)
	r.Serve(pages[1].Path, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) })
	r.Serve(pages[2].Path, func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() })
	r.Serve(pages[3].Path, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/pdf")
		_, _ = rw.Write([]byte("%PDF-1.7"))
	})
	w.look()
	for path, reason := range map[string]string{
		private.Path: "robots.txt", pages[1].Path: "500", pages[2].Path: "No answer in time", pages[3].Path: "application/pdf",
	} {
		p := w.page("city-canine", path)
		require.Equal(t, editorial.PageRefused, p.State, path)
		require.Contains(t, p.Refused, reason)
		require.Contains(t, w.report("city-canine"), reason)
	}
	for _, a := range w.rivals["city-canine"].Requests() {
		require.NotEqual(t, private.Path, a.Path)
		require.Contains(t, a.Agent, "Blog-Poster")
	}
	require.Equal(t, int64(len(pages)-3), w.number(`SELECT count(*) FROM blogposter.watched_pages WHERE state = 'live'`))

	// What failed in passing is asked for again after a day, the rest is not.
	r.Serve(pages[1].Path, nil)
	w.look()
	require.Len(t, w.asked("city-canine"), 1)
	w.exec(`UPDATE blogposter.watched_pages SET checked_at = checked_at - interval '25 hours'`)
	w.look()
	require.Equal(t, editorial.PageLive, w.page("city-canine", pages[1].Path).State)
	require.Len(t, w.asked("city-canine"), 3, "the list, and the two that failed in passing")
}

func TestStage_Do_aKilledLookGoesOnAndEndsWithTheSameRows(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "city-canine", "guidepost-journal")
	whole := newWorld(t, "city-canine", "guidepost-journal")
	whole.look()

	l := w.begin()
	ctx, cancel := context.WithCancel(t.Context())
	last := w.rivals["city-canine"].Pages()
	r := w.rivals["city-canine"]
	// The sitemap lists the newest first: the page before the last one is cut.
	slow := oldest(last)
	r.Serve(slow.Path, func(_ http.ResponseWriter, q *http.Request) {
		cancel()
		<-q.Context().Done()
	})
	_, _, err := monitor.New(w.rooms).Do(ctx, l)
	require.ErrorIs(t, err, context.Canceled)
	require.NotZero(t, w.number(`SELECT count(*) FROM blogposter.watched_pages`), "what was found stays")
	require.Zero(t, w.number(`SELECT count(*) FROM blogposter.watched_pages WHERE url LIKE '%' || $1`, slow.Path))
	r.Serve(slow.Path, nil)
	w.exec(`UPDATE blogposter.runs SET lease_until = now() - interval '1 second' WHERE id = $1`, l.RunID)
	reads := w.reader.Reads()
	w.forget()

	again := w.lease("a2")
	require.Greater(t, again.Fence, l.Fence)
	_, out, err := monitor.New(w.rooms).Do(t.Context(), again)
	require.NoError(t, err)
	require.Less(t, len(w.asked("city-canine")), len(last), "what was stored is not fetched again")
	w.finish(again, out)
	cut := int(w.number(`SELECT count(*) FROM blogposter.steps WHERE sends > 1`))
	require.LessOrEqual(t, cut, 1, "one read at most was under way")
	reads = append(reads, w.reader.Reads()...)
	distinct := map[string]bool{}
	for _, address := range reads {
		distinct[address] = true
	}
	require.Len(t, distinct, len(w.rivals["guidepost-journal"].Pages()))
	require.LessOrEqual(t, len(reads)-len(distinct), cut, "no answer is bought twice")
	const rows = `SELECT md5(string_agg(regexp_replace(url, '^http://[^/]*', '') || state || coalesce(text_hash, '') || words || coalesce(comments, -1) || etag
		|| (same_as IS NULL) || coalesce(listed_at, 'epoch'), ',' ORDER BY regexp_replace(url, '^http://[^/]*', ''))) FROM blogposter.watched_pages`
	var mine, theirs string
	require.NoError(t, w.db.Owner.QueryRow(t.Context(), rows).Scan(&mine))
	require.NoError(t, whole.db.Owner.QueryRow(t.Context(), rows).Scan(&theirs))
	require.Equal(t, theirs, mine)
	require.Equal(t, whole.number(`SELECT count(*) FROM blogposter.page_changes`), w.number(`SELECT count(*) FROM blogposter.page_changes`))

	// The one that lost its lease writes nothing.
	err = w.store.KeepPages(t.Context(), l, nil)
	require.ErrorIs(t, err, pipeline.ErrLeaseLost)
}

func oldest(pages []rivals.Page) rivals.Page {
	old := pages[0]
	for _, p := range pages {
		if p.Modified.Before(old.Modified) {
			old = p
		}
	}
	return old
}

func TestStage_Do_stopsBetweenPagesWhenItsTimeIsNearlyUp(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "trailmates")
	w.rooms.Reserve = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	_, _, err := monitor.New(w.rooms).Do(ctx, w.begin())
	require.True(t, fault.IsNotYet(err), "%v", err)
	require.Empty(t, w.asked("trailmates"))
}

func TestStage_Do_aSpentBudgetParksTheLookAfterWhatCostsNothing(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "guidepost-journal", "trailmates")
	w.exec(`UPDATE blogposter.sites SET research = '{"every_minutes": 360, "budget": 1}'`)
	l := w.begin()
	_, out, err := monitor.New(w.rooms).Do(t.Context(), l)
	require.True(t, fault.IsBudget(err), "%v", err)
	require.ErrorContains(t, err, "read Guidepost Journal")
	require.Contains(t, out.Detail, "1 of 2 competitors")
	require.NotZero(t, w.number(`SELECT count(*) FROM blogposter.watched_pages WHERE url LIKE $1 || '%'`, w.hosts["trailmates"]))

	w.forget()
	w.exec(`UPDATE blogposter.budgets SET limit_micros = 100000`)
	_, _, err = monitor.New(w.rooms).Do(t.Context(), l)
	require.NoError(t, err)
	require.Empty(t, w.asked("trailmates"), "this look is over there")
	require.NotZero(t, w.number(`SELECT count(*) FROM blogposter.watched_pages WHERE url LIKE $1 || '%'`, w.hosts["guidepost-journal"]))
}
