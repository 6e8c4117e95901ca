// Command site is an ordinary http.Handler behind lib/faas, for what only the
// two together can show. Called by HTTP. A second call is safe.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"blogposter/lib/faas"
)

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /runs/{id}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %q %v %s from %s", r.PathValue("id"), body, r.URL.Query()["tag"], r.Header.Get("Content-Type"), r.RemoteAddr)
	})
	mux.HandleFunc("GET /cookies", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /type", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.URL.Query().Get("type"))
		_, _ = io.WriteString(w, r.URL.Query().Get("body"))
	})
	mux.HandleFunc("GET /big", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
	})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("hunter2") })
	mux.HandleFunc("GET /pid", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, os.Getpid()) })
	faas.Serve(faas.HTTP(mux))
}
