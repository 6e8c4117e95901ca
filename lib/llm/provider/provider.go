// Package provider makes the models of a function from its settings: the one
// place that knows which providers there are.
//
// ANTHROPIC_API_KEY is needed wherever text is written. OPENAI_API_KEY is not:
// "none" leaves OpenAI out. With both, each answers for the other's models of
// equal price when the way to one of them fails.
package provider

import (
	"net/http"
	"net/url"
	"time"

	"blogposter/lib/journal"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
	"blogposter/lib/llm/anthropic"
	"blogposter/lib/llm/openai"
)

// patience is the longest single call. A worker gives no sign of life for that
// long, so a lease outlasts it (station).
const patience = 2 * time.Minute

// Settings reads variables and remembers what is wrong with them; *config.Env
// does.
type Settings interface {
	Need(name, how string) string
	Get(name, def string) string
	URL(name, def string) *url.URL
}

// Client returns the way to the models that env describes, with its steps in
// j. What is missing is reported by the Settings.
func Client(env Settings, j *journal.Journal) *llm.Client {
	primary := anthropic.New(anthropic.Config{
		BaseURL: env.URL("ANTHROPIC_BASE_URL", "https://api.anthropic.com").String(),
		APIKey:  env.Need("ANTHROPIC_API_KEY", "from the Anthropic console, API keys"),
		HTTP:    &http.Client{Timeout: patience},
	})
	var others []llm.Model
	if key := env.Get("OPENAI_API_KEY", openai.NoKey); key != openai.NoKey {
		others = append(others, openAI(env, key))
	}
	return llm.New(primary, j, ledger.Prices, time.Now, others...)
}

func openAI(env Settings, key string) *openai.Client {
	return openai.New(openai.Config{
		BaseURL: env.URL("OPENAI_BASE_URL", "https://api.openai.com/v1").String(),
		APIKey:  key,
		HTTP:    &http.Client{Timeout: patience},
	})
}
