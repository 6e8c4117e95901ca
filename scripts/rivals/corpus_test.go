package rivals_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/rivals"
)

func TestCorpus_isLargeLabelledAndAlwaysTheSame(t *testing.T) {
	t.Parallel()

	pages := rivals.Corpus()
	require.Equal(t, pages, rivals.Corpus())
	require.GreaterOrEqual(t, len(pages), 200)
	subjects, keys, copies := map[string]map[string]bool{}, map[string]rivals.Page{}, 0
	for _, p := range pages {
		require.NotContains(t, keys, p.Key(), "one address, one article")
		keys[p.Key()] = p
		if p.CopyOf != "" {
			copies++
			continue
		}
		if subjects[p.Subject] == nil {
			subjects[p.Subject] = map[string]bool{}
		}
		require.False(t, subjects[p.Subject][p.Site], "%s writes twice on %s", p.Site, p.Subject)
		subjects[p.Subject][p.Site] = true
	}
	require.GreaterOrEqual(t, len(subjects), 40)
	require.GreaterOrEqual(t, copies, 8)
	for subject, sites := range subjects {
		require.GreaterOrEqual(t, len(sites), 3, subject)
		require.LessOrEqual(t, len(sites), 8, subject)
	}
	for _, p := range pages {
		n := len(strings.Fields(p.Text()))
		require.GreaterOrEqual(t, n, 250, "%s has %d words", p.Key(), n)
		require.LessOrEqual(t, n, 500, "%s has %d words", p.Key(), n)
		require.NotContains(t, p.Text(), "{", p.Key())
		if p.CopyOf != "" {
			require.Contains(t, keys, p.CopyOf)
			require.Equal(t, p.Subject, keys[p.CopyOf].Subject)
			require.True(t, p.Published.After(keys[p.CopyOf].Published))
		}
	}
}
