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
	"blogposter/lib/markup"
	"blogposter/lib/pipeline"
)

// Store is what this stage needs from the store.
type Store interface {
	Dossier(ctx context.Context, l pipeline.Lease) (editorial.Dossier, error)
	BeginPublication(ctx context.Context, l pipeline.Lease, p editorial.Publication) (editorial.Publication, error)
	MarkPublication(ctx context.Context, l pipeline.Lease, p editorial.Publication) error
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
}

// Stage publishes.
type Stage struct {
	store   Store
	steps   *journal.Journal
	open    func(context.Context, editorial.Site) (Blog, error)
	timeout time.Duration
	now     func() time.Time
}

// New returns a Stage that keeps its writes in steps. open returns the content
// system of a site, and is asked anew for each Run. No write is sent unless timeout, the longest it may take,
// fits into what is left of the lease.
func New(store Store, steps *journal.Journal, open func(context.Context, editorial.Site) (Blog, error), timeout time.Duration, now func() time.Time) *Stage {
	return &Stage{store: store, steps: steps, open: open, timeout: timeout, now: now}
}

// Do publishes the Run's approved Draft, or finds that it is published. It is
// safe to repeat at any point.
func (s *Stage) Do(ctx context.Context, l pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
	d, err := s.store.Dossier(ctx, l)
	if err != nil {
		return editorial.Work{}, pipeline.Outcome{}, err
	}
	if err := approved(d); err != nil {
		return editorial.Work{}, pipeline.Outcome{}, fault.NeedsHuman(fmt.Errorf("run %d is not published: %w", l.RunID, err))
	}
	blog, err := s.open(ctx, d.Site)
	if err != nil {
		return editorial.Work{}, pipeline.Outcome{}, fmt.Errorf("open the content system of site %s: %w", d.Site.Slug, err)
	}
	a := &attempt{Stage: s, lease: l, dossier: d, blog: blog, marker: d.Brief.Marker}
	detail, err := a.publish(ctx)
	if err != nil && last(l, err) {
		err = a.giveUp(ctx, err)
	}
	if err != nil {
		return editorial.Work{}, pipeline.Outcome{}, fmt.Errorf("publish draft %d: %w", d.Draft.ID, err)
	}
	return editorial.Work{}, pipeline.Outcome{Detail: detail}, nil
}

// attempt is one try at one Run.
type attempt struct {
	*Stage
	lease   pipeline.Lease
	dossier editorial.Dossier
	blog    Blog
	marker  string
	pub     editorial.Publication
}

func (a *attempt) publish(ctx context.Context) (string, error) {
	if err := a.blog.Check(ctx); err != nil {
		return "", err
	}
	if err := a.begin(ctx); err != nil {
		return "", err
	}
	post, found, err := a.find(ctx)
	if err != nil {
		return "", err
	}
	if a.pub.State == editorial.PublicationPublished {
		return a.verify(ctx, post, a.wanted(post.Categories, post.Tags))
	}
	want, err := a.want(ctx)
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
// exist.
func (a *attempt) begin(ctx context.Context) (err error) {
	draft := a.dossier.Draft
	a.pub, err = a.store.BeginPublication(ctx, a.lease, editorial.Publication{
		DraftID: draft.ID, Digest: draft.Digest, Marker: a.marker, State: editorial.PublicationIntent,
	})
	if err != nil {
		return err
	}
	if a.pub.DraftID != draft.ID || a.pub.Digest != draft.Digest || a.pub.Marker != a.marker {
		return fault.NeedsHuman(fmt.Errorf("this run already stands on the site with draft %d: publish the new version in a run of its own", a.pub.DraftID))
	}
	return nil
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
	if !isPublic || len(differences(post, want)) > 0 {
		want.Status = editorial.PostPublic
		err := a.write(ctx, "publish", want, func(ctx context.Context) error {
			_, err := a.blog.Update(ctx, want)
			return err
		})
		if err != nil && !fault.IsLost(err) {
			if isPublic {
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
	return a.verify(ctx, post, want)
}

// verify compares what is stored and what is shown with what was approved,
// and records the Publication.
func (a *attempt) verify(ctx context.Context, post, want editorial.Post) (string, error) {
	stored, err := a.proof(ctx, post.ID, want)
	if fault.KindOf(err) == fault.KindRetryable {
		return "", err // the site is slow or down: nothing is known against the text
	}
	if err != nil {
		return "", a.withdraw(ctx, post.ID, err)
	}
	if err := a.mark(ctx, editorial.PublicationPublished, stored.ID, stored.URL); err != nil {
		return "", err
	}
	detail := fmt.Sprintf("post %d at %s", stored.ID, stored.URL)
	if stored.Slug != want.Slug {
		detail += fmt.Sprintf(", since the address %q was taken", want.Slug)
	}
	return detail, nil
}

func (a *attempt) proof(ctx context.Context, id int64, want editorial.Post) (editorial.Post, error) {
	stored, err := a.read(ctx, id)
	if err != nil {
		return stored, err
	}
	diff := differences(stored, want)
	if stored.Status != editorial.PostPublic {
		diff = append(diff, fmt.Errorf("its status is %q", stored.Status))
	}
	if !ownAddress(a.dossier.Site, stored.URL) {
		diff = append(diff, fmt.Errorf("its address %s is not on the site", stored.URL))
	}
	if len(diff) > 0 {
		return stored, fault.NeedsHuman(fmt.Errorf("post %d is not what was approved: %w", id, errors.Join(diff...)))
	}
	page, err := a.page(ctx, stored.URL)
	if err != nil {
		return stored, err
	}
	if missing := markup.Missing(page, markup.Plain(*a.dossier.Draft)); len(missing) > 0 {
		return stored, fault.NeedsHuman(fmt.Errorf("the public page %s doesn't show %d of the approved lines, the first of them %.120q: look for a plugin or theme that changes posts as they are shown",
			stored.URL, len(missing), missing[0]))
	}
	return stored, nil
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
