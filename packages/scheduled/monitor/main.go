// Command monitor is the function scheduled/monitor: it begins a look at the
// competitors for each site that is due one, leases due looks and takes them
// until its time is up.
//
// Woken by scheduled/tick. A second call is safe: a site has one look under
// way, each is leased once, and what it found is kept as it goes on.
package main

import (
	"context"
	"net/http"
	"time"

	"blogposter/lib/artifact"
	"blogposter/lib/config"
	"blogposter/lib/crawl"
	"blogposter/lib/crawl/direct"
	"blogposter/lib/journal"
	"blogposter/lib/pipeline"
	"blogposter/lib/prompt"
	"blogposter/lib/station"
	"blogposter/scheduled/monitor"
)

// pageTokens is the longest page the reader may return and charge for.
const pageTokens = 30_000

func main() {
	env := config.OS()
	s := station.Open(env)
	allowPrivate := env.Get("READER_ALLOW_PRIVATE", "false") == "true"
	reader := crawl.Config{
		BaseURL:      env.NeedURL("JINA_BASE_URL", "https://r.jina.ai"),
		APIKey:       env.Need("JINA_API_KEY", "from the reader's account page; \"none\" reads without one, slower"),
		HTTP:         &http.Client{Timeout: time.Minute},
		TokenBudget:  pageTokens,
		AllowPrivate: allowPrivate,
	}
	pins := pipeline.Pins{
		Prompts:   prompt.Current,
		Small:     env.Need("MODEL_SMALL", "the model that reads"),
		Large:     env.Need("MODEL_LARGE", "the model that writes"),
		Embedding: env.Need("MODEL_EMBEDDING", "the model whose vectors say how near two texts are"),
	}
	blobs, err := artifact.New(artifact.FromEnv(env))
	s.Ready(err)

	begin := func(ctx context.Context) (err error) { _, err = s.Store.BeginDueResearch(ctx, pins); return err }
	s.ServeAfter(begin, pipeline.StageMonitor, monitor.New(monitor.Rooms{
		Store:      s.Store,
		Fetcher:    direct.New(direct.Config{AllowPrivate: allowPrivate}),
		Reader:     crawl.New(reader),
		Artifacts:  blobs,
		Steps:      journal.New(s.Store),
		PageTokens: pageTokens,
		Now:        time.Now,
	}))
}
