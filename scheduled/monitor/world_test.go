package monitor_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"blogposter/lib/artifact/artifacttest"
	"blogposter/lib/crawl"
	"blogposter/lib/crawl/direct"
	"blogposter/lib/editorial"
	"blogposter/lib/journal"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
	"blogposter/scheduled/monitor"
	"blogposter/scripts/rivals"
)

// world is one site with the rivals it watches, on a real database and a real
// artifact store.
type world struct {
	t      *testing.T
	db     storetest.DB
	store  *store.Store
	site   int64
	rivals map[string]*rivals.Rival
	hosts  map[string]string // by rival
	reader *rivals.Reader
	rooms  monitor.Rooms
}

func newWorld(t *testing.T, sites ...string) *world {
	t.Helper()
	w := &world{t: t, db: storetest.New(t), rivals: map[string]*rivals.Rival{}, hosts: map[string]string{}}
	w.store = store.New(w.db.Functions)
	w.site = storetest.AddSite(t, w.db.Owner, "dogs")
	w.exec(`UPDATE blogposter.sites SET research = '{"every_minutes": 360, "budget": 200000}' WHERE id = $1`, w.site)
	byHost := map[string]*rivals.Rival{}
	pages := rivals.Corpus()
	for _, s := range rivals.Sites() {
		if len(sites) > 0 && !contains(sites, s.Key) {
			continue
		}
		r := rivals.New(s, pages)
		srv := httptest.NewServer(r)
		t.Cleanup(srv.Close)
		u, err := url.Parse(srv.URL)
		require.NoError(t, err)
		w.rivals[s.Key], w.hosts[s.Key], byHost[u.Host] = r, srv.URL, r
		w.exec(`INSERT INTO blogposter.competitors (site_id, name, kind, url, via, most) VALUES ($1, $2, $3, $4, $5, 200)`, w.site, s.Name, s.Kind, srv.URL+s.List, s.Via)
	}
	w.reader = rivals.NewReader(byHost)
	srv := httptest.NewServer(w.reader)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	require.NoError(t, err)
	w.rooms = monitor.Rooms{
		Store: w.store, Fetcher: direct.New(direct.Config{AllowPrivate: true, Pause: -1, PageTime: 2 * time.Second}),
		Reader:    crawl.New(crawl.Config{BaseURL: u, APIKey: "offline-test", HTTP: &http.Client{Timeout: 10 * time.Second}, TokenBudget: 5000, AllowPrivate: true}),
		Artifacts: artifacttest.New(t), Steps: journal.New(w.store), PageTokens: 5000, Now: time.Now, Reserve: time.Millisecond,
	}
	return w
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	_, err := w.db.Owner.Exec(context.Background(), sql, args...)
	require.NoError(w.t, err)
}

// begin makes a look due, begins it and leases it.
func (w *world) begin() pipeline.Lease {
	w.t.Helper()
	w.exec(`UPDATE blogposter.runs SET created_at = created_at - interval '7 hours'`)
	n, err := w.store.BeginDueResearch(w.t.Context(), pipeline.Pins{Prompts: "v1", Small: "s", Large: "l", Embedding: "e"})
	require.NoError(w.t, err)
	require.Equal(w.t, 1, n)
	return w.lease("a1")
}

func (w *world) lease(owner string) pipeline.Lease {
	w.t.Helper()
	l, ok, err := w.store.LeaseRun(w.t.Context(), pipeline.StageMonitor, owner, time.Minute)
	require.NoError(w.t, err)
	require.True(w.t, ok)
	return l
}

// look takes one whole look and returns its line.
func (w *world) look() string {
	w.t.Helper()
	l := w.begin()
	_, out, err := monitor.New(w.rooms).Do(w.t.Context(), l)
	require.NoError(w.t, err)
	w.finish(l, out)
	return out.Detail
}

// finish ends the leased look as its topic stage would.
func (w *world) finish(l pipeline.Lease, out pipeline.Outcome) {
	w.t.Helper()
	require.NoError(w.t, w.store.FinishAttempt(w.t.Context(), l, pipeline.Decide(l, out, nil), editorial.Work{}))
	l, ok, err := w.store.LeaseRun(w.t.Context(), pipeline.StageTopic, "topic", time.Minute)
	require.NoError(w.t, err)
	require.True(w.t, ok)
	require.NoError(w.t, w.store.FinishAttempt(w.t.Context(), l, pipeline.Decide(l, pipeline.Outcome{Done: true}, nil), editorial.Work{}))
}

// changes are those of the newest look, as "kind url summary".
func (w *world) changes() map[string]editorial.PageChange {
	w.t.Helper()
	rows, err := w.db.Owner.Query(w.t.Context(), `SELECT w.url, c.kind, c.added, c.removed, c.summary, coalesce(c.text_hash, '') AS text_hash, coalesce(c.before, '') AS before
		FROM blogposter.page_changes c JOIN blogposter.watched_pages w ON w.id = c.page_id
		WHERE c.run_id = (SELECT max(id) FROM blogposter.runs)`)
	require.NoError(w.t, err)
	got := map[string]editorial.PageChange{}
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		var c editorial.PageChange
		err := row.Scan(&c.URL, &c.Kind, &c.Added, &c.Removed, &c.Summary, &c.TextHash, &c.Before)
		got[c.URL] = c
		return struct{}{}, err
	})
	require.NoError(w.t, err)
	return got
}

// page is the row of a rival's page.
func (w *world) page(rival, path string) editorial.WatchedPage {
	w.t.Helper()
	watch, err := w.store.Watch(w.t.Context(), pipeline.Lease{RunID: w.number(`SELECT max(id) FROM blogposter.runs`), SiteID: w.site})
	require.NoError(w.t, err)
	for _, p := range watch.Pages {
		if p.URL == w.hosts[rival]+path {
			return p
		}
	}
	require.Fail(w.t, "no such page", "%s%s", rival, path)
	return editorial.WatchedPage{}
}

func (w *world) number(sql string, args ...any) (n int64) {
	w.t.Helper()
	require.NoError(w.t, w.db.Owner.QueryRow(context.Background(), sql, args...).Scan(&n))
	return n
}

func (w *world) report(rival string) (s string) {
	w.t.Helper()
	require.NoError(w.t, w.db.Owner.QueryRow(context.Background(), `SELECT report FROM blogposter.competitors WHERE url LIKE $1 || '%'`, w.hosts[rival]+"/").Scan(&s))
	return s
}

// asked is what a rival was asked since the last call, robots.txt left out, as
// "status path".
func (w *world) asked(rival string) []rivals.Request {
	var asked []rivals.Request
	for _, r := range w.rivals[rival].Requests() {
		if r.Path != "/robots.txt" {
			asked = append(asked, r)
		}
	}
	return asked
}

// forget drops what the rivals and the reader were asked until now.
func (w *world) forget() {
	for _, r := range w.rivals {
		r.Requests()
	}
	w.reader.Reads()
}
