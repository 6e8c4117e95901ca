// Command guarded wants a secret header and answers OPTIONS itself. Called by
// HTTP. A second call is safe.
package main

import (
	"io"
	"net/http"

	"blogposter/lib/faas"
)

func main() {
	faas.Serve(faas.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "https://desk.example")
		_, _ = io.WriteString(w, "guarded "+r.Method)
	})))
}
