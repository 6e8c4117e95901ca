package monitor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/ledger"
)

const provider, model = "jina", "reader"

// reading is what a paid read leaves in the journal: everything but the text,
// which lies in the artifact store.
type reading struct {
	Title       string     `json:"title"`
	TextHash    string     `json:"text_hash,omitempty"`
	Refused     string     `json:"refused,omitempty"`
	PublishedAt *time.Time `json:"published_at,omitempty"`
	Tokens      int64      `json:"tokens"`
}

// unreadable marks an error of the reader, as opposed to one of our rooms.
type unreadable struct{ err error }

func (e unreadable) Error() string { return e.err.Error() }
func (e unreadable) Unwrap() error { return e.err }

// read has the reader fetch a page: one paid step for each page and look. What
// the reader can't make sense of may be gone, which its own server says for
// nothing.
func (v *visit) read(ctx context.Context, url string) (editorial.FoundPage, error) {
	refusal, err := v.rooms.Fetcher.Allowed(ctx, url)
	if err != nil || refusal.Refused != "" {
		return refusal, err
	}
	r, err := v.buy(ctx, url)
	switch {
	case err != nil && ctx.Err() != nil:
		return editorial.FoundPage{}, err
	case err != nil && errors.As(err, new(unreadable)):
		if fault.KindOf(err) == fault.KindNeedsHuman {
			return editorial.FoundPage{}, theirs{err} // the reader's key or balance: every page would fail
		}
		return editorial.FoundPage{Refused: err.Error(), Passing: fault.KindOf(err) == fault.KindRetryable}, nil
	case err != nil:
		return editorial.FoundPage{}, err
	case r.Refused != "":
		there, err := v.rooms.Fetcher.Page(ctx, url, editorial.Validators{})
		if err != nil || there.Gone {
			return there, err
		}
		return editorial.FoundPage{Refused: r.Refused}, nil
	}
	text, err := v.rooms.Artifacts.Get(ctx, r.TextHash)
	if err != nil {
		return editorial.FoundPage{}, fmt.Errorf("stored text of %s: %w", url, err)
	}
	return editorial.FoundPage{Title: r.Title, Text: string(text), PublishedAt: r.PublishedAt}, nil
}

// buy is the paid step. The text is stored before the step is, so that a
// stored step always has its text.
func (v *visit) buy(ctx context.Context, url string) (reading, error) {
	var r reading
	now := v.rooms.Now()
	worst, err := ledger.Prices.Worst(provider, model, now, 0, v.rooms.PageTokens)
	if err != nil {
		return r, fault.Permanent(err)
	}
	sum := sha256.Sum256([]byte(url))
	in := journal.Intent{Name: "read:" + hex.EncodeToString(sum[:8]), Input: []byte(url), Provider: provider, Model: model, Worst: worst}
	raw, err := v.rooms.Steps.Do(ctx, v.lease, in, func(ctx context.Context) (journal.Receipt, error) {
		return v.call(ctx, url, now)
	})
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fault.Permanent(fmt.Errorf("stored step %s: %w", in.Name, err))
	}
	return r, nil
}

func (v *visit) call(ctx context.Context, url string, now time.Time) (journal.Receipt, error) {
	p, err := v.rooms.Reader.Read(ctx, url)
	if err != nil {
		return journal.Receipt{}, unreadable{err}
	}
	usage := ledger.Usage{Output: p.Tokens}
	cost, err := ledger.Prices.Cost(provider, model, now, usage)
	if err != nil {
		return journal.Receipt{}, fault.Permanent(err)
	}
	receipt := journal.Receipt{Usage: usage, Cost: cost}
	r := reading{Title: beginning(p.Title), Refused: p.Worthless, PublishedAt: p.PublishedAt, Tokens: p.Tokens}
	if r.Refused == "" {
		if r.TextHash, err = v.rooms.Artifacts.Put(ctx, []byte(p.Text)); err != nil {
			return receipt, fmt.Errorf("store text: %w", err)
		}
	}
	receipt.Result, err = json.Marshal(r)
	return receipt, err
}
