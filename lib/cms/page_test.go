package cms_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cms"
	"blogposter/lib/cms/cmstest"
)

func TestReader_Page_readsAsAnybodyWould(t *testing.T) {
	t.Parallel()

	var calls atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" {
			t.Error("a reader sends no password")
		}
		_, _ = io.WriteString(w, "<p>hello</p>")
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusFound)
	})
	mux.HandleFunc("/round", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/round", http.StatusFound) })
	mux.HandleFunc("/shy", func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) < 3 {
			w.WriteHeader(502)
			return
		}
		_, _ = io.WriteString(w, "at last")
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	home, err := url.Parse(srv.URL)
	require.NoError(t, err)
	jar.SetCookies(home, []*http.Cookie{{Name: "session", Value: "editor"}})
	hc := cmstest.Client(t)
	hc.Jar = jar
	r := cms.NewReader(hc)

	for path, want := range map[string]string{"/ok": "<p>hello</p>", "/moved": "<p>hello</p>", "/shy": "at last"} {
		page, err := r.Page(t.Context(), srv.URL+path)
		require.NoError(t, err)
		require.Equal(t, want, page)
	}
	for address, says := range map[string]string{
		srv.URL + "/none": "status 404 Not Found", srv.URL + "/away": "another host, elsewhere.invalid", srv.URL + "/round": "5 redirects",
		"ftp://x": "not a web address", "/x": "not a web address", "http://127.0.0.1:1/": "refused",
	} {
		_, err := r.Page(t.Context(), address)
		require.ErrorContains(t, err, says)
		require.False(t, r.Resolves(t.Context(), address))
	}
	require.True(t, r.Resolves(t.Context(), srv.URL+"/ok"))
	_, err = r.Page(t.Context(), strings.Replace(srv.URL, "://", "://eve:hunter2@", 1)+"/none")
	require.NotContains(t, err.Error(), "hunter2")
}
