package llm

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/ledger"
	"blogposter/lib/pipeline"
)

// What an answer can lack; callers ask with errors.Is.
var (
	ErrTruncated = errors.New("answer is cut off")
	ErrRefused   = errors.New("model declined to answer")
	ErrInvalid   = errors.New("answer does not fit its schema")
)

// Framing is what a provider adds to a prompt, in bytes as Worst counts them:
// no tokenizer makes more tokens of it than that.
const (
	framing        = 256  // of a request
	framingMessage = 16   // of each turn
	framingSchema  = 1024 // the instructions that go with a schema
)

// priced is how long to wait for a program that knows a model's price. While a
// release is rolled out, a Run may be pinned to a model that the older one
// never heard of.
const priced = 10 * time.Minute

// Client is the one way to call a model. Every call is a journaled step whose
// worst case is reserved before it is made, so a repeated Text or JSON with
// the same Request costs nothing. It is safe for concurrent use.
//
// Where the way to a model's provider fails, the model of equal list price of
// another configured provider is asked at once, as a step of its own with its
// own reservation; what the first call may have cost stays charged. An answer
// of either is never bought again, and says which model wrote it.
type Client struct {
	models  []Model // the primary one first
	journal *journal.Journal
	prices  ledger.Book
	now     func() time.Time

	mu      sync.Mutex
	pauses  map[string]time.Time // by provider, until when it is asked last
	schemas map[[sha256.Size]byte]*jsonschema.Resolved
}

// New returns a Client that calls m, keeps its steps in j and prices them by
// the lines of prices in force at now(). A Request goes to the provider that
// the prices list its model under, m before others, and falls back on the
// rest.
func New(m Model, j *journal.Journal, prices ledger.Book, now func() time.Time, others ...Model) *Client {
	return &Client{
		models: append([]Model{m}, others...), journal: j, prices: prices, now: now,
		pauses: map[string]time.Time{}, schemas: map[[sha256.Size]byte]*jsonschema.Resolved{},
	}
}

// check names what the request lacks before anything is reserved for it.
func (r Request) check() error {
	var err error
	switch {
	case r.Step == "":
		err = errors.New("request has no Step: name it, unique within the stage, such as \"digest:1\"")
	case r.Model == "":
		err = errors.New("request has no Model: take it from the Run's pins")
	case r.MaxTokens <= 0:
		err = fmt.Errorf("request has MaxTokens %d: set the longest answer that is worth paying for", r.MaxTokens)
	case len(r.Messages) == 0:
		err = errors.New("request has no Messages: the prompt is a user's message")
	case r.Messages[len(r.Messages)-1].Role != RoleUser:
		err = errors.New("request ends with an assistant's message: the last one must be the user's")
	}
	if err != nil {
		return fault.Permanent(fmt.Errorf("step %q: %w", r.Step, err))
	}
	return nil
}

// bytes is how long the request is as the provider reads it.
func (r Request) bytes() int64 {
	n := framing + len(r.System)
	for _, m := range r.Messages {
		n += framingMessage + len(m.Text)
	}
	if len(r.Schema) > 0 {
		n += framingSchema + len(r.Schema)
	}
	return int64(n)
}

// call makes r a step of the Run, or returns the answer that it has already,
// whoever wrote it. A refusal is an error; a truncated answer is the caller's
// to judge.
func (c *Client) call(ctx context.Context, l pipeline.Lease, r Request) (Response, error) {
	// One day for all prices: a call over midnight must not cost more than was
	// reserved for it.
	day := c.now()
	list, keys, err := c.candidates(r, day)
	if err != nil {
		return Response{}, err
	}
	resp, err := c.answered(ctx, l, list, keys, day)
	if err != nil {
		return Response{}, err
	}
	switch resp.Stop {
	case StopEnd, StopTruncated:
		return resp, nil
	case StopRefused:
		return resp, fault.NeedsHuman(fmt.Errorf("step %q, call %s: %w", r.Step, resp.Request, ErrRefused))
	}
	return resp, fault.Permanent(fmt.Errorf("step %q, call %s: model stopped for an unknown reason %q", r.Step, resp.Request, resp.Stop))
}

// ask makes a request a step, asked of one provider, or returns the answer
// that one of the steps keys has. callErr is the provider's error, if that is
// why there is none.
func (c *Client) ask(ctx context.Context, l pipeline.Lease, m candidate, keys []journal.Key, day time.Time) (resp Response, callErr, err error) {
	provider, r := m.Provider(), m.request
	worst, err := c.prices.Worst(provider, r.Model, day, r.bytes(), r.MaxTokens)
	if err != nil {
		return Response{}, nil, fault.NotYet(fmt.Errorf("step %q: this program has %w", r.Step, err), priced)
	}
	var own journal.Key
	var or []journal.Key
	for _, k := range keys {
		if k.Name == r.Step {
			own = k
		} else {
			or = append(or, k)
		}
	}
	raw, err := c.journal.Do(ctx, l, journal.Intent{
		Name: own.Name, Input: own.Input, Provider: provider, Model: r.Model, Prompt: r.Prompt, Worst: worst, Or: or,
	}, func(ctx context.Context) (journal.Receipt, error) {
		m.warn(ctx, l)
		var resp Response
		resp, callErr = m.Call(ctx, r)
		cost, err := c.prices.Cost(provider, r.Model, day, resp.Usage)
		if err == nil && callErr == nil {
			resp.Text = storable(resp.Text)
			result, err := json.Marshal(resp)
			return journal.Receipt{Result: result, Usage: resp.Usage, Cost: cost, Request: resp.Request}, err
		}
		return journal.Receipt{Usage: resp.Usage, Cost: cost, Request: resp.Request}, errors.Join(callErr, err)
	})
	if err != nil {
		return Response{}, callErr, err
	}
	if err := json.Unmarshal(raw, &resp); err != nil {
		return Response{}, nil, fault.Permanent(fmt.Errorf("step %q: stored answer: %w", r.Step, err))
	}
	return resp, nil, nil
}

// storable is text as Postgres takes it: an answer that it refused would be
// paid for and lost.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}

// canonical is all that the answer depends on. The step's name is not: it is
// the other half of the step's key.
func (r Request) canonical() ([]byte, error) {
	r.Step = ""
	return json.Marshal(r)
}
