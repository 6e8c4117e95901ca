package wire

import (
	"encoding/json"
	"io"
	"regexp"
	"sync"
	"time"

	"blogposter/lib/ledger"
)

// Entry is one accepted call, as it would be billed.
type Entry struct {
	At         time.Time    `json:"at"`
	RequestID  string       `json:"request_id"`
	Provider   string       `json:"provider,omitempty"` // "openai"; left out for Anthropic's API
	Model      string       `json:"model"`
	Key        string       `json:"key"`            // of the API key's SHA-256, the first 12 digits
	Task       string       `json:"task,omitempty"` // from a line "Task: digest" in the prompt
	Usage      ledger.Usage `json:"usage"`
	StopReason string       `json:"stop_reason"`
}

// record keeps the entries, and appends each to a file before its answer is
// sent: what this server has answered is in the log, even when it is killed.
type record struct {
	mu      sync.Mutex
	out     io.Writer // nil for none
	entries []Entry
}

func (r *record) add(e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.out != nil {
		if _, err := r.out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	r.entries = append(r.entries, e)
	return nil
}

func (r *record) all() []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Entry(nil), r.entries...)
}

var taskLine = regexp.MustCompile(`(?m)^Task: ([a-z]+)[ \t]*$`)

// task finds the name of the task that a prompt gives itself.
func task(r Request) string {
	texts := []string{r.System}
	if len(r.Messages) > 0 {
		texts = []string{r.Messages[0].Text, r.System}
	}
	for _, text := range texts {
		if m := taskLine.FindStringSubmatch(text); m != nil {
			return m[1]
		}
	}
	return ""
}
