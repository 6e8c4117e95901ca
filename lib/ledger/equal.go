package ledger

// Named is a model of a provider, as the price book knows it.
type Named struct{ Provider, Model string }

// equals are models whose list prices for input and output are the same, so
// that one may answer for another within the same budgets. Their cache prices
// and long-prompt tiers differ: each call reserves its own worst case.
var equals = [][]Named{
	{{"anthropic", "claude-sonnet-5-5"}, {"openai", "gpt-6-sol"}},
	{{"anthropic", "claude-haiku-5-5"}, {"openai", "gpt-6-luna"}},
}

// Equals returns the models of other providers that have the list price of
// this one; none for a model that has no equal.
func Equals(provider, model string) []Named {
	var out []Named
	for _, group := range equals {
		found := false
		var others []Named
		for _, m := range group {
			if m == (Named{provider, model}) {
				found = true
			} else {
				others = append(others, m)
			}
		}
		if found {
			out = append(out, others...)
		}
	}
	return out
}
