package shingle_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/shingle"
	"blogposter/scripts/rivals"
)

func TestSketch_estimatesTheShareOfEqualShingles(t *testing.T) {
	t.Parallel()

	words := strings.Fields(numbered(1000))
	text := func(from, to int) string { return strings.Join(words[from:to], " ") }
	for name, tc := range map[string]struct {
		a, b string
		want float64
	}{
		"the same text":                  {text(0, 500), text(0, 500), 1},
		"case and punctuation are alike": {"One two, three four five.", "one two three FOUR five", 1},
		"half in common":                 {text(0, 500), text(167, 667), 0.5},
		"nothing in common":              {text(0, 500), text(500, 1000), 0},
		"too short to compare":           {"one two three four", "one two three four", 0},
		"one is empty":                   {"", text(0, 500), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.InDelta(t, tc.want, shingle.Similarity(shingle.Sketch(tc.a), shingle.Sketch(tc.b)), 0.15)
		})
	}
	require.Len(t, shingle.Sketch(text(0, 1000)), 512)
	require.Zero(t, shingle.Similarity([]byte("damaged"), []byte("damaged")))
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" w")
		for ; i > 0; i /= 10 {
			b.WriteByte(byte('a' + i%10))
		}
	}
	return b.String()
}

// The limit parts the labelled copies of the corpus from all other pairs, with
// room on both sides.
func TestSame_partsCopiesFromArticlesOnOneSubject(t *testing.T) {
	t.Parallel()

	pages := rivals.Corpus()
	sketches := map[string][]byte{}
	for _, p := range pages {
		sketches[p.Key()] = shingle.Sketch(p.Text())
	}
	copies, others := 1.0, 0.0
	for i, a := range pages {
		for _, b := range pages[:i] {
			s := shingle.Similarity(sketches[a.Key()], sketches[b.Key()])
			if a.CopyOf == b.Key() || b.CopyOf == a.Key() {
				copies = min(copies, s)
				continue
			}
			others = max(others, s)
		}
	}
	t.Logf("the least alike copies: %.2f; the most alike others: %.2f", copies, others)
	require.Greater(t, copies, shingle.Same+0.15)
	require.Less(t, others, shingle.Same-0.3)
}
