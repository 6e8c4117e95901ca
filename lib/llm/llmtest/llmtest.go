// Package llmtest is a scripted model for the tests of what asks one.
package llmtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/journal/journaltest"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
)

// Answer is one scripted reply.
type Answer struct {
	Text  string
	Stop  llm.Stop     // "" is llm.StopEnd
	Usage ledger.Usage // zero counts about four bytes to a token
	Err   error        // fails the call; Usage, if set, is charged all the same
}

// Model answers by step, in the order it was scripted, and repeats a step's
// last Answer. An unscripted step fails. It is safe for concurrent use.
type Model struct {
	provider string

	mu       sync.Mutex
	answers  map[string][]Answer
	requests []llm.Request
}

var _ llm.Model = (*Model)(nil)

// New returns a Model of Anthropic's that has no answers yet.
func New() *Model { return NewOf("anthropic") }

// NewOf returns a Model of a provider, by whose prices its calls are charged.
func NewOf(provider string) *Model { return &Model{provider: provider, answers: map[string][]Answer{}} }

// On scripts the answers to a step and returns m.
func (m *Model) On(step string, answers ...Answer) *Model {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answers[step] = append(m.answers[step], answers...)
	return m
}

// Text scripts one finished answer to a step and returns m.
func (m *Model) Text(step, text string) *Model { return m.On(step, Answer{Text: text}) }

// Requests returns every request in the order they came.
func (m *Model) Requests() []llm.Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]llm.Request(nil), m.requests...)
}

// Steps returns the step of every request in the order they came.
func (m *Model) Steps() []string {
	var steps []string
	for _, r := range m.Requests() {
		steps = append(steps, r.Step)
	}
	return steps
}

// Provider is the one whose prices the calls are charged by.
func (m *Model) Provider() string { return m.provider }

// Call gives the next answer scripted for the step.
func (m *Model) Call(ctx context.Context, r llm.Request) (llm.Response, error) {
	if err := ctx.Err(); err != nil {
		return llm.Response{}, fault.Retryable(err, 0)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests = append(m.requests, r)
	script := m.answers[r.Step]
	if len(script) == 0 {
		return llm.Response{}, fault.Permanent(fmt.Errorf("llmtest: no answer is scripted for step %q: add On(%q, ...)", r.Step, r.Step))
	}
	a := script[0]
	if len(script) > 1 {
		m.answers[r.Step] = script[1:]
	}
	resp := llm.Response{Text: a.Text, Stop: a.Stop, Model: r.Model, Request: fmt.Sprintf("req_%d", len(m.requests)), Usage: a.Usage}
	if resp.Stop == "" {
		resp.Stop = llm.StopEnd
	}
	if a.Err != nil {
		return resp, a.Err
	}
	if resp.Usage == (ledger.Usage{}) {
		prompt := len(r.System) + len(r.Schema)
		for _, msg := range r.Messages {
			prompt += len(msg.Text)
		}
		resp.Usage = ledger.Usage{Input: int64(prompt)/4 + 1, Output: int64(len(a.Text))/4 + 1}
	}
	return resp, nil
}

// Day is the time of NewClient's clock, when every listed model has a price.
var Day = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// NewClient returns a Client that calls m, and falls back on others, with a
// journal in memory, and that journal.
func NewClient(m llm.Model, others ...llm.Model) (*llm.Client, *journaltest.Steps) {
	steps := &journaltest.Steps{}
	return llm.New(m, journal.New(steps), ledger.Prices, func() time.Time { return Day }, others...), steps
}
