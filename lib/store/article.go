package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/view"
)

// claimsArray is the claims of the draft d with all that they rest on.
const claimsArray = `(SELECT coalesce(jsonb_agg(jsonb_build_object('n', c.n, 'place', c.place, 'text', c.text, 'legal', c.legal,
	'verdict', c.verdict, 'reason', c.reason, 'citations', (
		SELECT coalesce(jsonb_agg(jsonb_build_object('snapshot_id', t.snapshot_id, 'url', n.url, 'title', n.title, 'tier', n.tier,
			'text_hash', n.text_hash, 'quote', t.quote, 'start', t.byte_start, 'end', t.byte_end) ORDER BY t.n), '[]')
		FROM blogposter.citations t JOIN blogposter.snapshots n ON n.id = t.snapshot_id
		WHERE t.draft_id = c.draft_id AND t.claim_n = c.n)) ORDER BY c.n), '[]')
	FROM blogposter.claims c WHERE c.draft_id = d.id)`

// articleObject is a publication p with its draft d. What a call cost whose
// answer was lost is charged like the rest.
const articleObject = `jsonb_build_object('id', p.id, 'run_id', p.run_id, 'title', d.title, 'url', p.url, 'published_at', p.published_at,
	'digest', p.digest, 'state', p.state, 'ended_at', p.ended_at, 'ended_why', CASE WHEN p.ended_at IS NOT NULL THEN p.ended_why ELSE '' END,
	'replaced_by', CASE WHEN p.state <> 'published' THEN coalesce((SELECT c.id FROM blogposter.publications c
		WHERE c.site_id = p.site_id AND c.post_id = p.post_id AND c.state = 'published'), 0) ELSE 0 END, 'cost', (SELECT g.spent_micros + g.unknown_micros FROM blogposter.budgets g WHERE g.run_id = p.run_id))`

// Articles lists the site's newest articles, one more than the page holds when
// there are more.
func (s *Store) Articles(ctx context.Context, site string, p view.Page) ([]view.Article, error) {
	const q = `
		SELECT coalesce(jsonb_agg(x.o ORDER BY x.id DESC), '[]') FROM (
			SELECT p.id, ` + articleObject + ` AS o
			FROM blogposter.publications p JOIN blogposter.drafts d ON d.id = p.draft_id
			WHERE p.site_id = blogposter.current_site() AND p.state = 'published' AND ($1::bigint = 0 OR p.id < $1::bigint)
			ORDER BY p.id DESC LIMIT $2) x`
	var found []view.Article
	err := s.onSite(ctx, site, func(b *pgx.Batch) { b.Queue(q, p.After, p.Limit+1).QueryRow(object(&found)) })
	if err != nil {
		return nil, fmt.Errorf("list articles of %s: %w", site, err)
	}
	return found, nil
}

// Article returns an article of the site with the claims of the very Draft that
// was published, also when a newer version replaced it or it was taken back.
func (s *Store) Article(ctx context.Context, site string, id int64) (view.CheckedArticle, error) {
	const q = `
		SELECT ` + articleObject + ` || jsonb_build_object('claims', ` + claimsArray + `)
		FROM blogposter.publications p JOIN blogposter.drafts d ON d.id = p.draft_id
		WHERE p.id = $1 AND p.site_id = blogposter.current_site() AND p.state IN ('published', 'superseded', 'retracted')`
	var a view.CheckedArticle
	err := s.onSite(ctx, site, func(b *pgx.Batch) { b.Queue(q, id).QueryRow(object(&a)) })
	if err != nil {
		return view.CheckedArticle{}, fmt.Errorf("show article %d: %w", id, err)
	}
	return a, nil
}
