package cmstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"sync"
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

// MariaDB is the other WordPress, like Real but for its database.
func MariaDB(tb testing.TB) Server {
	tb.Helper()
	s := Server{env("WP_MARIADB_URL"), env("WP_USER"), env("WP_MARIADB_APP_PASSWORD")}
	if s.URL != "" {
		return s
	}
	if env("CI") != "" {
		tb.Fatal("WP_MARIADB_URL and WP_MARIADB_APP_PASSWORD are not set: start the servers with scripts/stack/up.sh --all and read stack.env")
	}
	tb.Skip("WP_MARIADB_URL is not set: start the servers with scripts/stack/up.sh --all and read stack.env")
	return Server{}
}

func env(name string) string { return os.Getenv(name) } // production reads it in lib/config

// Clean deletes for good what is found by text among posts and pages, in the
// trash too, and among terms and files.
func (s Server) Clean(tb testing.TB, text string) {
	tb.Helper()
	for _, path := range []string{
		"posts?status[]=any&status[]=trash&per_page=100&search=", "pages?status[]=any&status[]=trash&per_page=100&search=",
		"categories?per_page=100&search=", "tags?per_page=100&search=", "media?per_page=100&search=",
	} {
		var list []struct {
			ID int64 `json:"id"`
		}
		if err := json.Unmarshal(s.Call(tb, http.MethodGet, path+url.QueryEscape(text), nil), &list); err != nil {
			tb.Error(err)
		}
		for _, item := range list {
			u, _ := url.Parse(path)
			s.Call(tb, http.MethodDelete, fmt.Sprintf("%s/%d?force=true", u.Path, item.ID), nil)
		}
	}
}

// Revocable makes an application password of its own for a test, and what
// revokes it.
func (s Server) Revocable(tb testing.TB, name string) (password string, revoke func()) {
	tb.Helper()
	var made struct{ UUID, Password string }
	if err := json.Unmarshal(s.Call(tb, http.MethodPost, "users/me/application-passwords", map[string]string{"name": name}), &made); err != nil {
		tb.Fatal(err)
	}
	return made.Password, sync.OnceFunc(func() {
		s.Call(tb, http.MethodDelete, "users/me/application-passwords/"+made.UUID, nil)
	})
}

// Call asks the site's API as its administrator, past what is tested.
func (s Server) Call(tb testing.TB, method, path string, body any) []byte {
	tb.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		tb.Fatal(err)
	}
	req, err := http.NewRequest(method, s.URL+"/wp-json/wp/v2/"+path, bytes.NewReader(raw))
	if err != nil {
		tb.Fatal(err)
	}
	req.SetBasicAuth(s.User, s.Password)
	req.Header.Set("Content-Type", "application/json")
	resp, err := Client(tb).Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		tb.Errorf("%s %s: %d %v", method, path, resp.StatusCode, err)
	}
	return answer
}
