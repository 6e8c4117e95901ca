package cmstest

import (
	"net/http"
	"testing"
	"time"
)

// Client returns a client with connections of its own that ends with the test.
// The default ones are shared, and each httptest.Server that closes cuts the
// idle among them: a write of another test that was about to use one is lost.
func Client(tb testing.TB) *http.Client {
	tb.Helper()
	own := &http.Transport{}
	tb.Cleanup(own.CloseIdleConnections)
	return &http.Client{Transport: own, Timeout: 20 * time.Second}
}
