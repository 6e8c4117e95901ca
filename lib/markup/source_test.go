package markup_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/markup"
	"blogposter/lib/markup/markuptest"
)

func TestSources_numbersPagesInTheOrderOfTheirUse(t *testing.T) {
	t.Parallel()

	l := markup.Sources(markuptest.Dossier())
	var order []int64
	for i, s := range l.All {
		require.Equal(t, i+1, s.N)
		order = append(order, s.Snapshot.ID)
	}
	require.Equal(t, []int64{7, 8, 9}, order)
	require.Len(t, l.All[0].Quotes, 2, "a quote used by several sentences is shown once")
}

func TestSources_For_prefersWhatTheCheckFound(t *testing.T) {
	t.Parallel()

	d := markuptest.Dossier()
	l := markup.Sources(d)
	s := d.Draft.Body.Sections[1].Blocks[0].Items[0].Sentences[0]
	require.Equal(t, []int64{8}, []int64{d.Evidence[s.Evidence[0]-1].SnapshotID}, "the writer named one page")
	require.Equal(t, []int{1, 2}, l.For("1.0.0.0", s), "the check found two")
	require.Equal(t, []int{2}, l.For("9.9.9.9", s), "unchecked, the writer's word stands")
	require.Empty(t, l.For("9.9.9.9", editorial.Sentence{Evidence: []int{99}}))
}

func TestRender_leavesOutAPageThatIsNotThere(t *testing.T) {
	t.Parallel()

	d := markuptest.Dossier()
	d.Snapshots = d.Snapshots[1:]
	require.Len(t, markup.Sources(d).All, 2)
}

func TestRender_shortensALongQuoteAtAWord(t *testing.T) {
	t.Parallel()

	d := markuptest.Dossier()
	d.Evidence[0].Quote = strings.Repeat("déjà vu ", 80)
	got := render(t, d).Markup
	_, rest, _ := strings.Cut(got, "<li>“déjà")
	quote, _, _ := strings.Cut(rest, "”")
	require.True(t, strings.HasSuffix(quote, " …"), quote)
	require.LessOrEqual(t, utf8.RuneCountInString(quote), 320)
}

func TestRelated_picksByWordsAndFillsToTwo(t *testing.T) {
	t.Parallel()

	d := markuptest.Dossier()
	titles := func() (out []string) {
		for _, l := range markup.Related(d) {
			out = append(out, l.Title)
		}
		return out
	}
	require.Equal(t, []string{"Training a Service Dog at Home", "Air Travel With a Service Dog"}, titles(), "shared words come first, and two are enough")

	d.Published = d.Published[:2]
	require.Equal(t, []string{"Training a Service Dog at Home", "How to Read a Restaurant’s Pet Policy"}, titles(), "an unrelated one fills up")

	d.Publication = &editorial.Publication{URL: "https://dogs.example/training-at-home"}
	require.Equal(t, []string{"How to Read a Restaurant’s Pet Policy"}, titles(), "an article never links to itself")

	d.Published = nil
	for range 9 {
		d.Published = append(d.Published, editorial.Link{Title: "Service Dog News", URL: "https://dogs.example/n/"})
	}
	require.Len(t, titles(), 6)
}

func TestMissing_forgivesTypographyAndNothingElse(t *testing.T) {
	t.Parallel()

	page := `<html><head><title>T</title></head><body><h1>The dog’s “day” &#8212; 5&#215;5</h1><p>One&nbsp;two&hellip; three.<sup><a href="#s">[1]</a></sup> Four</p><script>Hidden text.</script></body></html>`
	tests := map[string]struct {
		line    string
		missing bool
	}{
		"curly quotes, dashes, signs": {line: `The dog's "day" -- 5x5`},
		"spaces, dots, a note":        {line: "One two... three.[1] Four"},
		"part of a line":              {line: "two… three."},
		"another word":                {line: "One two... four.", missing: true},
		"another number":              {line: "5x6", missing: true},
		"text in a script":            {line: "Hidden text.", missing: true},
		"the window's title":          {line: "T The", missing: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tc.missing, len(markup.Missing(page, []string{tc.line})) == 1)
		})
	}
	require.Equal(t, []string{"One"}, markup.Missing(page, []string{"Four", "One"}), "the order counts")
}

func FuzzEscape(f *testing.F) {
	f.Add(markuptest.Hostile)
	f.Add("see https://a.example/x :) ;-) 8-) \x00\xff\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		got := markup.Escape(s)
		if strings.ContainsAny(got, "<>[]\n\x00") || strings.Contains(got, "://") {
			t.Fatalf("unsafe: %q", got)
		}
		if lines := strings.Join(markup.Lines("<p>"+got+"</p>"), "|"); lines != markup.Clean(s) {
			t.Fatalf("shown as %q, meant %q", lines, markup.Clean(s))
		}
	})
}

func TestRender_foldsTheQuotesBelowTheListOfSources(t *testing.T) {
	t.Parallel()

	got := render(t, markuptest.Dossier()).Markup
	list, folded, ok := strings.Cut(got, `<details class="wp-block-details"><summary>`)
	require.True(t, ok, "closed until a reader opens it")
	quote := "<li>“When it is not obvious"
	require.NotContains(t, list, quote)
	require.Contains(t, folded, quote)
}
