// Command factcheck is the function pipeline/factcheck: it leases due Runs of
// the factcheck stage and checks their latest Draft, claim by claim, against
// the stored pages.
//
// Woken by pipeline/draft, by pipeline/seo after it changed text, and by
// scheduled/tick. A second call is safe: each Run is leased once, and every
// answered call of a Run is kept in its journal.
package main

import (
	"net/http"
	"time"

	"blogposter/lib/artifact"
	"blogposter/lib/config"
	"blogposter/lib/journal"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
	"blogposter/lib/llm/anthropic"
	"blogposter/lib/pipeline"
	"blogposter/lib/stage/factcheck"
	"blogposter/lib/station"
)

func main() {
	env := config.OS()
	s := station.Open(env)
	model := anthropic.Config{
		BaseURL: env.Get("ANTHROPIC_BASE_URL", ""),
		APIKey:  env.Need("ANTHROPIC_API_KEY", "from the Anthropic console, API keys"),
		HTTP:    &http.Client{Timeout: 2 * time.Minute},
	}
	blobs, err := artifact.New(artifact.FromEnv(env))
	s.Ready(err)

	models := llm.New(anthropic.New(model), journal.New(s.Store), ledger.Prices, time.Now)
	s.Serve(pipeline.StageFactCheck, factcheck.New(s.Store, models, blobs))
}
