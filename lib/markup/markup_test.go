package markup_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/markup"
	"blogposter/lib/markup/markuptest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "write it with -update")
	require.Equal(t, string(want), got)
}

func render(t *testing.T, d editorial.Dossier) markup.Rendered {
	t.Helper()
	r, err := markup.Render(d)
	require.NoError(t, err)
	return r
}

func TestRender_isWhatTheEditorStores(t *testing.T) {
	t.Parallel()

	r := render(t, markuptest.Dossier())
	golden(t, "article.html", r.Markup)
	golden(t, "article.json", r.JSONLD)
	require.Contains(t, r.Markup, r.JSONLD)
	require.Equal(t, r, render(t, markuptest.Dossier()), "the same dossier gives the same bytes")
}

func TestRender_putsNoH1AndOneMarkerInTheFirstBlock(t *testing.T) {
	t.Parallel()

	d := markuptest.Dossier()
	got := render(t, d).Markup
	marker := d.Brief.Marker
	first, _, _ := strings.Cut(got, "\n\n")
	require.NotContains(t, got, "<h1")
	require.Equal(t, 2, strings.Count(first, marker), "in the block's attributes and in its class")
	require.Equal(t, 2, strings.Count(got, marker))

	d.Draft.Body.Sections[0].Blocks[0].Kind = editorial.BlockList
	require.True(t, strings.HasPrefix(render(t, d).Markup, `<!-- wp:list {"className":"`+marker+`"} -->`+"\n"+`<ul class="wp-block-list `+marker+`">`))
	d.Draft.Body.Sections = d.Draft.Body.Sections[1:]
	require.True(t, strings.HasPrefix(render(t, d).Markup, `<!-- wp:heading {"className":"`+marker+`"} -->`+"\n"+`<h2 class="wp-block-heading `+marker+`">`))
}

func TestRender_refusesARunWithoutAMarker(t *testing.T) {
	t.Parallel()

	d := markuptest.Dossier()
	d.Brief.Marker = ""
	_, err := markup.Render(d)
	require.ErrorContains(t, err, "marker")
}

func TestRender_keepsHostileTextInItsPlace(t *testing.T) {
	t.Parallel()

	d := hostile()
	r := render(t, d)
	golden(t, "hostile.html", r.Markup)

	// Every comment is one of ours, and they close in the order they opened.
	var open []string
	for _, m := range regexp.MustCompile(`<!--(.*?)-->`).FindAllStringSubmatch(r.Markup, -1) {
		name, opens := strings.CutPrefix(m[1], " wp:")
		if opens {
			open = append(open, strings.Fields(name)[0])
			continue
		}
		require.NotEmpty(t, open)
		require.Equal(t, " /wp:"+open[len(open)-1]+" ", m[1])
		open = open[:len(open)-1]
	}
	require.Empty(t, open)
	require.Equal(t, 1, strings.Count(r.Markup, "<script"))
	require.Equal(t, 1, strings.Count(r.Markup, "</script"))
	require.NotContains(t, r.Markup, "[gallery")
	require.NotContains(t, r.Markup, "<?php")
	require.NotContains(t, r.Markup, "javascript:")
	text, _, _ := strings.Cut(r.Markup, "<script")
	require.NotContains(t, text, ":-)", "WordPress makes it a picture, except in a script")

	var ld map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.JSONLD), &ld))
	require.Equal(t, markup.Clean(markuptest.Hostile), ld["headline"])
}

// hostile has strangers' text wherever a stranger's text can be.
func hostile() editorial.Dossier {
	d := markuptest.Dossier()
	bad := markuptest.Hostile
	d.Draft.Title, d.Draft.MetaDescription, d.Draft.Keyphrase = bad, bad, bad
	d.Draft.Body.Sections[0].Blocks[0].Items[0].Sentences[0].Text = bad
	d.Draft.Body.Sections[0].Blocks[0].Items[0].Sentences[2].Text = "https://evil.example/video"
	d.Draft.Body.Sections[1].Heading = bad
	d.Draft.Body.Sections[1].Blocks[1].Items[0].Sentences[0].Text = bad
	d.Evidence[0].Quote = bad
	d.Snapshots[0].Title = bad
	d.Snapshots[0].URL = `https://a.example/"><script>x</script>?a=[gallery]&b='1'`
	d.Snapshots[1].URL = `javascript://law.example/%0aalert(1)`
	d.Published[1].Title, d.Published[1].URL = bad, `https://dogs.example/[gallery]/`
	d.Published[2].URL = `javascript:alert(1)`
	d.Site.Rules.Disclaimers[0] = bad
	return d
}

func TestPlain_listsEveryApprovedSentenceAsItIsShown(t *testing.T) {
	t.Parallel()

	for name, d := range map[string]editorial.Dossier{"sample": markuptest.Dossier(), "hostile": hostile()} {
		d.Draft.Markup = render(t, d).Markup
		shown := strings.Join(markup.Plain(*d.Draft), "\n")
		require.Contains(t, shown, markup.Clean(d.Draft.Title), name)
		for _, s := range d.Draft.Body.Sentences() {
			require.Contains(t, shown, markup.Clean(s.Text), name)
		}
		for _, s := range append(d.Site.Rules.Disclaimers, d.Site.Rules.AIDisclosure, markup.HeadingMethod) {
			require.Contains(t, shown, markup.Clean(s), name)
		}
		require.NotContains(t, shown, "@context")
	}
}

func TestMarkdown_showsTheReviewerTextAndSources(t *testing.T) {
	t.Parallel()

	golden(t, "article.md", markup.Markdown(markuptest.Dossier()))
	bad := markup.Markdown(hostile())
	golden(t, "hostile.md", bad)
	require.NotContains(t, strings.ReplaceAll(bad, `\<`, ""), "<script")
	require.Empty(t, markup.Markdown(editorial.Dossier{}))
}

func TestRender_refusesARunWithoutADraft(t *testing.T) {
	t.Parallel()

	_, err := markup.Render(editorial.Dossier{})
	require.EqualError(t, err, "nothing to render: the run has no draft")
	require.Empty(t, markup.Sources(editorial.Dossier{}).All)
	require.Empty(t, markup.Related(editorial.Dossier{}))
}

func TestRender_leavesOutThePartsThatHaveNothing(t *testing.T) {
	t.Parallel()

	d := markuptest.Dossier()
	d.Evidence, d.Claims, d.Published, d.Site.Author, d.Draft.Keyphrase = nil, nil, nil, "", ""
	r := render(t, d)
	require.NotContains(t, r.Markup, markup.HeadingSources)
	require.NotContains(t, r.Markup, markup.HeadingRelated)
	require.Contains(t, r.JSONLD, `"author":{"@type":"Organization","name":"Working Dogs Desk","url":"https://dogs.example"}`)
	require.Contains(t, r.JSONLD, `"keywords":["ADA","public access"]`)
}
