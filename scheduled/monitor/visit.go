package monitor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

// visit is the look at one competitor.
type visit struct {
	*round
	c       editorial.WatchedCompetitor
	began   time.Time
	found   []editorial.PageFinding // not saved yet
	savedAt time.Time
	report  []string
	trouble int // pages in a row that failed for what may pass
}

// errTrouble is for a site that fails page after page.
var errTrouble = errors.New("the site fails page after page")

// visit looks at one competitor, unless this Run has. Its own failure is noted
// and reported; an error is of our rooms, or the end of the time.
func (r *round) visit(ctx context.Context, c editorial.WatchedCompetitor) error {
	if c.CheckedAt != nil && !c.CheckedAt.Before(r.watch.StartedAt) {
		r.mu.Lock()
		r.done++
		r.mu.Unlock()
		return nil
	}
	v := &visit{round: r, c: c, began: r.rooms.Now(), savedAt: r.rooms.Now()}
	err := v.look(ctx)
	if saveErr := v.save(ctx, true); saveErr != nil {
		return saveErr
	}
	var site theirs
	switch {
	case fault.IsBudget(err):
		r.mu.Lock()
		r.budget = fmt.Errorf("read %s: %w", c.Name, err)
		r.mu.Unlock()
		return nil
	case errors.As(err, &site):
		v.note("%v", err)
		r.mu.Lock()
		r.failed[c.Name] = err
		r.mu.Unlock()
		return r.rooms.Store.KeepCompetitor(ctx, r.lease, c.ID, editorial.Validators{}, v.words(), false)
	}
	return err
}

// theirs marks an error as the competitor's, not one of our rooms.
type theirs struct{ error }

func (t theirs) Unwrap() error { return t.error }

func (v *visit) look(ctx context.Context) error {
	if err := v.near(ctx); err != nil {
		return err
	}
	list, err := v.rooms.Fetcher.List(ctx, v.c.Competitor, v.c.Validators)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return theirs{err}
	}
	for _, s := range list.LeftOut {
		v.note("Left out: %s.", s)
	}
	if list.Elsewhere > 0 {
		v.note("%d pages of other sites are not taken: make their sites competitors of their own.", list.Elsewhere)
	}
	tasks := v.choose(list)
	for i, t := range tasks {
		if v.rooms.Now().Sub(v.began) > v.rooms.Patience {
			v.note("%d pages are left for the next look: the site is slow, or asks for long pauses.", len(tasks)-i)
			list.Validators = editorial.Validators{} // or the next look would not hear of them
			break
		}
		if err := v.near(ctx); err != nil {
			return err
		}
		if err := v.page(ctx, t); err != nil {
			return err
		}
	}
	if err := v.save(ctx, true); err != nil {
		return err
	}
	if len(list.LeftOut) > 0 {
		list.Validators = editorial.Validators{} // what is left out may have been a passing trouble
	}
	if err := v.rooms.Store.KeepCompetitor(ctx, v.lease, v.c.ID, list.Validators, v.words(), true); err != nil {
		return err
	}
	v.mu.Lock()
	v.done++
	v.mu.Unlock()
	return nil
}

// near is an error when the attempt's time does not suffice for another page.
func (v *visit) near(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < v.rooms.Reserve {
		return errTime
	}
	return ctx.Err()
}

// page fetches one page and notes what is new of it.
func (v *visit) page(ctx context.Context, t task) error {
	if t.noted {
		v.found = append(v.found, editorial.PageFinding{Page: t.page})
		return v.save(ctx, false)
	}
	found, err := v.fetch(ctx, t)
	if err != nil {
		return err
	}
	v.mu.Lock()
	v.asked++
	v.mu.Unlock()
	f, err := v.judge(ctx, t, found)
	if err != nil {
		return err
	}
	v.found = append(v.found, f)
	if f.Change != nil {
		v.mu.Lock()
		v.counts[f.Change.Kind]++
		v.mu.Unlock()
	}
	if found.Refused != "" {
		v.note("%s: %s", t.page.URL, found.Refused)
	}
	v.trouble++
	if !found.Passing {
		v.trouble = 0
	}
	if v.trouble == failures {
		return theirs{fault.Retryable(errTrouble, 0)}
	}
	return v.save(ctx, false)
}

// fetch gets the page by the competitor's way. A page that is missing from the
// list is only asked whether it is there still, which costs nothing.
func (v *visit) fetch(ctx context.Context, t task) (editorial.FoundPage, error) {
	if v.c.Via == editorial.ViaReader && !t.missing {
		return v.read(ctx, t.page.URL)
	}
	var since editorial.Validators
	if t.page.TextHash != "" && t.page.State != editorial.PageRefused {
		since = editorial.Validators{ETag: t.page.ETag, LastModified: t.page.LastModified}
	}
	found, err := v.rooms.Fetcher.Page(ctx, t.page.URL, since)
	if err == nil && v.c.Via == editorial.ViaReader && !found.Gone {
		return editorial.FoundPage{Unchanged: true}, nil // its text is the reader's to tell
	}
	return found, err
}

// save writes what was found once it is enough, or long ago, and with it a
// sign of life. It does so even when the time is up: it was paid for.
func (v *visit) save(ctx context.Context, all bool) error {
	quiet := v.rooms.Now().Sub(v.savedAt) >= silence
	if len(v.found) == 0 && !quiet || len(v.found) < batch && !quiet && !all {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := v.rooms.Store.KeepPages(ctx, v.lease, v.found); err != nil {
		return err
	}
	v.found, v.savedAt = nil, v.rooms.Now()
	return nil
}

func (v *visit) note(format string, args ...any) {
	v.report = append(v.report, fmt.Sprintf(format, args...))
}

// words is the report, for an editor.
func (v *visit) words() string {
	text := ""
	for i, line := range v.report {
		if len(text)+len(line) > mostReport {
			return text + fmt.Sprintf("\nand %d more", len(v.report)-i)
		}
		text = strings.TrimPrefix(text+"\n"+line, "\n")
	}
	return text
}
