// Command seo is the function pipeline/seo: it lints checked Drafts, has their
// lengths mended, and renders what a reviewer approves.
//
// Woken by pipeline/factcheck and by scheduled/tick. A second call is safe:
// each Run is leased once, and every answered call of a Run is kept in its
// journal.
package main

import (
	"net/http"
	"time"

	"blogposter/lib/cms"
	"blogposter/lib/config"
	"blogposter/lib/journal"
	"blogposter/lib/llm/provider"
	"blogposter/lib/pipeline"
	"blogposter/lib/stage/seo"
	"blogposter/lib/station"
)

func main() {
	env := config.OS()
	s := station.Open(env)
	models := provider.Client(env, journal.New(s.Store))
	s.Ready()
	s.Serve(pipeline.StageSEO, seo.New(s.Store, models, cms.NewReader(&http.Client{Timeout: 10 * time.Second})))
}
