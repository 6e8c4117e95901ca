package publish_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
)

// store is the stage's Store in memory, and the pictures' bytes. It can lose a
// mark, before it is made or after, and a gate that it keeps.
type store struct {
	mu        sync.Mutex
	dossier   editorial.Dossier
	pub       *editorial.Publication // the Run's own
	editions  map[int64]*editorial.Edition
	media     map[string]editorial.File
	missing   bool // the pictures' bytes
	began     int
	failMark  error
	lostMark  error
	failMedia error
	marks     []editorial.PublicationState
	gate      error  // of a version that is to be restored
	before    func() // called before a Supersede
	replacing int64
	taking    int64
}

const ownID = 99

func newStore(d editorial.Dossier) *store {
	return &store{dossier: d, editions: map[int64]*editorial.Edition{}, media: map[string]editorial.File{}}
}

func (s *store) Dossier(context.Context, pipeline.Lease) (editorial.Dossier, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dossier.Brief.RunID == 0 {
		return editorial.Dossier{}, errors.New("store is down")
	}
	d := s.dossier
	if s.pub != nil {
		own := *s.pub
		d.Publication = &own
	}
	return d, nil
}

func (s *store) BeginPublication(_ context.Context, _ pipeline.Lease, p editorial.Publication) (editorial.Publication, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began++
	if s.pub == nil {
		p.ID = ownID
		s.pub = &p
	}
	return *s.pub, nil
}

func (s *store) MarkPublication(_ context.Context, _ pipeline.Lease, p editorial.Publication) error {
	return s.mark(func() error {
		s.pub = &p
		s.marks = append(s.marks, p.State)
		return nil
	})
}

// mark makes a change, or loses it, or its answer.
func (s *store) mark(change func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failMark != nil {
		return s.failMark
	}
	if err := change(); err != nil {
		return err
	}
	return s.lostMark
}

func (s *store) publication() editorial.Publication {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.pub
}

func (s *store) MediaFile(_ context.Context, _ pipeline.Lease, hash string) (editorial.File, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.media[hash]
	return f, ok, nil
}

func (s *store) KeepMediaFile(_ context.Context, _ pipeline.Lease, hash string, f editorial.File) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.media[hash] = f
	return s.failMedia
}

func (s *store) Get(_ context.Context, hash string) ([]byte, error) {
	if s.missing {
		return nil, fault.Permanent(errors.New("no such artifact"))
	}
	slugs := []string{s.dossier.Draft.Slug}
	for _, e := range s.editions {
		slugs = append(slugs, e.Draft.Slug)
	}
	for _, slug := range slugs {
		if m := pictureOf(slug); m.Hash == hash {
			return pixels(slug), nil
		}
	}
	return nil, fmt.Errorf("no artifact %s", hash)
}

// all is every version, the Run's own among them.
func (s *store) all() map[int64]*editorial.Edition {
	all := map[int64]*editorial.Edition{}
	for id, e := range s.editions {
		all[id] = e
	}
	if s.pub != nil {
		all[ownID] = &editorial.Edition{Publication: *s.pub, Draft: *s.dossier.Draft}
	}
	return all
}

func (s *store) Standing(_ context.Context, _ pipeline.Lease, id int64) (editorial.Standing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all()
	target := all[id]
	if target == nil {
		return editorial.Standing{}, errors.New("no such article")
	}
	st := editorial.Standing{Target: *target, Replacing: s.replacing, Retracting: s.taking}
	for _, e := range all {
		if e.Publication.State == editorial.PublicationPublished && e.Publication.PostID == target.Publication.PostID {
			current := *e
			st.Current = &current
			if b := all[e.Publication.ReplacesID]; b != nil && b.Publication.State == editorial.PublicationSuperseded {
				before := *b
				st.Before = &before
			}
		}
	}
	return st, nil
}

func (s *store) Supersede(_ context.Context, _ pipeline.Lease, p editorial.Publication) error {
	if s.before != nil {
		s.before()
	}
	return s.mark(func() error {
		old := s.editions[p.ReplacesID]
		if old.Publication.State != editorial.PublicationPublished || s.pub.State != editorial.PublicationIntent {
			return fault.NeedsHuman(errors.New("it was taken back or replaced meanwhile"))
		}
		old.Publication.State = editorial.PublicationSuperseded
		p.State = editorial.PublicationPublished
		s.pub = &p
		s.marks = append(s.marks, p.State)
		return nil
	})
}

func (s *store) CheckRestore(context.Context, pipeline.Lease, int64, int64) error { return s.gate }

func (s *store) MarkRetracted(_ context.Context, _ pipeline.Lease, article, restored int64, why string) (time.Duration, error) {
	return 1500 * time.Millisecond, s.mark(func() error {
		e := s.editions[article]
		switch e.Publication.State {
		case editorial.PublicationPublished:
			e.Publication.State, e.Publication.EndedWhy = editorial.PublicationRetracted, why
			s.marks = append(s.marks, editorial.PublicationRetracted)
		case editorial.PublicationRetracted:
		case editorial.PublicationIntent, editorial.PublicationDraft, editorial.PublicationSuperseded:
			return errors.New("it is not published")
		}
		if restored != 0 {
			s.editions[restored].Publication.State = editorial.PublicationPublished
		}
		return nil
	})
}
