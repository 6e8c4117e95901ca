package network_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cms"
	"blogposter/lib/cms/cmstest"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

// gate stands between a link and WordPress: it notes the calls, and says when
// one was answered.
type gate struct {
	answered chan struct{}

	mu    sync.Mutex
	calls []string
}

func (g *gate) noted() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.calls...)
}

// farSite is the real WordPress across a link that a gate stands behind.
type farSite struct {
	link *link
	gate *gate
	near *cms.WordPress                              // as it is
	far  func(patience time.Duration) *cms.WordPress // across the link
}

func openSite(t *testing.T, tag string) farSite {
	t.Helper()
	real := cmstest.Real(t)
	target, err := url.Parse(real.URL)
	require.NoError(t, err)
	g := &gate{answered: make(chan struct{}, 10)}
	forward := &httputil.ReverseProxy{
		Transport: cmstest.Client(t).Transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			// What was asked is carried out, also when nobody waits for it any more.
			r.Out = r.Out.WithContext(t.Context())
			g.mu.Lock()
			defer g.mu.Unlock()
			g.calls = append(g.calls, r.In.Method+" "+r.In.URL.Path)
		},
		ModifyResponse: func(*http.Response) error { g.answered <- struct{}{}; return nil },
	}
	srv := httptest.NewServer(forward)
	t.Cleanup(srv.Close)
	t.Cleanup(func() { real.Clean(t, tag) })
	l := before(t, host(t, srv.URL))
	base, err := url.Parse(l.of(srv.URL))
	require.NoError(t, err)
	return farSite{
		link: l, gate: g, near: cms.New(target, real.User, real.Password, cmstest.Client(t)),
		far: func(patience time.Duration) *cms.WordPress {
			hc := cmstest.Client(t)
			hc.Timeout = patience
			return cms.New(base, real.User, real.Password, hc)
		},
	}
}

func TestWordPress_isNotSentAPostTwiceWhenItIsTooSlow(t *testing.T) {
	t.Parallel()

	tag := fmt.Sprintf("zzslow%d", rand.Int64N(1<<40))
	s := openSite(t, tag)
	far := s.far(time.Minute)
	post := editorial.Post{Status: editorial.PostDraft, Slug: tag, Title: "Slow " + tag, Content: "<p>" + tag + "</p>"}

	s.link.silence()
	_, err := s.far(time.Second).Create(t.Context(), post)
	require.Error(t, err)
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), err)
	require.True(t, fault.IsLost(err), "nobody knows whether there is a post: %v", err)
	<-s.gate.answered // WordPress made it all the same
	require.Len(t, s.gate.noted(), 1, "a write is made once")

	// What the publish stage does next: look before writing.
	s.link.heal()
	found, err := far.FindPosts(t.Context(), tag)
	require.NoError(t, err)
	require.Len(t, found, 1)
	post.ID = found[0].ID
	_, err = far.Update(t.Context(), post)
	require.NoError(t, err)
	found, err = s.near.FindPosts(t.Context(), tag)
	require.NoError(t, err)
	require.Len(t, found, 1)
	creations := 0
	for _, call := range s.gate.noted() {
		if strings.HasPrefix(call, http.MethodPost) && strings.HasSuffix(call, "/posts") {
			creations++
		}
	}
	require.Equal(t, 1, creations, s.gate.noted())
}

func TestWordPress_isReadAgainWhenAnAnswerIsCutOff(t *testing.T) {
	t.Parallel()

	tag := fmt.Sprintf("zzcut%d", rand.Int64N(1<<40))
	s := openSite(t, tag)
	far := s.far(time.Minute)
	made, err := s.near.Create(t.Context(), editorial.Post{Status: editorial.PostDraft, Slug: tag, Title: tag, Content: strings.Repeat("<p>"+tag+"</p>\n", 500)})
	require.NoError(t, err)

	s.link.cut(toClient, 2_000)
	_, _, err = far.Post(t.Context(), made.ID)
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), err)
	require.False(t, fault.IsLost(err), "a read changes nothing, so it is never lost")
	require.Len(t, s.gate.noted(), 3, "a read is made three times at most")

	s.link.heal()
	read, ok, err := far.Post(t.Context(), made.ID)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, made.Content, read.Content)
}
