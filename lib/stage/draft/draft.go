// Package draft turns a topic into the first Draft: it reads the pages the
// site allows, keeps from them only passages that stand there word for word,
// and has an article written from those passages alone.
//
// Every call to the outside is a journaled step, so a second attempt repeats
// none that was answered.
package draft

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/llm"
	"blogposter/lib/pipeline"
	"blogposter/lib/prompt"
)

// Store is what this stage needs from the database, and no more.
type Store interface {
	Dossier(ctx context.Context, l pipeline.Lease) (editorial.Dossier, error)
	KeepSnapshot(ctx context.Context, l pipeline.Lease, s editorial.Snapshot) (int64, error)
}

// Models asks a model: for prose, continued until it is whole, or for JSON
// that fits the request's schema.
type Models interface {
	Text(ctx context.Context, l pipeline.Lease, r llm.Request) (string, error)
	JSON(ctx context.Context, l pipeline.Lease, r llm.Request, out any) error
}

// Reader fetches one page with one request.
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

// Rooms are what the stage works with. All are required.
type Rooms struct {
	Store     Store
	Models    Models
	Reader    Reader
	Artifacts Artifacts
	Steps     Steps
	// PageTokens is the most the reader may charge for one page; it is what a
	// page read reserves.
	PageTokens int64
	Now        func() time.Time
}

// Stage is the draft stage.
type Stage struct{ rooms Rooms }

// New returns the Stage. It panics when a room is missing.
func New(r Rooms) *Stage {
	if r.Store == nil || r.Models == nil || r.Reader == nil || r.Artifacts == nil || r.Steps == nil || r.Now == nil || r.PageTokens <= 0 {
		panic("draft: a Stage needs all of its Rooms")
	}
	return &Stage{rooms: r}
}

// Do makes the Run's next Draft. What it read and found is in the Work even
// when it fails, so that a person sees why. It is safe to repeat.
func (s *Stage) Do(ctx context.Context, l pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
	var work editorial.Work
	d, err := s.rooms.Store.Dossier(ctx, l)
	if err != nil {
		return work, pipeline.Outcome{}, err
	}
	j := job{rooms: s.rooms, lease: l, site: d.Site, brief: d.Brief}
	if strings.TrimSpace(d.Brief.Topic) == "" {
		return work, j.outcome(), fault.Permanent(fmt.Errorf("run %d has no topic: name one in its brief", l.RunID))
	}
	pages, uses, err := j.read(ctx)
	work.Sources = uses
	if err != nil {
		return work, j.outcome(), err
	}
	if work.Evidence, err = j.digest(ctx, pages); err != nil {
		return work, j.outcome(), err
	}
	draft, err := j.write(ctx, pages, work.Evidence)
	if err != nil {
		return work, j.outcome(), err
	}
	draft.Version = 1
	if d.Draft != nil {
		draft.Version = d.Draft.Version + 1
	}
	if err := draft.Validate(); err != nil {
		return work, j.outcome(), fault.Permanent(fmt.Errorf("draft of run %d: %w", l.RunID, err))
	}
	work.Draft = &draft
	j.note("%d words in %d sections", draft.Body.Words(), len(draft.Body.Sections))
	return work, j.outcome(), nil
}

// job is one attempt: what it works on, and what is to be said about it.
type job struct {
	rooms Rooms
	lease pipeline.Lease
	site  editorial.Site
	brief editorial.Brief
	notes []string
}

func (j *job) note(format string, args ...any) {
	j.notes = append(j.notes, fmt.Sprintf(format, args...))
}

func (j *job) outcome() pipeline.Outcome {
	return pipeline.Outcome{Detail: strings.Join(j.notes, "; ")}
}

// write is everything after the digest: outline, sections, metadata.
func (j *job) write(ctx context.Context, pages []page, list []editorial.Evidence) (editorial.Draft, error) {
	plan, err := j.outline(ctx, pages, list)
	if err != nil {
		return editorial.Draft{}, err
	}
	body, err := j.sections(ctx, plan, list, pages)
	if err != nil {
		return editorial.Draft{}, err
	}
	draft, err := j.metadata(ctx, plan.Keyphrase, body)
	if err != nil {
		return editorial.Draft{}, err
	}
	draft.Body = body
	return draft, nil
}

// ask renders a prompt of the Run's set into a request to a model.
func (j *job) ask(name, step, model string, vars prompt.Vars, maxTokens int64) (llm.Request, error) {
	r, err := request(j.lease.Pins.Prompts, name, vars)
	if err != nil {
		return r, err
	}
	r.Step, r.Model, r.MaxTokens = step, model, maxTokens
	return r, nil
}

// errNothing is for a Run whose every page was refused.
var errNothing = errors.New("none of the pages can be used")
