// Package ledger is the arithmetic of money: what a call costs, and what it
// could cost at worst. Amounts are whole micro-dollars, prices are micro-
// dollars for a million tokens; there is no floating point. It is pure.
package ledger

import (
	"fmt"
	"time"
)

// Micros is an amount in micro-dollars: 1,000,000 is one US dollar.
type Micros int64

// Dollar is one US dollar.
const Dollar Micros = 1_000_000

// String shows the amount as dollars, such as "$0.014250".
func (m Micros) String() string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	return fmt.Sprintf("%s$%d.%06d", sign, m/Dollar, m%Dollar)
}

// Usage counts the tokens of one call by the classes that are priced apart.
// Input excludes what was read from or written to the provider's cache.
type Usage struct {
	Input        int64 `json:"input"`
	Output       int64 `json:"output"`
	CacheRead    int64 `json:"cache_read"`
	CacheWrite5m int64 `json:"cache_write_5m"`
	CacheWrite1h int64 `json:"cache_write_1h"`
}

// Prompt is every token the provider read.
func (u Usage) Prompt() int64 { return u.Input + u.CacheRead + u.CacheWrite5m + u.CacheWrite1h }

// Price is one dated line of the price book, in micro-dollars for a million
// tokens.
type Price struct {
	Provider string
	Model    string
	From     time.Time // effective from this day on, UTC
	Source   string    // where the figures were read
	// Above is the prompt length from which the line applies: 0, or a tier's
	// border in tokens.
	Above        int64
	Input        int64
	Output       int64
	CacheRead    int64
	CacheWrite5m int64
	CacheWrite1h int64
}

// Cost is what usage costs at p, rounded up to a whole micro-dollar.
func (p Price) Cost(u Usage) Micros {
	sum := u.Input*p.Input + u.Output*p.Output + u.CacheRead*p.CacheRead +
		u.CacheWrite5m*p.CacheWrite5m + u.CacheWrite1h*p.CacheWrite1h
	return Micros((sum + 999_999) / 1_000_000)
}

// Book is a price book.
type Book []Price

// At finds the line for a call on that day with a prompt of so many tokens.
// A model that is not listed is refused, never priced at 0.
func (b Book) At(provider, model string, day time.Time, prompt int64) (Price, error) {
	var best Price
	found := false
	for _, p := range b {
		if p.Provider != provider || p.Model != model || p.From.After(day) || p.Above > 0 && prompt <= p.Above {
			continue
		}
		newer := p.From.After(best.From) || p.From.Equal(best.From) && p.Above > best.Above
		if !found || newer {
			best, found = p, true
		}
	}
	if !found {
		return Price{}, fmt.Errorf("no price for %s/%s on %s: add a line to the price book in lib/ledger", provider, model, day.UTC().Format(time.DateOnly))
	}
	return best, nil
}

// Cost is what usage of a model costs on that day.
func (b Book) Cost(provider, model string, day time.Time, u Usage) (Micros, error) {
	p, err := b.At(provider, model, day, u.Prompt())
	if err != nil {
		return 0, err
	}
	return p.Cost(u), nil
}

// Worst is the most a call can cost whose request is so many bytes long and
// whose answer is capped at maxOutput tokens. A byte-level tokenizer never
// makes more tokens than there are bytes; all of them are charged at the
// dearest input class, in the dearest of the tiers that the prompt can be in.
// The one-hour cache is no such class: no call of ours asks to write to it.
func (b Book) Worst(provider, model string, day time.Time, bytes, maxOutput int64) (Micros, error) {
	p, err := b.At(provider, model, day, bytes)
	if err != nil {
		return 0, err
	}
	worst := p.worst(bytes, maxOutput)
	for _, tier := range b {
		if tier.Provider != provider || tier.Model != model || tier.Above >= bytes {
			continue
		}
		// The prompt may turn out shorter than its bytes, in a lower tier that
		// need not be the cheaper one. Its line may start above 0.
		if p, err := b.At(provider, model, day, tier.Above+1); err == nil {
			worst = max(worst, p.worst(bytes, maxOutput))
		}
	}
	return worst, nil
}

func (p Price) worst(bytes, maxOutput int64) Micros {
	dearest := max(p.Input, p.CacheRead, p.CacheWrite5m)
	return Micros((bytes*dearest + maxOutput*p.Output + 999_999) / 1_000_000)
}
