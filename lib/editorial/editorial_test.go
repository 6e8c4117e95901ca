package editorial_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
)

func TestSite_SourceFor_allowsOnlyWhatARuleCovers(t *testing.T) {
	t.Parallel()

	site := editorial.Site{Sources: []editorial.Source{
		{Prefix: "https://www.ada.gov/", Tier: editorial.TierSecondary},
		{Prefix: "https://www.ada.gov/law", Tier: editorial.TierAuthoritative},
	}}
	tests := map[string]struct {
		url  string
		tier editorial.Tier
		ok   bool
	}{
		"the longest prefix wins":             {url: "https://www.ada.gov/law/x", tier: editorial.TierAuthoritative, ok: true},
		"the prefix itself":                   {url: "https://www.ada.gov/law", tier: editorial.TierAuthoritative, ok: true},
		"a query":                             {url: "https://www.ada.gov/law?a=1", tier: editorial.TierAuthoritative, ok: true},
		"a longer word is another page":       {url: "https://www.ada.gov/lawyers", tier: editorial.TierSecondary, ok: true},
		"another host that begins alike":      {url: "https://www.ada.gov.evil.example/law"},
		"another scheme":                      {url: "http://www.ada.gov/law"},
		"a host in the user part of an URL":   {url: "https://www.ada.gov@evil.example/"},
		"nothing is allowed without any rule": {url: ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			rule, ok := site.SourceFor(tc.url)
			require.Equal(t, tc.ok, ok)
			require.Equal(t, tc.tier, rule.Tier)
		})
	}
}

func document() editorial.Document {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	return editorial.DocumentOf(
		editorial.Site{Slug: "s", Author: "A", Rules: editorial.Rules{Disclaimers: []string{"d1", "d2"}, AIDisclosure: "ai"}},
		editorial.Brief{RunID: 7, PublishAt: &at},
		editorial.Draft{
			Version: 2, Title: "t", Slug: "sl", Excerpt: "e", Markup: "m", JSONLD: "j", Categories: []string{"c"}, Tags: []string{"x", "y"},
			MetaDescription: "md", Keyphrase: "k",
			Media: []editorial.Media{{Role: "featured", Hash: "h", Type: "image/png", Width: 2, Height: 1, Alt: "a", Name: "n.png", Origin: "card"}},
		},
	)
}

func TestDocumentOf_namesAnUpdateAndItsTarget(t *testing.T) {
	t.Parallel()

	fresh := editorial.DocumentOf(editorial.Site{}, editorial.Brief{RunID: 7}, editorial.Draft{})
	update := editorial.DocumentOf(editorial.Site{}, editorial.Brief{RunID: 7, TargetID: 3}, editorial.Draft{})
	require.Equal(t, "publish", fresh.Action)
	require.Equal(t, "update", update.Action)
	require.Equal(t, int64(3), update.TargetID)
	require.NotEqual(t, fresh.Digest(), update.Digest())
}

func TestDocument_Digest_changesWithEveryField(t *testing.T) {
	t.Parallel()

	later := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	changes := map[string]func(*editorial.Document){
		"site":        func(d *editorial.Document) { d.Site = "z" },
		"run":         func(d *editorial.Document) { d.RunID++ },
		"version":     func(d *editorial.Document) { d.Version++ },
		"action":      func(d *editorial.Document) { d.Action = "retract" },
		"title":       func(d *editorial.Document) { d.Title = "z" },
		"slug":        func(d *editorial.Document) { d.Slug = "z" },
		"excerpt":     func(d *editorial.Document) { d.Excerpt = "z" },
		"markup":      func(d *editorial.Document) { d.Markup = "z" },
		"json-ld":     func(d *editorial.Document) { d.JSONLD = "z" },
		"categories":  func(d *editorial.Document) { d.Categories = nil },
		"tags":        func(d *editorial.Document) { d.Tags = []string{"xy"} },
		"author":      func(d *editorial.Document) { d.Author = "z" },
		"description": func(d *editorial.Document) { d.MetaDescription = "z" },
		"keyphrase":   func(d *editorial.Document) { d.Keyphrase = "z" },
		"disclaimers": func(d *editorial.Document) { d.Disclaimers = d.Disclaimers[1:] },
		"time":        func(d *editorial.Document) { d.PublishAt = &later },
		"no time":     func(d *editorial.Document) { d.PublishAt = nil },
		"no media":    func(d *editorial.Document) { d.Media = nil },
		"media role":  func(d *editorial.Document) { d.Media[0].Role = "z" },
		"media bytes": func(d *editorial.Document) { d.Media[0].Hash = "z" },
		"media type":  func(d *editorial.Document) { d.Media[0].Type = "z" },
		"media alt":   func(d *editorial.Document) { d.Media[0].Alt = "z" },
		"media name":  func(d *editorial.Document) { d.Media[0].Name = "z" },
		"media maker": func(d *editorial.Document) { d.Media[0].Origin = "z" },
		"width":       func(d *editorial.Document) { d.Media[0].Width++ },
		"height":      func(d *editorial.Document) { d.Media[0].Height++ },
		"target":      func(d *editorial.Document) { d.TargetID++ },
		"a border moves between two fields": func(d *editorial.Document) {
			d.Title, d.Slug = "ts", "l"
		},
	}
	seen := map[string]string{document().Digest(): "unchanged"}
	for name, change := range changes {
		d := document()
		change(&d)
		got := d.Digest()
		require.NotContains(t, seen, got, name)
		seen[got] = name
	}
	again := document()
	require.Equal(t, "unchanged", seen[again.Digest()], "the same document has the same digest")
}

func TestRules_Judge(t *testing.T) {
	t.Parallel()

	law := editorial.Citation{URL: "https://a.example/law", Tier: editorial.TierAuthoritative}
	sameLaw := editorial.Citation{URL: "https://a.example/law/", Tier: editorial.TierAuthoritative}
	blog := editorial.Citation{URL: "https://b.example/post", Tier: editorial.TierSecondary}
	tests := map[string]struct {
		claim editorial.Claim
		fault string
	}{
		"a supported claim with one page passes":      {claim: editorial.Claim{Verdict: editorial.VerdictSupported, Citations: []editorial.Citation{blog}}},
		"a legal claim needs two pages":               {claim: editorial.Claim{Legal: true, Verdict: editorial.VerdictSupported, Citations: []editorial.Citation{law}}, fault: "too few sources"},
		"one page under two spellings is one page":    {claim: editorial.Claim{Legal: true, Verdict: editorial.VerdictSupported, Citations: []editorial.Citation{law, sameLaw}}, fault: "too few sources"},
		"a legal claim needs the law":                 {claim: editorial.Claim{Legal: true, Verdict: editorial.VerdictSupported, Citations: []editorial.Citation{blog, {URL: "https://c.example/"}}}, fault: "too few sources"},
		"a legal claim with law and another page":     {claim: editorial.Claim{Legal: true, Verdict: editorial.VerdictSupported, Citations: []editorial.Citation{law, blog}}},
		"an unsupported claim stops":                  {claim: editorial.Claim{Verdict: editorial.VerdictUnsupported}, fault: "unsupported: "},
		"a refuted claim stops":                       {claim: editorial.Claim{Verdict: editorial.VerdictRefuted, Citations: []editorial.Citation{law}}, fault: "refuted: "},
		"a claim called supported without a citation": {claim: editorial.Claim{Verdict: editorial.VerdictSupported}, fault: "no citation: "},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got := editorial.Rules{LegalMinSources: 2}.Judge([]editorial.Claim{tc.claim})
			if tc.fault == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Contains(t, got[0], tc.fault)
		})
	}
}

func TestDraft_Validate_reportsEveryFault(t *testing.T) {
	t.Parallel()

	d := editorial.Draft{Title: " ", Body: editorial.Body{Sections: []editorial.Section{{
		Blocks: []editorial.Block{{Kind: editorial.BlockParagraph, Items: []editorial.Item{{Sentences: []editorial.Sentence{{Text: " "}}}}}},
	}}}}
	err := d.Validate()
	require.ErrorContains(t, err, "title is empty")
	require.ErrorContains(t, err, "sentence 0.0.0.0 is empty")
	require.ErrorContains(t, editorial.Draft{Title: "x"}.Validate(), "body is empty")
}

func TestBody_Words_countsHeadingsAndText(t *testing.T) {
	t.Parallel()

	b := editorial.Body{Sections: []editorial.Section{{
		Heading: "Two words",
		Blocks:  []editorial.Block{{Items: []editorial.Item{{Sentences: []editorial.Sentence{{Text: "One two three."}, {Text: "Four."}}}}}},
	}}}
	require.Equal(t, 6, b.Words())
	require.Equal(t, "0.0.0.1", b.Sentences()[1].Place)
}

func TestDossier_Snapshot_findsByID(t *testing.T) {
	t.Parallel()

	d := editorial.Dossier{Snapshots: []editorial.Snapshot{{ID: 3, URL: "u"}}}
	got, ok := d.Snapshot(3)
	require.True(t, ok)
	require.Equal(t, "u", got.URL)
	_, ok = d.Snapshot(4)
	require.False(t, ok)
}
