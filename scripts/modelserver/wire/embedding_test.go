package wire_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/ledger"
	"blogposter/scripts/modelserver/wire"
)

// lengthOf gives a text a vector of its length and a half.
type lengthOf struct{}

func (lengthOf) Embed(text string) []float32 { return []float32{float32(len(text)), 0.5} }

func canceled(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

func embed(t *testing.T, h http.Handler, extra string) *httptest.ResponseRecorder {
	t.Helper()
	return post(t, h, "/v1/embeddings", "offline-1", changed(t, `{"model":"glove-100d-offline","input":["dog","a leash"]}`, extra))
}

type embeddings struct {
	Object, Model string
	Data          []struct {
		Object    string
		Index     int
		Embedding json.RawMessage
	}
	Usage struct {
		Prompt int64 `json:"prompt_tokens"`
		Total  int64 `json:"total_tokens"`
	}
}

func embedded(t *testing.T, w *httptest.ResponseRecorder) embeddings {
	t.Helper()
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	var e embeddings
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &e))
	return e
}

func TestServer_ServeHTTP_embedsInOpenAIsShape(t *testing.T) {
	t.Parallel()

	s := wire.New(wire.Config{Vectors: lengthOf{}})
	e := embedded(t, embed(t, s, ""))
	require.Equal(t, []string{"list", wire.EmbeddingModel, "embedding"}, []string{e.Object, e.Model, e.Data[0].Object})
	require.Equal(t, []int{0, 1}, []int{e.Data[0].Index, e.Data[1].Index})
	require.JSONEq(t, `[3,0.5]`, string(e.Data[0].Embedding))
	require.JSONEq(t, `[7,0.5]`, string(e.Data[1].Embedding))
	require.Equal(t, []int64{3, 3}, []int64{e.Usage.Prompt, e.Usage.Total})
	log := s.Entries()
	require.Equal(t, []any{"openai", wire.EmbeddingModel, "embedding", ledger.Usage{Input: 3}}, []any{log[0].Provider, log[0].Model, log[0].Task, log[0].Usage})

	var code string
	e = embedded(t, embed(t, s, `"encoding_format":"base64","input":"dog","user":"u"`))
	require.NoError(t, json.Unmarshal(e.Data[0].Embedding, &code))
	raw, err := base64.StdEncoding.DecodeString(code)
	require.NoError(t, err)
	require.Len(t, raw, 8)
	require.Equal(t, []float32{3, 0.5}, []float32{
		math.Float32frombits(binary.LittleEndian.Uint32(raw)), math.Float32frombits(binary.LittleEndian.Uint32(raw[4:])),
	})
	require.JSONEq(t, `[3,0.5]`, string(embedded(t, embed(t, s, `"encoding_format":"float","input":["dog"]`)).Data[0].Embedding))
	require.Len(t, s.Entries(), 3, "what is sent twice is billed twice")
}

func TestServer_ServeHTTP_refusesEmbeddingsThatOpenAIRefuses(t *testing.T) {
	t.Parallel()

	list := func(n int, text string) string {
		return `"input":["` + strings.Repeat(text+`","`, n-1) + text + `"]`
	}
	const invalid = "'$.input' is invalid."
	tests := map[string]struct {
		extra       string
		status      int // 0 is 400
		param, code string
		kind        string // "" is invalid_request_error
		want        string
	}{
		"no input":                     {extra: `"input":"-"`, want: invalid},
		"null":                         {extra: `"input":null`, want: invalid},
		"an empty text":                {extra: `"input":""`, want: invalid},
		"an empty list":                {extra: `"input":[]`, want: invalid},
		"a list with an empty text":    {extra: `"input":["a",""]`, want: invalid},
		"a list with a null":           {extra: `"input":["a",null]`, want: invalid},
		"2,049 texts":                  {extra: list(2049, "a"), want: invalid},
		"tokens":                       {extra: `"input":[1,2]`, param: "input", want: "the real API reads tokens, too"},
		"a text too long":              {extra: list(1, strings.Repeat("a ", 8193)), want: "This model's maximum context length is 8192 tokens, however you requested 8194 tokens"},
		"too much at once":             {extra: list(40, strings.Repeat("a ", 8000)), kind: "max_tokens_per_request", code: "max_tokens_per_request", want: "Requested 320040 tokens, max 300000 tokens per request"},
		"an unknown model":             {extra: `"model":"text-embedding-3-small"`, status: 404, code: "model_not_found", want: "The model `text-embedding-3-small` does not exist"},
		"a chat model":                 {extra: `"model":"gpt-6-sol"`, status: 403, want: "You are not allowed to generate embeddings from this model"},
		"no model":                     {extra: `"model":"-"`, want: "you must provide a model parameter"},
		"fewer dimensions":             {extra: `"dimensions":50`, want: "This model does not support specifying dimensions."},
		"an unknown encoding":          {extra: `"encoding_format":"hex"`, param: "encoding_format", code: "invalid_value", want: "Supported values are: 'float' and 'base64'."},
		"an encoding that is a number": {extra: `"encoding_format":1`, param: "encoding_format", code: "invalid_type", want: "Invalid type for 'encoding_format'"},
		"an unknown parameter":         {extra: `"inputs":"x"`, param: "inputs", code: "unknown_parameter", want: "Unknown parameter: 'inputs'."},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := wire.New(wire.Config{Vectors: lengthOf{}})
			w := embed(t, s, tc.extra)
			if tc.status == 0 {
				tc.status = http.StatusBadRequest
			}
			if tc.kind == "" {
				tc.kind = "invalid_request_error"
			}
			require.Equal(t, tc.status, w.Code, w.Body.String())
			e := completed(t, w).Error
			require.Contains(t, e.Message, tc.want)
			require.Equal(t, []string{tc.kind, tc.param, tc.code}, []string{e.Type, orEmpty(e.Param), orEmpty(e.Code)})
			require.Empty(t, s.Entries(), "a refused call is not charged")
		})
	}
	require.Len(t, embedded(t, embed(t, wire.New(wire.Config{Vectors: lengthOf{}}), list(2048, "a"))).Data, 2048)
}

func TestServer_ServeHTTP_saysHowToGetVectors(t *testing.T) {
	t.Parallel()

	w := embed(t, wire.New(wire.Config{}), "")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, completed(t, w).Error.Message, "scripts/stack/vectors.sh")
	require.Contains(t, completed(t, w).Error.Message, "-vectors FILE")
}
