package evidence_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
)

func TestLocate_returnsTheTextsOwnBytes(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ text, quote, want string }{
		"word for word":                  {"Staff may ask two questions.", "may ask two", "may ask two"},
		"white space differs":            {"Staff may\n\nask\u00a0two  questions.", " Staff may ask two questions. ", "Staff may\n\nask\u00a0two  questions."},
		"quotation marks differ":         {"A “direct threat” is the handler’s.", `A "direct threat" is the handler's.`, "A “direct threat” is the handler’s."},
		"dashes differ":                  {"Work—or tasks—count.", "Work-or tasks–count.", "Work—or tasks—count."},
		"no-width characters are passed": {"Dogs\u200b work\ufeff here", "Dogs work here", "Dogs\u200b work\ufeff here"},
		"the first place that is a word": {"unable to go, able to stay", "able to", "able to"},
		"accented letters":               {"Le café était plein.", "café était", "café était"},
		"the whole text":                 {"Sit.", "Sit.", "Sit."},
		"after a dash":                   {"It is so—dogs work.", "dogs work", "dogs work"},
		"a number that ends a sentence":  {"It took 500. More followed.", "took 500", "took 500"},
		"a word before an apostrophe":    {"The 'dog' sat.", "The 'dog", "The 'dog"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			start, end, ok := evidence.Locate(tc.text, tc.quote)
			require.True(t, ok)
			require.Equal(t, tc.want, tc.text[start:end])
		})
	}
}

func TestLocate_findsNothingThatWasNotSaid(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ text, quote string }{
		"one word changed":          {"Staff must not ask.", "Staff may not ask."},
		"one word left out":         {"Staff must not ask.", "Staff must ask."},
		"another case":              {"Staff may ask.", "staff may ask."},
		"another stop":              {"Staff may ask,", "Staff may ask."},
		"the end of a word":         {"A person unable to stand", "able to stand"},
		"the beginning of a word":   {"Staff cannot ask", "Staff can"},
		"before an apostrophe":      {"Staff can't ask", "Staff can"},
		"before a typographic one":  {"Staff can’t ask", "Staff can"},
		"half of a hyphenated word": {"A non-profit group", "profit group"},
		"the end of a number":       {"A fine of 1,500 dollars", "500 dollars"},
		"the beginning of a number": {"It is 1.75 miles", "It is 1"},
		"a spaced-out word":         {"now here", "nowhere"},
		"joined words":              {"nowhere", "now here"},
		"an ellipsis":               {"Dogs that work may enter.", "Dogs … may enter."},
		"nothing":                   {"Dogs.", " \u200b\n"},
		"no text":                   {"", "Dogs"},
		"broken characters":         {"caf\xc3\xa9", "\xa9"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, _, ok := evidence.Locate(tc.text, tc.quote)
			require.False(t, ok)
		})
	}
}

func FuzzLocate(f *testing.F) {
	f.Add("Staff may — “ask” two.", "may - \"ask\"")
	f.Add("a\u200bb\ufeff c\u00a0d", "ab c d")
	f.Add("1,500 can't non-profit", "500")
	f.Add("é\xff’s ’", "’s")
	f.Fuzz(func(t *testing.T, text, quote string) {
		start, end, ok := evidence.Locate(text, quote)
		if !ok {
			return
		}
		require.True(t, 0 <= start && start < end && end <= len(text))
		found := text[start:end]
		if utf8.ValidString(text) {
			require.True(t, utf8.ValidString(text[:start]) && utf8.ValidString(found))
		}
		require.True(t, utf8.ValidString(found))
		s, e, again := evidence.Locate(text, found)
		require.True(t, again)
		require.LessOrEqual(t, s, start, "the first place is found first")
		require.Equal(t, fields(found), fields(text[s:e]))
	})
}

// fields is a coarse, independent reading of "the same but for white space,
// quotation marks and dashes".
func fields(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("‘’‚‛′`´'“”„‟″«»\"", r):
			return '"'
		case strings.ContainsRune("‐‑‒–—―−-", r):
			return '-'
		case r == '\u200b' || r == '\ufeff':
			return -1
		}
		return r
	}, strings.Join(strings.Fields(s), " "))
}

func FuzzLocate_anyPieceOfATextIsFoundInIt(f *testing.F) {
	f.Add("Staff may ask “two” questions — no more. They can’t.", 6, 20)
	f.Fuzz(func(t *testing.T, text string, from, length int) {
		words := strings.Fields(text)
		if len(words) == 0 || !utf8.ValidString(text) {
			t.Skip()
		}
		from = max(0, from) % len(words)
		to := min(len(words), from+1+max(0, length)%8)
		quote := strings.Join(words[from:to], " ")
		if strings.Trim(quote, "\u200b\ufeff ") == "" {
			t.Skip()
		}
		_, _, ok := evidence.Locate(text, quote)
		require.True(t, ok, "%q in %q", quote, text)
	})
}

func TestWiden_takesWholeSentences(t *testing.T) {
	t.Parallel()

	text := "- Staff are not required to provide care. They may ask. That is all."
	start, end, ok := evidence.Locate(text, "required to provide care. They")
	require.True(t, ok)

	start, end = evidence.Widen(text, start, end)
	require.Equal(t, "Staff are not required to provide care. They may ask.", text[start:end])
}

func TestVerify_namesWhatIsWrong(t *testing.T) {
	t.Parallel()

	text := []byte("Staff may “ask”.")
	good := editorial.Citation{URL: "https://a.example/x", TextHash: evidence.Hash(text), Quote: "may “ask”", Start: 6, End: 19}
	require.NoError(t, evidence.Verify(text, good))

	tests := map[string]struct {
		change func(c *editorial.Citation)
		want   string
	}{
		"another text":        {func(c *editorial.Citation) { c.TextHash = evidence.Hash([]byte("x")) }, "the text's SHA-256 is"},
		"another quote":       {func(c *editorial.Citation) { c.Quote = "may ask" }, "quoted was"},
		"moved by one":        {func(c *editorial.Citation) { c.Start++ }, "quoted was"},
		"begins before it":    {func(c *editorial.Citation) { c.Start = -1 }, "is not within its 20 bytes"},
		"ends behind it":      {func(c *editorial.Citation) { c.End = 21 }, "is not within its 20 bytes"},
		"empty":               {func(c *editorial.Citation) { c.Quote, c.End = "", c.Start }, "is not within its 20 bytes"},
		"half of a character": {func(c *editorial.Citation) { c.Quote, c.Start, c.End = string(text[10:12]), 10, 12 }, "cuts a character"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c := good
			tc.change(&c)
			err := evidence.Verify(text, c)
			require.ErrorContains(t, err, tc.want)
			require.ErrorContains(t, err, "https://a.example/x")
		})
	}
}
