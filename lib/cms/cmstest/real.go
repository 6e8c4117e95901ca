package cmstest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"testing"
)

// Server is a running WordPress.
type Server struct{ URL, User, Password string }

// Real is the WordPress that WP_URL, WP_USER and WP_APP_PASSWORD name. Without
// them the test is skipped; where CI is set it fails.
func Real(tb testing.TB) Server {
	tb.Helper()
	s := Server{env("WP_URL"), env("WP_USER"), env("WP_APP_PASSWORD")}
	if s.URL != "" {
		return s
	}
	if env("CI") != "" {
		tb.Fatal("WP_URL, WP_USER and WP_APP_PASSWORD are not set: start the servers with scripts/stack/up.sh and read stack.env")
	}
	tb.Skip("WP_URL is not set: start the servers with scripts/stack/up.sh and read stack.env")
	return Server{}
}

func env(name string) string { return os.Getenv(name) } // production reads it in lib/config

// Clean deletes for good what is found by text among posts, in the trash too,
// and among terms.
func (s Server) Clean(tb testing.TB, text string) {
	tb.Helper()
	for _, path := range []string{"posts?status[]=any&status[]=trash&per_page=100&search=", "categories?per_page=100&search=", "tags?per_page=100&search="} {
		var list []struct {
			ID int64 `json:"id"`
		}
		if err := json.Unmarshal(s.call(tb, http.MethodGet, path+url.QueryEscape(text)), &list); err != nil {
			tb.Error(err)
		}
		for _, item := range list {
			u, _ := url.Parse(path)
			s.call(tb, http.MethodDelete, fmt.Sprintf("%s/%d?force=true", u.Path, item.ID))
		}
	}
}

func (s Server) call(tb testing.TB, method, path string) []byte {
	tb.Helper()
	req, err := http.NewRequest(method, s.URL+"/wp-json/wp/v2/"+path, nil)
	if err != nil {
		tb.Fatal(err)
	}
	req.SetBasicAuth(s.User, s.Password)
	resp, err := Client(tb).Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		tb.Errorf("%s %s: %d %v", method, path, resp.StatusCode, err)
	}
	return body
}
