package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"blogposter/lib/config"
)

func TestRun_printsSpreadLimitsAndHowTheyDo(t *testing.T) {
	t.Parallel()

	env := config.OS()
	table := env.Get("MODEL_VECTORS", "")
	if table == "" && env.Get("CI", "") == "" {
		t.Skip("MODEL_VECTORS is not set")
	}
	require.NotEmpty(t, table, "MODEL_VECTORS is not set: scripts/stack/vectors.sh makes the table")
	var out strings.Builder
	require.NoError(t, run(&out, os.DirFS("../.."), table))
	for _, want := range []string{"glove-100d-offline", "nothing ", "mean, 2 components", "fit part", "held-out part", "median", "precision", "adjusted Rand", "the fit part chooses", "the product has"} {
		require.Contains(t, out.String(), want)
	}
	require.ErrorContains(t, run(&out, fstest.MapFS{}, table), "labels.txt")
	require.Error(t, run(&out, os.DirFS("../.."), filepath.Join(t.TempDir(), "none")))
}
