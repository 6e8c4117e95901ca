package compose_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/crawl"
	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/scripts/site/sitefile"
	"blogposter/scripts/sourceserver/pages"
)

// themes are the pages on each of the demo's topics, by a word of the topic.
var themes = map[string]string{
	"ferries":     "transit-rules rider-handbook",
	"shops":       "business-guide shop-counter city-code",
	"apartments":  "housing-guide tenant-questions",
	"lessons":     "training-at-home coach-course",
	"school":      "school-guide classroom-handbook",
	"summer":      "health-care clinic-calendar",
	"Puppies":     "choosing-a-puppy puppy-year",
	"hotels":      "travel-guide hotel-desk",
	"Retired":     "retirement families-report",
	"restaurants": "business-guide restaurant-handbook city-code",
	"damage":      "fee-guide business-guide restaurant-handbook shop-counter city-code transit-rules housing-guide tenant-questions travel-guide hotel-desk school-guide",
	"in training": "trainer-guide training-at-home coach-course city-code business-guide transit-rules rider-handbook school-guide",
}

// ownShare is the part of an article's sentences that must come from its
// theme's pages.
const ownShare = 0.8

func demoTopics(t *testing.T) []string {
	t.Helper()
	file, err := os.ReadFile("../../demo/topics.txt")
	require.NoError(t, err)
	var out []string
	for line := range strings.Lines(string(file)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

// The articles by which the demo is judged: of the right length, borne out by
// the demo site's own rules, on their subject and on nothing else.
func TestComposer_Compose_writesTheDemosArticles(t *testing.T) {
	t.Parallel()

	topics := demoTopics(t)
	require.Len(t, topics, len(themes))
	for _, topic := range topics {
		t.Run(topic, func(t *testing.T) {
			t.Parallel()

			m := demoMemory(t, topic)
			work, out := write(t, m)
			d := *work.Draft
			t.Log(out.Detail, show(d)) // with -v: read it
			requireReadable(t, d)
			requireHeadings(t, d)
			requireIntroduction(t, d)
			share, stray := ownSentences(m, d, theme(t, topic))
			t.Logf("%.0f %% of the sentences are from the topic's own pages", 100*share)
			require.GreaterOrEqual(t, share, ownShare, strings.Join(stray, "\n"))
			requireChecked(t, m)
		})
	}
}

func theme(t *testing.T, topic string) []string {
	t.Helper()
	for word, list := range themes {
		if strings.Contains(topic, word) {
			return strings.Fields(list)
		}
	}
	require.Fail(t, "no pages are named for this topic", topic)
	return nil
}

// demoMemory has the demo's pages and the rules of its site.
func demoMemory(t *testing.T, topic string) *memory {
	t.Helper()
	m := newMemory(t, topic)
	raw, err := os.ReadFile("../../demo/site.yml")
	require.NoError(t, err)
	site, err := sitefile.Read(raw)
	require.NoError(t, err)
	site.Sources = nil
	list, err := pages.Load("../../demo/pages", strings.TrimSuffix(base, "/"))
	require.NoError(t, err)
	for _, p := range list {
		page := crawl.Page{URL: p.URL, Title: p.Title, Warning: p.Warning, Text: crawl.Plain(p.Content)}
		m.pages[p.URL] = editorial.Page{URL: p.URL, Title: p.Title, Raw: []byte(p.Content), Text: page.Text, Tokens: 1, Worthless: crawl.Worthless(page)}
		m.dossier.Brief.URLs = append(m.dossier.Brief.URLs, p.URL)
		site.Sources = append(site.Sources, editorial.Source{Prefix: p.URL, Tier: editorial.Tier(p.Tier), Start: true})
	}
	m.dossier.Site = site.Site
	return m
}

// ownSentences is the share of an article's sentences that rest on pages of
// its theme, and those that don't.
func ownSentences(m *memory, d editorial.Draft, own []string) (share float64, stray []string) {
	from := map[int]string{}
	for _, e := range m.dossier.Evidence {
		for _, s := range m.dossier.Snapshots {
			if s.ID == e.SnapshotID {
				from[e.N] = strings.TrimPrefix(s.URL, base)
			}
		}
	}
	total, mine := 0, 0
	for _, s := range d.Body.Sentences() {
		if len(s.Evidence) == 0 {
			continue
		}
		total++
		hit := false
		for _, n := range s.Evidence {
			for _, o := range own {
				hit = hit || from[n] == o
			}
		}
		if hit {
			mine++
		} else {
			stray = append(stray, from[s.Evidence[0]]+": "+s.Text)
		}
	}
	return float64(mine) / float64(max(1, total)), stray
}

var titleCase = regexp.MustCompile(`^\S+(?: (?:[A-Z]\S*|a|an|and|at|for|in|of|on|or|the|to|with))* [A-Z]\S*$`)

// requireHeadings checks what makes a heading one: a few words in sentence
// case that are no sentence, and a word of it below.
func requireHeadings(t *testing.T, d editorial.Draft) {
	t.Helper()
	for _, s := range d.Body.Sections[1:] {
		n := len(strings.Fields(s.Heading))
		require.True(t, n >= 2 && n <= 9, s.Heading)
		require.Regexp(t, `^[A-Z]`, s.Heading)
		require.NotRegexp(t, `[.:;]$`, s.Heading)
		require.NotRegexp(t, `harborview|Other points|Further points|More to know|Details`, s.Heading)
		require.False(t, n > 2 && titleCase.MatchString(strings.ReplaceAll(s.Heading, "Harborview", "town")), "in sentence case: %s", s.Heading)
	}
}

// requireIntroduction checks that an article opens on its subject, says what
// it is about, and does not quote the pages' labels.
func requireIntroduction(t *testing.T, d editorial.Draft) {
	t.Helper()
	n := len(strings.Fields(d.Keyphrase))
	require.True(t, n >= 2 && n <= 5, d.Keyphrase)
	intro := d.Body.Sections[0]
	require.LessOrEqual(t, len(intro.Blocks), 3)
	first := intro.Blocks[0].Items[0].Sentences[0]
	require.Positive(t, evidence.Overlap(d.Keyphrase, first.Text), first.Text)
	framed := 0
	for _, s := range d.Body.Sentences() {
		require.NotContains(t, s.Text, "ictional")
		if len(s.Evidence) == 0 {
			framed++
			require.Contains(t, strings.ToLower(s.Text), d.Keyphrase)
		}
	}
	require.Equal(t, 1, framed, "one sentence says what the article is about")
}
