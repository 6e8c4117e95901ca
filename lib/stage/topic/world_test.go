package topic_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/artifact"
	"blogposter/lib/artifact/artifacttest"
	"blogposter/lib/config"
	"blogposter/lib/editorial"
	"blogposter/lib/journal"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
	"blogposter/lib/llm/openai"
	"blogposter/lib/pipeline"
	"blogposter/lib/stage/topic"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
	"blogposter/lib/view"
	"blogposter/scripts/modelserver/vector"
	"blogposter/scripts/modelserver/wire"
	"blogposter/scripts/rivals"
)

const (
	model = wire.EmbeddingModel
	ttl   = time.Minute
)

// now is when the tests take place: two days after the competitors' last page.
var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// world is a site with its database, its texts, and a model server.
type world struct {
	t      testing.TB
	db     storetest.DB
	store  *store.Store
	texts  *artifact.Store
	stage  *topic.Stage
	site   int64
	rivals map[string]int64 // competitors by name
	calls  *atomic.Int64    // that the model server was sent
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{t: tb, db: storetest.New(tb), texts: artifacttest.New(tb), rivals: map[string]int64{}, calls: new(atomic.Int64)}
	w.store = store.New(w.db.Functions)
	w.site = storetest.AddSite(tb, w.db.Owner, "dogs")
	w.exec(`UPDATE blogposter.sites SET research = '{"every_minutes": 360, "budget": 200000}', audience = 'people who live or work with a service dog',
		categories = '{Access,Housing,Travel,Training,Health}', article_budget_micros = 150000,
		rules = rules || '{"forbidden": [{"pattern": "\\bdogs? must be registered", "reason": "no law asks for it"}]}' WHERE id = $1`, w.site)
	w.stage = topic.New(topic.Rooms{
		Store: w.store, Texts: w.texts, Model: model, Now: func() time.Time { return now },
		Embedder: llm.NewEmbedder(openai.New(openai.Config{BaseURL: w.server(), APIKey: "offline-test", HTTP: &http.Client{Timeout: time.Minute}}),
			journal.New(w.store), ledger.Prices, func() time.Time { return now }),
	})
	return w
}

// server starts the offline model server with the real table of word vectors.
func (w *world) server() string {
	w.t.Helper()
	env := config.OS()
	name := env.Get("MODEL_VECTORS", "")
	if name == "" && env.Get("CI", "") == "" {
		w.t.Skip("MODEL_VECTORS is not set")
	}
	require.NotEmpty(w.t, name, "MODEL_VECTORS is not set: scripts/stack/vectors.sh makes the table")
	table, err := vector.Open(name)
	require.NoError(w.t, err)
	h := wire.New(wire.Config{Vectors: table})
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.calls.Add(1)
		h.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(srv.Close)
	return srv.URL + "/v1"
}

func (w *world) exec(q string, args ...any) {
	w.t.Helper()
	_, err := w.db.Owner.Exec(w.t.Context(), q, args...)
	require.NoError(w.t, err)
}

// watch adds pages as the monitor leaves them.
func (w *world) watch(pages ...rivals.Page) {
	w.t.Helper()
	for _, p := range pages {
		w.add(p, p.Text())
	}
}

func (w *world) add(p rivals.Page, text string) {
	w.t.Helper()
	if w.rivals[p.Site] == 0 {
		var id int64
		require.NoError(w.t, w.db.Owner.QueryRow(w.t.Context(), `
			INSERT INTO blogposter.competitors (site_id, name, kind, url) VALUES ($1, $2, 'feed', 'https://' || $2 || '.example/feed') RETURNING id`,
			w.site, p.Site).Scan(&id))
		w.rivals[p.Site] = id
	}
	hash, err := w.texts.Put(w.t.Context(), []byte(text))
	require.NoError(w.t, err)
	var comments *int
	if p.Comments != rivals.Unknown {
		comments = &p.Comments
	}
	w.exec(`INSERT INTO blogposter.watched_pages (site_id, competitor_id, url, title, state, text_hash, comments, published_at, checked_at)
		VALUES ($1, $2, $3, $4, 'live', $5, $6, $7, $8)`,
		w.site, w.rivals[p.Site], "https://"+p.Site+".example"+p.Path, p.Title, hash, comments, p.Published, now.Add(-time.Hour))
}

// research leases a new Run of research at the topic stage, pinned to a model.
func (w *world) research(pinned string) pipeline.Lease {
	w.t.Helper()
	w.exec(`UPDATE blogposter.runs SET created_at = created_at - interval '1 day'`)
	_, err := w.store.BeginDueResearch(w.t.Context(), pipeline.Pins{Prompts: "v1", Small: "s", Large: "l", Embedding: pinned})
	require.NoError(w.t, err)
	w.exec(`UPDATE blogposter.runs SET stage = 'topic' WHERE kind = 'research' AND stage = 'monitor'`)
	return w.lease()
}

// auto leases an article's new Run that is to find its own topic.
func (w *world) auto() pipeline.Lease {
	w.t.Helper()
	_, _, err := w.store.AddRun(w.t.Context(), "dogs", view.NewRun{By: "ann", Pins: pipeline.Pins{Prompts: "v1", Small: "s", Large: "l", Embedding: model}})
	require.NoError(w.t, err)
	return w.lease()
}

func (w *world) lease() pipeline.Lease {
	w.t.Helper()
	l, ok, err := w.store.LeaseRun(w.t.Context(), pipeline.StageTopic, "w", ttl)
	require.NoError(w.t, err)
	require.True(w.t, ok, "no run is due at the topic stage")
	return l
}

// do works on a leased Run as the function would, and returns what is said of
// it.
func (w *world) do(l pipeline.Lease) (string, error) {
	w.t.Helper()
	return w.doIn(w.t.Context(), l)
}

func (w *world) doIn(ctx context.Context, l pipeline.Lease) (string, error) {
	w.t.Helper()
	work, out, err := w.stage.Do(ctx, l)
	if finish := w.store.FinishAttempt(ctx, l, pipeline.Decide(l, out, err), work); err == nil {
		err = finish
	}
	return out.Detail, err
}

// recommend makes a pass of research and returns what it says of itself.
func (w *world) recommend() string {
	w.t.Helper()
	detail, err := w.do(w.research(model))
	require.NoError(w.t, err)
	return detail
}

// topics lists what the site was recommended, of any state.
func (w *world) topics(f view.TopicFilter) []view.TopicDetail {
	w.t.Helper()
	f.Limit = 200
	list, err := w.store.Topics(w.t.Context(), "dogs", f)
	require.NoError(w.t, err)
	out := make([]view.TopicDetail, len(list))
	for i, t := range list {
		out[i], err = w.store.Topic(w.t.Context(), "dogs", t.ID)
		require.NoError(w.t, err)
	}
	return out
}

func term(t *testing.T, d view.TopicDetail, name string) editorial.ScoreTerm {
	t.Helper()
	for _, term := range d.Terms {
		if term.Name == name {
			return term
		}
	}
	require.Fail(t, "no such term", name)
	return editorial.ScoreTerm{}
}

// labelled returns the rivals' pages on a subject, originals first.
func labelled(subject string, n int) []rivals.Page {
	var out []rivals.Page
	for _, p := range rivals.Corpus() {
		if p.Subject == subject && p.CopyOf == "" && len(out) < n {
			out = append(out, p)
		}
	}
	return out
}

// corpusPage is the rivals' page behind an address.
func corpusPage(url string) rivals.Page {
	for _, p := range rivals.Corpus() {
		if url == "https://"+p.Site+".example"+p.Path {
			return p
		}
	}
	return rivals.Page{}
}

func (w *world) count(q string, args ...any) (n int64) {
	w.t.Helper()
	require.NoError(w.t, w.db.Owner.QueryRow(w.t.Context(), q, args...).Scan(&n))
	return n
}

// publish puts an article on the site, at an address with its number. What
// guards publications is not in the way: this is the table's owner.
func (w *world) publish(title, text string) {
	w.t.Helper()
	body := editorial.Body{}
	for _, p := range strings.Split(text, "\n\n") {
		body.Sections = append(body.Sections, editorial.Section{Blocks: []editorial.Block{{
			Kind: editorial.BlockParagraph, Items: []editorial.Item{{Sentences: []editorial.Sentence{{Text: p}}}},
		}}})
	}
	raw, err := json.Marshal(body)
	require.NoError(w.t, err)
	run := storetest.AddRun(w.t, w.db.Owner, w.site, "draft")
	n := w.count(`SELECT count(*) + 1 FROM blogposter.publications`)
	w.exec(`ALTER TABLE blogposter.publications DISABLE TRIGGER gate`)
	w.exec(`WITH r AS (UPDATE blogposter.runs SET stage = 'publish', state = 'done', finished_at = now() WHERE id = $1 RETURNING id, site_id),
		d AS (INSERT INTO blogposter.drafts (run_id, site_id, version, title, slug, excerpt, meta_description, keyphrase, categories, tags, body, markup, json_ld, checked_at, digest)
			SELECT id, site_id, 1, $2, 'slug', '', '', '', '{}', '{}', $3::jsonb, '<p>', '{}', now(), repeat('d', 64) FROM r RETURNING id, run_id, site_id)
		INSERT INTO blogposter.decisions (run_id, draft_id, site_id, verb, digest, reviewer)
		SELECT run_id, id, site_id, 'approve', repeat('d', 64), 'ann' FROM d`, run, title, string(raw))
	w.exec(`INSERT INTO blogposter.publications (run_id, draft_id, site_id, digest, marker, state, post_id, url, published_at)
		SELECT run_id, draft_id, site_id, digest, 'bp-' || lpad($2::bigint::text, 32, '0'), 'published', $2::bigint, 'https://dogs.example/' || $2::bigint, now()
		FROM blogposter.decisions WHERE run_id = $1`, run, n)
}

// profileHash is of what the site says of itself in newWorld.
var profileHash = fmt.Sprintf("%x", sha256.Sum256([]byte("dogs\npeople who live or work with a service dog\n\nAccess\nHousing\nTravel\nTraining\nHealth")))
