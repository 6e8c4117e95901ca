// Package topic makes of what competitors write what a site should write on:
// their pages are grouped by subject, each subject is scored by five weighted
// terms, and compared with what the site has published.
//
// Nothing here asks a model for words. A competitor's page can make a subject
// frequent or fresh, and lend it a title that was cleaned; it steers nothing
// else. What is not known of a subject is said to be unknown.
package topic

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
)

// Research is what is known of the site and of its competitors.
type Research interface {
	Dossier(ctx context.Context, l pipeline.Lease) (editorial.Dossier, error)
	Watch(ctx context.Context, l pipeline.Lease) (editorial.Watch, error)
	OwnArticles(ctx context.Context, l pipeline.Lease) ([]editorial.Article, error)
}

// Vectors keeps a model's vectors by the hash of their text.
type Vectors interface {
	Vectors(ctx context.Context, l pipeline.Lease, model string, hashes []string) (map[string][]float32, error)
	SaveVectors(ctx context.Context, l pipeline.Lease, model string, vectors map[string][]float32) error
}

// Topics keeps the recommendations. TakeTopic reports false when the Topic is
// no longer to be had.
type Topics interface {
	KnownTopics(ctx context.Context, l pipeline.Lease) ([]editorial.Topic, error)
	SaveTopics(ctx context.Context, l pipeline.Lease, topics []editorial.Topic) error
	OpenTopics(ctx context.Context, l pipeline.Lease) ([]editorial.Topic, error)
	TakeTopic(ctx context.Context, l pipeline.Lease, id int64) (bool, error)
}

// Store is what this stage needs from the database.
type Store interface {
	Research
	Vectors
	Topics
}

// Texts are the pages' texts by their hash.
type Texts interface {
	Get(ctx context.Context, hash string) ([]byte, error)
}

// Embedder turns texts into vectors, as journaled steps.
type Embedder interface {
	Embed(ctx context.Context, l pipeline.Lease, step, model string, texts []string) ([][]float32, error)
}

// Rooms are what the stage works with. All are required.
type Rooms struct {
	Store    Store
	Texts    Texts
	Embedder Embedder
	// Model is the embedding model of a Run that was pinned to none.
	Model string
	Now   func() time.Time
}

// Stage is the topic stage.
type Stage struct{ rooms Rooms }

// New returns the Stage. It panics when a room is missing.
func New(r Rooms) *Stage {
	if r.Store == nil || r.Texts == nil || r.Embedder == nil || r.Model == "" || r.Now == nil {
		panic("topic: a Stage needs all of its Rooms")
	}
	return &Stage{rooms: r}
}

// Do scores the site's topics for a Run of research, which ends here, and
// finds an article's Run its topic: the best recommendation that is open. It
// is safe to repeat: a Run keeps the topic it took.
func (s *Stage) Do(ctx context.Context, l pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
	d, err := s.rooms.Store.Dossier(ctx, l)
	if err != nil {
		return editorial.Work{}, pipeline.Outcome{}, err
	}
	j := job{rooms: s.rooms, lease: l, site: d.Site, model: l.Pins.Embedding}
	if j.model == "" {
		j.model = s.rooms.Model
	}
	switch {
	case d.Brief.Kind == string(pipeline.KindResearch):
		err = j.recommend(ctx)
		return editorial.Work{}, j.outcome(true), err
	case strings.TrimSpace(d.Brief.Topic) != "":
		j.note("the run has its topic")
		return editorial.Work{}, j.outcome(false), nil
	}
	id, err := j.choose(ctx)
	return editorial.Work{TopicID: id}, j.outcome(false), err
}

// job is one attempt: what it works on, and what is to be said about it.
type job struct {
	rooms Rooms
	lease pipeline.Lease
	site  editorial.Site
	model string
	notes []string
}

func (j *job) note(format string, args ...any) {
	j.notes = append(j.notes, fmt.Sprintf(format, args...))
}

func (j *job) outcome(done bool) pipeline.Outcome {
	return pipeline.Outcome{Done: done, Detail: strings.Join(j.notes, "; ")}
}

// choose takes the best open recommendation for the Run, and returns its id;
// without any, topics are scored first. Another Run may be quicker each time:
// then it is the next one's turn.
func (j *job) choose(ctx context.Context) (int64, error) {
	open, err := j.rooms.Store.OpenTopics(ctx, j.lease)
	if err != nil {
		return 0, err
	}
	if len(open) == 0 {
		if err := j.recommend(ctx); err != nil {
			return 0, err
		}
		if open, err = j.rooms.Store.OpenTopics(ctx, j.lease); err != nil {
			return 0, err
		}
	}
	for _, t := range open {
		taken, err := j.rooms.Store.TakeTopic(ctx, j.lease, t.ID)
		if err != nil {
			return 0, err
		}
		if taken {
			j.note("took topic %d, %q: %s", t.ID, t.Title, t.Why)
			return t.ID, nil
		}
	}
	return 0, fault.NeedsHuman(errNone)
}

// errNone is for a Run that is to find its topic where there is none.
var errNone = errors.New("there is no open topic to write on: start a run that names its topic, give the site more competitors to watch, or wait for its next research")
