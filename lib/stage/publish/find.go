package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

// find looks for the Run's post. Where two attempts raced there are several:
// the lowest id is kept, by every attempt alike, and the rest go to the trash,
// where a person finds what was perhaps theirs.
func (a *attempt) find(ctx context.Context) (editorial.Post, bool, error) {
	posts, err := a.blog.FindPosts(ctx, a.marker)
	if err != nil {
		return editorial.Post{}, false, err
	}
	if len(posts) == 0 {
		return editorial.Post{}, false, a.lost(ctx)
	}
	slices.SortFunc(posts, func(x, y editorial.Post) int { return int(x.ID - y.ID) })
	kept := posts[0]
	for _, p := range posts[1:] {
		if p.Status != editorial.PostDraft {
			return editorial.Post{}, false, fault.NeedsHuman(fmt.Errorf("posts %d and %d both carry this article, and %d is %q: keep the first and remove the other by hand", kept.ID, p.ID, p.ID, p.Status))
		}
		err := a.write(ctx, fmt.Sprintf("trash:%d", p.ID), p.ID, func(ctx context.Context) error { return a.blog.Trash(ctx, p.ID) })
		if err != nil {
			return editorial.Post{}, false, err
		}
	}
	return kept, true, nil
}

// lost says what became of a post that is known by its id and not found by its
// marker; nil when a new one may be made.
func (a *attempt) lost(ctx context.Context) error {
	id, wasPublic := a.pub.PostID, a.pub.State == editorial.PublicationPublished
	if id == 0 {
		return nil
	}
	p, there, err := a.blog.Post(ctx, id)
	switch {
	case err != nil:
		return err
	case !there && !wasPublic:
		return nil // removed by a stage that gave up
	case !there:
		return fault.NeedsHuman(fmt.Errorf("post %d was published and is gone: somebody took it off the site", id))
	case p.Status == editorial.PostTrash:
		return fault.NeedsHuman(fmt.Errorf("post %d lies in the site's trash: restore it, or delete it for good, and try again", id))
	default:
		return fault.NeedsHuman(fmt.Errorf("post %d no longer carries the class %s: restore its last revision, or delete it for good, and try again", id, a.marker))
	}
}

// create makes the post as a draft and looks which one there is now: the
// answer may be lost, and another attempt may have been quicker.
func (a *attempt) create(ctx context.Context, want editorial.Post) (editorial.Post, error) {
	want.Status = editorial.PostDraft
	createErr := a.write(ctx, "create", want, func(ctx context.Context) error {
		_, err := a.blog.Create(ctx, want)
		return err
	})
	if createErr != nil && !fault.IsLost(createErr) {
		return editorial.Post{}, createErr
	}
	post, found, err := a.find(ctx)
	switch {
	case err != nil:
		return editorial.Post{}, err
	case found:
		return post, nil
	case createErr != nil:
		return editorial.Post{}, createErr // the next attempt looks again before it creates
	}
	return editorial.Post{}, fault.NeedsHuman(fmt.Errorf("a post was created and can't be found by its class %s: look in the site's drafts for a plugin that changes the text, or a search that doesn't work", a.marker))
}

// withdrawals is how often a post is set back to draft while the answers are
// lost: setting it again changes nothing more.
const withdrawals = 3

// withdraw takes the post off the site, and says so.
func (a *attempt) withdraw(ctx context.Context, id int64, cause error) error {
	// The attempt's time may be up; what is wrong must not stay public for it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 4*a.timeout)
	defer cancel()
	err := a.setBack(ctx, id)
	if err == nil && a.pub.State == editorial.PublicationPublished {
		err = a.mark(ctx, editorial.PublicationDraft, id, "")
	}
	if err != nil {
		return fault.NeedsHuman(fmt.Errorf("%w; POST %d MAY STILL BE PUBLIC, set it to draft by hand: %w", cause, id, err))
	}
	return fault.NeedsHuman(fmt.Errorf("%w; post %d was set back to draft", cause, id))
}

// setBack makes the post a draft. An answer that was lost says nothing: the
// post is looked at, and set again unless it is off the site.
func (a *attempt) setBack(ctx context.Context, id int64) error {
	for try := 1; ; try++ {
		err := a.write(ctx, fmt.Sprintf("withdraw-%d", try), id, func(ctx context.Context) error {
			_, err := a.blog.SetStatus(ctx, id, editorial.PostDraft)
			return err
		})
		if !fault.IsLost(err) {
			return err
		}
		p, there, lookErr := a.blog.Post(ctx, id)
		if lookErr == nil && (!there || p.Status == editorial.PostDraft || p.Status == editorial.PostTrash) {
			return nil
		}
		if try == withdrawals || ctx.Err() != nil {
			return errors.Join(err, lookErr)
		}
	}
}

// giveUp removes what a failed Run would leave behind: a draft for good, since
// its text is kept here; a public post whose proof never succeeded becomes a
// draft.
func (a *attempt) giveUp(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 4*a.timeout)
	defer cancel()
	posts, err := a.blog.FindPosts(ctx, a.marker)
	if err != nil {
		return fmt.Errorf("%w; what it left on the site could not be looked up: %w", cause, err)
	}
	for _, p := range posts {
		switch p.Status {
		case editorial.PostPublic:
			cause = a.withdraw(ctx, p.ID, cause)
		case editorial.PostDraft:
			err := a.write(ctx, fmt.Sprintf("remove:%d", p.ID), p.ID, func(ctx context.Context) error { return a.blog.Delete(ctx, p.ID) })
			if err != nil {
				cause = fmt.Errorf("%w; its draft, post %d, could not be removed: %w", cause, p.ID, err)
			}
		case editorial.PostTrash:
		default: // in a person's hands
		}
	}
	return cause
}
