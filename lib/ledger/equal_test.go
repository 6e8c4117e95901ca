package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/ledger"
)

func TestEquals_haveTheSameListPrice(t *testing.T) {
	t.Parallel()

	listed := map[string]string{"claude-sonnet-5-5": "gpt-6-sol", "claude-haiku-5-5": "gpt-6-luna"}
	for claude, gpt := range listed {
		require.Equal(t, []ledger.Named{{Provider: "openai", Model: gpt}}, ledger.Equals("anthropic", claude))
		require.Equal(t, []ledger.Named{{Provider: "anthropic", Model: claude}}, ledger.Equals("openai", gpt))

		mine, err := ledger.Prices.At("anthropic", claude, day, 0)
		require.NoError(t, err)
		theirs, err := ledger.Prices.At("openai", gpt, day, 0)
		require.NoError(t, err)
		require.Equal(t, []int64{mine.Input, mine.Output}, []int64{theirs.Input, theirs.Output})

		// What a budget must hold for the fallback is no more than what it held
		// for the first call, as far as one article's prompts can go.
		for _, bytes := range []int64{1, 1_000, 99_999, 100_000, 100_001, 272_000} {
			first, err := ledger.Prices.Worst("anthropic", claude, day, bytes, 4_000)
			require.NoError(t, err)
			second, err := ledger.Prices.Worst("openai", gpt, day, bytes, 4_000)
			require.NoError(t, err)
			require.LessOrEqual(t, second, first, "%s for %s, a prompt of %d bytes", gpt, claude, bytes)
		}
	}
}

func TestEquals_areNoneForTheRest(t *testing.T) {
	t.Parallel()

	for _, m := range []ledger.Named{
		{"anthropic", "claude-opus-5-5"}, {"openai", "claude-sonnet-5-5"}, {"openai", "text-embedding-3-small"}, {"openai", "glove-100d-offline"}, {"jina", "reader"},
	} {
		require.Empty(t, ledger.Equals(m.Provider, m.Model), "%v", m)
	}
}

func TestPrices_chargeTheOfflineVectorsAsTheRealOnes(t *testing.T) {
	t.Parallel()

	realOnes, err := ledger.Prices.At("openai", "text-embedding-3-small", day, 0)
	require.NoError(t, err)
	offline, err := ledger.Prices.At("openai", "glove-100d-offline", day, 0)
	require.NoError(t, err)
	require.Contains(t, offline.Source, "offline")
	offline.Model, offline.Source = realOnes.Model, realOnes.Source
	require.Equal(t, realOnes, offline)
}
