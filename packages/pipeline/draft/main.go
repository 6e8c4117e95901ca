// Command draft is the function pipeline/draft: it leases due Runs of the
// draft stage and writes their first Draft until its time is up.
//
// Woken by POST /runs and by scheduled/tick. A second call is safe: each Run
// is leased once, and every answered call of a Run is kept in its journal.
package main

import (
	"net/http"
	"time"

	"blogposter/lib/artifact"
	"blogposter/lib/config"
	"blogposter/lib/crawl"
	"blogposter/lib/journal"
	"blogposter/lib/llm/provider"
	"blogposter/lib/pipeline"
	"blogposter/lib/stage/draft"
	"blogposter/lib/station"
)

// pageTokens is the longest page the reader may return and charge for.
const pageTokens = 60_000

func main() {
	env := config.OS()
	s := station.Open(env)
	reader := crawl.Config{
		BaseURL:      env.NeedURL("JINA_BASE_URL", "https://r.jina.ai"),
		APIKey:       env.Need("JINA_API_KEY", "from the reader's account page; \"none\" reads without one, slower"),
		HTTP:         &http.Client{Timeout: time.Minute},
		TokenBudget:  pageTokens,
		AllowPrivate: env.Get("READER_ALLOW_PRIVATE", "false") == "true",
	}
	steps := journal.New(s.Store)
	models := provider.Client(env, steps)
	blobs, err := artifact.New(artifact.FromEnv(env))
	s.Ready(err)

	s.Serve(pipeline.StageDraft, draft.New(draft.Rooms{
		Store:      s.Store,
		Models:     models,
		Reader:     crawl.New(reader),
		Artifacts:  blobs,
		Steps:      steps,
		PageTokens: pageTokens,
		Now:        time.Now,
	}))
}
