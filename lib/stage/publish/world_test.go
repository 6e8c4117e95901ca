package publish_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
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
	server cmstest.Server // where it is
	asks   http.Header    // sent with each call to the site
	lease  pipeline.Lease
	stage  *publish.Stage
	now    func() time.Time
}

const timeout = 20 * time.Second

// onBoth runs the test on the WordPress in memory and on the real ones.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("in memory", func(t *testing.T) {
		t.Parallel()
		test(t, inMemory(t))
	})
	for name, real := range reals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, onReal(t, real(t)))
		})
	}
}

var reals = map[string]func(testing.TB) cmstest.Server{"SQLite": cmstest.Real, "MariaDB": cmstest.MariaDB}

func onReal(t *testing.T, server cmstest.Server) *world {
	t.Helper()
	w := newWorld(t, server.URL, server.User, server.Password)
	w.server = server
	t.Cleanup(func() {
		server.Clean(t, w.marker())
		server.Clean(t, suffix(w.lease.RunID))
	})
	return w
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
		store: newStore(dossier(run, address, proxy.URL)), steps: &journaltest.Steps{}, proxy: proxy, asks: http.Header{},
		now:   time.Now,
		lease: pipeline.Lease{RunID: run, SiteID: 3, Stage: pipeline.StagePublish, Attempt: 1, TTL: time.Minute},
	}
	w.reopen(t, user, password)
	w.patience(t, timeout)
	w.approve(t)
	return w
}

// patience is the longest a write may take from now on.
func (w *world) patience(t *testing.T, longest time.Duration) {
	t.Helper()
	w.stage = publish.New(w.store, w.store, journal.New(w.steps), func(context.Context, editorial.Site) (publish.Blog, error) { return w.blog, nil },
		longest, func() time.Time { return w.now() })
}

// reopen lets the stage reach the site as the dossier says now.
func (w *world) reopen(t *testing.T, user, password string) {
	t.Helper()
	settings := w.store.dossier.Site.CMS
	settings.User = user
	hc := cmstest.Client(t)
	hc.Transport = asking{w.asks, hc.Transport}
	blog, err := cms.Open(settings, password, hc)
	require.NoError(t, err)
	w.blog = blog
	settings.URL = w.store.dossier.Site.URL
	direct, err := cms.Open(settings, password, cmstest.Client(t))
	require.NoError(t, err)
	w.direct = direct
}

// asking adds headers, by which a real site's stand-ins know the test's calls.
type asking struct {
	header http.Header
	next   http.RoundTripper
}

func (a asking) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, values := range a.header {
		r.Header[name] = values
	}
	return a.next.RoundTrip(r)
}

func suffix(run int64) string { return fmt.Sprintf("zz%d", run) }

func dossier(run int64, public, api string) editorial.Dossier {
	d := markuptest.Dossier()
	d.Brief.RunID, d.Brief.Marker = run, fmt.Sprintf("bp-%032x", run)
	d.Site.URL, d.Site.CMS.URL = public, api
	d.Draft.Slug += "-" + suffix(run)
	d.Draft.Categories = []string{"Access & Law " + suffix(run)}
	d.Draft.Tags = []string{`Q&A "quoted" ` + suffix(run), "ADA " + suffix(run)}
	d.Draft.Media = []editorial.Media{pictureOf(d.Draft.Slug)}
	return d
}

// pixels is a small PNG that differs with its text, since sites look at what
// they are given.
func pixels(text string) []byte {
	img := image.NewGray(image.Rect(0, 0, 8*len(text), 8))
	for i := range img.Pix {
		img.Pix[i] = text[i%len(text)]
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func pictureOf(slug string) editorial.Media {
	sum := sha256.Sum256(pixels(slug))
	hash := hex.EncodeToString(sum[:])
	return editorial.Media{
		Role: "featured", Hash: hash, Type: "image/png", Width: 8 * len(slug), Height: 8, Origin: "card",
		Alt: `Title card: "Dogs" & more. Desk`, Name: slug + "-" + hash[:16] + ".png",
	}
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
	if w.store.dossier.Site.CMS.PostType == "page" {
		require.Empty(t, posts[0].Categories)
	} else {
		require.Len(t, posts[0].Categories, 1)
		require.Len(t, posts[0].Tags, 2)
	}
	file, there, err := w.direct.File(t.Context(), posts[0].Picture)
	require.NoError(t, err)
	require.True(t, there, "it has its picture")
	require.Equal(t, d.Media[0].Alt, file.Alt)
	require.Contains(t, file.URL, d.Media[0].Hash[:16])
	files, err := w.direct.FindFiles(t.Context(), d.Media[0].Hash[:16])
	require.NoError(t, err)
	require.Len(t, files, 1, "the picture is there once")
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
