package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
)

// KeepSnapshot saves what was read of a page and returns its id, as long as
// the lease is held. The same text of the same page is one row, so saving it
// again is harmless.
func (s *Store) KeepSnapshot(ctx context.Context, l pipeline.Lease, sn editorial.Snapshot) (int64, error) {
	const q = `
		INSERT INTO blogposter.snapshots (site_id, url, title, tier, text_hash, raw_hash, text_bytes, published_at, fetched_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now())
		ON CONFLICT (site_id, url, text_hash) DO UPDATE SET fetched_at = now()
		RETURNING id`
	var id int64
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		holdLease(b, l)
		b.Queue(q, l.SiteID, sn.URL, sn.Title, string(sn.Tier), sn.TextHash, sn.RawHash, sn.TextBytes, sn.PublishedAt).
			QueryRow(func(row pgx.Row) error { return row.Scan(&id) })
	})
	if err != nil {
		return 0, fmt.Errorf("keep snapshot of %s for run %d: %w", sn.URL, l.RunID, err)
	}
	return id, nil
}

// queueWork adds the writes for what an attempt made. Lists travel as JSON,
// one statement each, however long they are.
func queueWork(b *pgx.Batch, l pipeline.Lease, w editorial.Work) {
	if len(w.Sources) > 0 {
		b.Queue(`DELETE FROM blogposter.run_sources WHERE run_id = $1`, l.RunID)
		b.Queue(`INSERT INTO blogposter.run_sources (run_id, site_id, url, snapshot_id, refused)
			SELECT DISTINCT ON (url) $1::bigint, $2::bigint, url, nullif(snapshot_id, 0), nullif(refused, '')
			FROM jsonb_to_recordset($3::jsonb) AS x(url text, snapshot_id bigint, refused text)`, l.RunID, l.SiteID, list(w.Sources))
	}
	if len(w.Evidence) > 0 {
		b.Queue(`DELETE FROM blogposter.evidence WHERE run_id = $1`, l.RunID)
		b.Queue(`INSERT INTO blogposter.evidence (run_id, site_id, n, snapshot_id, point, quote, byte_start, byte_end)
			SELECT $1::bigint, $2::bigint, n, snapshot_id, point, quote, start, "end"
			FROM jsonb_to_recordset($3::jsonb) AS x(n int, snapshot_id bigint, point text, quote text, start int, "end" int)`,
			l.RunID, l.SiteID, list(w.Evidence))
	}
	if w.Draft != nil {
		queueDraft(b, l, *w.Draft)
	}
	if w.Checked {
		queueClaims(b, l, w.Claims)
	}
	if rendered := w.Draft != nil && w.Draft.Markup != ""; rendered || len(w.Findings) > 0 {
		b.Queue(`DELETE FROM blogposter.findings WHERE run_id = $1`, l.RunID)
		b.Queue(`INSERT INTO blogposter.findings (draft_id, run_id, site_id, n, rule, severity, message)
			SELECT d.id, d.run_id, d.site_id, x.n, x.f ->> 'rule', x.f ->> 'severity', x.f ->> 'message'
			FROM (`+latestDraft+`) d, jsonb_array_elements($2::jsonb) WITH ORDINALITY AS x(f, n)`, l.RunID, list(w.Findings))
	}
}

const latestDraft = `SELECT id, run_id, site_id FROM blogposter.drafts WHERE run_id = $1 ORDER BY version DESC LIMIT 1`

// queueDraft inserts a new version; for one that exists it adds only what was
// rendered from its text. Text that was changed under the same version matches
// no row: it stays without a digest, so nobody can approve it.
func queueDraft(b *pgx.Batch, l pipeline.Lease, d editorial.Draft) {
	b.Queue(`INSERT INTO blogposter.drafts AS d
			(run_id, site_id, version, title, slug, excerpt, meta_description, keyphrase, categories, tags, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb)
		ON CONFLICT (run_id, version) DO NOTHING`,
		l.RunID, l.SiteID, d.Version, d.Title, d.Slug, d.Excerpt, d.MetaDescription, d.Keyphrase,
		nonNil(d.Categories), nonNil(d.Tags), list(d.Body))
	if d.Markup == "" {
		return
	}
	b.Queue(`UPDATE blogposter.drafts SET markup = $3, json_ld = $4, digest = $5, media = $12::jsonb
		WHERE run_id = $1 AND version = $2 AND checked_at IS NOT NULL
		  AND (title, slug, excerpt, meta_description, keyphrase, body) = ($6, $7, $8, $9, $10, $11::jsonb)`,
		l.RunID, d.Version, d.Markup, d.JSONLD, d.Digest, d.Title, d.Slug, d.Excerpt, d.MetaDescription, d.Keyphrase, list(d.Body), list(d.Media))
}

func queueClaims(b *pgx.Batch, l pipeline.Lease, claims []editorial.Claim) {
	b.Queue(`DELETE FROM blogposter.claims c USING (`+latestDraft+`) d WHERE c.draft_id = d.id`, l.RunID)
	b.Queue(`INSERT INTO blogposter.claims (draft_id, run_id, site_id, n, place, text, legal, verdict, reason)
		SELECT d.id, d.run_id, d.site_id, x.n, x.place, x.text, x.legal, x.verdict, x.reason
		FROM (`+latestDraft+`) d,
		     jsonb_to_recordset($2::jsonb) AS x(n int, place text, text text, legal boolean, verdict text, reason text)`, l.RunID, list(claims))
	b.Queue(`INSERT INTO blogposter.citations (draft_id, claim_n, n, site_id, snapshot_id, quote, byte_start, byte_end)
		SELECT d.id, (c ->> 'n')::int, y.n, d.site_id, (y.x ->> 'snapshot_id')::bigint, y.x ->> 'quote', (y.x ->> 'start')::int, (y.x ->> 'end')::int
		FROM (`+latestDraft+`) d, jsonb_array_elements($2::jsonb) AS c,
		     jsonb_array_elements(CASE jsonb_typeof(c -> 'citations') WHEN 'array' THEN c -> 'citations' ELSE '[]' END) WITH ORDINALITY AS y(x, n)`,
		l.RunID, list(claims))
	b.Queue(`UPDATE blogposter.drafts SET checked_at = now()
		WHERE id = (SELECT id FROM (`+latestDraft+`) d)`, l.RunID)
}

// list encodes a noun as JSON text: in the exec mode a Go value has no other
// way into a jsonb parameter. The nouns always encode.
func list(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: encode %T: %v", v, err))
	}
	if string(raw) == "null" {
		return "[]"
	}
	return string(raw)
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
