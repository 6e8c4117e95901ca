package wire

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"

	"blogposter/lib/ledger"
)

// Vectors gives a text its vector, always of the same length.
type Vectors interface {
	Embed(text string) []float32
}

// EmbeddingModel is the one embedding model of this server. It has a name of
// its own: vectors are kept with their model's name, and its vectors are not
// those of any real model.
const EmbeddingModel = "glove-100d-offline"

// Limits of the embeddings endpoint.
const (
	maxInputs      = 2048
	maxInputTokens = 8192
	maxCallTokens  = 300_000
)

var embeddingFields = []string{"model", "input", "encoding_format", "dimensions", "user"}

// embeddings answers one call, or returns why it doesn't.
func (s *Server) embeddings(w http.ResponseWriter, r *http.Request, o openaiCall) error {
	if err := knownParams(o.body, embeddingFields, nil); err != nil {
		return err
	}
	if err := embeddingModel(o.body); err != nil {
		return err
	}
	format, err := embeddingFormat(o.body)
	if err != nil {
		return err
	}
	texts, tokens, err := inputs(o.body)
	if err != nil {
		return err
	}
	if s.cfg.Vectors == nil {
		return &openaiError{
			status: http.StatusServiceUnavailable, Type: "server_error",
			Message: "this offline server has no word vectors: make them with scripts/stack/vectors.sh and start it with -vectors FILE",
		}
	}
	f := s.cfg.Script(Request{Model: EmbeddingModel, Messages: []Message{{Role: "user", Text: texts[0]}}})
	if f == nil {
		f = &Fault{}
	}
	if f.Status != 0 {
		return scripted(w, f)
	}
	data := make([]map[string]any, len(texts))
	for i, text := range texts {
		data[i] = map[string]any{"object": "embedding", "index": i, "embedding": format(s.cfg.Vectors.Embed(text))}
	}
	if err := s.log.add(Entry{
		At: s.cfg.Now(), RequestID: o.id, Provider: provider, Model: EmbeddingModel, Key: o.key, Task: "embedding",
		Usage: ledger.Usage{Input: int64(tokens)}, StopReason: "stop",
	}); err != nil {
		return err
	}
	if s.wait(r.Context(), f) != nil {
		panic(http.ErrAbortHandler) // the caller has gone, and is charged all the same
	}
	sendJSON(w, http.StatusOK, map[string]any{
		"object": "list", "data": data, "model": EmbeddingModel, "usage": map[string]any{"prompt_tokens": tokens, "total_tokens": tokens},
	}, f.Cut)
	return nil
}

func embeddingModel(body object) error {
	name, err := modelOf(body)
	if err != nil {
		return err
	}
	if _, chats := chatModels[name]; chats {
		return &openaiError{status: http.StatusForbidden, Type: invalidRequest, Message: "You are not allowed to generate embeddings from this model"}
	}
	if name != EmbeddingModel {
		return noModel(name)
	}
	if _, ok := body["dimensions"]; ok {
		return bad("", "", "This model does not support specifying dimensions.")
	}
	return nil
}

// embeddingFormat is how vectors are written: as numbers, or as little-endian
// 32-bit floats in base64.
func embeddingFormat(body object) (func([]float32) any, error) {
	var name string
	raw, ok := body["encoding_format"]
	if ok && json.Unmarshal(raw, &name) != nil {
		return nil, invalidType("encoding_format", "one of 'float' or 'base64'", raw)
	}
	switch {
	case !ok, name == "float":
		return func(v []float32) any { return v }, nil
	case name == "base64":
		return func(v []float32) any {
			var b []byte
			for _, x := range v {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
			}
			return base64.StdEncoding.EncodeToString(b)
		}, nil
	}
	return nil, bad("encoding_format", "invalid_value", "Invalid value: '%s'. Supported values are: 'float' and 'base64'.", name)
}

// inputs reads the texts and counts their tokens.
func inputs(body object) ([]string, int, error) {
	wrong := bad("", "", "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")
	raw, ok := body["input"]
	if !ok {
		return nil, 0, wrong
	}
	var one *string
	var texts []string
	var list []json.RawMessage
	switch {
	case json.Unmarshal(raw, &one) == nil && one != nil:
		texts = []string{*one}
	case json.Unmarshal(raw, &list) != nil || len(list) == 0 || len(list) > maxInputs:
		return nil, 0, wrong
	case json.Unmarshal(raw, &texts) != nil:
		return nil, 0, bad("input", "", "'input': this offline server reads a text or a list of texts; the real API reads tokens, too")
	}
	total := 0
	for _, text := range texts {
		if text == "" {
			return nil, 0, wrong
		}
		n := pieces(text)
		if n > maxInputTokens {
			return nil, 0, bad("", "", "This model's maximum context length is %d tokens, however you requested %d tokens (%d in your prompt; 0 for the completion). Please reduce your prompt; or completion length.", maxInputTokens, n, n)
		}
		total += n
	}
	if total > maxCallTokens {
		return nil, 0, &openaiError{
			status: http.StatusBadRequest, Type: "max_tokens_per_request", Code: "max_tokens_per_request",
			Message: fmt.Sprintf("Requested %d tokens, max %d tokens per request", total, maxCallTokens),
		}
	}
	return texts, total, nil
}
