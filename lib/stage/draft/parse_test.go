package draft

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
)

func upTo(most int) func(int) bool { return func(n int) bool { return n >= 1 && n <= most } }

func flat(s editorial.Section) []editorial.Sentence {
	var out []editorial.Sentence
	for _, p := range (editorial.Body{Sections: []editorial.Section{s}}).Sentences() {
		out = append(out, p.Sentence)
	}
	return out
}

func TestParse_givesEveryMarkerToItsSentence(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		text string
		want []editorial.Sentence
	}{
		"behind the stop":     {"Dogs work. [E1] They rest. [E2]", []editorial.Sentence{{Text: "Dogs work.", Evidence: []int{1}}, {Text: "They rest.", Evidence: []int{2}}}},
		"before the stop":     {"Dogs work [E1]. They rest [E2].", []editorial.Sentence{{Text: "Dogs work.", Evidence: []int{1}}, {Text: "They rest.", Evidence: []int{2}}}},
		"glued":               {"Dogs work.[E1] They rest.[E2]", []editorial.Sentence{{Text: "Dogs work.", Evidence: []int{1}}, {Text: "They rest.", Evidence: []int{2}}}},
		"several":             {"Dogs work. [E1,E2] They rest. [e2; E3][E1]", []editorial.Sentence{{Text: "Dogs work.", Evidence: []int{1, 2}}, {Text: "They rest.", Evidence: []int{2, 3, 1}}}},
		"twice the same":      {"Dogs [E1] work. [E1]", []editorial.Sentence{{Text: "Dogs work.", Evidence: []int{1}}}},
		"none":                {"Start here. Dogs work. [E3]", []editorial.Sentence{{Text: "Start here."}, {Text: "Dogs work.", Evidence: []int{3}}}},
		"an abbreviation":     {"The U.S. Department says so. [E1] See § 35.136(b)(1). [E2]", []editorial.Sentence{{Text: "The U.S. Department says so.", Evidence: []int{1}}, {Text: "See § 35.136(b)(1).", Evidence: []int{2}}}},
		"other brackets stay": {"It is [sic] so [3]. [E1]", []editorial.Sentence{{Text: "It is [sic] so [3].", Evidence: []int{1}}}},
		"over two lines":      {"Dogs work\nhard. [E1]", []editorial.Sentence{{Text: "Dogs work hard.", Evidence: []int{1}}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got := parse("", tc.text, upTo(3))
			require.Equal(t, tc.want, flat(got.section))
			require.Zero(t, got.unknown+got.stray)
		})
	}
}

func TestParse_dropsMarkersThatStandForNothing(t *testing.T) {
	t.Parallel()

	got := parse("", "Dogs work. [E9,E1] They rest. [E0] Done. [E99999999999999999999]", upTo(3))
	require.Equal(t, []editorial.Sentence{{Text: "Dogs work.", Evidence: []int{1}}, {Text: "They rest."}, {Text: "Done."}}, flat(got.section))
	require.Equal(t, 3, got.unknown)
}

func TestParse_readsBlocksAndTakesOutMarkdown(t *testing.T) {
	t.Parallel()

	got := parse("What Counts", "## What counts\n\nWhat counts\n\n**Dogs** work *hard*, `always` and [everywhere](https://a.example/x). [E1]\nThey rest. [E2]\n\n"+
		"- One is _small_. [E1]\n- Two. [E2]\n  and more of it.\n\n* Three 5 * 3 * 2.\n1. Four.\n---\nAfter it <b>bold</b> & so.\n- \n```\n", upTo(3))
	var blocks []string
	for _, b := range got.section.Blocks {
		var items []string
		for _, i := range b.Items {
			var s []string
			for _, sen := range i.Sentences {
				s = append(s, sen.Text)
			}
			items = append(items, strings.Join(s, "|"))
		}
		blocks = append(blocks, string(b.Kind)+": "+strings.Join(items, " // "))
	}
	require.Equal(t, []string{
		"paragraph: Dogs work hard, always and everywhere.|They rest.",
		"list: One is small. // Two. and more of it. // Three 5 * 3 * 2. // Four.",
		"paragraph: After it <b>bold</b> & so.",
	}, blocks)
	require.Equal(t, 4, got.stray)
	require.Equal(t, "What Counts", got.section.Heading)
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"Dogs work. [E1,E2]\n\n- a [E3]\n- b", "# x\n[E1] y", "[E1][E2]", "**a [E1] b** _c_ `d`", "![x](y) [a](b \"c\")", "\n\n\n-\n- - -", "a\n- b\nc\n\nd", "[E1", "é [E1]. Ü",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := parse("Title", text, upTo(5))
		words := 0
		for _, b := range got.section.Blocks {
			require.Contains(t, []editorial.BlockKind{editorial.BlockParagraph, editorial.BlockList}, b.Kind)
			require.NotEmpty(t, b.Items)
			require.True(t, b.Kind == editorial.BlockList || len(b.Items) == 1)
			for _, i := range b.Items {
				require.NotEmpty(t, i.Sentences)
				for _, s := range i.Sentences {
					require.NotEmpty(t, strings.TrimSpace(s.Text))
					require.NotContains(t, s.Text, "\n")
					words += len(strings.Fields(s.Text))
					for k, n := range s.Evidence {
						require.True(t, upTo(5)(n))
						require.NotContains(t, s.Evidence[:k], n)
					}
				}
			}
		}
		require.LessOrEqual(t, words, len(strings.Fields(text))*2+len(text), "no words appear from nowhere")
		require.Equal(t, got, parse("Title", text, upTo(5)))
	})
}
