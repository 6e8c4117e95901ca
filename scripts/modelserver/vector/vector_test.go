package vector_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/config"
	"blogposter/scripts/modelserver/vector"
)

// axes gives each word an axis of its own, of the length it is given.
func axes(lengths ...float32) []vector.Row {
	words := []string{"the", "dog", "leash", "bank", "café"}
	var rows []vector.Row
	for i, n := range lengths {
		v := make([]float32, vector.Dimensions)
		v[i] = n
		rows = append(rows, vector.Row{Word: words[i], Vector: v})
	}
	return rows
}

func write(t *testing.T, rows []vector.Row) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, vector.Write(&b, rows))
	name := filepath.Join(t.TempDir(), "table.bin")
	require.NoError(t, os.WriteFile(name, b.Bytes(), 0o600))
	return name
}

func open(t *testing.T, rows []vector.Row) *vector.Table {
	t.Helper()
	table, err := vector.Open(write(t, rows))
	require.NoError(t, err)
	require.Equal(t, len(rows), table.Words())
	return table
}

func cosine(a, b []float32) float64 {
	var dot float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
	}
	return dot
}

func TestTable_Embed_isOfLengthOneAndTheSameEachTime(t *testing.T) {
	t.Parallel()

	table := open(t, axes(1, 2, 3, 4, 5))
	for _, text := range []string{"dog", "The dog, the LEASH.", "Café!", "zzz", "", "!?", "the the the bank"} {
		v := table.Embed(text)
		require.Len(t, v, vector.Dimensions)
		require.InDelta(t, 1, cosine(v, v), 1e-5, text)
		require.Equal(t, v, table.Embed(text))
	}
}

func TestTable_Embed_weighsARareWordMore(t *testing.T) {
	t.Parallel()

	rows := axes(1, 1)
	for i := range 1000 { // dog comes 1000 places behind the
		v := make([]float32, vector.Dimensions)
		v[99] = 1
		rows = append(rows[:1+i], vector.Row{Word: "w" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)), Vector: v}, rows[len(rows)-1])
	}
	table := open(t, rows)
	v := table.Embed("the dog")
	require.Greater(t, v[1], 20*v[0], "SIF: %v", v[:2])
	require.Positive(t, v[0])
}

func TestTable_Embed_ignoresUnknownWordsWhereOneIsKnown(t *testing.T) {
	t.Parallel()

	table := open(t, axes(1, 1))
	require.Equal(t, table.Embed("dog"), table.Embed("Dog zzz qqq"))
	require.Less(t, math.Abs(cosine(table.Embed("zzz"), table.Embed("qqq"))), 0.5, "strangers are like nobody")
}

func TestTable_Embed_keepsEightBitsOfEachNumber(t *testing.T) {
	t.Parallel()

	v := make([]float32, vector.Dimensions)
	for i := range v {
		v[i] = float32(i-50) / 7
	}
	got := open(t, []vector.Row{{Word: "dog", Vector: v}}).Embed("dog")
	var length float64
	for _, x := range v {
		length += float64(x) * float64(x)
	}
	for i := range v {
		require.InDelta(t, float64(v[i])/math.Sqrt(length), float64(got[i]), 1.0/127/10)
	}
}

func TestOpen_saysWhatIsWrongAndHowToMendIt(t *testing.T) {
	t.Parallel()

	whole, err := os.ReadFile(write(t, axes(1, 2)))
	require.NoError(t, err)
	changed := func(at int, to byte) []byte {
		b := bytes.Clone(whole)
		b[at] = to
		return b
	}
	twice := bytes.Clone(whole)
	copy(twice[bytes.Index(twice, []byte("dog")):], "the")
	again := append(bytes.Clone(whole), whole[len(whole)-(1+3+4+vector.Dimensions):]...)
	tests := map[string]struct {
		raw  []byte
		want string
	}{
		"nothing":                 {nil, "no table of word vectors"},
		"another file":            {[]byte(`{"precision":8}`), "no table of word vectors"},
		"half of a word":          {whole[:len(whole)-1], "the last word is cut off"},
		"a word too few":          {whole[:len(whole)-(1+3+4+vector.Dimensions)], "1 different words of 2"},
		"a count of four billion": {changed(14, 0xff), "2 different words of 4278190082"},
		"the same word twice":     {twice, "1 different words of 2"},
		"a word more, come twice": {again, "2 different words of 2"},
		"no words at all":         {append([]byte("GLOVE-I8-1\n"), 0, 0, 0, 0), "0 different words of 0"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			name := filepath.Join(t.TempDir(), "t.bin")
			require.NoError(t, os.WriteFile(name, tc.raw, 0o600))
			_, err := vector.Open(name)
			require.ErrorContains(t, err, tc.want)
			require.ErrorContains(t, err, "scripts/stack/vectors.sh")
		})
	}
	_, err = vector.Open(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzOpen(f *testing.F) {
	var b bytes.Buffer
	if err := vector.Write(&b, axes(1, 2)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("GLOVE-I8-1\n\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		name := filepath.Join(t.TempDir(), "t.bin")
		require.NoError(t, os.WriteFile(name, raw, 0o600))
		table, err := vector.Open(name)
		if err == nil {
			require.Len(t, table.Embed("the dog"), vector.Dimensions)
		}
	})
}

func TestWrite_refusesARowThatDoesNotFit(t *testing.T) {
	t.Parallel()

	long := make([]byte, 256)
	for i := range long {
		long[i] = 'x'
	}
	for _, row := range []vector.Row{{Word: string(long), Vector: make([]float32, 100)}, {Word: "dog", Vector: make([]float32, 99)}} {
		require.ErrorContains(t, vector.Write(&bytes.Buffer{}, []vector.Row{row}), "at most 255 and exactly 100 fit")
	}
	zeros := open(t, axes(0, 1))
	require.InDelta(t, 1, cosine(zeros.Embed("the"), zeros.Embed("the")), 1e-5, "a vector of zeros has no direction, and gets one")
}

func TestTable_Embed_findsThePartnerOfEachTextWithTheRealTable(t *testing.T) {
	t.Parallel()

	env := config.OS()
	name := env.Get("MODEL_VECTORS", "")
	if name == "" {
		require.Empty(t, env.Get("CI", ""), "MODEL_VECTORS is not set: scripts/stack/vectors.sh makes the table")
		t.Skip("MODEL_VECTORS is not set: scripts/stack/vectors.sh makes the table")
	}
	table, err := vector.Open(name)
	require.NoError(t, err)
	require.Equal(t, 100_000, table.Words())
	texts := []string{ // in pairs
		"How to train a puppy to walk on a leash", "Teaching young dogs basic obedience commands",
		"Central bank raises interest rates to fight inflation", "Monetary policy tightening slows the economy",
		"Best recipes for sourdough bread at home", "Baking rustic loaves with a natural starter in your kitchen",
		"Kubernetes cluster autoscaling and node pools", "Scaling container workloads in the cloud",
	}
	for i := range texts {
		best, found := -1, -2.0
		for j := range texts {
			if c := cosine(table.Embed(texts[i]), table.Embed(texts[j])); i != j && c > found {
				best, found = j, c
			}
		}
		require.Equal(t, i^1, best, "%s (%.2f)", texts[i], found)
	}
}
