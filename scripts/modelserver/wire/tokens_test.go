package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/modelserver/wire"
)

const prose = `A service dog is a dog that has been individually trained to do work or perform tasks for a person with a
disability. The task must be directly related to the disability: a dog that reminds its handler to take medication, or that
pulls a wheelchair, qualifies; one whose sole function is to provide comfort does not. Businesses may ask two questions only.
They cannot require documentation, and they cannot ask that the dog demonstrate its task (see section 35.136 of the rule).`

func TestTokens_followTheProvidersFigures(t *testing.T) {
	t.Parallel()

	// A token of 4.2 characters for the older tokenizers, 30 % more tokens since.
	perToken := float64(len(prose)) / float64(wire.Tokens(prose))
	require.InDelta(t, 4.2/1.3, perToken, 0.25)
	// A million tokens are roughly 555,000 words.
	perWord := float64(wire.Tokens(prose)) / float64(len(strings.Fields(prose)))
	require.InDelta(t, 1.8, perWord, 0.15)
	require.Zero(t, wire.Tokens(""))
}

func FuzzCut(f *testing.F) {
	for _, s := range []string{prose, "", "  ", "!", "a", "!!!!", "Zürich Straße", "日本語のテキスト", "{\"a\":[1,22,333,4444]}\n\n\t- x", "\xff\xfe a", "😀😀"} {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, text string, limit int) {
		whole := wire.Tokens(text)
		require.LessOrEqual(t, whole, len(text), "a byte-level tokenizer never makes more tokens than bytes")
		head, cut := wire.Cut(text, limit)
		require.True(t, strings.HasPrefix(text, head))
		require.Equal(t, len(head) < len(text), cut)
		require.Equal(t, whole > limit && text != "", cut)
		require.LessOrEqual(t, wire.Tokens(head), max(limit, 0))
	})
}
