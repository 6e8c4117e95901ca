package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/view"
)

// What the API shows is gathered as JSON by one statement, whose field names
// are those of lib/view. r is the run, d a draft.
const (
	runObject = `jsonb_build_object('id', r.id, 'kind', r.kind, 'topic', coalesce(r.topic, ''), 'stage', r.stage, 'state', r.state, 'waiting_for', coalesce(r.waiting, ''),
		'attempt', r.attempt, 'why', coalesce(r.error, ''), 'not_before', r.not_before, 'publish_at', r.publish_at, 'created_by', r.created_by,
		'created_at', r.created_at, 'updated_at', r.updated_at, 'finished_at', r.finished_at)`

	costObject = `(SELECT jsonb_build_object('spent', g.spent_micros, 'unknown', g.unknown_micros, 'reserved', g.reserved_micros, 'limit', g.limit_micros)
		FROM blogposter.budgets g WHERE g.run_id = r.id)`

	decisionObject = `(SELECT jsonb_build_object('id', z.id, 'draft_id', z.draft_id, 'verb', z.verb, 'digest', z.digest, 'reviewer', z.reviewer,
		'comment', z.comment, 'decided_at', z.decided_at) FROM blogposter.decisions z WHERE z.draft_id = d.id)`

	// runAndDraft is the run $1 of the site and its latest draft, if it has
	// one. Like every statement of this file it names the site itself: row-level
	// security is the second guard, and a login that bypasses it must not be
	// shown another site's rows.
	runAndDraft = ` FROM blogposter.runs r
		LEFT JOIN LATERAL (SELECT * FROM blogposter.drafts v WHERE v.run_id = r.id ORDER BY v.version DESC LIMIT 1) d ON true
		WHERE r.id = $1 AND r.site_id = blogposter.current_site()`
)

const runQuery = `
SELECT ` + runObject + ` || jsonb_build_object('urls', r.urls, 'cost', ` + costObject + `,
  'sources', (SELECT coalesce(jsonb_agg(jsonb_build_object('url', u.url, 'title', coalesce(n.title, ''), 'tier', coalesce(n.tier, ''),
      'text_hash', coalesce(n.text_hash, ''), 'fetched_at', n.fetched_at, 'refused', coalesce(u.refused, '')) ORDER BY u.url), '[]')
    FROM blogposter.run_sources u LEFT JOIN blogposter.snapshots n ON n.id = u.snapshot_id WHERE u.run_id = r.id),
  'drafts', (SELECT coalesce(jsonb_agg(jsonb_build_object('version', v.version, 'title', v.title, 'digest', v.digest, 'created_at', v.created_at,
      'checked_at', v.checked_at) ORDER BY v.version), '[]') FROM blogposter.drafts v WHERE v.run_id = r.id),
  'attempts', (SELECT coalesce(jsonb_agg(jsonb_build_object('stage', a.stage, 'attempt', a.attempt, 'started_at', a.started_at,
      'finished_at', a.finished_at, 'result', coalesce(a.result, ''), 'error', coalesce(a.error, ''), 'error_kind', coalesce(a.error_kind, ''))
      ORDER BY a.fence), '[]') FROM blogposter.attempts a WHERE a.run_id = r.id),
  'events', (SELECT coalesce(jsonb_agg(jsonb_build_object('at', e.at, 'kind', e.kind, 'stage', e.stage, 'state', e.state,
      'attempt', e.attempt, 'detail', e.detail) ORDER BY e.id), '[]') FROM blogposter.events e WHERE e.run_id = r.id),
  'decision', ` + decisionObject + `,
  'publication', (SELECT jsonb_build_object('state', p.state, 'url', p.url, 'published_at', p.published_at)
    FROM blogposter.publications p WHERE p.run_id = r.id))` + runAndDraft

// Run returns all there is to say about a Run of the site.
func (s *Store) Run(ctx context.Context, site string, id int64) (view.Detail, error) {
	var d view.Detail
	err := s.onSite(ctx, site, func(b *pgx.Batch) { b.Queue(runQuery, id).QueryRow(object(&d)) })
	if err != nil {
		return view.Detail{}, fmt.Errorf("show run %d: %w", id, err)
	}
	return d, nil
}

// Runs lists the site's newest Runs, one more than the page holds when there
// are more.
func (s *Store) Runs(ctx context.Context, site string, p view.Page) ([]view.Run, error) {
	const q = `
		SELECT coalesce(jsonb_agg(x.o ORDER BY x.id DESC), '[]') FROM (
			SELECT r.id, ` + runObject + ` AS o FROM blogposter.runs r
			WHERE r.site_id = blogposter.current_site() AND ($1::bigint = 0 OR r.id < $1::bigint)
			  AND ($2 = '' OR r.stage = $2) AND ($3 = '' OR r.state = $3) AND ($5 = '' OR r.kind = $5)
			ORDER BY r.id DESC LIMIT $4) x`
	var found []view.Run
	err := s.onSite(ctx, site, func(b *pgx.Batch) {
		b.Queue(q, p.After, string(p.Stage), string(p.State), p.Limit+1, string(p.Kind)).QueryRow(object(&found))
	})
	if err != nil {
		return nil, fmt.Errorf("list runs of %s: %w", site, err)
	}
	return found, nil
}

func random() []byte {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return b
}

// earlierObject is the run that was made under the key $1.
const earlierObject = `(SELECT jsonb_build_object('run', ` + runObject + `, 'request', r.request_hash)
	FROM blogposter.runs r WHERE r.site_id = blogposter.current_site() AND r.idempotency_key = $1)`

// Intake returns what a request for a Run is checked against: the site's
// sources, article budget, time zone and schedule, the times that live Runs
// have taken, and the Run that was made under the same key.
func (s *Store) Intake(ctx context.Context, site, key string) (view.Intake, error) {
	const q = `
		SELECT jsonb_build_object('site', jsonb_build_object('id', s.id, 'slug', s.slug, 'article_budget', s.article_budget_micros,
			'time_zone', s.time_zone, 'schedule', s.schedule,
			'sources', (SELECT coalesce(jsonb_agg(jsonb_build_object('prefix', o.prefix, 'tier', o.tier, 'start', o.start) ORDER BY o.prefix), '[]')
				FROM blogposter.sources o WHERE o.site_id = s.id)),
			'taken', (SELECT coalesce(jsonb_agg(o.publish_at), '[]') FROM blogposter.runs o WHERE o.site_id = s.id AND ` + takesItsTime + ` AND o.publish_at > now()),
			'earlier', ` + earlierObject + `)
		FROM blogposter.sites s WHERE s.id = blogposter.current_site()`
	var in view.Intake
	err := s.onSite(ctx, site, func(b *pgx.Batch) { b.Queue(q, key).QueryRow(object(&in)) })
	if err != nil {
		return view.Intake{}, fmt.Errorf("look up site %s: %w", site, err)
	}
	return in, nil
}

// takesItsTime holds for a run o that nobody else should be published with.
const takesItsTime = `o.publish_at IS NOT NULL AND o.state IN ('ready', 'running', 'waiting')`

// slotTaken holds when a live run of the site has the slot $1.
const slotTaken = `EXISTS (SELECT FROM blogposter.runs o WHERE o.site_id = blogposter.current_site() AND o.publish_at = $1 AND ` + takesItsTime + `)`

// AddRun adds a Run with its budget and its first event, all in one
// transaction. Under a key that was used it adds nothing and returns the
// earlier Run, with false: of two requests at once, the second waits for the
// first one's commit. A slot of the schedule that another Run took meanwhile
// is view.ErrSlotTaken.
func (s *Store) AddRun(ctx context.Context, site string, r view.NewRun) (view.Earlier, bool, error) {
	const add = `
		WITH added AS (
			INSERT INTO blogposter.runs (site_id, topic, urls, publish_at, created_by, idempotency_key, request_hash, pins, stage, state, target_id, marker)
			SELECT s.id, coalesce(t.title, nullif($1, '')), $2, $3, $4, nullif($5, ''), CASE WHEN $5 <> '' THEN $6 END, $7::jsonb,
			       CASE WHEN $1 = '' AND t.id IS NULL THEN 'topic' ELSE 'draft' END, 'ready', nullif($9::bigint, 0), $11
			FROM blogposter.sites s LEFT JOIN blogposter.topics t ON t.site_id = s.id AND t.id = $10
			WHERE s.id = blogposter.current_site() AND ($10::bigint = 0 OR t.id IS NOT NULL) AND NOT ($12 AND EXISTS (
				SELECT FROM blogposter.runs o WHERE o.site_id = s.id AND o.publish_at = $3 AND ` + takesItsTime + `))
			ON CONFLICT (site_id, idempotency_key) DO NOTHING
			RETURNING *
		), budget AS (
			INSERT INTO blogposter.budgets (site_id, scope, run_id, limit_micros)
			SELECT r.site_id, 'article', r.id, least(nullif($8::bigint, 0), s.article_budget_micros)
			FROM added r JOIN blogposter.sites s ON s.id = r.site_id
		), event AS (
			INSERT INTO blogposter.events (run_id, site_id, kind, stage, state, attempt, detail)
			SELECT r.id, r.site_id, 'created', r.stage, r.state, 0, r.created_by FROM added r
		)
		SELECT coalesce((SELECT jsonb_build_object('run', ` + runObject + `, 'request', coalesce(r.request_hash, '')) FROM added r), 'null')`
	// Drawn here, so that the next statement finds the run that this one added.
	marker := "bp-" + hex.EncodeToString(random())
	var added, earlier *view.Earlier
	var taken bool
	err := s.onSite(ctx, site, func(b *pgx.Batch) {
		if r.Slot { // one after the other, until the transaction ends: two at once would both find it free
			b.Queue(`SELECT pg_advisory_xact_lock(hashtextextended('slots of a site', blogposter.current_site()))`)
		}
		b.Queue(add, r.Topic, nonNil(r.URLs), r.PublishAt, r.By, r.Key, r.Request, list(r.Pins), int64(r.MaxCost), r.TargetID, r.TopicID, marker, r.Slot).QueryRow(object(&added))
		if r.Slot {
			b.Queue(`SELECT `+slotTaken, r.PublishAt).QueryRow(func(row pgx.Row) error { return row.Scan(&taken) })
		}
		if r.TopicID != 0 {
			b.Queue(`SELECT blogposter.take_topic(r.id, $1) FROM blogposter.runs r WHERE r.site_id = blogposter.current_site() AND r.marker = $2`, r.TopicID, marker)
		}
		b.Queue(`SELECT coalesce(`+earlierObject+`, 'null')`, r.Key).QueryRow(object(&earlier))
	})
	switch {
	case err != nil:
		return view.Earlier{}, false, fmt.Errorf("add a run to %s: %w", site, err)
	case added != nil:
		return *added, true, nil
	case earlier != nil:
		return *earlier, false, nil
	case taken:
		return view.Earlier{}, false, fmt.Errorf("add a run to %s at %s: %w", site, r.PublishAt.UTC().Format(time.RFC3339), view.ErrSlotTaken)
	}
	return view.Earlier{}, false, fmt.Errorf("add a run to %s: %w", site, view.ErrNotFound)
}
