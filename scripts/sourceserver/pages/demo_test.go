package pages_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/crawl"
	"blogposter/scripts/sourceserver/pages"
)

// law are the words that make a sentence a legal claim: the demo site's own
// and those of the fact check. Secondary pages can't carry one, so they have
// none to quote.
var law = regexp.MustCompile(`(?i)\b(must|may not|shall|cannot|can't|ha(ve|s) to|needs? to|requires?|required|(il|un)?lawful|(il)?legal(ly)?|prohibit(s|ed)?|forbidden|permissible|not (allowed|permitted)|entitled|obliged|obligated|exempt|liable|sue|fined?|penalt(y|ies)|statutes?|laws?|code|ordinance|regulations?|ADA|violat(e|es|ions?)|discriminat(e|ion))\b`)

// label tells the reader of a page that its city does not exist. It has no
// verb, so that no digest takes it for something the page says.
const label = "Fictional page, written for the Blog-Poster demonstration."

// alone is the beginning of a sentence that needs the one before it.
var alone = regexp.MustCompile(`(?:^|[.?!] )(?:This|It|They|These|Those|He|She|Such|However|Therefore)\b`)

func TestDemoPages_areFitToBeQuotedSentenceBySentence(t *testing.T) {
	t.Parallel()

	list, err := pages.Load("../../demo/pages", base)
	require.NoError(t, err)
	require.Len(t, list, 23)
	tiers := map[string]int{}
	for _, p := range list {
		text := crawl.Plain(p.Content)
		refused := crawl.Worthless(crawl.Page{URL: p.URL, Title: p.Title, Warning: p.Warning, Text: text})
		if p.Slug == "moved" {
			require.Contains(t, refused, "404: Not Found")
			p.Warning = ""
			require.NotEmpty(t, crawl.Worthless(crawl.Page{Title: p.Title, Text: text}), "refused without the reader's warning too")
			continue
		}
		tiers[p.Tier]++
		require.True(t, p.Local, p.Slug)
		require.Equal(t, base+"/"+p.Slug, p.URL)
		require.Empty(t, refused, p.Slug)
		require.Equal(t, label, strings.SplitN(text, "\n\n", 3)[1], p.Slug)
		require.Greater(t, len(strings.Fields(text)), 1000, p.Slug)
		for line := range strings.SplitSeq(text, "\n") {
			require.NotRegexp(t, alone, line, p.Slug)
			if p.Tier == "secondary" {
				require.NotRegexp(t, law, line, p.Slug)
			}
		}
	}
	require.Equal(t, map[string]int{"authoritative": 14, "secondary": 8}, tiers)
}

func TestDemoPages_areAllLinkedAndShown(t *testing.T) {
	t.Parallel()

	list, err := pages.Load("../../demo/pages", base)
	require.NoError(t, err)
	srv := serveList(t, list)
	for _, p := range list {
		want := http.StatusOK
		if p.Warning != "" {
			want = http.StatusNotFound
		}
		got := get(t, srv, "/"+p.Slug)
		require.Equal(t, want, got.code, p.Slug)
		require.Contains(t, got.body, "<title>"+strings.NewReplacer("&", "&amp;", "'", "&#39;").Replace(p.Title))
	}
}

func TestDemoTopics_areTwelveOfWhichNoTwoAreAlike(t *testing.T) {
	t.Parallel()

	file, err := os.ReadFile("../../demo/topics.txt")
	require.NoError(t, err)
	seen := map[string]bool{}
	for line := range strings.Lines(string(file)) {
		if topic := strings.TrimSpace(line); !strings.HasPrefix(topic, "#") {
			require.False(t, seen[topic], topic)
			seen[topic] = true
			n := len(strings.Fields(topic))
			require.True(t, n >= 4 && n <= 9, topic)
		}
	}
	require.Len(t, seen, 12)
}
