package evidence_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"blogposter/lib/evidence"
)

func in(text string) []string {
	var out []string
	for _, s := range evidence.Sentences(text) {
		out = append(out, s.In(text))
	}
	return out
}

func TestSentences_splitsWhereAReaderWould(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		text string
		want []string
	}{
		"two sentences": {"Dogs work. They rest.", []string{"Dogs work.", "They rest."}},
		"a country's initials go on": {
			"The U.S. Department of Justice wrote it. It is short.",
			[]string{"The U.S. Department of Justice wrote it.", "It is short."},
		},
		"a country's initials end it":     {"It applies in the U.S. The rule is old.", []string{"It applies in the U.S.", "The rule is old."}},
		"for example":                     {"Use a tether, e.g. a leash. Or voice (i.e. Commands).", []string{"Use a tether, e.g. a leash.", "Or voice (i.e. Commands)."}},
		"a numbered order":                {"See Order No. 3180 and No. 4. No. It is not.", []string{"See Order No. 3180 and No. 4.", "No.", "It is not."}},
		"a paragraph of the code":         {"It is in § 35.136(b)(1). Staff may ask.", []string{"It is in § 35.136(b)(1).", "Staff may ask."}},
		"a section of the code":           {"See Sec. 35 and 28 C.F.R. Part 35. It says so.", []string{"See Sec. 35 and 28 C.F.R. Part 35.", "It says so."}},
		"decimals and versions":           {"It weighs 3.5 kg. Version 2.0 is out.", []string{"It weighs 3.5 kg.", "Version 2.0 is out."}},
		"initials of a name":              {"J. R. Smith wrote to Dr. Jones. He left.", []string{"J. R. Smith wrote to Dr. Jones.", "He left."}},
		"the pronoun I":                   {"So do I. You may too.", []string{"So do I.", "You may too."}},
		"a month cut short":               {"Published Sept. 15, 2010. It began in Mar. 2011. Dogs mar. People sit.", []string{"Published Sept. 15, 2010.", "It began in Mar. 2011.", "Dogs mar.", "People sit."}},
		"a company":                       {"Dogs Inc. trains dogs. Ask Dogs Inc. The firm answers.", []string{"Dogs Inc. trains dogs.", "Ask Dogs Inc.", "The firm answers."}},
		"a closing quote":                 {`He said "sit." She sat.`, []string{`He said "sit."`, "She sat."}},
		"a closing typographic quote":     {"He said “sit.” “Stay!” Good.", []string{"He said “sit.”", "“Stay!”", "Good."}},
		"brackets round a sentence":       {"It is so. (Miniature horses differ.) Ask first.", []string{"It is so.", "(Miniature horses differ.)", "Ask first."}},
		"a question within a sentence":    {"Ask two: (1) is it required? and (2) what work? That is all.", []string{"Ask two: (1) is it required? and (2) what work?", "That is all."}},
		"several stops":                   {"Really?! Yes... Fine.", []string{"Really?!", "Yes...", "Fine."}},
		"the space was lost":              {"They help people with disabilities.Examples are many.", []string{"They help people with disabilities.", "Examples are many."}},
		"names on the web stay whole":     {"See www.Example.com and archive.ADA.gov or ada.gov/x. Then ask.", []string{"See www.Example.com and archive.ADA.gov or ada.gov/x.", "Then ask."}},
		"no stop at the end":              {"Where dogs may go", []string{"Where dogs may go"}},
		"never across a line":             {"Where dogs\nmay go. Not", []string{"Where dogs", "may go.", "Not"}},
		"marks stay outside":              {"- Dogs work.\n2. Cats rest.\n(b) Owls hoot.\n## Birds\nQ12. May they? Yes.\nA. No. They sing.", []string{"Dogs work.", "Cats rest.", "Owls hoot.", "Birds", "May they?", "Yes.", "No.", "They sing."}},
		"nothing but a mark":              {"1. \n\nDogs.", []string{"1.", "Dogs."}},
		"a year at the end of a sentence": {"It began in 2010. In 2011 it grew.", []string{"It began in 2010.", "In 2011 it grew."}},
		"nothing":                         {" \n\t\n", nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tc.want, in(tc.text))
		})
	}
}

func TestSentences_countsBlocksAndKeepsMarksApart(t *testing.T) {
	t.Parallel()

	got := evidence.Sentences("Head\n\n\n- One. Two.\n")
	require.Equal(t, []evidence.Sentence{
		{Mark: 0, Start: 0, End: 4, Block: 0},
		{Mark: 7, Start: 9, End: 13, Block: 1},
		{Mark: 14, Start: 14, End: 18, Block: 1},
	}, got)
}

func FuzzSentences(f *testing.F) {
	for _, s := range []string{
		"The U.S. has dogs. e.g. this", "- a\n\n1. b? c!\"", "(a)(b) ) . . .", "A. No.", "é.É\xff.\xfe A", "“Sit.” 3.5\u00a0kg.\u2028Q1.",
		"disabilities.Examples of", "# ", "1.2.3. 4", ".)", "…",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		covered, last := 0, -1
		for _, s := range evidence.Sentences(text) {
			require.True(t, covered <= s.Mark && s.Mark <= s.Start && s.Start < s.End && s.End <= len(text), "%+v after %d in %q", s, covered, text)
			require.Empty(t, strings.TrimSpace(text[covered:s.Mark]), "left out of %q", text)
			require.True(t, s.Block == last || s.Block == last+1)
			require.NotContains(t, text[s.Mark:s.End], "\n")
			if utf8.ValidString(text) {
				require.True(t, utf8.ValidString(text[s.Mark:s.End]))
			}
			for _, r := range []string{s.In(text)[:1], s.In(text)[s.End-s.Start-1:]} {
				require.False(t, unicode.IsSpace(rune(r[0])) && r[0] < 0x80, "space at the border of %q", s.In(text))
			}
			covered, last = s.End, s.Block
		}
		require.Empty(t, strings.TrimSpace(text[covered:]))
	})
}

func TestHeadings_findsTheLinesThatNameWhatIsBelow(t *testing.T) {
	t.Parallel()

	text := "Service Animals\n\nThey work.\n\nQ12. May they enter?\n\nA. Yes.\n\nguide dogs\nalert dogs\n\nThey may be excluded only if:\n\nAccess rights:\n\n§ 35.136 Animals\n\nMore."
	heads := evidence.Headings(text)
	var got []string
	for _, h := range heads {
		got = append(got, text[h.Start:h.End])
	}
	require.Equal(t, []string{"Service Animals", "Q12. May they enter?", "Access rights:", "§ 35.136 Animals"}, got)

	for before, want := range map[string][2]string{
		"Service": {"", ""}, "They work": {"Service Animals", ""}, "A. Yes": {"Service Animals", "May they enter?"},
		"§ 35": {"Access rights", ""}, "More": {"§ 35.136 Animals", ""},
	} {
		title, question := evidence.Above(text, heads, strings.Index(text, before))
		require.Equal(t, want, [2]string{title, question}, before)
	}
}
