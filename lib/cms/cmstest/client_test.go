package cmstest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cms/cmstest"
)

func TestClient_sharesNoConnectionWithAnotherTest(t *testing.T) {
	t.Parallel()

	one, other := cmstest.Client(t), cmstest.Client(t)
	require.NotNil(t, one.Transport, "none means the default one")
	require.NotSame(t, http.DefaultTransport, one.Transport)
	require.NotSame(t, one.Transport, other.Transport)
}
