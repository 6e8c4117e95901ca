package seo_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/markup"
	"blogposter/lib/markup/markuptest"
	"blogposter/lib/stage/seo"
)

func subject(t *testing.T, change func(s *seo.Subject)) seo.Subject {
	t.Helper()
	s := seo.Subject{Dossier: markuptest.Dossier()}
	if change != nil {
		change(&s)
	}
	if s.Rendered.Markup == "" {
		r, err := markup.Render(s.Dossier)
		require.NoError(t, err)
		s.Rendered = r
	}
	return s
}

func TestLint_passesAGoodArticle(t *testing.T) {
	t.Parallel()

	require.Equal(t, []string{"readability warning"}, rules(seo.Lint(subject(t, nil))))
}

func TestLint_findsEachBrokenRule(t *testing.T) {
	t.Parallel()

	// after changes what was rendered, as a bug in the renderer would.
	after := func(change func(r *markup.Rendered)) func(s *seo.Subject) {
		return func(s *seo.Subject) {
			r, err := markup.Render(s.Dossier)
			if err != nil {
				panic(err)
			}
			change(&r)
			s.Rendered = r
		}
	}
	tests := map[string]struct {
		change func(s *seo.Subject)
		want   string
		says   string
	}{
		"a title of 44 characters": {func(s *seo.Subject) { s.Dossier.Draft.Title = pad("Service Dog Questions ", 44) }, "title-length error", "has 44 characters, 45 to 60"},
		"a title of 61 characters": {func(s *seo.Subject) { s.Dossier.Draft.Title = pad("Service Dog Questions ", 61) }, "title-length error", "has 61"},
		"letters, not bytes":       {func(s *seo.Subject) { s.Dossier.Draft.Title = pad("Service Dog Questions ü ", 61) }, "title-length error", "has 61"},
		"a meta of 139":            {func(s *seo.Subject) { s.Dossier.Draft.MetaDescription = pad("", 139) }, "meta-length error", "has 139 characters, 140 to 160"},
		"a meta of 161":            {func(s *seo.Subject) { s.Dossier.Draft.MetaDescription = pad("", 161) }, "meta-length error", "has 161"},
		"no excerpt":               {func(s *seo.Subject) { s.Dossier.Draft.Excerpt = "" }, "excerpt error", "has 0"},
		"a long excerpt":           {func(s *seo.Subject) { s.Dossier.Draft.Excerpt = pad("", 301) }, "excerpt error", "has 301"},
		"a slug with capitals":     {func(s *seo.Subject) { s.Dossier.Draft.Slug = "A-b" }, "slug error", `"A-b"`},
		"a slug with two hyphens":  {func(s *seo.Subject) { s.Dossier.Draft.Slug = "a--b" }, "slug error", `"a--b"`},
		"a slug of 61":             {func(s *seo.Subject) { s.Dossier.Draft.Slug = strings.Repeat("a", 61) }, "slug error", "at most 60"},
		"a site without address":   {func(s *seo.Subject) { s.Dossier.Site.URL = "dogs.example" }, "canonical error", "mend the site"},
		"an address that is taken": {func(s *seo.Subject) { s.Dossier.Draft.Slug = "pet-policy" }, "canonical warning", "the same address"},
		"no title":                 {func(s *seo.Subject) { s.Dossier.Draft.Title = " " }, "one-h1 error", "no title"},
		"an h1 in the text":        {after(func(r *markup.Rendered) { r.Markup += "<H1 class='x'>t</H1>" }), "one-h1 error", "an H1 of its own"},
		"a heading level left out": {after(func(r *markup.Rendered) { r.Markup += "<h4>t</h4>" }), "headings error", "an H4 follows an H2"},
		"a section without one":    {func(s *seo.Subject) { s.Dossier.Draft.Body.Sections[2].Heading = "" }, "headings error", "section 3 has no heading"},
		"the same heading twice":   {func(s *seo.Subject) { s.Dossier.Draft.Body.Sections[2].Heading = "what STAFF may ask" }, "headings error", "twice"},
		"a heading of ours":        {func(s *seo.Subject) { s.Dossier.Draft.Body.Sections[2].Heading = "sources" }, "headings error", "twice"},
		"a heading over nothing":   {func(s *seo.Subject) { s.Dossier.Draft.Body.Sections[3].Blocks = nil }, "headings error", "nothing stands below"},
		"an image without words":   {after(func(r *markup.Rendered) { r.Markup += `<img src="x" alt=" ">` }), "alt-text error", "no alternative text"},
		"too few words":            {func(s *seo.Subject) { s.Dossier.Site.Rules.MinWords = 0 }, "word-count error", "asks for 1500 to 2500"},
		"too many words":           {func(s *seo.Subject) { s.Dossier.Site.Rules.MaxWords = 160 }, "word-count error", "150 to 160"},
		"no keyphrase":             {func(s *seo.Subject) { s.Dossier.Draft.Keyphrase = "" }, "keyphrase warning", "no keyphrase"},
		"title without keyphrase":  {func(s *seo.Subject) { s.Dossier.Draft.Title = pad("A title ", 50) }, "keyphrase warning", "the title doesn't say"},
		"intro without keyphrase": {func(s *seo.Subject) {
			s.Dossier.Draft.Body.Sections[0].Blocks[0].Items[0].Sentences[0].Text = "Most questions at a door come from staff."
		}, "keyphrase warning", "the introduction doesn't say"},
		"a dead link":           {func(s *seo.Subject) { s.Dead = []string{"https://dogs.example/gone/"} }, "internal-links warning", "doesn't resolve"},
		"few articles":          {func(s *seo.Subject) { s.Dossier.Published = s.Dossier.Published[:1] }, "internal-links warning", "links to 1 others"},
		"a number to nowhere":   {func(s *seo.Subject) { s.Dossier.Evidence = s.Dossier.Evidence[:3] }, "citations error", "cites evidence 4, which has no page"},
		"a page not read":       {func(s *seo.Subject) { s.Dossier.Snapshots = s.Dossier.Snapshots[:2] }, "citations error", "cites evidence 4"},
		"a claim's page":        {func(s *seo.Subject) { s.Dossier.Claims[0].Citations[0].SnapshotID = 99 }, "citations error", "did not read"},
		"no source at all":      {func(s *seo.Subject) { s.Dossier.Evidence, s.Dossier.Claims = nil, nil }, "citations error", "no sentence cites a source"},
		"no disclosure":         {func(s *seo.Subject) { s.Dossier.Site.Rules.AIDisclosure = "" }, "disclaimers error", "rules.ai_disclosure"},
		"a disclaimer changed":  {after(func(r *markup.Rendered) { r.Markup = strings.Replace(r.Markup, "not legal advice", "legal advice", 1) }), "disclaimers error", "would not show"},
		"forbidden in a tag":    {func(s *seo.Subject) { s.Dossier.Draft.Tags = []string{"must carry an ID"} }, "forbidden error", "no federal law"},
		"forbidden in the slug": {func(s *seo.Subject) { s.Dossier.Draft.Slug = "dogs-must-carry-papers" }, "forbidden error", "must carry papers"},
		"forbidden over a border": {func(s *seo.Subject) {
			s.Dossier.Site.Rules.Forbidden[0].Pattern = `rules\. A service`
		}, "forbidden error", "rules. A service"},
		"a broken pattern":   {func(s *seo.Subject) { s.Dossier.Site.Rules.Forbidden[0].Pattern = "(" }, "forbidden error", "no regular expression"},
		"broken json-ld":     {after(func(r *markup.Rendered) { r.JSONLD = "{" }), "json-ld error", "no JSON"},
		"json-ld of another": {after(func(r *markup.Rendered) { r.JSONLD = "{}" }), "json-ld error", "no schema.org Article"},
		"another headline":   {after(func(r *markup.Rendered) { r.JSONLD = strings.Replace(r.JSONLD, `"Two`, `"Three`, 1) }), "json-ld error", "lacks the article's headline"},
		"json-ld left out":   {after(func(r *markup.Rendered) { r.Markup = strings.Replace(r.Markup, "ld+json", "x", 1); r.JSONLD += " " }), "json-ld error", "not in the markup"},
		"json-ld that ends": {after(func(r *markup.Rendered) {
			r.JSONLD = strings.Replace(r.JSONLD, `"inLanguage":"`, `"inLanguage":"</script>`, 1)
		}), "json-ld error", "end its script"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			found := seo.Lint(subject(t, tc.change))
			var messages []string
			for _, f := range found {
				if f.Rule+" "+string(f.Severity) == tc.want {
					messages = append(messages, f.Message)
				}
			}
			require.Contains(t, strings.Join(messages, "\n"), tc.says, "%v", rules(found))
		})
	}
}

func TestLint_acceptsTheBordersOfALength(t *testing.T) {
	t.Parallel()

	for _, n := range []int{45, 60} {
		s := subject(t, func(s *seo.Subject) { s.Dossier.Draft.Title = pad("Service Dog Questions ", n) })
		require.NotContains(t, rules(seo.Lint(s)), "title-length error")
	}
	for _, n := range []int{140, 160} {
		s := subject(t, func(s *seo.Subject) { s.Dossier.Draft.MetaDescription = pad("ü", n) })
		require.NotContains(t, rules(seo.Lint(s)), "meta-length error")
	}
}

func TestLint_gradesAndCountsInPlainNumbers(t *testing.T) {
	t.Parallel()

	one := func(text, phrase string) []editorial.Finding {
		return seo.Lint(subject(t, func(s *seo.Subject) {
			s.Dossier.Draft.Keyphrase = phrase
			s.Dossier.Draft.Body.Sections = []editorial.Section{{Blocks: []editorial.Block{{Kind: editorial.BlockParagraph, Items: []editorial.Item{{Sentences: []editorial.Sentence{{Text: text, Evidence: []int{1}}}}}}}}}
		}))
	}
	messages := func(list []editorial.Finding) (out string) {
		for _, f := range list {
			out += f.Message + "\n"
		}
		return out
	}
	require.Contains(t, messages(one("The cat sat on the mat.", "cat")), "reads at grade -1.4")
	require.Contains(t, messages(one("The cat sat on the mat.", "cat")), "makes 16.7 % of the words")
	hard := messages(one("Organizational accommodation necessitates individualized consideration.", "x"))
	require.Contains(t, hard, "the text reads at grade 50.1")

	good := "Any person who needs help may bring a trained dog into a public store without official papers or other proof."
	list := rules(one(good+" ", "trained dog"))
	require.NotContains(t, list, "readability warning", messages(one(good, "trained dog")))
	require.Contains(t, list, "keyphrase-density warning")
	require.NotContains(t, rules(one(good+" "+strings.Repeat("So it goes on ", 15), "trained dog")), "keyphrase-density warning")
}

// pad fills text up to n characters.
func pad(text string, n int) string {
	for r := []rune(text); ; r = append(r, 'x') {
		if len(r) >= n {
			return string(r[:n])
		}
	}
}
