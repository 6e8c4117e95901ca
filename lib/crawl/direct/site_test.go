package direct

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// This file is inside the package: no test can serve from the names it tries.

func TestSiteOf_isWhatWasRegistered(t *testing.T) {
	t.Parallel()

	for address, want := range map[string]string{
		"https://feeds.Dogs.example/rss":     "dogs.example",
		"https://www.dogs.example:8443/":     "dogs.example",
		"https://dogs.example.evil/":         "example.evil",
		"https://evil-dogs.example/":         "evil-dogs.example",
		"https://a.co.uk/x":                  "a.co.uk",
		"https://b.co.uk/x":                  "b.co.uk",
		"https://mine.github.io/":            "mine.github.io",
		"http://127.0.0.1:8800/feed":         "127.0.0.1",
		"http://10.0.0.1/":                   "10.0.0.1",
		"http://[::1]:80/":                   "::1",
		"http://localhost/":                  "localhost",
		"http://%zz/":                        "",
		"https://user@dogs.example/?q=other": "dogs.example",
	} {
		require.Equal(t, want, siteOf(address), address)
	}
}
