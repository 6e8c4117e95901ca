package llm

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/ledger"
	"blogposter/lib/pipeline"
)

// What one embedding call may hold, whoever the provider is.
const (
	maxTexts     = 2048    // texts
	maxTextBytes = 250_000 // bytes of them all: never more than 300,000 tokens
	maxText      = 32_000  // bytes of one: about the 8,191 tokens that are read of it
	embedAtOnce  = 4       // calls under way
	framingText  = 8       // what a provider may add to a text, in bytes as Worst counts them
	// resultFrame is what a stored result is longer than its vectors: the
	// names of its fields, the model and the call's id.
	resultFrame = 1000
)

// Embedding is one answer of an embedding model: a vector for each text, in
// the order of the texts. The vectors are finite, none of them is all zeros,
// and each has the model's number of dimensions.
type Embedding struct {
	Vectors [][]float32
	Model   string
	Request string // the provider's id of the call
	Usage   ledger.Usage
}

// EmbeddingModel is a provider's adapter. Dimensions is how long the vectors
// of a model are, 0 for a model it doesn't know. Embed makes exactly one
// request; its errors are as a Model's.
type EmbeddingModel interface {
	Provider() string
	Dimensions(model string) int
	Embed(ctx context.Context, model string, texts []string) (Embedding, error)
}

// Embedder turns texts into vectors. Every call is a journaled step whose
// worst case is reserved before it is made, so a repeated Embed of the same
// texts costs nothing. It is safe for concurrent use.
//
// A step's answer holds its vectors as 32-bit floats in base64, which is four
// bytes for three: a row of at most 100 kB has room for 12 vectors of 1,536
// dimensions, or 185 of 100, and that is how many texts a call gets.
type Embedder struct {
	model   EmbeddingModel
	journal *journal.Journal
	prices  ledger.Book
	now     func() time.Time
}

// NewEmbedder returns an Embedder that calls m, keeps its steps in j and
// prices them by the lines of prices in force at now().
func NewEmbedder(m EmbeddingModel, j *journal.Journal, prices ledger.Book, now func() time.Time) *Embedder {
	return &Embedder{model: m, journal: j, prices: prices, now: now}
}

// Dimensions is how long the vectors of a model are, 0 for an unknown one.
func (e *Embedder) Dimensions(model string) int { return e.model.Dimensions(model) }

// Embed returns a vector for each text, in order. The texts go out in batches,
// as the steps step:1, step:2 and so on; the same texts in the same order make
// the same batches, and only those that have no stored answer are called. A
// text that is blank or longer than 32,000 bytes is an error that names its
// index, before anything is called: cut it where its meaning allows.
func (e *Embedder) Embed(ctx context.Context, l pipeline.Lease, step, model string, texts []string) ([][]float32, error) {
	dims := e.model.Dimensions(model)
	if err := checkTexts(step, model, dims, texts); err != nil {
		return nil, fault.Permanent(fmt.Errorf("step %q: %w", step, err))
	}
	batches := batch(texts, (journal.MaxResult-resultFrame)*3/4/(4*dims))
	found := make([][][]float32, len(batches))
	err := journal.Each(ctx, len(batches), embedAtOnce, func(i int) error {
		var err error
		found[i], err = e.embed(ctx, l, fmt.Sprintf("%s:%d", step, i+1), model, batches[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	vectors := make([][]float32, 0, len(texts))
	for _, f := range found {
		vectors = append(vectors, f...)
	}
	return vectors, nil
}

func checkTexts(step, model string, dims int, texts []string) error {
	switch {
	case step == "":
		return errors.New("embedding has no step: name it, unique within the stage, such as \"embed:pages\"")
	case dims <= 0:
		return fmt.Errorf("%q is no embedding model that this program knows: use text-embedding-3-small", model)
	}
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			return fmt.Errorf("text %d is blank: leave it out", i)
		}
		if len(text) > maxText {
			return fmt.Errorf("text %d has %d bytes: cut it to %d, the most that the model reads", i, len(text), maxText)
		}
	}
	return nil
}

// batch splits texts into calls of at most so many texts and bytes.
func batch(texts []string, most int) [][]string {
	most = min(most, maxTexts)
	var out [][]string
	start, bytes := 0, 0
	for i, text := range texts {
		if i > start && (i-start == most || bytes+len(text) > maxTextBytes) {
			out = append(out, texts[start:i])
			start, bytes = i, 0
		}
		bytes += len(text)
	}
	if start < len(texts) {
		out = append(out, texts[start:])
	}
	return out
}

// asked is all that an embedding depends on.
type asked struct {
	Model string   `json:"model"`
	Texts []string `json:"texts"`
}

// embedded is an Embedding as its step keeps it.
type embedded struct {
	Model   string `json:"model"`
	Request string `json:"request"`
	Vectors []byte `json:"vectors"` // 32-bit floats, little-endian, one vector behind the other
}

// embed makes one batch a step of the Run, or returns the answer it has.
func (e *Embedder) embed(ctx context.Context, l pipeline.Lease, step, model string, texts []string) ([][]float32, error) {
	day, provider := e.now(), e.model.Provider()
	var bytes int64
	for _, text := range texts {
		bytes += framingText + int64(len(text))
	}
	worst, err := e.prices.Worst(provider, model, day, bytes, 0)
	if err != nil {
		return nil, fault.NotYet(fmt.Errorf("step %q: this program has %w", step, err), priced)
	}
	input, err := json.Marshal(asked{model, texts})
	if err != nil {
		return nil, fault.Permanent(fmt.Errorf("step %q: %w", step, err))
	}
	raw, err := e.journal.Do(ctx, l, journal.Intent{Name: step, Input: input, Provider: provider, Model: model, Worst: worst},
		func(ctx context.Context) (journal.Receipt, error) {
			got, callErr := e.model.Embed(ctx, model, texts)
			cost, err := e.prices.Cost(provider, model, day, got.Usage)
			receipt := journal.Receipt{Usage: got.Usage, Cost: cost, Request: got.Request}
			if err := errors.Join(callErr, err); err != nil {
				return receipt, err
			}
			receipt.Result, err = json.Marshal(embedded{got.Model, got.Request, packed(got.Vectors)})
			return receipt, err
		})
	if err != nil {
		return nil, err
	}
	var kept embedded
	if err := json.Unmarshal(raw, &kept); err != nil {
		return nil, fault.Permanent(fmt.Errorf("step %q: stored answer: %w", step, err))
	}
	if dims := e.model.Dimensions(model); len(kept.Vectors) != len(texts)*dims*4 {
		return nil, fault.Permanent(fmt.Errorf("step %q, call %s: %d bytes are not %d vectors of %d dimensions", step, kept.Request, len(kept.Vectors), len(texts), dims))
	}
	return unpacked(kept.Vectors, len(texts)), nil
}

func packed(vectors [][]float32) []byte {
	var b []byte
	for _, v := range vectors {
		for _, x := range v {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
	}
	return b
}

func unpacked(b []byte, n int) [][]float32 {
	vectors := make([][]float32, n)
	dims := len(b) / 4 / n
	for i := range vectors {
		v := make([]float32, dims)
		for j := range v {
			v[j] = math.Float32frombits(binary.LittleEndian.Uint32(b))
			b = b[4:]
		}
		vectors[i] = v
	}
	return vectors
}
