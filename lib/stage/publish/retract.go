package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/markup"
	"blogposter/lib/pipeline"
)

// stillShown is the wait before a page is looked at again that a cache shows
// after its post is off the site.
const stillShown = 30 * time.Second

// retract takes the article of a retraction's Run off its site, or sets its
// post back to the version before. Nothing stands in the way of taking off: a
// version before that may not be shown again, or can't be proved, is not shown.
func (a *attempt) retract(ctx context.Context) (string, error) {
	b := a.dossier.Brief
	st, err := a.store.Standing(ctx, a.lease, b.TargetID)
	if err != nil {
		return "", err
	}
	switch {
	case st.Target.Publication.State == editorial.PublicationRetracted:
		return a.retracted(ctx, st.Target, st.Current, "was taken back before")
	case st.Current == nil:
		return fmt.Sprintf("article %d is not on the site", b.TargetID), nil
	case !b.Restore:
		return a.takeOff(ctx, *st.Current)
	case st.Before == nil:
		a.note("there is no version before it to restore")
		return a.takeOff(ctx, *st.Current)
	}
	return a.restore(ctx, *st.Current, *st.Before)
}

func (a *attempt) takeOff(ctx context.Context, e editorial.Edition) (string, error) {
	id := e.Publication.PostID
	if err := a.ensureOff(ctx, id); err != nil {
		return "", stuck(id, err)
	}
	copies, err := a.blog.FindPosts(ctx, e.Publication.Marker)
	if err != nil {
		return "", err
	}
	for _, p := range copies {
		if p.Status != editorial.PostPublic {
			continue
		}
		if err := a.ensureOff(ctx, p.ID); err != nil {
			return "", stuck(p.ID, err)
		}
	}
	if err := a.gone(ctx, e); err != nil {
		return "", err
	}
	return a.retracted(ctx, e, nil, "is off the site")
}

// stuck says loudly that a post may still be there.
func stuck(id int64, err error) error {
	return fmt.Errorf("POST %d MAY STILL BE PUBLIC, set it to draft by hand: %w", id, err)
}

func (a *attempt) ensureOff(ctx context.Context, id int64) error {
	p, there, err := a.blog.Post(ctx, id)
	if err != nil || !there || p.Status == editorial.PostDraft || p.Status == editorial.PostTrash {
		return err
	}
	if err := a.setBack(ctx, id); err != nil {
		return err
	}
	p, there, err = a.blog.Post(ctx, id)
	if err == nil && there && p.Status == editorial.PostPublic {
		err = fault.NeedsHuman(fmt.Errorf("post %d was set to draft and is public again: look for a plugin that publishes posts", id))
	}
	return err
}

// gone looks at the article's address as anybody does.
func (a *attempt) gone(ctx context.Context, e editorial.Edition) error {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	page, shown, err := a.blog.Visible(ctx, e.Publication.URL)
	if err != nil {
		return fmt.Errorf("post %d is a draft; whether its page is gone could not be seen: %w", e.Publication.PostID, err)
	}
	lines := markup.Plain(e.Draft)
	if shown && (strings.Contains(page, e.Publication.Marker) || len(markup.Missing(page, lines)) < len(lines)/2) {
		return fault.Retryable(fmt.Errorf("post %d is a draft, and %s still shows the article: empty the cache in front of the site", e.Publication.PostID, e.Publication.URL), stillShown)
	}
	return nil
}

// restore sets the post back to the version before e.
func (a *attempt) restore(ctx context.Context, e, before editorial.Edition) (string, error) {
	err := a.store.CheckRestore(ctx, a.lease, e.Publication.ID, before.Publication.ID)
	if err == nil {
		// What search engines were told is less than the text: it holds up nothing.
		if err := a.surroundings(ctx); fault.KindOf(err) == fault.KindNeedsHuman {
			a.note("fields for search engines were left alone: %v", err)
		}
		err = a.show(ctx, e.Publication.PostID, before.Draft, editorial.PostPublic)
	}
	switch {
	case err == nil:
		return a.retracted(ctx, e, &before, "was taken back, and the version before it is shown again")
	case fault.KindOf(err) == fault.KindRetryable && !last(a.lease, err):
		return "", err
	}
	a.note("the version before could not be restored: %v", err)
	return a.takeOff(ctx, e)
}

// retracted records what was confirmed, with the time that it took.
func (a *attempt) retracted(ctx context.Context, e editorial.Edition, restored *editorial.Edition, how string) (string, error) {
	var version int64
	if restored != nil {
		version = restored.Publication.ID
	}
	took, err := a.store.MarkRetracted(ctx, a.lease, e.Publication.ID, version, a.dossier.Brief.Reason)
	if err != nil {
		return "", err
	}
	return a.told(fmt.Sprintf("article %d, post %d, %s: confirmed %s after it was asked for", e.Publication.ID, e.Publication.PostID, how, took.Round(time.Millisecond))), nil
}

// loud turns what would end a retraction into a person's task: the article may
// still be read by everybody.
func loud(l pipeline.Lease, err error) error {
	if err == nil || fault.KindOf(err) == fault.KindNeedsHuman || !last(l, err) {
		return err
	}
	return fault.NeedsHuman(errors.Join(errors.New("THE ARTICLE MAY STILL BE PUBLIC: take it off by hand, or ask for the retraction again"), err))
}
