package ledger_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/ledger"
)

var day = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func TestBook_Cost_workedExamples(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		provider, model string
		usage           ledger.Usage
		want            ledger.Micros
	}{
		"sonnet input is $2 a million":         {model: "claude-sonnet-5-5", usage: ledger.Usage{Input: 1_000_000}, want: 2 * ledger.Dollar},
		"sonnet output is $10 a million":       {model: "claude-sonnet-5-5", usage: ledger.Usage{Output: 1_000_000}, want: 10 * ledger.Dollar},
		"sonnet cache read is $0.10":           {model: "claude-sonnet-5-5", usage: ledger.Usage{CacheRead: 1_000_000}, want: ledger.Dollar / 10},
		"sonnet cache write is 1.25 times":     {model: "claude-sonnet-5-5", usage: ledger.Usage{CacheWrite5m: 1_000_000}, want: 2_500_000},
		"sonnet one-hour cache write is twice": {model: "claude-sonnet-5-5", usage: ledger.Usage{CacheWrite1h: 1_000_000}, want: 4 * ledger.Dollar},
		"opus: all classes": {
			model: "claude-opus-5-5",
			usage: ledger.Usage{Input: 1000, Output: 1000, CacheRead: 1000, CacheWrite5m: 1000, CacheWrite1h: 1000},
			want:  4_000 + 20_000 + 200 + 5_000 + 8_000,
		},
		"haiku up to 100k":                     {model: "claude-haiku-5-5", usage: ledger.Usage{Input: 100_000, Output: 1000}, want: 10_000 + 500},
		"haiku above 100k is charged dearer":   {model: "claude-haiku-5-5", usage: ledger.Usage{Input: 100_001, Output: 1000}, want: 50_001 + 2_500},
		"cached tokens count towards the tier": {model: "claude-haiku-5-5", usage: ledger.Usage{Input: 1, CacheRead: 60_000, CacheWrite5m: 40_000}, want: 1 + 3_000 + 25_000},
		"one token rounds up":                  {model: "claude-haiku-5-5", usage: ledger.Usage{CacheRead: 1}, want: 1},
		"classes are summed before rounding":   {model: "claude-haiku-5-5", usage: ledger.Usage{Input: 5, CacheRead: 50}, want: 1},
		"nothing costs nothing":                {model: "claude-sonnet-5-5", want: 0},
		"gpt-6 sol: a cache read is a tenth":   {provider: "openai", model: "gpt-6-sol", usage: ledger.Usage{Input: 1000, CacheRead: 1000, Output: 1000}, want: 2_000 + 200 + 10_000},
		"gpt-6 luna":                           {provider: "openai", model: "gpt-6-luna", usage: ledger.Usage{Input: 100_000, CacheRead: 100_000, Output: 1000}, want: 10_000 + 1_000 + 500},
		"gpt-6 sol above 272k":                 {provider: "openai", model: "gpt-6-sol", usage: ledger.Usage{Input: 272_001, Output: 1000}, want: 1_088_004 + 15_000},
		"embeddings charge what they read":     {provider: "openai", model: "text-embedding-3-small", usage: ledger.Usage{Input: 1_000_000}, want: 20_000},
		"the reader charges by its output":     {provider: "jina", model: "reader", usage: ledger.Usage{Output: 20_000}, want: 1_000},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			provider := tc.provider
			if provider == "" {
				provider = "anthropic"
			}
			got, err := ledger.Prices.Cost(provider, tc.model, day, tc.usage)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestBook_At_refusesWhatIsNotListed(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		provider, model string
		day             time.Time
	}{
		"an unknown model":        {"anthropic", "claude-sonnet-6", day},
		"another provider's name": {"openai", "claude-sonnet-5-5", day},
		"a day before the list":   {"anthropic", "claude-sonnet-5-5", time.Date(2026, 9, 30, 23, 59, 59, 0, time.UTC)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := ledger.Prices.Cost(tc.provider, tc.model, tc.day, ledger.Usage{Input: 1})
			require.ErrorContains(t, err, "no price for "+tc.provider+"/"+tc.model)
			require.ErrorContains(t, err, "lib/ledger")
			_, err = ledger.Prices.Worst(tc.provider, tc.model, tc.day, 1, 1)
			require.ErrorContains(t, err, "no price for")
		})
	}
}

func TestBook_At_takesTheLatestLineThatIsInForce(t *testing.T) {
	t.Parallel()

	book := ledger.Book{
		{Provider: "p", Model: "m", From: day.AddDate(0, 0, 1), Input: 30},
		{Provider: "p", Model: "m", From: day.AddDate(0, -1, 0), Input: 20},
		{Provider: "p", Model: "m", From: day.AddDate(0, -2, 0), Input: 10},
	}
	p, err := book.At("p", "m", day, 5)
	require.NoError(t, err)
	require.Equal(t, int64(20), p.Input)
	p, err = book.At("p", "m", day.AddDate(0, 0, 1), 5)
	require.NoError(t, err)
	require.Equal(t, int64(30), p.Input, "a price is in force from the first moment of its day")
}

// A reservation that is too small lets a budget be overdrawn, so the property
// is tried on books whose upper tier is cheaper too, and around every border.
func TestBook_Worst_isNeverBelowCost(t *testing.T) {
	t.Parallel()

	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		book, models := ledger.Prices, []string{"claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5"}
		if rng.IntN(2) == 0 {
			book, models = randomBook(rng), []string{"claude-x"}
		}
		model := models[rng.IntN(len(models))]
		maxOutput := rng.Int64N(130_000)
		var u ledger.Usage
		for _, class := range []*int64{&u.Input, &u.CacheRead, &u.CacheWrite5m} {
			switch rng.IntN(3) {
			case 0:
				*class = rng.Int64N(60_000)
			case 1:
				*class = 100_000 - 2 + rng.Int64N(4)
			}
		}
		u.Output = rng.Int64N(maxOutput + 1)
		bytes := u.Prompt() + rng.Int64N(3)*rng.Int64N(50_000)

		cost, err := book.Cost("anthropic", model, day, u)
		require.NoError(t, err)
		worst, err := book.Worst("anthropic", model, day, bytes, maxOutput)
		require.NoError(t, err)
		require.GreaterOrEqual(t, worst, cost, "%s %+v in %d bytes, at most %d out", model, u, bytes, maxOutput)
	}
}

func randomBook(rng *rand.Rand) ledger.Book {
	line := func(above int64) ledger.Price {
		return ledger.Price{
			Provider: "anthropic", Model: "claude-x", From: day.AddDate(0, -1, 0), Above: above,
			Input: rng.Int64N(9_000_000), Output: rng.Int64N(9_000_000), CacheRead: rng.Int64N(9_000_000),
			CacheWrite5m: rng.Int64N(9_000_000), CacheWrite1h: rng.Int64N(9_000_000),
		}
	}
	return ledger.Book{line(100_000), line(0), line(200_000)}
}

func TestMicros_String_showsDollars(t *testing.T) {
	t.Parallel()

	require.Equal(t, "$0.014250", ledger.Micros(14_250).String())
	require.Equal(t, "$12.000001", ledger.Micros(12_000_001).String())
	require.Equal(t, "-$0.500000", ledger.Micros(-500_000).String())
}
