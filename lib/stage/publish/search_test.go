package publish_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

var (
	yoast    = []string{"_yoast_wpseo_title", "_yoast_wpseo_metadesc", "_yoast_wpseo_focuskw", "_yoast_wpseo_canonical"}
	rankMath = []string{"rank_math_title", "rank_math_description", "rank_math_focus_keyword", "rank_math_canonical_url"}
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func TestStage_Do_tellsSearchEnginesTheAddressThatThePostWasGiven(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	w.fake.Fields["posts"] = yoast
	_, err := w.direct.Create(t.Context(), editorial.Post{Status: editorial.PostPublic, Title: "Other", Slug: w.store.dossier.Draft.Slug, Content: "x"})
	require.NoError(t, err)
	before := w.writes(t, "posts")
	_, err = w.do(t.Context())
	require.NoError(t, err)
	w.requireFields(t, yoast)
	require.Equal(t, before+3, w.writes(t, "posts"), "creation, publication, and the address that was not to be foreseen")

	w.store.pub.State = editorial.PublicationDraft // the worker died before the last mark
	_, err = w.do(t.Context())
	require.NoError(t, err)
	require.Equal(t, before+3, w.writes(t, "posts"))
}

func TestStage_Do_takesBackAPageThatSendsSearchEnginesElsewhere(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	w.fake.Show = func(page string) string {
		return strings.Replace(page, `rel="canonical" href="`, `rel="canonical" href="https://copy.example/?u=`, 1)
	}
	_, err := w.do(t.Context())
	require.ErrorContains(t, err, "names https://copy.example/?u=")
	require.ErrorContains(t, err, "as its canonical address")
	require.ErrorContains(t, err, "was set back to draft")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))

	w.fake.Show = func(page string) string { return strings.Replace(page, `rel="canonical"`, `rel="next"`, 1) }
	out, err := w.do(t.Context())
	require.NoError(t, err)
	require.Contains(t, out.Detail, "names no canonical address")
	w.requirePublished(t)
}

func TestStage_Do_tellsOfAnotherTimeZone(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		ours, theirs string
		offset       float64
		says         string
	}{
		"the same":                         {"America/New_York", "America/New_York", -5, ""},
		"one that keeps the same time":     {"America/New_York", "America/Detroit", -5, ""},
		"another":                          {"America/New_York", "America/Phoenix", -7, "WordPress is set to the time zone America/Phoenix and the site to America/New_York"},
		"one that is the same half a year": {"America/Denver", "America/Phoenix", -7, "set to the time zone America/Phoenix"},
		"an offset that holds":             {"Asia/Kolkata", "", 5.5, ""},
		"an offset that doesn't":           {"Asia/Kolkata", "", -3, "set to the time zone UTC-3"},
		"UTC where nobody set one":         {"Asia/Kolkata", "", 0, "set to the time zone UTC+0"},
		"nothing known of ours":            {"", "Asia/Kolkata", 5.5, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			w.store.dossier.Site.TimeZone, w.fake.Zone, w.fake.Offset = tc.ours, tc.theirs, tc.offset
			out, err := w.do(t.Context())
			require.NoError(t, err)
			if tc.says == "" {
				require.NotContains(t, out.Detail, "time zone")
				return
			}
			require.Contains(t, out.Detail, tc.says)
		})
	}
}
