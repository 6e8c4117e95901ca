package llm_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/journal/journaltest"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
)

const small = "text-embedding-3-small"

// lengths is an embedding model whose vectors tell how long their text is.
type lengths struct {
	dims int
	fail map[string]error // by a call's first text
	bad  bool             // a vector is missing

	mu    sync.Mutex
	calls [][]string
}

func (*lengths) Provider() string { return "openai" }

func (m *lengths) Dimensions(model string) int {
	if model == "gpt-6-sol" {
		return 0
	}
	return m.dims
}

func (m *lengths) Embed(_ context.Context, model string, texts []string) (llm.Embedding, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, texts)
	out := llm.Embedding{Model: model, Request: "req_" + texts[0], Usage: ledger.Usage{Input: int64(len(texts)) * 10}}
	if err := m.fail[texts[0]]; err != nil {
		return out, err
	}
	for _, text := range texts {
		v := make([]float32, m.dims)
		for i := range v {
			v[i] = float32(len(text)) + float32(i)/1000
		}
		out.Vectors = append(out.Vectors, v)
	}
	if m.bad {
		out.Vectors = out.Vectors[1:]
	}
	return out, nil
}

func embedder(m llm.EmbeddingModel) (*llm.Embedder, *journaltest.Steps) {
	steps := &journaltest.Steps{}
	return llm.NewEmbedder(m, journal.New(steps), ledger.Prices, day), steps
}

func numbered(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("%d %s", i, strings.Repeat("x", i%9))
	}
	return texts
}

func TestEmbedder_Embed_keepsOrderAndFitsEachStepIntoItsRow(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		dims, texts int
		calls       []int
	}{
		"as many as a row holds":           {1536, 12, []int{12}},
		"one more":                         {1536, 13, []int{1, 12}},
		"short vectors, many to a row":     {100, 186, []int{1, 185}},
		"the shortest, by the API's limit": {1, 2049, []int{1, 2048}},
		"none":                             {1536, 0, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := &lengths{dims: tc.dims}
			e, steps := embedder(m)
			texts := numbered(tc.texts)
			got, err := e.Embed(t.Context(), lease, "embed", small, texts)
			require.NoError(t, err)
			require.Len(t, got, len(texts))
			for i, v := range got {
				require.Len(t, v, tc.dims)
				require.Equal(t, []float32{float32(len(texts[i])) + float32(tc.dims-1)/1000}, v[tc.dims-1:], "every bit of it is kept")
			}
			var sizes []int
			for _, call := range m.calls {
				sizes = append(sizes, len(call))
			}
			require.ElementsMatch(t, tc.calls, sizes)
			for _, row := range steps.Rows() {
				require.LessOrEqual(t, len(row.Receipt.Result), journal.MaxResult)
				cost, err := ledger.Prices.Cost("openai", small, day(), row.Receipt.Usage)
				require.NoError(t, err)
				require.Equal(t, cost, row.Receipt.Cost)
				require.GreaterOrEqual(t, row.Worst, cost)
				require.Equal(t, []string{"openai", small}, []string{row.Provider, row.Model})
			}

			again, err := e.Embed(t.Context(), lease, "embed", small, texts)
			require.NoError(t, err)
			require.Equal(t, got, again)
			require.Len(t, m.calls, len(tc.calls), "stored vectors are not bought again")
		})
	}
}

func TestEmbedder_Embed_sendsNoMoreThanACallMayHold(t *testing.T) {
	t.Parallel()

	m := &lengths{dims: 100}
	e, _ := embedder(m)
	long := strings.Repeat("word ", 6400)
	_, err := e.Embed(t.Context(), lease, "embed", small, []string{long, long, long, long, long, long, long, long})
	require.NoError(t, err)
	var sizes []int
	for _, call := range m.calls {
		sizes = append(sizes, len(call))
	}
	require.ElementsMatch(t, []int{7, 1}, sizes, "250,000 bytes are never more than 300,000 tokens")
}

func TestEmbedder_Embed_asksAgainForWhatFailedAlone(t *testing.T) {
	t.Parallel()

	texts := numbered(30)
	m := &lengths{dims: 1536, fail: map[string]error{texts[24]: throttled}}
	e, steps := embedder(m)
	_, err := e.Embed(t.Context(), lease, "embed", small, texts)
	require.ErrorContains(t, err, "429")
	require.Equal(t, fault.KindRetryable, fault.KindOf(err))

	before := len(m.calls)
	m.fail = nil
	_, err = e.Embed(t.Context(), lease, "embed", small, texts)
	require.NoError(t, err)
	require.Less(t, len(m.calls)-before, 3)
	require.Contains(t, steps.Events(), "stored embed:1")
	require.Contains(t, steps.Events(), "finish embed:3")
}

func TestEmbedder_Embed_givesOtherTextsAndModelsTheirOwnVectors(t *testing.T) {
	t.Parallel()

	m := &lengths{dims: 100}
	e, _ := embedder(m)
	for _, ask := range []struct{ model, text string }{{small, "a"}, {small, "bb"}, {"glove-100d-offline", "a"}} {
		got, err := e.Embed(t.Context(), lease, "embed", ask.model, []string{ask.text})
		require.NoError(t, err)
		require.Equal(t, []float32{float32(len(ask.text))}, got[0][:1])
	}
	require.Len(t, m.calls, 3)
}

func TestEmbedder_Embed_keepsALostCallChargedAndChargesAUselessOne(t *testing.T) {
	t.Parallel()

	m := &lengths{dims: 100, fail: map[string]error{"lost": overloaded, "useless": fault.Permanent(errors.New("a length of NaN"))}}
	e, steps := embedder(m)
	for _, text := range []string{"lost", "useless"} {
		_, err := e.Embed(t.Context(), lease, text, small, []string{text})
		require.Error(t, err)
	}
	rows := steps.Rows()
	require.Equal(t, []string{"unknown", "failed"}, []string{rows[0].State, rows[1].State})
	require.Equal(t, rows[0].Worst+rows[1].Ending.Cost, steps.Spent())
	require.Positive(t, rows[1].Ending.Cost)
}

func TestEmbedder_Embed_namesWhatIsWrongBeforeItCallsAnything(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		step, model string
		texts       []string
		want        string
	}{
		"no step":         {"", small, []string{"a"}, "has no step"},
		"a chat model":    {"embed", "gpt-6-sol", []string{"a"}, `"gpt-6-sol" is no embedding model`},
		"a blank text":    {"embed", small, []string{"a", " \n"}, "text 1 is blank: leave it out"},
		"a text too long": {"embed", small, []string{"a", "b", strings.Repeat("x", 32_001)}, "text 2 has 32001 bytes: cut it to 32000"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := &lengths{dims: 100}
			e, steps := embedder(m)
			_, err := e.Embed(t.Context(), lease, tc.step, tc.model, tc.texts)
			require.ErrorContains(t, err, tc.want)
			require.Equal(t, fault.KindPermanent, fault.KindOf(err))
			require.Empty(t, m.calls)
			require.Empty(t, steps.Rows())
		})
	}
}

func TestEmbedder_Embed_waitsForAProgramThatKnowsThePrice(t *testing.T) {
	t.Parallel()

	m := &lengths{dims: 3}
	e, _ := embedder(m)
	_, err := e.Embed(t.Context(), lease, "embed", "text-embedding-9", []string{"a"})
	require.True(t, fault.IsNotYet(err))
	require.ErrorContains(t, err, "no price for openai/text-embedding-9")
	require.Empty(t, m.calls)
}

func TestEmbedder_Embed_stopsAtTheBudget(t *testing.T) {
	t.Parallel()

	m := &lengths{dims: 1536}
	e, steps := embedder(m)
	steps.Limit = 1
	_, err := e.Embed(t.Context(), lease, "embed", small, []string{strings.Repeat("x", 200)})
	require.ErrorIs(t, err, journal.ErrBudget)
	require.Empty(t, m.calls)
}

func TestEmbedder_Embed_refusesStoredVectorsOfAnotherNumber(t *testing.T) {
	t.Parallel()

	e, _ := embedder(&lengths{dims: 100, bad: true})
	_, err := e.Embed(t.Context(), lease, "embed", small, []string{"a", "b"})
	require.ErrorContains(t, err, "400 bytes are not 2 vectors of 100 dimensions")
	require.Equal(t, fault.KindPermanent, fault.KindOf(err))
	require.Equal(t, 100, e.Dimensions(small))
}

func TestEmbedder_Embed_keepsNumbersThatJSONCannotSay(t *testing.T) {
	t.Parallel()

	e, _ := embedder(tinyNumbers{})
	got, err := e.Embed(t.Context(), lease, "embed", small, []string{"a"})
	require.NoError(t, err)
	require.Equal(t, math.Float32bits(math.SmallestNonzeroFloat32), math.Float32bits(got[0][0]))
}

type tinyNumbers struct{}

func (tinyNumbers) Provider() string      { return "openai" }
func (tinyNumbers) Dimensions(string) int { return 1 }
func (tinyNumbers) Embed(context.Context, string, []string) (llm.Embedding, error) {
	return llm.Embedding{Vectors: [][]float32{{math.SmallestNonzeroFloat32}}, Usage: ledger.Usage{Input: 1}}, nil
}
