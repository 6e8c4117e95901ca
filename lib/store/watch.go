package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

// pageObject is a watched page w as editorial.WatchedPage.
const pageObject = `jsonb_build_object('id', w.id, 'competitor_id', w.competitor_id, 'url', w.url, 'title', w.title, 'state', w.state,
	'refused', w.refused, 'text_hash', coalesce(w.text_hash, ''), 'text_bytes', w.text_bytes, 'words', w.words,
	'shingles', replace(encode(w.shingles, 'base64'), E'\n', ''), 'same_as', coalesce(w.same_as, 0), 'comments', w.comments,
	'etag', w.etag, 'last_modified', w.last_modified, 'listed_at', w.listed_at, 'published_at', w.published_at,
	'first_seen_at', w.first_seen_at, 'checked_at', w.checked_at, 'changed_at', w.changed_at)`

// Watch loads what the leased look at the competitors begins with: those that
// are active, and every page of the site that was seen before.
func (s *Store) Watch(ctx context.Context, l pipeline.Lease) (editorial.Watch, error) {
	const q = `
		SELECT jsonb_build_object('started_at', r.created_at, 'now', now(),
			'competitors', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name, 'kind', c.kind, 'url', c.url, 'via', c.via,
				'most', c.most, 'etag', c.etag, 'last_modified', c.last_modified, 'checked_at', c.checked_at) ORDER BY c.id), '[]')
				FROM blogposter.competitors c WHERE c.site_id = r.site_id AND c.active),
			'pages', (SELECT coalesce(jsonb_agg(` + pageObject + ` ORDER BY w.id), '[]') FROM blogposter.watched_pages w WHERE w.site_id = r.site_id))
		FROM blogposter.runs r WHERE r.id = $1 AND r.site_id = blogposter.current_site()`
	var w editorial.Watch
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) { b.Queue(q, l.RunID).QueryRow(object(&w)) })
	if err != nil {
		return editorial.Watch{}, fmt.Errorf("load what run %d watches: %w", l.RunID, err)
	}
	return w, nil
}

// KeepPages saves what a look found of some pages, and what of it is new, as
// long as the lease is held; without findings it only shows that the look
// lives. Saving the same again is harmless: a Run says each change once.
func (s *Store) KeepPages(ctx context.Context, l pipeline.Lease, found []editorial.PageFinding) error {
	const keep = `
		INSERT INTO blogposter.watched_pages AS w (site_id, competitor_id, url, title, state, refused, text_hash, text_bytes, words, shingles,
			comments, etag, last_modified, listed_at, published_at, checked_at, changed_at, gone_at)
		SELECT $1::bigint, p.competitor_id, p.url, p.title, p.state, p.refused, nullif(p.text_hash, ''), p.text_bytes, p.words, decode(p.shingles, 'base64'),
			p.comments, p.etag, p.last_modified, p.listed_at, p.published_at, now(), now(), CASE WHEN p.state = 'gone' THEN now() END
		FROM jsonb_array_elements($2::jsonb) AS f, jsonb_to_record(f -> 'page') AS p(competitor_id bigint, url text, title text, state text, refused text,
			text_hash text, text_bytes int, words int, shingles text, comments int, etag text, last_modified text, listed_at timestamptz, published_at timestamptz)
		ON CONFLICT (site_id, url) DO UPDATE SET competitor_id = EXCLUDED.competitor_id, title = EXCLUDED.title, state = EXCLUDED.state, refused = EXCLUDED.refused,
			text_hash = EXCLUDED.text_hash, text_bytes = EXCLUDED.text_bytes, words = EXCLUDED.words, shingles = EXCLUDED.shingles,
			comments = EXCLUDED.comments, etag = EXCLUDED.etag, last_modified = EXCLUDED.last_modified, listed_at = EXCLUDED.listed_at,
			published_at = EXCLUDED.published_at, checked_at = CASE WHEN w.url = ANY ($3::text[]) THEN now() ELSE w.checked_at END,
			changed_at = CASE WHEN w.text_hash IS DISTINCT FROM EXCLUDED.text_hash THEN now() ELSE w.changed_at END,
			gone_at = CASE WHEN EXCLUDED.state = 'gone' THEN coalesce(w.gone_at, now()) END`
	const changes = `
		INSERT INTO blogposter.page_changes (page_id, site_id, run_id, kind, text_hash, before, added, removed, summary)
		SELECT w.id, $1::bigint, $2::bigint, c.kind, nullif(c.text_hash, ''), nullif(c.before, ''), c.added, c.removed, c.summary
		FROM jsonb_array_elements($3::jsonb) AS f
		JOIN blogposter.watched_pages w ON w.site_id = $1::bigint AND w.url = f -> 'page' ->> 'url',
		jsonb_to_record(f -> 'change') AS c(kind text, text_hash text, before text, added int, removed int, summary text)
		WHERE jsonb_typeof(f -> 'change') = 'object'
		ON CONFLICT (run_id, page_id) DO NOTHING`
	checked := []string{}
	for _, f := range found {
		if f.Checked {
			checked = append(checked, f.Page.URL)
		}
	}
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		holdLease(b, l)
		if len(found) == 0 {
			return
		}
		b.Queue(keep, l.SiteID, list(found), checked)
		b.Queue(changes, l.SiteID, l.RunID, list(found))
	})
	if err != nil {
		return fmt.Errorf("keep %d pages for run %d: %w", len(found), l.RunID, err)
	}
	return nil
}

// KeepCompetitor saves what a look left out of a competitor or could not
// read, and, with done set, that the look is over and what the next one asks
// with. It needs the lease.
func (s *Store) KeepCompetitor(ctx context.Context, l pipeline.Lease, id int64, v editorial.Validators, report string, done bool) error {
	const q = `UPDATE blogposter.competitors SET report = $3,
			etag = CASE WHEN $4 THEN $5 ELSE etag END, last_modified = CASE WHEN $4 THEN $6 ELSE last_modified END,
			checked_at = CASE WHEN $4 THEN now() ELSE checked_at END
		WHERE id = $1 AND site_id = $2`
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		holdLease(b, l)
		b.Queue(q, id, l.SiteID, report, done, v.ETag, v.LastModified)
	})
	if err != nil {
		return fmt.Errorf("keep the look of run %d at competitor %d: %w", l.RunID, id, err)
	}
	return nil
}

// MarkCopies saves which pages say nearly the same as an older one: same maps
// a page's id to that of the older page, 0 for none. It needs the lease.
func (s *Store) MarkCopies(ctx context.Context, l pipeline.Lease, same map[int64]int64) error {
	if len(same) == 0 {
		return nil
	}
	const q = `UPDATE blogposter.watched_pages w SET same_as = nullif(x.value::bigint, 0)
		FROM jsonb_each_text($2::jsonb) x WHERE w.site_id = $1 AND w.id = x.key::bigint`
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		holdLease(b, l)
		b.Queue(q, l.SiteID, list(same))
	})
	if err != nil {
		return fmt.Errorf("mark %d copies for run %d: %w", len(same), l.RunID, err)
	}
	return nil
}

// WatchedPages lists the site's live pages without those that say nearly the
// same as an older one: what Topics are made of.
func (s *Store) WatchedPages(ctx context.Context, l pipeline.Lease) ([]editorial.WatchedPage, error) {
	const q = `SELECT coalesce(jsonb_agg(` + pageObject + ` ORDER BY w.id), '[]') FROM blogposter.watched_pages w
		JOIN blogposter.competitors c ON c.id = w.competitor_id AND c.active
		WHERE w.site_id = $1 AND w.state = 'live' AND w.same_as IS NULL`
	var pages []editorial.WatchedPage
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) { b.Queue(q, l.SiteID).QueryRow(object(&pages)) })
	if err != nil {
		return nil, fmt.Errorf("list pages watched for run %d: %w", l.RunID, err)
	}
	return pages, nil
}

// Changes lists what looks at the site's competitors found new, the newest
// first, one more than the page holds when there are more.
func (s *Store) Changes(ctx context.Context, site string, p view.Page) ([]view.PageChange, error) {
	const q = `
		SELECT coalesce(jsonb_agg(x.o ORDER BY x.id DESC), '[]') FROM (
			SELECT c.id, jsonb_build_object('id', c.id, 'run_id', c.run_id, 'page_id', c.page_id, 'url', w.url, 'title', w.title, 'competitor', k.name,
				'kind', c.kind, 'at', c.at, 'text_hash', coalesce(c.text_hash, ''), 'before', coalesce(c.before, ''),
				'added', c.added, 'removed', c.removed, 'summary', c.summary) AS o
			FROM blogposter.page_changes c JOIN blogposter.watched_pages w ON w.id = c.page_id JOIN blogposter.competitors k ON k.id = w.competitor_id
			WHERE c.site_id = blogposter.current_site() AND ($1::bigint = 0 OR c.id < $1::bigint)
			ORDER BY c.id DESC LIMIT $2) x`
	var found []view.PageChange
	err := s.onSite(ctx, site, func(b *pgx.Batch) { b.Queue(q, p.After, p.Limit+1).QueryRow(object(&found)) })
	if err != nil {
		return nil, fmt.Errorf("list changes of %s: %w", site, err)
	}
	return found, nil
}

// Competitors lists whom the site watches, by name, with what the last look
// found and left out. Those that its file no longer names come last.
func (s *Store) Competitors(ctx context.Context, site string) ([]view.Competitor, error) {
	const q = `
		SELECT coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name, 'kind', c.kind, 'url', c.url, 'via', c.via, 'most', c.most,
			'active', c.active, 'checked_at', c.checked_at, 'report', c.report, 'live', n.live, 'copies', n.copies, 'refused', n.refused, 'gone', n.gone)
			ORDER BY c.active DESC, c.name, c.id), '[]')
		FROM blogposter.competitors c, LATERAL (
			SELECT count(*) FILTER (WHERE w.state = 'live') AS live, count(*) FILTER (WHERE w.state = 'live' AND w.same_as IS NOT NULL) AS copies,
				count(*) FILTER (WHERE w.state = 'refused') AS refused, count(*) FILTER (WHERE w.state = 'gone') AS gone
			FROM blogposter.watched_pages w WHERE w.competitor_id = c.id) n
		WHERE c.site_id = blogposter.current_site()`
	var found []view.Competitor
	err := s.onSite(ctx, site, func(b *pgx.Batch) { b.Queue(q).QueryRow(object(&found)) })
	if err != nil {
		return nil, fmt.Errorf("list competitors of %s: %w", site, err)
	}
	return found, nil
}
