package crawl_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"blogposter/lib/crawl"
)

var update = flag.Bool("update", false, "write the golden files")

func TestPlain_readsLikeThePage(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ in, want string }{
		"headings, paragraphs and rules": {"Over\n====\n\none\ntwo\n\n* * *\n\n### Under ###\nthree", "Over\n\none two\n\nUnder\n\nthree"},
		"a list has a line an item":      {"Only if:\n- the dog barks, or\n- it bites:\n    1. people\n    2. cats\n\nEnd.", "Only if:\n\nthe dog barks, or\nit bites:\npeople\ncats\n\nEnd."},
		"a loose item keeps its parts":   {"- one\n\n  two\n\n  > three\n- four", "one\ntwo\nthree\nfour"},
		"marks, links and pictures go":   {"A *b* **c** `d_e` ~~f~~ [g](http://h.example \"t\") ![i](j.png) <http://k.example>.", "A b c d_e f g http://k.example."},
		"emphasis that ends a sentence":  {"**For people with disabilities.**Examples are **many.**(Some say **few**.)", "For people with disabilities. Examples are many. (Some say few.)"},
		"one star that ends a sentence":  {"*People first.*Then *others*", "People first. Then others"},
		"underlines after a bracket":     {"(b)_Exceptions._ A dog, (c)_If._Next", "(b) Exceptions. A dog, (c) If. Next"},
		"a link glued to a word":         {"see HUD's[Notice on dogs](http://h.example) and [dog](x)s", "see HUD's Notice on dogs and dogs"},
		"initials stay whole":            {"the **U.**S. law", "the U.S. law"},
		"a heading glued into a line":    {"Details###### Enhanced", "Details Enhanced"},
		"entities and escapes, once":     {`Tom &amp; Jerry &#8220;x&#8221; \*not\* &amp;lt; 3 &bogus; a&b`, "Tom & Jerry “x” *not* &lt; 3 &bogus; a&b"},
		"white space of every kind":      {"a\u00a0b\u2009c\u200bd\u00ade\ufefff\tg\u3000h", "a b cdef g h"},
		"curly quotes stay":              {"“It’s” ‘so’ — really…", "“It’s” ‘so’ — really…"},
		"broken bytes are marked":        {"a\xffb\x00c", "a\uFFFDb\uFFFDc"},
		"a table loses its pipes":        {"| Fee | Sum |\n|---|--:|\n| dog | **0** |\n| | 5 |", "Fee; Sum\ndog; 0\n5"},
		"code keeps its lines":           {"```go\na := 1\n\n  b  := 2\n```", "a := 1\nb := 2"},
		"an indented box is text":        {"para\n\n    A **dog** [works](x) here all day.", "para\n\nA dog works here all day."},
		"HTML loses its tags":            {"<div><p>One &lt; two</p><script>var x = 1</script>\n<b>Three</b><!-- no --></div>\n\na<br>b <i>c</i>", "One < two\nThree\n\na b c"},
		"a menu goes":                    {"- [Home](/)\n- [About us](/a)\n  - [Team](/t)\n\nText.", "Text."},
		"a lone link goes":               {"[Read more](/x)\n\nText.", "Text."},
		"a list with links stays":        {"- For help, see [Topics](/t)\n- For the law, see [Rules](/r)", "For help, see Topics\nFor the law, see Rules"},
		"a linked sentence stays":        {"[Service dogs may ride on every bus, train and ferry of the city without a ticket, at any hour](/x)", "Service dogs may ride on every bus, train and ferry of the city without a ticket, at any hour"},
		"notices go":                     {"Skip to main content\n\nWe use cookies to make this site better.\n\nWas this page helpful? Yes No\n\nBack to top\n\nCookies are baked.", "Cookies are baked."},
		"rules and crosses go":           {"Page\n\n=======\n\n×\n\nText", "Page\n\nText"},
		"an empty page is empty":         {" \n\n", ""},
		"a picture's bytes go":           {"Text ![x](data:image/png;base64,AAAA) and more.", "Text and more."},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tc.want, crawl.Plain(tc.in))
		})
	}
}

// The golden files are real pages. A change in them changes what stored
// citations point into, so it needs a new PlainVersion.
func TestPlain_keepsTheTextOfRealPages(t *testing.T) {
	t.Parallel()

	require.Equal(t, "plain/1", crawl.PlainVersion)
	for _, name := range pages(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			golden := filepath.Join("testdata", name+".golden.txt")
			got := page(t, name).Text
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

// These sentences are what an article would quote.
func TestPlain_letsPeopleQuoteTheLaw(t *testing.T) {
	t.Parallel()

	quotes := map[string][]string{
		"ada-service-animals-2010": {
			"Service animals are defined as dogs that are individually trained to do work or perform tasks for people with disabilities. Examples of such work",
			"Staff may ask two questions: (1) is the dog a service animal required because of a disability, and (2) what work or task has the dog been trained to perform.",
		},
		"cfr-35-136": {
			"(b) Exceptions. A public entity may ask an individual with a disability to remove a service animal from the premises if—",
			"If a public entity properly excludes a service animal under § 35.136(b), it shall give the individual",
		},
		"doj-guidance":    {"see HUD's Notice on Service Animals and Assistance Animals for People with Disabilities in Housing and HUD-funded Programs."},
		"title-ii-primer": {"Is the animal required because of a disability?\nWhat work or task has the dog been trained to perform?"},
	}
	for name, list := range quotes {
		text := page(t, name).Text
		for _, q := range list {
			require.Contains(t, text, q)
		}
		require.NotContains(t, text, "](")
		require.NotContains(t, text, "**")
	}
}

func TestPlain_readsTextHoweverDeepItIsNested(t *testing.T) {
	t.Parallel()

	require.Equal(t, "dog", crawl.Plain(strings.Repeat("> ", 300)+"dog"))
	require.Equal(t, "dog", crawl.Plain(strings.Repeat("1. ", 300)+"dog"))
	var deep strings.Builder
	for i := range 300 {
		deep.WriteString(strings.Repeat("  ", i) + "- dog\n")
	}
	require.Equal(t, 300, strings.Count(crawl.Plain(deep.String()), "dog"))
}

func TestPlain_losesNoWordOfALongLine(t *testing.T) {
	t.Parallel()

	line := strings.Repeat("dog über ", 5000)
	require.Equal(t, 10_000, len(strings.Fields(crawl.Plain(line)))) //nolint:testifylint // Len would print them all
	long := "a" + strings.Repeat("ü", 40_000)                        // no space to cut at, and a rune across the cut
	require.Equal(t, long, strings.ReplaceAll(crawl.Plain(long), "\n\n", ""))
	require.Equal(t, 9000, strings.Count(crawl.Plain(strings.Repeat("dog\n", 9000)), "dog"))
}

func FuzzPlain(f *testing.F) {
	for _, name := range pages(f) {
		b, err := os.ReadFile(filepath.Join("testdata", name+".md"))
		require.NoError(f, err)
		f.Add(string(b))
	}
	f.Add("- a\n  > 1. [x](y)\n\n| a |\n|---|\n<b>\xff&#xE000;")
	f.Add("<a\x00>&#0;&#10;**a.**B`\u202e`")
	f.Fuzz(func(t *testing.T, in string) {
		out := crawl.Plain(in)
		require.True(t, utf8.ValidString(out))
		require.Equal(t, out, crawl.Plain(in))
		require.NotContains(t, out, "\n\n\n")
		require.NotContains(t, out, "  ")
		require.Equal(t, strings.TrimSpace(out), out)
		for line := range strings.SplitSeq(out, "\n") {
			require.Equal(t, strings.TrimSpace(line), line)
		}
		require.False(t, strings.ContainsFunc(out, func(r rune) bool {
			return r < ' ' && r != '\n' || r == '\u200b' || r == '\u00a0' || r == '\u202e' || r == '\uE000'
		}), "%q", out)
		crawl.Worthless(crawl.Page{Text: out, Title: in})
	})
}

// pages names the captured pages.
func pages(tb testing.TB) []string {
	tb.Helper()
	files, err := filepath.Glob("testdata/*.md")
	require.NoError(tb, err)
	require.Len(tb, files, 5)
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".md")
	}
	return files
}
