// Command factcheck is the function pipeline/factcheck: it leases due Runs of
// the factcheck stage and checks their latest Draft, claim by claim, against
// the stored pages.
//
// Woken by pipeline/draft, by pipeline/seo after it changed text, and by
// scheduled/tick. A second call is safe: each Run is leased once, and every
// answered call of a Run is kept in its journal.
package main

import (
	"blogposter/lib/artifact"
	"blogposter/lib/config"
	"blogposter/lib/journal"
	"blogposter/lib/llm/provider"
	"blogposter/lib/pipeline"
	"blogposter/lib/stage/factcheck"
	"blogposter/lib/station"
)

func main() {
	env := config.OS()
	s := station.Open(env)
	models := provider.Client(env, journal.New(s.Store))
	blobs, err := artifact.New(artifact.FromEnv(env))
	s.Ready(err)
	s.Serve(pipeline.StageFactCheck, factcheck.New(s.Store, models, blobs))
}
