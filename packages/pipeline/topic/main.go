// Command topic is the function pipeline/topic: it leases due Runs of the
// topic stage and scores what their sites should write on, or finds an
// article's Run its topic, until its time is up.
//
// Woken by scheduled/monitor, by POST /runs and by scheduled/tick. A second
// call is safe: each Run is leased once, every text is embedded once for each
// model, and a Run keeps the topic it took.
package main

import (
	"net/http"
	"time"

	"blogposter/lib/artifact"
	"blogposter/lib/config"
	"blogposter/lib/journal"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
	"blogposter/lib/llm/openai"
	"blogposter/lib/pipeline"
	"blogposter/lib/stage/topic"
	"blogposter/lib/station"
)

func main() {
	env := config.OS()
	s := station.Open(env)
	vectors := openai.Config{
		BaseURL: env.URL("OPENAI_BASE_URL", "https://api.openai.com/v1").String(),
		APIKey:  env.Need("OPENAI_API_KEY", "from the OpenAI console, API keys: embeddings come from there; \"none\" has Runs wait for one"),
		HTTP:    &http.Client{Timeout: time.Minute},
	}
	model := env.Need("MODEL_EMBEDDING", "the model whose vectors say how near two texts are")
	blobs, err := artifact.New(artifact.FromEnv(env))
	s.Ready(err)

	s.Serve(pipeline.StageTopic, topic.New(topic.Rooms{
		Store:    s.Store,
		Texts:    blobs,
		Embedder: llm.NewEmbedder(openai.New(vectors), journal.New(s.Store), ledger.Prices, time.Now),
		Model:    model,
		Now:      time.Now,
	}))
}
