package publish_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cms"
	"blogposter/lib/cms/cmstest"
	"blogposter/lib/editorial"
	"blogposter/lib/journal"
	"blogposter/lib/journal/journaltest"
	"blogposter/lib/markup"
	"blogposter/lib/markup/markuptest"
	"blogposter/lib/pipeline"
	"blogposter/lib/stage/publish"
)

// world is an approved Run and a WordPress behind a proxy.
type world struct {
	store  *store
	steps  *journaltest.Steps
	proxy  *cmstest.Proxy
	blog   *cms.WordPress
	direct *cms.WordPress // past the proxy
	fake   *cmstest.Site  // nil where the site is real
	lease  pipeline.Lease
	stage  *publish.Stage
	now    func() time.Time
}

const timeout = 20 * time.Second

// onBoth runs the test on the WordPress in memory and on the real one.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("in memory", func(t *testing.T) {
		t.Parallel()
		test(t, inMemory(t))
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		server := cmstest.Real(t)
		w := newWorld(t, server.URL, server.User, server.Password)
		t.Cleanup(func() {
			server.Clean(t, w.marker())
			server.Clean(t, suffix(w.lease.RunID))
		})
		test(t, w)
	})
}

func inMemory(t *testing.T) *world {
	t.Helper()
	site := cmstest.New(t)
	w := newWorld(t, site.URL, cmstest.User, cmstest.Password)
	w.fake = site
	return w
}

func newWorld(t *testing.T, address, user, password string) *world {
	t.Helper()
	proxy := cmstest.NewProxy(t, address)
	run := rand.Int64N(1 << 40)
	w := &world{
		store: &store{dossier: dossier(run, address, proxy.URL)}, steps: &journaltest.Steps{}, proxy: proxy,
		direct: client(t, address, user, password), now: time.Now,
		lease: pipeline.Lease{RunID: run, SiteID: 3, Stage: pipeline.StagePublish, Attempt: 1, TTL: time.Minute},
	}
	w.blog = client(t, proxy.URL, user, password)
	w.patience(t, timeout)
	w.approve(t)
	return w
}

// patience is the longest a write may take from now on.
func (w *world) patience(t *testing.T, longest time.Duration) {
	t.Helper()
	w.stage = publish.New(w.store, journal.New(w.steps), func(context.Context, editorial.Site) (publish.Blog, error) { return w.blog, nil },
		longest, func() time.Time { return w.now() })
}

func client(t *testing.T, address, user, password string) *cms.WordPress {
	t.Helper()
	base, err := url.Parse(address)
	require.NoError(t, err)
	return cms.New(base, user, password, cmstest.Client(t))
}

func suffix(run int64) string { return fmt.Sprintf("zz%d", run) }

func dossier(run int64, public, api string) editorial.Dossier {
	d := markuptest.Dossier()
	d.Brief.RunID, d.Brief.Marker = run, fmt.Sprintf("bp-%032x", run)
	d.Site.URL, d.Site.CMS.URL = public, api
	d.Draft.Slug += "-" + suffix(run)
	d.Draft.Categories = []string{"Access & Law " + suffix(run)}
	d.Draft.Tags = []string{`Q&A "quoted" ` + suffix(run), "ADA " + suffix(run)}
	return d
}

// approve renders the Draft as it is and decides for it.
func (w *world) approve(t *testing.T) {
	t.Helper()
	d := &w.store.dossier
	r, err := markup.Render(*d)
	require.NoError(t, err)
	d.Draft.Markup, d.Draft.JSONLD = r.Markup, r.JSONLD
	d.Draft.Digest = editorial.DocumentOf(d.Site, d.Brief, *d.Draft).Digest()
	d.Decision = &editorial.Decision{DraftID: d.Draft.ID, Verb: editorial.VerbApprove, Digest: d.Draft.Digest}
}

func (w *world) marker() string {
	return w.store.dossier.Brief.Marker
}

// do is one attempt, on a lease of its own.
func (w *world) do(ctx context.Context) (pipeline.Outcome, error) {
	w.lease.Fence++
	_, out, err := w.stage.Do(ctx, w.lease)
	return out, err
}

func (w *world) posts(t *testing.T) []editorial.Post {
	t.Helper()
	posts, err := w.direct.FindPosts(t.Context(), w.marker())
	require.NoError(t, err)
	return posts
}

// requirePublished says that there is one post, public and as approved.
func (w *world) requirePublished(t *testing.T) editorial.Post {
	t.Helper()
	posts := w.posts(t)
	require.Len(t, posts, 1)
	d := w.store.dossier.Draft
	require.Equal(t, editorial.PostPublic, posts[0].Status)
	require.Equal(t, d.Markup, posts[0].Content, "byte for byte")
	require.Equal(t, markup.Escape(d.Title), posts[0].Title)
	require.Equal(t, markup.Escape(d.Excerpt), posts[0].Excerpt)
	require.Len(t, posts[0].Categories, 1)
	require.Len(t, posts[0].Tags, 2)
	got := w.store.publication()
	require.Equal(t, editorial.PublicationPublished, got.State)
	require.Equal(t, posts[0].ID, got.PostID)
	require.Equal(t, posts[0].URL, got.URL)
	return posts[0]
}

// writes counts the creations, or changes, that reached the proxy.
func (w *world) writes(t *testing.T, to string) int {
	t.Helper()
	n := 0
	for _, c := range w.proxy.Calls() {
		if strings.HasPrefix(c, "POST /wp-json/wp/v2/"+to) {
			n++
		}
	}
	return n
}

func isCreate(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/wp-json/wp/v2/posts"
}

func isUpdate(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/wp-json/wp/v2/posts/")
}

// store is the stage's Store in memory, which can lose a mark.
type store struct {
	mu       sync.Mutex
	dossier  editorial.Dossier
	pub      *editorial.Publication
	began    int
	failMark error
	marks    []editorial.PublicationState
}

func (s *store) Dossier(context.Context, pipeline.Lease) (editorial.Dossier, error) {
	if s.dossier.Brief.RunID == 0 {
		return editorial.Dossier{}, errors.New("store is down")
	}
	return s.dossier, nil
}

func (s *store) BeginPublication(_ context.Context, _ pipeline.Lease, p editorial.Publication) (editorial.Publication, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began++
	if s.pub == nil {
		s.pub = &p
	}
	return *s.pub, nil
}

func (s *store) MarkPublication(_ context.Context, _ pipeline.Lease, p editorial.Publication) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failMark != nil {
		return s.failMark
	}
	s.pub = &p
	s.marks = append(s.marks, p.State)
	return nil
}

func (s *store) publication() editorial.Publication {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.pub
}

func (w *world) stepNames() []string {
	var names []string
	for _, r := range w.steps.Rows() {
		name, _, _ := strings.Cut(r.Name, ":")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
