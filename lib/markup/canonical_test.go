package markup_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/markup"
)

func TestCanonical_listsWhatAPageNamesAsItsAddress(t *testing.T) {
	t.Parallel()

	const at = "https://dogs.example/a/"
	tests := map[string]struct {
		page string
		want []string
	}{
		"none":                     {`<link rel="stylesheet" href="/x.css"><a rel="canonical" href="/no">no</a>`, nil},
		"itself":                   {`<link rel="canonical" href="https://dogs.example/a/" />`, []string{at}},
		"relative to itself":       {`<link href="/a/" rel=canonical>`, []string{at}},
		"among other relations":    {`<LINK REL="Canonical alternate" HREF="/a/">`, []string{at}},
		"with an ampersand":        {`<link rel="canonical" href="/?p=1&#038;l=en">`, []string{"https://dogs.example/?p=1&l=en"}},
		"two":                      {`<link rel="canonical" href="/a/"><link rel="canonical" href="https://copy.example/">`, []string{at, "https://copy.example/"}},
		"one that is no address":   {`<link rel="canonical" href="http://%zz">`, []string{"http://%zz"}},
		"one in a comment or text": {`<!-- <link rel="canonical" href="/b/"> --> &lt;link rel="canonical" href="/b/"&gt;`, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tc.want, markup.Canonical(tc.page, at))
		})
	}
	require.Empty(t, markup.Canonical(`<link rel="canonical" href="/a/">`, "http://%zz"))
}
