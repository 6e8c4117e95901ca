package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
)

// draftObject is the draft d.
const draftObject = `jsonb_build_object('id', d.id, 'version', d.version, 'title', d.title, 'slug', d.slug, 'excerpt', d.excerpt,
	'meta_description', d.meta_description, 'keyphrase', d.keyphrase, 'categories', d.categories, 'tags', d.tags, 'body', d.body,
	'markup', d.markup, 'json_ld', d.json_ld, 'digest', d.digest, 'media', d.media)`

// dossierQuery gathers all that is known of a Run as one JSON object. Its
// field names are those of editorial.Dossier.
const dossierQuery = `
SELECT jsonb_build_object(
  'site', (SELECT ` + siteObject + `
    FROM blogposter.sites s WHERE s.id = r.site_id),
  'brief', jsonb_build_object('run_id', r.id, 'topic', coalesce(r.topic, ''), 'urls', r.urls, 'publish_at', r.publish_at, 'marker', r.marker,
      'kind', r.kind, 'target_id', coalesce(r.target_id, 0), 'reason', r.reason, 'restore', r.restore),
  'sources', (SELECT jsonb_agg(jsonb_build_object('url', u.url, 'snapshot_id', coalesce(u.snapshot_id, 0), 'refused', coalesce(u.refused, '')) ORDER BY u.url)
    FROM blogposter.run_sources u WHERE u.run_id = r.id),
  'snapshots', (SELECT jsonb_agg(jsonb_build_object('id', n.id, 'url', n.url, 'title', n.title, 'tier', n.tier, 'text_hash', n.text_hash,
      'raw_hash', n.raw_hash, 'text_bytes', n.text_bytes, 'published_at', n.published_at, 'fetched_at', n.fetched_at) ORDER BY n.id)
    FROM blogposter.snapshots n JOIN blogposter.run_sources u ON u.snapshot_id = n.id WHERE u.run_id = r.id),
  'evidence', (SELECT jsonb_agg(jsonb_build_object('n', e.n, 'snapshot_id', e.snapshot_id, 'point', e.point, 'quote', e.quote,
      'start', e.byte_start, 'end', e.byte_end) ORDER BY e.n)
    FROM blogposter.evidence e WHERE e.run_id = r.id),
  'draft', CASE WHEN d.id IS NOT NULL THEN ` + draftObject + ` END,
  'claims', (SELECT jsonb_agg(jsonb_build_object('n', c.n, 'place', c.place, 'text', c.text, 'legal', c.legal, 'verdict', c.verdict, 'reason', c.reason,
      'citations', (SELECT coalesce(jsonb_agg(jsonb_build_object('snapshot_id', t.snapshot_id, 'url', n.url, 'title', n.title, 'tier', n.tier,
            'text_hash', n.text_hash, 'quote', t.quote, 'start', t.byte_start, 'end', t.byte_end) ORDER BY t.n), '[]')
          FROM blogposter.citations t JOIN blogposter.snapshots n ON n.id = t.snapshot_id WHERE t.draft_id = c.draft_id AND t.claim_n = c.n)) ORDER BY c.n)
    FROM blogposter.claims c WHERE c.draft_id = d.id),
  'findings', (SELECT jsonb_agg(jsonb_build_object('rule', f.rule, 'severity', f.severity, 'message', f.message) ORDER BY f.n)
    FROM blogposter.findings f WHERE f.draft_id = d.id),
  'decision', (SELECT jsonb_build_object('id', z.id, 'draft_id', z.draft_id, 'verb', z.verb, 'digest', z.digest, 'reviewer', z.reviewer,
      'comment', z.comment, 'decided_at', z.decided_at) FROM blogposter.decisions z WHERE z.draft_id = d.id),
  'published', (SELECT jsonb_agg(jsonb_build_object('title', e.title, 'url', e.url, 'keyphrase', e.keyphrase) ORDER BY e.id DESC) FROM (
      SELECT p.id, p.url, x.title, x.keyphrase FROM blogposter.publications p JOIN blogposter.drafts x ON x.id = p.draft_id
      WHERE p.site_id = r.site_id AND p.state = 'published' AND p.run_id <> r.id AND p.id IS DISTINCT FROM r.target_id ORDER BY p.id DESC LIMIT 200) e),
  'publication', (SELECT ` + publicationObject + ` FROM blogposter.publications p WHERE p.run_id = r.id)
)
FROM blogposter.runs r
LEFT JOIN LATERAL (SELECT * FROM blogposter.drafts v WHERE v.run_id = r.id ORDER BY v.version DESC LIMIT 1) d ON true
WHERE r.id = $1 AND r.site_id = blogposter.current_site()`

// Dossier loads all that is known of the leased Run.
func (s *Store) Dossier(ctx context.Context, l pipeline.Lease) (editorial.Dossier, error) {
	return s.RunDossier(ctx, l.SiteID, l.RunID)
}

// RunDossier loads all that is known of a Run of the site, or ErrNotFound.
func (s *Store) RunDossier(ctx context.Context, siteID, runID int64) (editorial.Dossier, error) {
	var d editorial.Dossier
	err := s.asSite(ctx, siteID, func(b *pgx.Batch) { b.Queue(dossierQuery, runID).QueryRow(object(&d)) })
	if err != nil {
		return editorial.Dossier{}, fmt.Errorf("load run %d: %w", runID, err)
	}
	return d, nil
}
