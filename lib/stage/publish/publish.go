// Package publish puts an approved Draft on its site, once, and as it was
// approved.
//
// The site is asked before anything is made, always: a post that carries the
// Run's marker is that Run's, whatever became of the answer that should have
// said so. A post is created as a draft and read back before it is public, and
// again after. One that differs from what was approved is not left public.
package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/pipeline"
)

// Store is what this stage needs from the store.
type Store interface {
	Dossier(ctx context.Context, l pipeline.Lease) (editorial.Dossier, error)
	BeginPublication(ctx context.Context, l pipeline.Lease, p editorial.Publication) (editorial.Publication, error)
	MarkPublication(ctx context.Context, l pipeline.Lease, p editorial.Publication) error
	// MediaFile and KeepMediaFile know a picture's file in the site's library.
	MediaFile(ctx context.Context, l pipeline.Lease, hash string) (editorial.File, bool, error)
	KeepMediaFile(ctx context.Context, l pipeline.Lease, hash string, f editorial.File) error
	// Standing says how things stand with a published article; Supersede puts
	// the Run's Publication in the place of another, both or neither.
	Standing(ctx context.Context, l pipeline.Lease, id int64) (editorial.Standing, error)
	Supersede(ctx context.Context, l pipeline.Lease, p editorial.Publication) error
	// MarkRetracted records that an article is off the site or, with restored,
	// that this version before it is shown again; it returns the time since that
	// was asked for. CheckRestore says whether it would, and changes nothing.
	MarkRetracted(ctx context.Context, l pipeline.Lease, article, restored int64, why string) (time.Duration, error)
	CheckRestore(ctx context.Context, l pipeline.Lease, article, restored int64) error
}

// Files holds the bytes of pictures by their hash.
type Files interface {
	Get(ctx context.Context, hash string) ([]byte, error)
}

// Blog is a site's content system. A write whose answer was lost is
// fault.IsLost.
type Blog interface {
	Check(ctx context.Context) error
	FindPosts(ctx context.Context, marker string) ([]editorial.Post, error)
	Post(ctx context.Context, id int64) (editorial.Post, bool, error)
	Term(ctx context.Context, in editorial.Taxonomy, name string) (int64, error)
	Create(ctx context.Context, p editorial.Post) (editorial.Post, error)
	Update(ctx context.Context, p editorial.Post) (editorial.Post, error)
	SetStatus(ctx context.Context, id int64, s editorial.PostStatus) (editorial.Post, error)
	Trash(ctx context.Context, id int64) error
	Delete(ctx context.Context, id int64) error
	Page(ctx context.Context, address string) (string, error)
	// Visible is Page for an address that may rightly show nothing.
	Visible(ctx context.Context, address string) (string, bool, error)

	SearchFields(ctx context.Context) (editorial.SearchFields, error)
	Clock(ctx context.Context) (editorial.BlogClock, error)

	File(ctx context.Context, id int64) (editorial.File, bool, error)
	FindFiles(ctx context.Context, mark string) ([]editorial.File, error)
	Upload(ctx context.Context, m editorial.Media, data []byte) (editorial.File, error)
	Describe(ctx context.Context, id int64, alt string) (editorial.File, error)
	Bytes(ctx context.Context, address string) ([]byte, error)
}

// Open returns the content system of a site; it is asked anew for each Run.
type Open func(ctx context.Context, site editorial.Site) (Blog, error)

// Stage publishes.
type Stage struct {
	store   Store
	files   Files
	steps   *journal.Journal
	open    Open
	timeout time.Duration
	now     func() time.Time
}

// New returns a Stage that keeps its writes in steps. No write is sent unless
// timeout, the longest it may take, fits into what is left of the lease.
func New(store Store, files Files, steps *journal.Journal, open Open, timeout time.Duration, now func() time.Time) *Stage {
	return &Stage{store: store, files: files, steps: steps, open: open, timeout: timeout, now: now}
}

// Do publishes the Run's approved Draft as a new article, or in the place of
// one, or takes an article back. It is safe to repeat at any point.
func (s *Stage) Do(ctx context.Context, l pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
	d, err := s.store.Dossier(ctx, l)
	if err != nil {
		return editorial.Work{}, pipeline.Outcome{}, err
	}
	retraction := d.Brief.Kind == string(pipeline.KindRetraction)
	if !retraction {
		if err := approved(d); err != nil {
			return editorial.Work{}, pipeline.Outcome{}, fault.NeedsHuman(fmt.Errorf("run %d is not published: %w", l.RunID, err))
		}
	}
	blog, err := s.open(ctx, d.Site)
	if err != nil {
		return editorial.Work{}, pipeline.Outcome{}, fmt.Errorf("open the content system of site %s: %w", d.Site.Slug, err)
	}
	a := &attempt{Stage: s, lease: l, dossier: d, blog: blog, marker: d.Brief.Marker}
	var detail string
	switch {
	case retraction:
		detail, err = a.retract(ctx)
		err = about(fmt.Sprintf("take back article %d", d.Brief.TargetID), loud(l, err))
	case d.Brief.TargetID != 0:
		if detail, err = a.update(ctx); err != nil && last(l, err) {
			err = a.giveUpUpdate(ctx, err)
		}
		err = about(fmt.Sprintf("update article %d with draft %d", d.Brief.TargetID, d.Draft.ID), err)
	default:
		if detail, err = a.publish(ctx); err != nil && last(l, err) {
			err = a.giveUp(ctx, err)
		}
		err = about(fmt.Sprintf("publish draft %d", d.Draft.ID), err)
	}
	return editorial.Work{}, pipeline.Outcome{Detail: detail}, err
}

func about(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// attempt is one try at one Run.
type attempt struct {
	*Stage
	lease   pipeline.Lease
	dossier editorial.Dossier
	blog    Blog
	marker  string
	pub     editorial.Publication
	old     editorial.Edition // what an update replaces
	fields  editorial.SearchFields
	notes   []string
}

func (a *attempt) publish(ctx context.Context) (string, error) {
	if err := a.blog.Check(ctx); err != nil {
		return "", err
	}
	if err := a.surroundings(ctx); err != nil {
		return "", err
	}
	if err := a.begin(ctx, editorial.Standing{}); err != nil {
		return "", err
	}
	if detail, over := a.over(); over {
		return detail, nil
	}
	post, found, err := a.find(ctx)
	if err != nil {
		return "", err
	}
	if a.pub.State == editorial.PublicationPublished {
		return a.verify(ctx, a.standing(*a.dossier.Draft, post))
	}
	want, err := a.want(ctx, *a.dossier.Draft)
	if err != nil {
		return "", err
	}
	if !found {
		if post, err = a.create(ctx, want); err != nil {
			return "", err
		}
	}
	want.ID = post.ID
	if err := a.mark(ctx, editorial.PublicationDraft, post.ID, ""); err != nil {
		return "", err
	}
	if post, err = a.prepare(ctx, post, want); err != nil {
		return "", err
	}
	return a.goPublic(ctx, post, want)
}

// begin commits the intent, so that whoever comes next knows that a post may
// exist, or be changed.
func (a *attempt) begin(ctx context.Context, st editorial.Standing) (err error) {
	draft := a.dossier.Draft
	replaces := st.Target.Publication.ID
	if replaces != 0 && (a.dossier.Publication == nil || a.dossier.Publication.State == editorial.PublicationIntent) {
		if err := mayReplace(st); err != nil {
			return err
		}
	}
	a.pub, err = a.store.BeginPublication(ctx, a.lease, editorial.Publication{
		DraftID: draft.ID, Digest: draft.Digest, Marker: a.marker, State: editorial.PublicationIntent, ReplacesID: replaces,
	})
	if err != nil {
		return err
	}
	if a.pub.DraftID != draft.ID || a.pub.Digest != draft.Digest || a.pub.Marker != a.marker || a.pub.ReplacesID != replaces {
		return fault.NeedsHuman(fmt.Errorf("this run already stands on the site with draft %d: publish the new version in a run of its own", a.pub.DraftID))
	}
	return nil
}

// over says what became of a Publication that was recorded by an earlier
// attempt and has ended since: it is not published again.
func (a *attempt) over() (string, bool) {
	switch a.pub.State {
	case editorial.PublicationSuperseded, editorial.PublicationRetracted:
		return fmt.Sprintf("post %d was published, and %s since", a.pub.PostID, a.pub.State), true
	case editorial.PublicationIntent, editorial.PublicationDraft, editorial.PublicationPublished:
	}
	return "", false
}

func (a *attempt) mark(ctx context.Context, s editorial.PublicationState, post int64, url string) error {
	a.pub.State, a.pub.PostID, a.pub.URL = s, post, url
	return a.store.MarkPublication(ctx, a.lease, a.pub)
}

// prepare makes the draft on the site what was approved, while nobody sees it.
func (a *attempt) prepare(ctx context.Context, post, want editorial.Post) (editorial.Post, error) {
	if post.Status == editorial.PostPublic || len(differences(post, want)) == 0 {
		return post, nil // public already: an earlier attempt came that far
	}
	want.Status = editorial.PostDraft
	err := a.write(ctx, "prepare", want, func(ctx context.Context) error {
		_, err := a.blog.Update(ctx, want)
		return err
	})
	if err != nil {
		return editorial.Post{}, err
	}
	stored, err := a.read(ctx, post.ID)
	if err != nil {
		return editorial.Post{}, err
	}
	if diff := differences(stored, want); len(diff) > 0 {
		return editorial.Post{}, fault.NeedsHuman(fmt.Errorf("the site stores another text than was approved, nothing is public: %w", errors.Join(diff...)))
	}
	return stored, nil
}

// goPublic publishes and proves it. What can't be proved by a machine doesn't
// stay public.
func (a *attempt) goPublic(ctx context.Context, post, want editorial.Post) (string, error) {
	isPublic := post.Status == editorial.PostPublic
	want = a.at(want, post.URL)
	if !isPublic || len(differences(post, want)) > 0 {
		want.Status = editorial.PostPublic
		err := a.write(ctx, "publish", want, func(ctx context.Context) error {
			_, err := a.blog.Update(ctx, want)
			return err
		})
		if err != nil && !fault.IsLost(err) {
			// A site may refuse a change half way through.
			now, readErr := a.read(ctx, post.ID)
			if isPublic || readErr == nil && now.Status == editorial.PostPublic {
				return "", a.withdraw(ctx, post.ID, err)
			}
			return "", err
		}
		if err != nil { // perhaps carried out: look
			now, readErr := a.read(ctx, post.ID)
			if readErr == nil && now.Status != editorial.PostPublic {
				return "", err
			}
		}
	}
	want, err := a.follow(ctx, want)
	if err != nil {
		return "", err
	}
	return a.verify(ctx, want)
}

// follow tells search engines the address that the post was given, where that
// is another one than was to be expected.
func (a *attempt) follow(ctx context.Context, want editorial.Post) (editorial.Post, error) {
	if a.fields.Canonical == "" {
		return want, nil
	}
	stored, err := a.read(ctx, want.ID)
	if fault.KindOf(err) == fault.KindNeedsHuman {
		return want, nil // the proof says what is wrong
	}
	if err != nil || stored.URL == want.Meta[a.fields.Canonical] || !sameSlug(stored.Slug, want.Slug) {
		return want, err
	}
	want = a.at(want, stored.URL)
	return want, a.write(ctx, "canonical", want, func(ctx context.Context) error {
		_, err := a.blog.Update(ctx, want)
		return err
	})
}

// verify compares what is stored and what is shown with what was approved,
// and records the Publication.
func (a *attempt) verify(ctx context.Context, want editorial.Post) (string, error) {
	stored, err := a.proof(ctx, want, *a.dossier.Draft)
	if fault.KindOf(err) == fault.KindRetryable {
		return "", err // the site is slow or down: nothing is known against the text
	}
	if err != nil {
		return "", a.withdraw(ctx, want.ID, err)
	}
	if err := a.mark(ctx, editorial.PublicationPublished, stored.ID, stored.URL); err != nil {
		return "", err
	}
	detail := fmt.Sprintf("post %d at %s", stored.ID, stored.URL)
	if stored.Slug != a.dossier.Draft.Slug {
		detail += fmt.Sprintf(", since the address %q was taken", a.dossier.Draft.Slug)
	}
	return a.told(detail), nil
}

// page reads the public page. Its tries together take no longer than one
// write, since no step extends the lease meanwhile.
func (a *attempt) page(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	return a.blog.Page(ctx, address)
}

func (a *attempt) read(ctx context.Context, id int64) (editorial.Post, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout) // all tries together, or they could outlive the lease
	defer cancel()
	p, ok, err := a.blog.Post(ctx, id)
	if err == nil && !ok {
		err = fault.NeedsHuman(fmt.Errorf("post %d is gone from the site: replay the run if that was a mistake", id))
	}
	return p, err
}

// write makes one write a step of the Run, under a name of this lease's own:
// an answer stored by an earlier attempt says nothing about the site today.
func (a *attempt) write(ctx context.Context, name string, input any, send func(context.Context) error) error {
	raw, err := json.Marshal(input)
	if err != nil {
		return fault.Permanent(err)
	}
	in := journal.Intent{Name: fmt.Sprintf("%s:%d", name, a.lease.Fence), Input: raw, Provider: "wordpress"}
	began := a.now() // the journal extends the lease, from then on at the earliest
	_, err = a.steps.Do(ctx, a.lease, in, func(ctx context.Context) (journal.Receipt, error) {
		if err := a.fits(ctx, began); err != nil {
			return journal.Receipt{}, err
		}
		ctx, cancel := context.WithTimeout(ctx, a.timeout)
		defer cancel()
		return journal.Receipt{Result: json.RawMessage(`{}`)}, send(ctx)
	})
	return err
}

// fits refuses a write that could outlive the lease: it would reach the site
// while another worker is already looking.
func (a *attempt) fits(ctx context.Context, began time.Time) error {
	left := began.Add(a.lease.TTL).Sub(a.now())
	if end, ok := ctx.Deadline(); ok {
		left = min(left, end.Sub(a.now()))
	}
	if left < a.timeout {
		return fault.Retryable(fmt.Errorf("nothing was sent: a write may take %s and only %s are left", a.timeout, left.Round(time.Millisecond)), 0)
	}
	return nil
}
