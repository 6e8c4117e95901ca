package openai_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/ledger"
	"blogposter/lib/llm/openai"
)

const glove = "glove-100d-offline"

// coded is a vector of n numbers x, as the API sends it.
func coded(n int, x float32) string {
	var b []byte
	for range n {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(b)
}

func item(index int, vector string) string {
	return fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":%q}`, index, vector)
}

func answerWith(w http.ResponseWriter, items ...string) {
	w.Header().Set("X-Request-Id", "req_5")
	_, _ = io.WriteString(w, `{"object":"list","data":[`+strings.Join(items, ",")+`],"model":"m-1","usage":{"prompt_tokens":7,"total_tokens":7}}`)
}

func TestClient_Embed_putsTheVectorsInTheOrderOfTheTexts(t *testing.T) {
	t.Parallel()

	var path string
	var body map[string]any
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		_ = json.NewDecoder(r.Body).Decode(&body)
		answerWith(w, item(1, coded(100, 2)), item(0, coded(100, 1)))
	})
	got, err := c.Embed(t.Context(), glove, []string{"one", "two"})
	require.NoError(t, err)
	require.Equal(t, "/v1/embeddings", path)
	require.Equal(t, map[string]any{"model": glove, "input": []any{"one", "two"}, "encoding_format": "base64"}, body)
	require.Equal(t, []float32{1, 2}, []float32{got.Vectors[0][99], got.Vectors[1][0]})
	require.Equal(t, []any{"m-1", "req_5", ledger.Usage{Input: 7}}, []any{got.Model, got.Request, got.Usage})
}

func TestClient_Embed_refusesVectorsThatNobodyCanCompare(t *testing.T) {
	t.Parallel()

	good := item(0, coded(100, 1))
	tests := map[string]struct {
		items []string
		want  string
	}{
		"too few":           {[]string{good}, "1 vectors for 2 texts"},
		"one of them twice": {[]string{good, good}, "vector 0 of 2 came twice"},
		"of no text":        {[]string{good, item(2, coded(100, 1))}, "belongs to no text"},
		"below zero":        {[]string{good, item(-1, coded(100, 1))}, "belongs to no text"},
		"too short":         {[]string{good, item(1, coded(99, 1))}, "vector 1 has 99 dimensions, not the model's 100"},
		"all zero":          {[]string{good, item(1, coded(100, 0))}, "vector 1 has a length of 0"},
		"not a number":      {[]string{good, item(1, coded(100, float32(math.NaN())))}, "a length of NaN"},
		"endless":           {[]string{good, item(1, coded(100, float32(math.Inf(-1))))}, "a length of +Inf"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c := client(t, func(w http.ResponseWriter, _ *http.Request) { answerWith(w, tc.items...) })
			got, err := c.Embed(t.Context(), glove, []string{"one", "two"})
			require.ErrorContains(t, err, tc.want)
			require.ErrorContains(t, err, "req_5")
			require.Equal(t, fault.KindPermanent, fault.KindOf(err))
			require.False(t, fault.IsLost(err))
			require.Equal(t, ledger.Usage{Input: 7}, got.Usage, "a call that was charged says so, even with an error")
		})
	}
}

func TestClient_Embed_classifiesStatuses(t *testing.T) {
	t.Parallel()

	for status, kind := range map[int]fault.Kind{400: fault.KindPermanent, 401: fault.KindNeedsHuman, 429: fault.KindRetryable, 503: fault.KindRetryable} {
		c := client(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"error":{"message":"no","type":"t"}}`)
		})
		_, err := c.Embed(t.Context(), glove, []string{"one"})
		require.Equal(t, kind, fault.KindOf(err), status)
		require.Equal(t, status >= 500, fault.IsLost(err), status)
	}
}

func TestClient_Dimensions_areThoseOfTheModelsInThePriceBook(t *testing.T) {
	t.Parallel()

	c := client(t, nil)
	require.Equal(t, []int{1536, 100, 0}, []int{c.Dimensions("text-embedding-3-small"), c.Dimensions(glove), c.Dimensions("gpt-6-sol")})
}

func TestClient_Embed_asksForAKeyWhereThereIsNone(t *testing.T) {
	t.Parallel()

	asked := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(srv.Close)
	_, err := openai.New(openai.Config{BaseURL: srv.URL, APIKey: openai.NoKey}).Embed(t.Context(), glove, []string{"one"})
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	require.False(t, fault.IsLost(err), "its reservation is released")
	require.ErrorContains(t, err, "set OPENAI_API_KEY")
	require.False(t, asked)
}
