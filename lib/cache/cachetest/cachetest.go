// Package cachetest opens the response cache on the real Redis. Import it from
// tests only.
package cachetest

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cache"
)

// Address is the server's. Without one the test is skipped, except in CI.
func Address(tb testing.TB) string {
	tb.Helper()
	address := os.Getenv("REDIS_URL")
	if address == "" {
		if os.Getenv("CI") != "" {
			tb.Fatal("REDIS_URL must be set in CI")
		}
		tb.Skip("set REDIS_URL to run tests against Redis (scripts/stack/up.sh)")
	}
	return address
}

// New returns a Cache at Address. Tests share it: what they keep must be their
// own by its key.
func New(tb testing.TB) *cache.Cache {
	tb.Helper()
	c, err := cache.New(Address(tb))
	require.NoError(tb, err)
	return c
}
