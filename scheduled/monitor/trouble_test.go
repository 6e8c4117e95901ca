package monitor_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
	"blogposter/scheduled/monitor"
	"blogposter/scripts/rivals"
)

// says is a reader that always says the same.
type says struct {
	page editorial.Page
	err  error
}

func (s says) Read(context.Context, string) (editorial.Page, error) { return s.page, s.err }

// seen counts the pages in a state.
func (w *world) seen(state editorial.PageState) int64 {
	w.t.Helper()
	return w.number(`SELECT count(*) FROM blogposter.watched_pages WHERE state = $1`, string(state))
}

func TestStage_Do_whatTheReaderCannotTell(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "guidepost-journal")
	r := w.rivals["guidepost-journal"]
	pages := r.Pages()
	r.Serve(pages[0].Path, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusGone) })
	private := pages[1]
	private.Path = "/private/plans"
	r.Put(private)
	w.rooms.Reader = says{page: editorial.Page{Worthless: "The site answered with an error page.", Tokens: 10}}
	w.look()
	require.Equal(t, editorial.PageGone, w.page("guidepost-journal", pages[0].Path).State, "its own server says so")
	require.Equal(t, "The site answered with an error page.", w.page("guidepost-journal", pages[1].Path).Refused)
	require.Contains(t, w.page("guidepost-journal", private.Path).Refused, "robots.txt")
	require.Equal(t, int64(len(pages)), w.number(`SELECT count(*) FROM blogposter.steps`), "no step for what robots.txt forbids")
	require.Empty(t, w.changes())
}

func TestStage_Do_aReaderInTrouble(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		err  error
		kind fault.Kind
		says string
		rows int64
	}{
		"a wrong key asks for a person at once":         {fault.NeedsHuman(errors.New("check the reader's API key")), fault.KindNeedsHuman, "API key", 0},
		"a site that fails page after page is given up": {fault.Retryable(errors.New("503"), 0), fault.KindRetryable, "fails page after page", 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t, "guidepost-journal")
			w.rooms.Reader = says{err: tc.err}
			_, _, err := monitor.New(w.rooms).Do(t.Context(), w.begin())
			require.ErrorContains(t, err, tc.says)
			require.Equal(t, tc.kind, fault.KindOf(err))
			require.Contains(t, w.report("guidepost-journal"), tc.says)
			require.Equal(t, tc.rows, w.number(`SELECT count(*) FROM blogposter.watched_pages`))
			require.Zero(t, w.number(`SELECT count(*) FROM blogposter.competitors WHERE checked_at IS NOT NULL`))
		})
	}
}

func TestStage_Do_aPageTheReaderRefusesIsRefused(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "guidepost-journal")
	w.rooms.Reader = says{err: fault.Permanent(errors.New("the page is longer than 5000 tokens"))}
	w.look()
	require.Equal(t, int64(len(w.rivals["guidepost-journal"].Pages())), w.seen(editorial.PageRefused))
	require.Contains(t, w.report("guidepost-journal"), "longer than 5000 tokens")
	require.Contains(t, w.report("guidepost-journal"), "more", "the report stays short")
	require.Less(t, len(w.report("guidepost-journal")), 2100)
}

func TestStage_Do_aSlowSiteIsLeftForTheNextLook(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "city-canine")
	patience := w.rooms
	patience.Patience = time.Nanosecond
	l := w.begin()
	_, out, err := monitor.New(patience).Do(t.Context(), l)
	require.NoError(t, err)
	w.finish(l, out)
	require.Contains(t, w.report("city-canine"), "left for the next look")
	require.Zero(t, w.seen(editorial.PageLive))
	w.look()
	require.Equal(t, int64(len(w.rivals["city-canine"].Pages())), w.seen(editorial.PageLive))
	require.Empty(t, w.report("city-canine"))
}

func TestStage_Do_keepsTheNewestInView(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "handler-weekly")
	w.exec(`UPDATE blogposter.competitors SET most = 5`)
	w.look()
	require.Equal(t, int64(5), w.seen(editorial.PageLive))
	require.Contains(t, w.report("handler-weekly"), "older pages are not kept in view: 5 are wanted")
	newer := 0
	last := w.number(`SELECT extract(epoch FROM min(listed_at))::bigint FROM blogposter.watched_pages`)
	for _, p := range w.rivals["handler-weekly"].Pages() {
		if p.Modified.Unix() > last {
			newer++
		}
	}
	require.Less(t, newer, 5)
}

func TestStage_Do_takesCommentsFromTheListWithoutFetching(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "paws-on-duty")
	r := w.rivals["paws-on-duty"]
	w.look()
	p := r.Pages()[0]
	before := w.page("paws-on-duty", p.Path)
	require.Nil(t, before.ListedAt, "RSS says when a page was published, not when it changed")
	// The text stays, so the page's ETag would tell; the list alone does.
	p.Comments += 5
	r.Put(p)
	w.forget()
	w.look()
	require.Equal(t, p.Comments, *w.page("paws-on-duty", p.Path).Comments)
	for _, a := range w.asked("paws-on-duty") {
		if a.Path == r.List {
			require.Equal(t, http.StatusOK, a.Status)
			continue
		}
		require.True(t, a.Asked, "with its ETag")
	}
}

func TestStage_Do_anUndatedPageRestsForADay(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "working-dog-careers")
	r := w.rivals["working-dog-careers"]
	pages := r.Pages()
	w.look()
	added := pages[0]
	added.Path = "/articles/added"
	r.Put(added)
	w.forget()
	w.look()
	require.Len(t, w.asked("working-dog-careers"), 2, "the list, and the page it did not name before")
	r.Put(edited(pages[1], time.Now()))
	w.look()
	require.Empty(t, w.changes(), "nothing tells that it changed")
	w.exec(`UPDATE blogposter.watched_pages SET checked_at = checked_at - interval '25 hours'`)
	w.look()
	require.Len(t, w.changes(), 1)
	require.Equal(t, editorial.ChangeChanged, w.changes()[w.hosts["working-dog-careers"]+pages[1].Path].Kind)
}

func TestStage_Do_whatACutListLacksIsNotGone(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "city-canine")
	r := w.rivals["city-canine"]
	w.look()
	live := w.seen(editorial.PageLive)
	gone := r.Pages()[0]
	r.Remove(gone.Path)
	r.Serve("/sitemap-2.xml", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusBadGateway) })
	w.look()
	require.Equal(t, live, w.seen(editorial.PageLive))
	require.Contains(t, w.report("city-canine"), "Left out: the sitemap")
	r.Serve("/sitemap-2.xml", nil)
	w.look()
	require.Equal(t, editorial.ChangeGone, w.changes()[w.hosts["city-canine"]+gone.Path].Kind, "the list is asked for as if it were new")
}

func TestStage_Do_aPageThatIsOnlyUnlistedIsNotGone(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "vest-and-harness", "handler-weekly")
	w.look()
	p := w.rivals["vest-and-harness"].Pages()[0]
	h := w.rivals["handler-weekly"].Pages()[0]
	shown := rivals.New(w.rivals["vest-and-harness"].Site, rivals.Corpus())
	w.rivals["vest-and-harness"].Remove(p.Path)
	w.rivals["vest-and-harness"].Serve(p.Path, shown.ServeHTTP)
	old := h
	old.Modified = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	w.rivals["handler-weekly"].Put(old) // its feed ends with it from now on
	w.look()
	require.Empty(t, w.changes())
	require.Equal(t, editorial.PageLive, w.page("vest-and-harness", p.Path).State)
}

func TestStage_Do_aPageThatAFeedIsTooShortForIsAskedForOnceADay(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "trailmates")
	r := w.rivals["trailmates"]
	w.look()
	p := oldest(r.Pages())
	r.Remove(p.Path)
	w.forget()
	w.look()
	require.Len(t, w.asked("trailmates"), 1, "the feed alone: it would not name a page so old")
	require.Empty(t, w.changes())
	w.exec(`UPDATE blogposter.watched_pages SET checked_at = checked_at - interval '25 hours'`)
	r.Put(edited(r.Pages()[0], time.Now()))
	w.look()
	require.Equal(t, editorial.ChangeGone, w.changes()[w.hosts["trailmates"]+p.Path].Kind)
}

func TestStage_Do_aLivePageThatFailsInPassingStaysLive(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "city-canine")
	r := w.rivals["city-canine"]
	w.look()
	p := edited(r.Pages()[0], time.Now())
	r.Put(p)
	r.Serve(p.Path, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusServiceUnavailable) })
	w.look()
	require.Equal(t, editorial.PageLive, w.page("city-canine", p.Path).State)
	require.Contains(t, w.report("city-canine"), "503")
	r.Serve(p.Path, nil)
	w.exec(`UPDATE blogposter.watched_pages SET checked_at = checked_at - interval '25 hours'`)
	w.look()
	require.Equal(t, editorial.ChangeChanged, w.changes()[w.hosts["city-canine"]+p.Path].Kind, "although the list is not modified")
}

func TestStage_Do_aPageOfTwoListsIsFetchedForOne(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "city-canine")
	w.exec(`INSERT INTO blogposter.competitors (site_id, name, kind, url) VALUES ($1, 'Its second half', 'sitemap', $2)`, w.site, w.hosts["city-canine"]+"/sitemap-2.xml")
	w.look()
	pages := w.rivals["city-canine"].Pages()
	require.Equal(t, int64(len(pages)), w.seen(editorial.PageLive))
	asked := func() map[string]int {
		times := map[string]int{}
		for _, a := range w.asked("city-canine") {
			if strings.HasPrefix(a.Path, "/articles/") {
				times[a.Path]++
			}
		}
		return times
	}
	for path, n := range asked() {
		require.Equal(t, 1, n, path)
	}
	p := pages[0]
	w.rivals["city-canine"].Put(edited(p, time.Now()))
	w.look()
	require.Equal(t, map[string]int{p.Path: 1}, asked())
}

func TestStage_Do_aSiteThatWatchesNobodyGoesOn(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "city-canine")
	w.exec(`UPDATE blogposter.competitors SET active = false`)
	require.Equal(t, "the site watches nobody", w.look())
	require.Panics(t, func() { monitor.New(monitor.Rooms{}) })
}

func TestStage_Do_aLostLeaseEndsTheLook(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "city-canine")
	l := w.begin()
	l.Fence--
	_, _, err := monitor.New(w.rooms).Do(t.Context(), l)
	require.ErrorIs(t, err, pipeline.ErrLeaseLost)
	require.Zero(t, w.number(`SELECT count(*) FROM blogposter.watched_pages`))
	require.Less(t, len(w.asked("city-canine")), 25, "it stops at the first write that is refused")
}

func TestStage_Do_whatALookAskedForItDoesNotAskForAgain(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "vest-and-harness")
	r := w.rivals["vest-and-harness"]
	l := w.begin()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pages := r.Pages()
	last := oldest(pages) // undated in its list, which names the newest first all the same
	r.Serve(last.Path, func(_ http.ResponseWriter, q *http.Request) {
		cancel()
		<-q.Context().Done()
	})
	_, _, err := monitor.New(w.rooms).Do(ctx, l)
	require.ErrorIs(t, err, context.Canceled)
	r.Serve(last.Path, nil)
	w.forget()
	_, _, err = monitor.New(w.rooms).Do(t.Context(), l)
	require.NoError(t, err)
	require.Len(t, w.asked("vest-and-harness"), 2, "the list, and the page that was cut")
	require.Equal(t, int64(len(pages)), w.seen(editorial.PageLive))
}

func TestStage_Do_textInAnotherOrderIsSaidToBe(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "city-canine")
	r := w.rivals["city-canine"]
	w.look()
	p := r.Pages()[0]
	p.Modified = time.Now()
	p.Sections = append([]rivals.Section(nil), p.Sections...)
	p.Sections[1], p.Sections[2] = p.Sections[2], p.Sections[1]
	r.Put(p)
	long := r.Pages()[1]
	long.Modified = time.Now()
	long.Sections = append([]rivals.Section{{Paragraphs: []string{"It " + strings.Repeat("goes on and ", 30) + "ends."}}}, long.Sections...)
	r.Put(long)
	w.look()
	require.Contains(t, w.changes()[w.hosts["city-canine"]+p.Path].Summary, "in another order")
	require.Contains(t, w.changes()[w.hosts["city-canine"]+long.Path].Summary, "…”")
}

func TestStage_Do_keepsTheBeginningOfATitleWithoutEnd(t *testing.T) {
	t.Parallel()

	for _, rival := range []string{"guidepost-journal", "paws-on-duty"} { // by the reader, and by ourselves from a feed
		w := newWorld(t, rival)
		r := w.rivals[rival]
		page := r.Pages()[0]
		page.Title, page.Path = strings.Repeat("Guide dogs and trains ", 10_000), "/endless"
		r.Put(page)
		page.Path = "/no-text"
		r.Put(page)
		r.Serve(page.Path, func(rw http.ResponseWriter, _ *http.Request) { rw.Header().Set("Content-Type", "image/png") })
		w.rooms.Reader = says{page: editorial.Page{Title: page.Title, Text: "A handler who travels with a trained dog plans the day.", Tokens: 10}}
		w.look()
		for _, path := range []string{"/endless", "/no-text"} {
			title := w.page(rival, path).Title
			require.True(t, strings.HasPrefix(title, "Guide dogs and trains Guide"), title)
			require.LessOrEqual(t, len(title), 303, rival+path)
		}
	}
}

func TestStage_Do_asksNobodyWhomAListNames(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "handler-weekly")
	r := w.rivals["handler-weekly"]
	own := r.Pages()[0].Path
	r.Serve("/atom.xml", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/atom+xml")
		rw.Header().Set("ETag", `"1"`)
		_, _ = rw.Write([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="` + own + `"/></entry><entry><link href="http://localhost:9/"/></entry></feed>`))
	})
	w.look()
	require.Equal(t, int64(1), w.number(`SELECT count(*) FROM blogposter.watched_pages`))
	require.Contains(t, w.report("handler-weekly"), "1 pages of other sites are not taken")
	require.Equal(t, int64(1), w.number(`SELECT count(*) FROM blogposter.competitors WHERE etag = '"1"'`), "the list was read whole all the same")
}
