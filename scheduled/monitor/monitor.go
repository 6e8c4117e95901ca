// Package monitor looks at a site's competitors: it reads the lists of their
// pages, fetches what may have changed, keeps each text under its hash, and
// writes down which pages are new, changed, gone or back, sentence by
// sentence.
//
// It fetches nothing needlessly: a list that is not modified, or a page whose
// date in the list has not moved, costs no request; a page that nothing dates
// is asked for at most once a day unless its server can answer "not modified".
// One competitor's trouble is reported and holds up no other.
//
// What was found is saved as the look goes on. A look that is cut off goes on
// where it was and ends with the same rows.
package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/pipeline"
)

// Store is what a look needs from the database, and no more.
type Store interface {
	Watch(ctx context.Context, l pipeline.Lease) (editorial.Watch, error)
	KeepPages(ctx context.Context, l pipeline.Lease, found []editorial.PageFinding) error
	KeepCompetitor(ctx context.Context, l pipeline.Lease, id int64, v editorial.Validators, report string, done bool) error
	MarkCopies(ctx context.Context, l pipeline.Lease, same map[int64]int64) error
}

// Fetcher reads lists and pages by itself, for nothing.
type Fetcher interface {
	List(ctx context.Context, c editorial.Competitor, since editorial.Validators) (editorial.Listing, error)
	Page(ctx context.Context, url string, since editorial.Validators) (editorial.FoundPage, error)
	Allowed(ctx context.Context, url string) (editorial.FoundPage, error)
}

// Reader fetches one page with one paid request.
type Reader interface {
	Read(ctx context.Context, url string) (editorial.Page, error)
}

// Artifacts keeps blobs by their SHA-256.
type Artifacts interface {
	Put(ctx context.Context, blob []byte) (hash string, err error)
	Get(ctx context.Context, hash string) ([]byte, error)
}

// Steps is the journal: a call as a step that is paid for once.
type Steps interface {
	Do(ctx context.Context, l pipeline.Lease, in journal.Intent, call func(ctx context.Context) (journal.Receipt, error)) (json.RawMessage, error)
}

// Rooms are what a look works with. All but the durations are required.
type Rooms struct {
	Store     Store
	Fetcher   Fetcher
	Reader    Reader
	Artifacts Artifacts
	Steps     Steps
	// PageTokens is the most the reader may charge for one page; it is what a
	// page read reserves.
	PageTokens int64
	Now        func() time.Time
	// Reserve is kept free at the end of an attempt's time for the page under
	// way; 0 means 75 s, which outlasts the reader.
	Reserve time.Duration
	// Patience is how long one competitor's pages may take in one look; what
	// is left waits for the next. 0 means 4 min.
	Patience time.Duration
}

const (
	atOnce = 4 // competitors
	// batch and silence bound what a killed look loses, and how long it gives
	// no sign of life.
	batch   = 20
	silence = 30 * time.Second
	// again is how long a page rests that nothing dates, or that failed.
	again = 24 * time.Hour
	// failures in a row are a site in trouble, not pages.
	failures   = 5
	mostReport = 2000 // bytes
	mostTitle  = 300  // letters
)

// Stage is the monitor stage.
type Stage struct{ rooms Rooms }

// New returns the Stage. It panics when a room is missing.
func New(r Rooms) *Stage {
	if r.Store == nil || r.Fetcher == nil || r.Reader == nil || r.Artifacts == nil || r.Steps == nil || r.Now == nil || r.PageTokens <= 0 {
		panic("monitor: a Stage needs all of its Rooms")
	}
	if r.Reserve == 0 {
		r.Reserve = 75 * time.Second
	}
	if r.Patience == 0 {
		r.Patience = 4 * time.Minute
	}
	return &Stage{rooms: r}
}

// errTime is for a look whose time is nearly up. What it found is saved.
var errTime = errors.New("the time for this attempt is up, goes on with what is left")

// Do takes one look at every competitor of the leased Run's site. It is safe
// to repeat.
func (s *Stage) Do(ctx context.Context, l pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
	w, err := s.rooms.Store.Watch(ctx, l)
	if err != nil {
		return editorial.Work{}, pipeline.Outcome{}, err
	}
	r := newRound(s.rooms, l, w)
	err = journal.Each(ctx, len(w.Competitors), atOnce, func(i int) error { return r.visit(ctx, w.Competitors[i]) })
	out := pipeline.Outcome{Detail: r.detail()}
	switch {
	case r.budget != nil && (err == nil || errors.Is(err, errTime)):
		return editorial.Work{}, out, r.budget
	case errors.Is(err, errTime):
		return editorial.Work{}, out, fault.NotYet(err, 0)
	case err != nil:
		return editorial.Work{}, out, err
	}
	if err := s.markCopies(ctx, l); err != nil {
		return editorial.Work{}, out, err
	}
	return editorial.Work{}, out, r.verdict()
}

// round is one attempt at a look: what it knows, and what came of it.
type round struct {
	rooms  Rooms
	lease  pipeline.Lease
	watch  editorial.Watch
	pages  map[string]editorial.WatchedPage // by address
	active map[int64]bool                   // competitors

	mu     sync.Mutex
	taken  map[string]int64 // by address: the competitor that brings a page first
	counts map[editorial.ChangeKind]int
	asked  int              // pages whose server was asked
	done   int              // competitors
	failed map[string]error // competitors, by name
	budget error
}

func newRound(rooms Rooms, l pipeline.Lease, w editorial.Watch) *round {
	r := &round{
		rooms: rooms, lease: l, watch: w, pages: map[string]editorial.WatchedPage{}, active: map[int64]bool{},
		taken: map[string]int64{}, counts: map[editorial.ChangeKind]int{}, failed: map[string]error{},
	}
	for _, p := range w.Pages {
		r.pages[p.URL] = p
	}
	for _, c := range w.Competitors {
		r.active[c.ID] = true
	}
	return r
}

// detail is the round in one line.
func (r *round) detail() string {
	if len(r.watch.Competitors) == 0 {
		return "the site watches nobody"
	}
	parts := []string{fmt.Sprintf("%d of %d competitors, %d pages asked for", r.done, len(r.watch.Competitors), r.asked)}
	for _, kind := range []editorial.ChangeKind{editorial.ChangeNew, editorial.ChangeChanged, editorial.ChangeGone, editorial.ChangeBack} {
		if n := r.counts[kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	if n := len(r.failed); n > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", n))
	}
	return strings.Join(parts, ", ")
}

// verdict is an error when nobody could be looked at. It asks for a person
// when only a person can mend what is wrong with all of them.
func (r *round) verdict() error {
	if r.done > 0 || len(r.failed) == 0 {
		return nil
	}
	kind := fault.NeedsHuman
	errs := make([]error, 0, len(r.failed))
	for name, err := range r.failed {
		errs = append(errs, fmt.Errorf("%s: %w", name, err))
		if fault.KindOf(err) != fault.KindNeedsHuman {
			kind = func(err error) error { return fault.Retryable(err, 0) }
		}
	}
	return kind(fmt.Errorf("none of the competitors can be looked at: %w", errors.Join(errs...)))
}
