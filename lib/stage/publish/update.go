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
)

// update puts the Draft in the place of a published article: on its post, at
// its address. The post's status is never touched, so that an article that is
// taken back meanwhile does not become public again.
func (a *attempt) update(ctx context.Context) (string, error) {
	if err := a.blog.Check(ctx); err != nil {
		return "", err
	}
	if err := a.surroundings(ctx); err != nil {
		return "", err
	}
	st, err := a.store.Standing(ctx, a.lease, a.dossier.Brief.TargetID)
	if err != nil {
		return "", err
	}
	if err := a.begin(ctx, st); err != nil {
		return "", err
	}
	if detail, over := a.over(); over {
		return detail, nil
	}
	a.old = st.Target
	if a.pub.State == editorial.PublicationPublished {
		return a.again(ctx)
	}
	post, err := a.target(ctx)
	if err != nil {
		return "", err
	}
	want, err := a.want(ctx, *a.dossier.Draft)
	if err != nil {
		return "", err
	}
	want.ID, want.Slug = post.ID, post.Slug // an article keeps its address
	want = a.at(want, post.URL)
	if len(differences(post, want)) > 0 {
		if err := a.replace(ctx, want); err != nil {
			return "", err
		}
	}
	return a.takeOver(ctx, want)
}

// mayReplace says why the target can't be updated now.
func mayReplace(st editorial.Standing) error {
	t := st.Target.Publication
	switch {
	case t.State != editorial.PublicationPublished && st.Current != nil:
		return fault.NeedsHuman(fmt.Errorf("article %d is %s, and article %d stands in its place: update that one in a run of its own", t.ID, t.State, st.Current.Publication.ID))
	case t.State != editorial.PublicationPublished:
		return fault.NeedsHuman(fmt.Errorf("article %d is %s and can't be updated: publish a new article", t.ID, t.State))
	case st.Retracting != 0:
		return fault.NeedsHuman(fmt.Errorf("article %d is being taken back by run %d and can't be updated", t.ID, st.Retracting))
	case st.Replacing != 0:
		return fault.NotYet(fmt.Errorf("article %d is being updated by run %d", t.ID, st.Replacing), 30*time.Second)
	}
	return nil
}

// target reads the post that is to be updated. One that shows neither the old
// version nor an earlier attempt's new one was changed by hand.
func (a *attempt) target(ctx context.Context) (editorial.Post, error) {
	old := a.old
	id := old.Publication.PostID
	post, there, err := a.blog.Post(ctx, id)
	switch {
	case err != nil:
		return post, err
	case !there:
		return post, fault.NeedsHuman(fmt.Errorf("post %d of article %d is gone: somebody took it off the site", id, old.Publication.ID))
	case post.Status != editorial.PostPublic:
		return post, fault.NeedsHuman(fmt.Errorf("post %d of article %d is %q: somebody took it off the site", id, old.Publication.ID, post.Status))
	case !sameTexts(post, old.Draft) && !strings.Contains(post.Content, a.marker):
		return post, fault.NeedsHuman(fmt.Errorf("post %d of article %d was changed by hand since it was published, and an update would undo that: restore the revision that was published, or retract the article", id, old.Publication.ID))
	}
	return post, nil
}

// replace writes the new version, and returns an error unless it may stand
// there now. A site may refuse a change half way through.
func (a *attempt) replace(ctx context.Context, want editorial.Post) error {
	sendErr := a.write(ctx, "update", want, func(ctx context.Context) error {
		_, err := a.blog.Update(ctx, want)
		return err
	})
	if sendErr == nil {
		return nil
	}
	now, err := a.read(ctx, want.ID)
	switch {
	case err != nil:
		return errors.Join(sendErr, err)
	case fault.IsLost(sendErr) && sameTexts(now, a.old.Draft):
		return sendErr // it was not carried out
	case fault.IsLost(sendErr):
		return nil // it was, as far as can be seen: the proof follows
	case sameTexts(now, a.old.Draft):
		return sendErr // refused before anything was changed: texts come first
	}
	return a.putBack(ctx, sendErr)
}

// takeOver proves the new version and records it; what can't be proved makes
// room for the old one.
func (a *attempt) takeOver(ctx context.Context, want editorial.Post) (string, error) {
	stored, err := a.proof(ctx, want, *a.dossier.Draft)
	if fault.KindOf(err) == fault.KindRetryable {
		return "", err // the site is slow or down: nothing is known against the text
	}
	if err != nil {
		return "", a.putBack(ctx, err)
	}
	a.pub.PostID, a.pub.URL = stored.ID, stored.URL
	err = a.store.Supersede(ctx, a.lease, a.pub)
	if fault.KindOf(err) == fault.KindNeedsHuman {
		return "", a.putBack(ctx, err)
	}
	if err != nil {
		return "", err
	}
	return a.told(fmt.Sprintf("post %d at %s shows the new version", stored.ID, stored.URL)), nil
}

// again looks at a Publication that was recorded: the worker died between that
// and the Run's end.
func (a *attempt) again(ctx context.Context) (string, error) {
	post, err := a.read(ctx, a.pub.PostID)
	if err != nil {
		return "", err
	}
	want := a.standing(*a.dossier.Draft, post)
	want.Slug = post.Slug
	stored, err := a.proof(ctx, want, *a.dossier.Draft)
	if err != nil {
		return "", err
	}
	return a.told(fmt.Sprintf("post %d at %s shows the new version", stored.ID, stored.URL)), nil
}

// putBack lets the post show again what is recorded as published, and returns
// cause with what became of that. Where nothing is, because the article was
// taken back meanwhile, the post is not public.
func (a *attempt) putBack(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 6*a.timeout)
	defer cancel()
	st, err := a.store.Standing(ctx, a.lease, a.dossier.Brief.TargetID)
	if err != nil {
		return fault.NeedsHuman(fmt.Errorf("%w; POST %d MAY SHOW THE NEW VERSION UNPROVED: %w", cause, a.old.Publication.PostID, err))
	}
	id := st.Target.Publication.PostID
	if st.Current == nil {
		if err := a.setBack(ctx, id); err != nil {
			return fault.NeedsHuman(fmt.Errorf("%w; POST %d MAY BE PUBLIC, set it to draft by hand: %w", cause, id, err))
		}
		return fault.NeedsHuman(fmt.Errorf("%w; post %d is not public", cause, id))
	}
	if err := a.show(ctx, id, st.Current.Draft, ""); err != nil {
		if now, readErr := a.read(ctx, id); readErr == nil && fault.KindOf(err) == fault.KindRetryable && sameTexts(now, st.Current.Draft) {
			return fault.NeedsHuman(fmt.Errorf("%w; post %d has the text of the version before again, and its page could not be seen: %w", cause, id, err))
		}
		if off := a.setBack(ctx, id); off != nil {
			return fault.NeedsHuman(fmt.Errorf("%w; POST %d COULD NOT BE PUT BACK AND MAY SHOW EITHER VERSION: %w", cause, id, errors.Join(err, off)))
		}
		return fault.NeedsHuman(fmt.Errorf("%w; the version before could not be put back, and post %d was set to draft, publish its last good revision by hand: %w", cause, id, err))
	}
	return fault.NeedsHuman(fmt.Errorf("%w; post %d shows the version before again", cause, id))
}

// show makes the post show a Draft that was published on it before, and proves
// it. It is safe to repeat.
func (a *attempt) show(ctx context.Context, id int64, d editorial.Draft, status editorial.PostStatus) error {
	want, err := a.want(ctx, d)
	if err != nil {
		return err
	}
	now, err := a.read(ctx, id)
	if err != nil {
		return err
	}
	want.ID, want.Slug, want.Status = id, now.Slug, status
	want = a.at(want, now.URL)
	for try := 1; try <= withdrawals; try++ {
		err = a.write(ctx, fmt.Sprintf("put-back-%d", try), want, func(ctx context.Context) error {
			_, err := a.blog.Update(ctx, want)
			return err
		})
		if !fault.IsLost(err) {
			break
		}
		if now, readErr := a.read(ctx, id); readErr == nil && len(differences(now, want)) == 0 {
			err = nil
			break
		}
	}
	if err != nil {
		return err
	}
	_, err = a.proof(ctx, want, d)
	return err
}

// giveUpUpdate ends an update that was not proved in all its attempts: the post
// shows the version before again, unless it still does.
func (a *attempt) giveUpUpdate(ctx context.Context, cause error) error {
	if a.pub.State != editorial.PublicationIntent {
		return cause // recorded, or nothing was begun
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 6*a.timeout)
	defer cancel()
	now, err := a.read(ctx, a.old.Publication.PostID)
	if err == nil && !strings.Contains(now.Content, a.marker) {
		return cause
	}
	return a.putBack(ctx, cause)
}

// proof reads what is stored and what is shown, and compares both with what is
// wanted.
func (a *attempt) proof(ctx context.Context, want editorial.Post, d editorial.Draft) (editorial.Post, error) {
	stored, err := a.read(ctx, want.ID)
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
		return stored, fault.NeedsHuman(fmt.Errorf("post %d is not what was approved: %w", want.ID, errors.Join(diff...)))
	}
	page, err := a.page(ctx, stored.URL)
	if err != nil {
		return stored, err
	}
	if missing := markup.Missing(page, markup.Plain(d)); len(missing) > 0 {
		return stored, fault.NeedsHuman(fmt.Errorf("the public page %s doesn't show %d of the approved lines, the first of them %.120q: look for a plugin or theme that changes posts as they are shown",
			stored.URL, len(missing), missing[0]))
	}
	return stored, a.canonical(page, stored.URL)
}

// canonical says which address the page names as the article's own, where it is
// another one.
func (a *attempt) canonical(page, address string) error {
	named := markup.Canonical(page, address)
	if len(named) == 0 {
		a.note("the page %s names no canonical address: the theme doesn't call wp_head, or a plugin removes it", address)
	}
	for _, n := range named {
		if n != address {
			return fault.NeedsHuman(fmt.Errorf("the public page %s names %s as its canonical address, so that search engines ignore it: look for a plugin that sets it", address, n))
		}
	}
	return nil
}
