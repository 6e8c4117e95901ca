package wire

import "time"

// model is what the real API knows about one of its models.
type model struct {
	context   int // tokens of prompt
	maxOutput int // tokens of answer
	cacheable int // shortest prefix that is cached; a shorter one is read in full, without an error
}

// models are the figures of the provider's model pages as of November 2026.
// The shortest cacheable prefix is given there for Haiku 5.5 (512); Opus 5 has
// 512 and Sonnet 5 had 1,024, which are taken for their successors.
var models = map[string]model{
	"claude-sonnet-5-5": {context: 1_000_000, maxOutput: 128_000, cacheable: 1024},
	"claude-opus-5-5":   {context: 1_000_000, maxOutput: 128_000, cacheable: 512},
	"claude-haiku-5-5":  {context: 1_000_000, maxOutput: 128_000, cacheable: 512},
}

const (
	maxBody        = 32 << 20 // bytes of a request
	maxBreakpoints = 4        // blocks with cache_control
	lookback       = 20       // blocks before a breakpoint that are tried for an earlier write
)

// How long a cached prefix lives after it was last used.
var lifetimes = map[string]time.Duration{"5m": 5 * time.Minute, "1h": time.Hour}
