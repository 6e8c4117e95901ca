package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

// Updatable returns the article if a Run may update it: it is published on the
// site. Else it is view.ErrNotFound.
func (s *Store) Updatable(ctx context.Context, site string, id int64) (view.Updatable, error) {
	const q = `
		SELECT jsonb_build_object('id', p.id, 'run_id', p.run_id, 'title', d.title, 'url', p.url, 'published_at', p.published_at)
		FROM blogposter.publications p JOIN blogposter.drafts d ON d.id = p.draft_id
		WHERE p.id = $1 AND p.site_id = blogposter.current_site() AND p.state = 'published'`
	var u view.Updatable
	err := s.onSite(ctx, site, func(b *pgx.Batch) { b.Queue(q, id).QueryRow(object(&u)) })
	if err != nil {
		return view.Updatable{}, fmt.Errorf("look up article %d: %w", id, err)
	}
	return u, nil
}

// retraction is the live or finished Run that takes the article $1 back.
const retraction = ` FROM blogposter.runs r WHERE r.site_id = blogposter.current_site() AND r.kind = 'retraction' AND r.target_id = $1
	AND r.state IN ('ready', 'running', 'waiting', 'done')`

// addRetraction adds the Run and its first event, once for an article. It is
// due before anything that waits to be published.
const addRetraction = `
WITH added AS (
	INSERT INTO blogposter.runs (site_id, topic, created_by, pins, stage, state, kind, target_id, reason, restore, not_before)
	SELECT p.site_id, rpad(left(d.title, 200), greatest(3, least(200, char_length(d.title))), '.'), $2, o.pins, 'publish', 'ready', 'retraction', p.id, $3, $4, now() - interval '1 day'
	FROM blogposter.publications p JOIN blogposter.drafts d ON d.id = p.draft_id JOIN blogposter.runs o ON o.id = p.run_id
	WHERE p.id = $1 AND p.site_id = blogposter.current_site() AND p.state = 'published' AND (NOT $4 OR EXISTS (` + versionBefore + `))
	  AND NOT EXISTS (SELECT` + retraction + `)
	RETURNING *
), event AS (
	INSERT INTO blogposter.events (run_id, site_id, kind, stage, state, attempt, detail)
	SELECT id, site_id, 'created', stage, state, 0, concat_ws(': ', 'asked for by ' || $2, $3) FROM added
)
SELECT count(*) FROM added`

// versionBefore is what the publication p replaced.
const versionBefore = `SELECT FROM blogposter.publications b WHERE b.id = p.replaces_id AND b.site_id = p.site_id AND b.state = 'superseded'`

const wakeRetraction = `
WITH woken AS (
	UPDATE blogposter.runs u SET state = 'ready', waiting = NULL, error = NULL, error_kind = NULL, attempt = 0, lost_leases = 0,
		not_before = now() - interval '1 day', updated_at = now()
	FROM (SELECT r.id` + retraction + ` AND r.state = 'waiting') w WHERE u.id = w.id
	RETURNING u.id, u.site_id, u.stage, u.state
), event AS (
	INSERT INTO blogposter.events (run_id, site_id, kind, stage, state, attempt, detail)
	SELECT id, site_id, 'decided', stage, state, 0, 'asked for again by ' || $2 FROM woken
)
SELECT count(*) FROM woken`

// Retract adds a Run that takes a published article off its site, or, with
// r.Restore, sets its post back to the version before. Asked again it returns
// the same Run, and one that waits for a person is tried again. What can't be
// taken back is a *view.NotRetractable.
func (s *Store) Retract(ctx context.Context, site string, r view.Retraction) (view.Retracting, error) {
	const now = `SELECT coalesce((SELECT jsonb_build_object('run', ` + runObject + `, 'restore', r.restore)` + retraction + `), 'null')`
	const stands = `
		SELECT jsonb_build_object('article_id', p.id, 'state', p.state, 'has_before', EXISTS (` + versionBefore + `), 'current', coalesce((
			SELECT c.id FROM blogposter.publications c WHERE c.site_id = p.site_id AND c.post_id = p.post_id AND c.state = 'published'), 0))
		FROM blogposter.publications p WHERE p.id = $1 AND p.site_id = blogposter.current_site()`
	var run *view.Retracting
	var why view.NotRetractable
	var added, woken int64
	err := s.onSite(ctx, site, func(b *pgx.Batch) {
		// Of two requests at once the second waits here, and then sees the first one's run.
		b.Queue(`SELECT FROM blogposter.publications WHERE id = $1 AND site_id = blogposter.current_site() FOR UPDATE`, r.ArticleID)
		b.Queue(addRetraction, r.ArticleID, r.By, r.Reason, r.Restore).QueryRow(scan(&added))
		b.Queue(wakeRetraction, r.ArticleID, r.By).QueryRow(scan(&woken))
		b.Queue(stands, r.ArticleID).QueryRow(object(&why))
		b.Queue(now, r.ArticleID).QueryRow(object(&run))
	})
	switch {
	case err != nil:
		return view.Retracting{}, fmt.Errorf("retract article %d: %w", r.ArticleID, err)
	case run == nil:
		return view.Retracting{}, fmt.Errorf("retract article %d: %w", r.ArticleID, &why)
	}
	run.New, run.Woken = added == 1, woken == 1
	return *run, nil
}

// standingQuery is the article $2, what stands on its post now, and what that
// replaced. $1 is the run that asks.
const standingQuery = `
SELECT jsonb_build_object('target', jsonb_build_object('publication', ` + publicationObject + `, 'draft', ` + draftObject + `),
	'current', (SELECT jsonb_build_object('publication', ` + publicationObject + `, 'draft', ` + draftObject + `)
		FROM blogposter.publications p JOIN blogposter.drafts d ON d.id = p.draft_id WHERE p.id = c.id),
	'before', (SELECT jsonb_build_object('publication', ` + publicationObject + `, 'draft', ` + draftObject + `)
		FROM blogposter.publications p JOIN blogposter.drafts d ON d.id = p.draft_id WHERE p.id = c.replaces_id AND p.state = 'superseded'),
	'replacing', coalesce((SELECT o.run_id` + busyWith + ` LIMIT 1), 0),
	'retracting', coalesce((SELECT w.id FROM blogposter.runs w WHERE w.site_id = t.site_id AND w.kind = 'retraction' AND w.target_id = t.id
		AND w.id <> $1 AND w.state IN ('ready', 'running', 'waiting') LIMIT 1), 0))
FROM blogposter.publications t JOIN blogposter.publications p ON p.id = t.id JOIN blogposter.drafts d ON d.id = t.draft_id
LEFT JOIN blogposter.publications c ON c.site_id = t.site_id AND c.post_id = t.post_id AND c.state = 'published'
WHERE t.id = $2 AND t.site_id = blogposter.current_site()`

// Standing says how things stand with an article of the leased Run's site.
func (s *Store) Standing(ctx context.Context, l pipeline.Lease, id int64) (editorial.Standing, error) {
	var st editorial.Standing
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) { b.Queue(standingQuery, l.RunID, id).QueryRow(object(&st)) })
	if err != nil {
		return editorial.Standing{}, fmt.Errorf("look up article %d: %w", id, err)
	}
	return st, nil
}

var errRehearsed = errors.New("rehearsed")

// CheckRestore says whether MarkRetracted would let the version restored stand
// for the article again: nil, or why not. It changes nothing.
func (s *Store) CheckRestore(ctx context.Context, l pipeline.Lease, article, restored int64) error {
	err := s.inTx(ctx, func(tx *Store) error {
		if _, err := tx.markRetracted(ctx, l, article, restored, "rehearsed"); err != nil {
			return err
		}
		return errRehearsed
	})
	if errors.Is(err, errRehearsed) {
		return nil
	}
	return err
}

// MarkRetracted records that the article is off its site, or, with restored,
// that the version before it stands on its post again, which takes the gate of
// any publication. It returns the time from the request to this record, on the
// database's clock. Repeated, it says the same.
func (s *Store) MarkRetracted(ctx context.Context, l pipeline.Lease, article, restored int64, why string) (took time.Duration, err error) {
	err = s.inTx(ctx, func(tx *Store) (err error) {
		took, err = tx.markRetracted(ctx, l, article, restored, why)
		return err
	})
	return took, err
}

func (s *Store) markRetracted(ctx context.Context, l pipeline.Lease, article, restored int64, why string) (time.Duration, error) {
	var seconds *float64
	var back int64
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		holdLease(b, l)
		b.Queue(`UPDATE blogposter.publications SET state = 'retracted', ended_at = clock_timestamp(), ended_why = $2
			WHERE id = $1 AND state = 'published'`, article, why)
		b.Queue(`UPDATE blogposter.publications SET state = 'published', ended_at = NULL, ended_why = '' WHERE id = $1 AND state = 'superseded'`, restored)
		b.Queue(`SELECT count(*) FROM blogposter.publications WHERE id = $1 AND state = 'published'`, restored).QueryRow(scan(&back))
		b.Queue(`SELECT (SELECT extract(epoch FROM p.ended_at - r.created_at)::float8 FROM blogposter.publications p, blogposter.runs r
			WHERE p.id = $1 AND p.state = 'retracted' AND r.id = $2)`, article, l.RunID).QueryRow(scan(&seconds))
	})
	switch {
	case err != nil:
		return 0, fmt.Errorf("mark article %d retracted: %w", article, err)
	case seconds == nil || restored != 0 && back != 1:
		return 0, fault.NeedsHuman(fmt.Errorf("mark article %d retracted: it, or version %d before it, is not what it was", article, restored))
	}
	return time.Duration(*seconds * float64(time.Second)), nil
}
