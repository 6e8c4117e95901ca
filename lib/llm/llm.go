// Package llm is the one way to call a model: reserve, call, check, record.
// It knows no provider; an adapter such as lib/llm/anthropic is a Model.
package llm

import (
	"context"
	"encoding/json"

	"blogposter/lib/ledger"
)

// Role says who wrote a Message.
type Role string

// The roles of a Message.
const (
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
)

// Message is one turn of a conversation. The last one is the user's: a model
// is never given the beginning of its own answer.
type Message struct {
	Role Role   `json:"role"`
	Text string `json:"text"`
}

// Request is one call, in our own terms.
type Request struct {
	Step      string          `json:"step"`   // journal name, unique within the Run's stage
	Prompt    string          `json:"prompt"` // version of the prompt file, such as "v1/digest"
	Model     string          `json:"model"`
	System    string          `json:"system"` // stable prefix; the provider is asked to cache it
	Messages  []Message       `json:"messages"`
	Schema    json.RawMessage `json:"schema,omitempty"` // JSON schema of the answer; nil asks for plain text
	MaxTokens int64           `json:"max_tokens"`
}

// Stop says why a model stopped.
type Stop string

// Why a model stopped.
const (
	StopEnd       Stop = "end"       // it was finished
	StopTruncated Stop = "truncated" // it ran into MaxTokens
	StopRefused   Stop = "refused"   // it declined to answer
)

// Response is one answer, in our own terms.
type Response struct {
	Text    string       `json:"text"`
	Stop    Stop         `json:"stop"`
	Model   string       `json:"model"`
	Request string       `json:"request"` // the provider's id of the call
	Usage   ledger.Usage `json:"usage"`
}

// Model is a provider's adapter. Call makes exactly one request; it never
// retries by itself. Its errors carry a fault kind, and fault.Lost where the
// call may have been carried out.
type Model interface {
	Provider() string
	Call(ctx context.Context, r Request) (Response, error)
}
