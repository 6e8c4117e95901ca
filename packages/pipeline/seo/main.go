// Command seo is the function pipeline/seo: it lints checked Drafts, has their
// lengths mended, and renders what a reviewer approves, picture included.
//
// Woken by pipeline/factcheck and by scheduled/tick. A second call is safe:
// each Run is leased once, and every answered call of a Run is kept in its
// journal.
package main

import (
	"net/http"
	"time"

	"blogposter/lib/artifact"
	"blogposter/lib/card"
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
	blobs, badBucket := artifact.New(artifact.FromEnv(env))
	s.Ready(badBucket)
	s.Serve(pipeline.StageSEO, seo.New(s.Store, models, cms.NewReader(&http.Client{Timeout: 10 * time.Second}), card.New(blobs)))
}
