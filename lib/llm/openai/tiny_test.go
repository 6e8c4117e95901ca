package openai_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/modelserver/vector"
)

// tiny is a table of four words, each an axis of its own.
func tiny(t *testing.T) *vector.Table {
	t.Helper()
	var rows []vector.Row
	for i, word := range []string{"the", "dog", "leash", "bank"} {
		v := make([]float32, vector.Dimensions)
		v[i] = 1
		rows = append(rows, vector.Row{Word: word, Vector: v})
	}
	name := filepath.Join(t.TempDir(), "tiny.bin")
	f, err := os.Create(name)
	require.NoError(t, err)
	require.NoError(t, vector.Write(f, rows))
	require.NoError(t, f.Close())
	tab, err := vector.Open(name)
	require.NoError(t, err)
	return tab
}
