package cms_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cms"
	"blogposter/lib/cms/cmstest"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

const secret = "abcd efgh ijkl"

func open(t *testing.T, address string) *cms.WordPress {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return cms.New(u, "desk", secret, cmstest.Client(t))
}

// serve answers every call alike, below a path, and counts the calls.
func serve(t *testing.T, answer http.HandlerFunc) (w *cms.WordPress, calls *atomic.Int32) {
	t.Helper()
	calls = &atomic.Int32{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if !strings.HasPrefix(r.URL.Path, "/blog/wp-json/wp/v2/") {
			t.Errorf("called %s", r.URL.Path)
		}
		answer(w, r)
	}))
	t.Cleanup(srv.Close)
	return open(t, srv.URL+"/blog/"), calls
}

func TestWordPress_classifiesWhatASiteAnswers(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		code   int
		header [2]string
		body   string
		kind   fault.Kind
		lost   bool // on a write
		reads  int32
		says   string
		after  time.Duration
	}{
		"401":                {code: 401, body: `{"code":"rest_not_logged_in","message":"No."}`, kind: fault.KindNeedsHuman, reads: 1, says: `status 401 rest_not_logged_in: No.: it refuses user "desk": check that`},
		"403":                {code: 403, body: `<html>Blocked by a firewall</html>`, kind: fault.KindNeedsHuman, reads: 1, says: "no security plugin or server rule blocks the REST API"},
		"404 of no API":      {code: 404, body: `<html>Not found</html>`, kind: fault.KindNeedsHuman, reads: 1, says: "permalinks are not set to Plain"},
		"400":                {code: 400, body: `{"code":"rest_invalid_param","message":"Invalid parameter(s): slug"}`, kind: fault.KindPermanent, reads: 1, says: "rest_invalid_param: Invalid parameter(s): slug"},
		"408":                {code: 408, kind: fault.KindRetryable, lost: true, reads: 3},
		"429":                {code: 429, kind: fault.KindRetryable, reads: 3},
		"429 with a wait":    {code: 429, header: [2]string{"Retry-After", "70"}, kind: fault.KindRetryable, reads: 1, after: 70 * time.Second},
		"429 with a long":    {code: 429, header: [2]string{"Retry-After", "99999"}, kind: fault.KindRetryable, reads: 1, after: time.Hour},
		"500":                {code: 500, body: `{"code":"internal_server_error","message":"critical error"}`, kind: fault.KindRetryable, lost: true, reads: 3, says: "critical error"},
		"503":                {code: 503, body: "Briefly unavailable for scheduled maintenance.", kind: fault.KindRetryable, lost: true, reads: 3, says: `status 503 Service Unavailable: 46 bytes of type "text/plain; charset=utf-8"`},
		"a redirect":         {code: 301, header: [2]string{"Location", "https://www.dogs.example/wp-json/?k=v"}, kind: fault.KindNeedsHuman, reads: 1, says: "set the site's cms.url to the address"},
		"a redirect nowhere": {code: 302, kind: fault.KindNeedsHuman, reads: 1, says: "nowhere"},
		"a page for 200":     {code: 200, header: [2]string{"Content-Type", "text/html"}, body: "<!doctype html><title>Checking your browser</title>", kind: fault.KindNeedsHuman, lost: true, reads: 1, says: `answered 200 with 51 bytes of type "text/html" instead of the JSON of its REST API: look for`},
		"PHP notices":        {code: 200, body: "<br />\n<b>Warning</b>: x in y\n{\"id\":1}", kind: fault.KindNeedsHuman, lost: true, reads: 1, says: "PHP notices"},
		"no raw text":        {code: 200, body: `{"id":7,"title":{"rendered":"x"}}`, kind: fault.KindNeedsHuman, lost: true, reads: 1, says: "no raw text"},
		"an endless answer":  {code: 200, body: strings.Repeat("x", 16<<20+1), kind: fault.KindRetryable, lost: true, reads: 3, says: "answer is over 16777216 bytes"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w, calls := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if tc.header[0] != "" {
					w.Header().Set(tc.header[0], tc.header[1])
				}
				w.WriteHeader(tc.code)
				_, _ = io.WriteString(w, tc.body)
			})
			_, _, err := w.Post(t.Context(), 7)
			require.Error(t, err)
			require.Equal(t, tc.kind, fault.KindOf(err), "%v", err)
			require.False(t, fault.IsLost(err), "a read changes nothing")
			require.ErrorContains(t, err, tc.says)
			require.ErrorContains(t, err, "read post 7")
			require.Equal(t, tc.after, fault.RetryAfter(err))
			require.Equal(t, tc.reads, calls.Load(), "a read that may work later is made three times")
			require.NotContains(t, err.Error(), secret)
			require.NotContains(t, err.Error(), "k=v")
			require.NotRegexp(t, "<|Briefly|firewall|Warning|xxx", err.Error(), "no page is quoted")

			calls.Store(0)
			_, err = w.Create(t.Context(), editorial.Post{})
			require.Equal(t, tc.kind, fault.KindOf(err), "%v", err)
			require.Equal(t, tc.lost, fault.IsLost(err), "%v", err)
			require.Equal(t, int32(1), calls.Load(), "a write is made once")
		})
	}
}

func TestWordPress_Create_isLostOnlyIfItLeft(t *testing.T) {
	t.Parallel()

	gone := httptest.NewServer(nil)
	address := gone.URL
	gone.Close()
	_, err := open(t, address).Create(t.Context(), editorial.Post{})
	require.Equal(t, fault.KindRetryable, fault.KindOf(err))
	require.False(t, fault.IsLost(err), "connection refused: it never left")

	w, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server doesn't notice that the caller is gone
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = w.Create(ctx, editorial.Post{})
	require.Equal(t, fault.KindRetryable, fault.KindOf(err))
	require.True(t, fault.IsLost(err))
	require.True(t, fault.IsTimeout(err))

	w, _ = serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err = w.Create(t.Context(), editorial.Post{})
	require.True(t, fault.IsLost(err), "cut before the answer")

	w, _ = serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"id":`)
		panic(http.ErrAbortHandler)
	})
	_, err = w.Create(t.Context(), editorial.Post{})
	require.True(t, fault.IsLost(err), "cut within the answer")
}

func TestWordPress_New_neverPutsAPasswordIntoAnAddress(t *testing.T) {
	t.Parallel()

	asked := make(chan string, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		user, _, _ := r.BasicAuth()
		asked <- user
		panic(http.ErrAbortHandler)
	}))
	defer srv.Close()
	w := open(t, strings.Replace(srv.URL, "://", "://eve:hunter2@", 1)+"?key=hunter2#x")
	_, err := w.Create(t.Context(), editorial.Post{})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
	require.NotContains(t, err.Error(), "eve")
	require.Equal(t, "desk", <-asked)
}

func TestWordPress_FindPosts_pagesThroughAndVerifiesTheMarker(t *testing.T) {
	t.Parallel()

	site := cmstest.New(t)
	w := open(t, site.URL)
	const marker = "bp-0123"
	for i := range 120 {
		p := editorial.Post{Status: editorial.PostDraft, Title: marker} // the search finds titles too
		if i%2 == 0 {
			p.Content = `<p class="` + marker + `">`
		}
		_, err := w.Create(t.Context(), p)
		require.NoError(t, err)
	}
	found, err := w.FindPosts(t.Context(), marker)
	require.NoError(t, err)
	require.Len(t, found, 60)
	require.Equal(t, int64(119), found[59].ID)

	_, err = w.FindPosts(t.Context(), "")
	require.ErrorContains(t, err, "the marker is empty")
	found, err = w.FindPosts(t.Context(), "bp-other")
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestWordPress_FindPosts_refusesALookUpThatCanNotBeTrusted(t *testing.T) {
	t.Parallel()

	full := "[" + strings.TrimSuffix(strings.Repeat(`{"id":1,"title":{"raw":""},"content":{"raw":"bp-1"},"excerpt":{"raw":""}},`, 50), ",") + "]"
	w, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, full) })
	_, err := w.FindPosts(t.Context(), "bp-1")
	require.ErrorContains(t, err, "X-WP-TotalPages")

	w, _ = serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-WP-TotalPages", "500")
		_, _ = io.WriteString(w, full)
	})
	_, err = w.FindPosts(t.Context(), "bp-1")
	require.ErrorContains(t, err, "its search is broken")

	w, _ = serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `[{"id":4}]`) })
	_, err = w.FindPosts(t.Context(), "bp-1")
	require.ErrorContains(t, err, "post 4: the answer has no raw text")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
}

func TestWordPress_Trash_fallsBackWhereThereIsNone(t *testing.T) {
	t.Parallel()

	var forced atomic.Int32
	w, calls := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("force") == "true" {
			forced.Add(1)
			_, _ = io.WriteString(w, `{"deleted":true}`)
			return
		}
		w.WriteHeader(501)
		_, _ = io.WriteString(w, `{"code":"rest_trash_not_supported"}`)
	})
	require.NoError(t, w.Trash(t.Context(), 3))
	require.Equal(t, int32(1), forced.Load())
	require.Equal(t, int32(2), calls.Load())

	for code, reason := range map[int]string{404: "rest_post_invalid_id", 410: "rest_already_trashed"} {
		w, _ = serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = fmt.Fprintf(w, `{"code":%q}`, reason)
		})
		require.NoError(t, w.Trash(t.Context(), 3), "gone already")
	}
}

func TestWordPress_Term_saysWhatWentWrong(t *testing.T) {
	t.Parallel()

	w, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `[]`)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	})
	_, err := w.Term(t.Context(), editorial.TaxonomyTag, "ADA")
	require.ErrorContains(t, err, `made "ADA" in tags and gave no id`)
	_, err = w.Term(t.Context(), editorial.TaxonomyTag, " ")
	require.ErrorContains(t, err, "a name is empty")

	for _, data := range []string{`null`, `{}`} {
		w, _ = serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				_, _ = io.WriteString(w, `[{"id":3,"name":"ADA Title II"}]`)
				return
			}
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"code":"term_exists","message":"A term with the name provided already exists.","data":`+data+`}`)
		})
		_, err = w.Term(t.Context(), editorial.TaxonomyTag, "ADA")
		require.ErrorContains(t, err, "term_exists")
	}
	w, _ = serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) })
	_, err = w.Term(t.Context(), editorial.TaxonomyTag, "ADA")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(w.Check(t.Context())))
}

func TestWordPress_Check_namesWhatTheUserLacks(t *testing.T) {
	t.Parallel()

	site := cmstest.New(t)
	require.NoError(t, open(t, site.URL).Check(t.Context()))
	site.Capabilities["unfiltered_html"], site.Capabilities["publish_posts"] = false, false
	err := open(t, site.URL).Check(t.Context())
	require.ErrorContains(t, err, `user "desk" lacks publish_posts, unfiltered_html: give it the role of an editor`)
}
