package wire

import (
	"strings"
	"sync"
	"time"
)

// OpenAI caches prompts by itself: what a prompt shares with an earlier one of
// the same key and model, from its beginning on, in steps of so many tokens.
const (
	prefixStep  = 128
	prefixLife  = 5 * time.Minute
	prefixCount = 64 // prompts that are remembered
)

// prompts are the latest prompts, the oldest first.
type prompts struct {
	now func() time.Time

	mu   sync.Mutex
	list []earlier
}

type earlier struct {
	owner string // key and model
	text  string
	until time.Time
}

// text is the prompt as its prefixes are compared.
func (c *chatCall) text() string {
	return string(c.Schema) + "\x00" + strings.Join(c.prompt, "\x00")
}

// cached is how many tokens of the prompt are read from the cache.
func (p *prompts) cached(key string, c *chatCall) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	text, best := c.text(), 0
	for _, e := range p.list {
		if e.owner == key+c.Model && p.now().Before(e.until) {
			best = max(best, shared(e.text, text))
		}
	}
	tokens := min(pieces(text[:best]), c.tokens()) / prefixStep * prefixStep
	if tokens < chatModels[c.Model].cacheable {
		return 0
	}
	return tokens
}

func (p *prompts) remember(key string, c *chatCall) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, earlier{key + c.Model, c.text(), p.now().Add(prefixLife)})
	if over := len(p.list) - prefixCount; over > 0 {
		p.list = append([]earlier(nil), p.list[over:]...)
	}
}

func shared(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
