package openai

import (
	"context"
	"errors"
	"fmt"
	"math"

	sdk "github.com/sashabaranov/go-openai"

	"blogposter/lib/fault"
	"blogposter/lib/llm"
)

// dimensions are those of the embedding models that the price book knows.
var dimensions = map[string]int{
	string(sdk.SmallEmbedding3): 1536,
	"glove-100d-offline":        100, // scripts/modelserver's, for a machine without a key
}

// Dimensions is how long the vectors of a model are, 0 for an unknown one.
func (c *Client) Dimensions(model string) int { return dimensions[model] }

// Embed makes one request. An error of a call that was charged comes with the
// usage of its Embedding.
func (c *Client) Embed(ctx context.Context, model string, texts []string) (llm.Embedding, error) {
	if err := ctx.Err(); err != nil {
		return llm.Embedding{}, fault.Retryable(fmt.Errorf("openai: not sent: %w", err), 0)
	}
	if c.key == NoKey { // a Run that waits says so; a function that did not start would leave it due for ever
		return llm.Embedding{}, fault.NeedsHuman(errors.New("openai: there is no key, and embeddings need one: set OPENAI_API_KEY, from the OpenAI console, API keys"))
	}
	ctx, e := begin(ctx)
	answer, err := c.api.CreateEmbeddings(ctx, sdk.EmbeddingRequestStrings{
		Input: texts, Model: sdk.EmbeddingModel(model), EncodingFormat: sdk.EmbeddingEncodingFormatBase64,
	})
	if err != nil {
		return llm.Embedding{}, c.classify(err, e)
	}
	out := llm.Embedding{Model: string(answer.Model), Request: e.request(), Usage: usage(answer.Usage)}
	if out.Usage.Prompt() == 0 {
		return llm.Embedding{}, fault.Retryable(fault.Lost(fmt.Errorf("openai: call %s was answered without its usage", out.Request)), 0)
	}
	out.Vectors, err = vectors(answer.Data, len(texts), dimensions[model])
	if err != nil {
		return out, fault.Permanent(fmt.Errorf("openai: call %s: %w", out.Request, err))
	}
	return out, nil
}

// vectors puts the answer's vectors in the order of the texts and checks what
// a database or a cosine would choke on.
func vectors(data []sdk.Embedding, n, dims int) ([][]float32, error) {
	if len(data) != n {
		return nil, fmt.Errorf("%d vectors for %d texts", len(data), n)
	}
	out := make([][]float32, n)
	for _, d := range data {
		if d.Index < 0 || d.Index >= n || out[d.Index] != nil {
			return nil, fmt.Errorf("vector %d of %d came twice or belongs to no text", d.Index, n)
		}
		if len(d.Embedding) != dims {
			return nil, fmt.Errorf("vector %d has %d dimensions, not the model's %d", d.Index, len(d.Embedding), dims)
		}
		var squares float64
		for _, x := range d.Embedding {
			squares += float64(x) * float64(x)
		}
		if squares == 0 || math.IsNaN(squares) || math.IsInf(squares, 0) {
			return nil, fmt.Errorf("vector %d has a length of %g", d.Index, math.Sqrt(squares))
		}
		out[d.Index] = d.Embedding
	}
	return out, nil
}
