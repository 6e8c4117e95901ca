package llm

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/ledger"
	"blogposter/lib/pipeline"
)

// pause is how long a provider whose way failed is asked last. Each try may
// cost a whole reservation that stays charged: an article of twenty calls must
// not pay for twenty of them.
const pause = time.Minute

// candidate is one way to have a request answered.
type candidate struct {
	Model
	request Request
	instead string // the pinned model; "" for that model itself
	why     error  // what its provider said; nil while that is paused
}

// candidates lists who can answer r, its own model first, and the keys of all
// steps that may hold its answer. There are more keys than candidates where an
// equal's provider is not configured: an answer that was paid for serves,
// although its provider is gone.
func (c *Client) candidates(r Request, day time.Time) ([]candidate, []journal.Key, error) {
	m := c.asker(r.Model, day)
	list := []candidate{{Model: m, request: r}}
	requests := []Request{r}
	for _, equal := range ledger.Equals(m.Provider(), r.Model) {
		twin := r
		// The step's name tells who was asked.
		twin.Step, twin.Model = r.Step+"@"+equal.Provider, equal.Model
		requests = append(requests, twin)
		for _, other := range c.models {
			if other.Provider() == equal.Provider {
				list = append(list, candidate{Model: other, request: twin, instead: r.Model})
			}
		}
	}
	keys := make([]journal.Key, len(requests))
	for i, request := range requests {
		input, err := request.canonical()
		if err != nil {
			return nil, nil, fault.Permanent(fmt.Errorf("step %q: %w", r.Step, err))
		}
		keys[i] = journal.Key{Name: request.Step, Input: input}
	}
	return list, keys, nil
}

// asker is the provider that serves a model, by the price book. The primary
// one comes first, and is also who has no price for an unknown model.
func (c *Client) asker(model string, day time.Time) Model {
	for _, m := range c.models {
		if _, err := c.prices.At(m.Provider(), model, day, 0); err == nil {
			return m
		}
	}
	return c.models[0]
}

// answered asks one candidate after the other until one answers.
//
// The next one is asked after faults of the way to a provider alone: 429, 5xx,
// an overload, a timeout, a refused connection. Where the pinned model's
// provider refuses the request, revoked the key or wants to be paid, the error
// stands: were it answered elsewhere, everything would go on at the second
// choice and nobody would be asked. When nobody answers, the error is of the
// pinned model's kind: that is the one another attempt waits for.
func (c *Client) answered(ctx context.Context, l pipeline.Lease, list []candidate, keys []journal.Key, day time.Time) (Response, error) {
	var pinned, others error
	for i, cand := range c.paused(list, day) {
		if i > 0 && ctx.Err() != nil { // no time is left to ask anybody
			break
		}
		cand.why = pinned
		resp, callErr, err := c.ask(ctx, l, cand, keys, day)
		if err == nil {
			return resp, nil
		}
		if passing(callErr) {
			c.setPause(cand.Provider(), c.now())
		}
		if cand.instead != "" {
			others = fmt.Errorf("%s/%s instead: %w", cand.Provider(), cand.request.Model, err)
			continue
		}
		if pinned = err; !passing(callErr) {
			break
		}
	}
	switch {
	case others == nil:
		return Response{}, pinned
	case pinned == nil:
		return Response{}, others
	}
	return Response{}, fmt.Errorf("%w; %w", pinned, others)
}

// warn tells of a call to another model than the pinned one, once for each.
func (m candidate) warn(ctx context.Context, l pipeline.Lease) {
	if m.instead != "" {
		slog.WarnContext(ctx, "model of another provider is asked instead", "run_id", l.RunID, "stage", l.Stage, "step", m.request.Step,
			"pinned", m.instead, "model", m.request.Model, "provider", m.Provider(), "err", m.why)
	}
}

// passing says whether a provider's error is about the way to it, so that
// another provider may well answer.
func passing(err error) bool {
	return err != nil && fault.KindOf(err) == fault.KindRetryable
}

// paused is the list with those last whose provider failed a moment ago. This
// process alone remembers it: forgetting costs one more call.
func (c *Client) paused(list []candidate, now time.Time) []candidate {
	c.mu.Lock()
	defer c.mu.Unlock()
	var first, last []candidate
	for _, cand := range list {
		if now.Before(c.pauses[cand.Provider()]) {
			last = append(last, cand)
		} else {
			first = append(first, cand)
		}
	}
	return append(first, last...)
}

func (c *Client) setPause(provider string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pauses[provider] = now.Add(pause)
}
