package ledger

import "time"

// Prices is the price book. A line is never changed: a new price is a new
// line with a later From.
var Prices = Book{
	claude("claude-sonnet-5-5", 0, 2_000_000, 10_000_000, 100_000),
	claude("claude-haiku-5-5", 0, 100_000, 500_000, 10_000),
	claude("claude-haiku-5-5", 100_000, 500_000, 2_500_000, 50_000),
	claude("claude-opus-5-5", 0, 4_000_000, 20_000_000, 200_000),
	gpt("gpt-6-sol", 0, 2_000_000, 10_000_000, 200_000, spec),
	gpt("gpt-6-sol", 272_000, 4_000_000, 15_000_000, 400_000, longContext),
	gpt("gpt-6-luna", 0, 100_000, 500_000, 10_000, spec),
	gpt("gpt-6-luna", 272_000, 200_000, 750_000, 20_000, longContext),
	gpt("text-embedding-3-small", 0, 20_000, 0, 0, spec),
	gpt("glove-100d-offline", 0, 20_000, 0, 0, "not sold: the offline vectors of scripts/modelserver, at the list price of text-embedding-3-small, so that a demo's bill is a real one"),
	{
		Provider: "jina", Model: "reader", From: listed, Output: 50_000,
		Source: "assumed: US$0.05 per million tokens of page text; the provider's page could not be read when this was written",
	},
}

var listed = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

// Where the figures were read.
const (
	spec        = "SPEC section 12, read Oct-Nov 2026"
	longContext = "gateways' announcements of Sep 2026: above 272,000 tokens input and cache cost twice, output 1.5 times"
)

// claude writes one line with the provider's cache multipliers: a write costs
// 1.25 times the input for five minutes, twice for an hour.
func claude(model string, above, in, out, read int64) Price {
	return Price{
		Provider: "anthropic", Model: model, From: listed, Source: spec, Above: above,
		Input: in, Output: out, CacheRead: read, CacheWrite5m: in * 5 / 4, CacheWrite1h: in * 2,
	}
}

// gpt writes one line. A cache write costs no more than the input it is.
func gpt(model string, above, in, out, read int64, source string) Price {
	return Price{
		Provider: "openai", Model: model, From: listed, Source: source, Above: above,
		Input: in, Output: out, CacheRead: read,
	}
}
