package draft

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/ledger"
)

// reading is what a page read leaves in the journal: everything but the text,
// which lies in the artifact store.
type reading struct {
	Snapshot editorial.Snapshot `json:"snapshot"`
	Refused  string             `json:"refused,omitempty"`
	Tokens   int64              `json:"tokens"`
}

// page is a Snapshot with its text.
type page struct {
	snapshot editorial.Snapshot
	text     string
	headings []evidence.Heading
}

// urls are the pages to read: those of the brief, else those the site starts
// every article with.
func (j *job) urls() []string {
	if len(j.brief.URLs) > 0 {
		return j.brief.URLs
	}
	var urls []string
	for _, s := range j.site.Sources {
		if s.Start {
			urls = append(urls, s.Prefix)
		}
	}
	return urls
}

// read fetches every page. A page that can't be used is refused with its
// reason; only what may pass by itself, and what a person must mend, is an
// error.
func (j *job) read(ctx context.Context) ([]page, []editorial.SourceUse, error) {
	var pages []page
	var uses []editorial.SourceUse
	seen := map[string]bool{}
	for i, url := range j.urls() {
		if seen[url] {
			continue
		}
		seen[url] = true
		p, refused, err := j.readOne(ctx, i+1, url)
		if err != nil {
			return nil, uses, fmt.Errorf("read %s: %w", url, err)
		}
		use := editorial.SourceUse{URL: url, SnapshotID: p.snapshot.ID, Refused: refused}
		uses = append(uses, use)
		if refused == "" {
			pages = append(pages, p)
		}
	}
	if len(pages) == 0 {
		return nil, uses, fault.NeedsHuman(fmt.Errorf("%w: %s", errNothing, reasons(uses)))
	}
	j.note("%d of %d pages used", len(pages), len(uses))
	return pages, uses, nil
}

func reasons(uses []editorial.SourceUse) string {
	if len(uses) == 0 {
		return "the brief names none and the site has no source with start set: add one"
	}
	lines := make([]string, 0, len(uses))
	for _, u := range uses {
		lines = append(lines, u.URL+" ("+strings.TrimSuffix(u.Refused, ".")+")")
	}
	return strings.Join(lines, "; ")
}

func (j *job) readOne(ctx context.Context, n int, url string) (p page, refused string, err error) {
	rule, ok := j.site.SourceFor(url)
	if !ok {
		return page{}, "The site's source rules do not cover this address: add a source that does, or leave the page out.", nil
	}
	r, err := j.fetch(ctx, n, url)
	if fault.KindOf(err) == fault.KindPermanent && errors.As(err, new(unreadable)) {
		return page{}, err.Error(), nil
	}
	if err != nil || r.Refused != "" {
		return page{}, r.Refused, err
	}
	text, err := j.rooms.Artifacts.Get(ctx, r.Snapshot.TextHash)
	if err != nil {
		return page{}, "", fmt.Errorf("stored text: %w", err)
	}
	if got := evidence.Hash(text); got != r.Snapshot.TextHash {
		return page{}, "", fault.NeedsHuman(fmt.Errorf("stored text %s has SHA-256 %s: the artifact store is damaged", r.Snapshot.TextHash, got))
	}
	r.Snapshot.Tier = rule.Tier
	if r.Snapshot.ID, err = j.rooms.Store.KeepSnapshot(ctx, j.lease, r.Snapshot); err != nil {
		return page{}, "", err
	}
	return page{snapshot: r.Snapshot, text: string(text), headings: evidence.Headings(string(text))}, "", nil
}

// unreadable marks an error of the reader itself, as opposed to one of our
// own rooms around it.
type unreadable struct{ err error }

func (e unreadable) Error() string { return e.err.Error() }
func (e unreadable) Unwrap() error { return e.err }

const provider, model = "jina", "reader"

// fetch is the paid step. The text is stored before the step is, so that a
// stored step always has its text.
func (j *job) fetch(ctx context.Context, n int, url string) (reading, error) {
	var r reading
	now := j.rooms.Now()
	worst, err := ledger.Prices.Worst(provider, model, now, 0, j.rooms.PageTokens)
	if err != nil {
		return r, fault.Permanent(err)
	}
	in := journal.Intent{Name: fmt.Sprintf("read:%d", n), Input: []byte(url), Provider: provider, Model: model, Worst: worst}
	raw, err := j.rooms.Steps.Do(ctx, j.lease, in, func(ctx context.Context) (journal.Receipt, error) {
		return j.call(ctx, url, now)
	})
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fault.Permanent(fmt.Errorf("stored step %s: %w", in.Name, err))
	}
	return r, nil
}

func (j *job) call(ctx context.Context, url string, now time.Time) (journal.Receipt, error) {
	p, err := j.rooms.Reader.Read(ctx, url)
	if err != nil {
		return journal.Receipt{}, unreadable{err}
	}
	usage := ledger.Usage{Output: p.Tokens}
	cost, err := ledger.Prices.Cost(provider, model, now, usage)
	if err != nil {
		return journal.Receipt{}, fault.Permanent(err)
	}
	receipt := journal.Receipt{Usage: usage, Cost: cost}
	r := reading{Tokens: p.Tokens, Refused: p.Worthless, Snapshot: editorial.Snapshot{
		URL: url, Title: p.Title, TextBytes: len(p.Text), PublishedAt: p.PublishedAt, FetchedAt: now.UTC(),
	}}
	if r.Refused == "" {
		if r.Snapshot.TextHash, err = j.rooms.Artifacts.Put(ctx, []byte(p.Text)); err != nil {
			return receipt, fmt.Errorf("store text: %w", err)
		}
		if r.Snapshot.RawHash, err = j.rooms.Artifacts.Put(ctx, p.Raw); err != nil {
			return receipt, fmt.Errorf("store answer of the reader: %w", err)
		}
	}
	receipt.Result, err = json.Marshal(r)
	return receipt, err
}
