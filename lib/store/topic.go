package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

// SaveTopics replaces the site's recommendations by topics, all of them or,
// with pipeline.ErrLeaseLost, none. A Topic is found again by its key: an open
// or stale one gets the new figures, a taken or dismissed one stays as it is,
// and an open one that is not among topics becomes stale. It is safe to repeat.
func (s *Store) SaveTopics(ctx context.Context, l pipeline.Lease, topics []editorial.Topic) error {
	// In the order of the keys: two that save at once never wait for each other.
	const upsert = `
		INSERT INTO blogposter.topics AS t (site_id, key, title, keyphrase, kind, score, known_weight, terms, pages, similarity, nearest_url, model, why)
		SELECT $1::bigint, key, title, keyphrase, kind, score, known_weight, coalesce(terms, '[]'), coalesce(pages, '[]'), similarity, nearest_url, model, why
		FROM jsonb_to_recordset($2::jsonb) AS x(key text, title text, keyphrase text, kind text, score numeric, known_weight numeric,
			terms jsonb, pages jsonb, similarity numeric, nearest_url text, model text, why text)
		ORDER BY key
		ON CONFLICT (site_id, key) DO UPDATE SET title = EXCLUDED.title, keyphrase = EXCLUDED.keyphrase, state = 'open', kind = EXCLUDED.kind,
			score = EXCLUDED.score, known_weight = EXCLUDED.known_weight, terms = EXCLUDED.terms, pages = EXCLUDED.pages,
			similarity = EXCLUDED.similarity, nearest_url = EXCLUDED.nearest_url, model = EXCLUDED.model, why = EXCLUDED.why, scored_at = now()
		WHERE t.state IN ('open', 'stale')`
	const stale = `
		UPDATE blogposter.topics SET state = 'stale' WHERE site_id = $1 AND state = 'open' AND key <> ALL ($2::text[])`
	keys := make([]string, len(topics))
	for i, t := range topics {
		keys[i] = t.Key
	}
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		holdLease(b, l)
		b.Queue(upsert, l.SiteID, list(topics))
		b.Queue(stale, l.SiteID, keys)
	})
	if err != nil {
		return fmt.Errorf("save %d topics of run %d: %w", len(topics), l.RunID, err)
	}
	return nil
}

// OpenTopics lists what the site may write on, the best score first. What the
// site has published already is never among it.
func (s *Store) OpenTopics(ctx context.Context, l pipeline.Lease) ([]editorial.Topic, error) {
	const q = `
		SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'key', t.key, 'title', t.title, 'keyphrase', t.keyphrase, 'state', t.state, 'kind', t.kind,
			'score', t.score, 'known_weight', t.known_weight, 'terms', t.terms, 'pages', t.pages, 'similarity', t.similarity, 'nearest_url', t.nearest_url,
			'model', t.model, 'why', t.why, 'scored_at', t.scored_at) ORDER BY t.score DESC, t.id), '[]')
		FROM blogposter.topics t WHERE t.site_id = blogposter.current_site() AND t.state = 'open' AND t.kind <> 'duplicate'`
	var open []editorial.Topic
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) { b.Queue(q).QueryRow(object(&open)) })
	if err != nil {
		return nil, fmt.Errorf("list open topics for run %d: %w", l.RunID, err)
	}
	return open, nil
}

// TakeTopic gives the leased Run the Topic to write on, or reports false:
// another Run was first, or a person dismissed it. It is safe to repeat.
func (s *Store) TakeTopic(ctx context.Context, l pipeline.Lease, id int64) (bool, error) {
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		holdLease(b, l)
		b.Queue(`SELECT blogposter.take_topic($1, $2)`, l.RunID, id)
	})
	if errors.Is(err, view.ErrTopicTaken) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("take topic %d for run %d: %w", id, l.RunID, err)
	}
	return true, nil
}

// OwnArticles lists what the site has published and not taken back, the
// newest first, 500 at most.
func (s *Store) OwnArticles(ctx context.Context, l pipeline.Lease) ([]editorial.Article, error) {
	const q = `
		SELECT coalesce(jsonb_agg(jsonb_build_object('url', a.url, 'title', a.title, 'keyphrase', a.keyphrase, 'body', a.body,
			'published_at', a.published_at) ORDER BY a.id DESC), '[]')
		FROM (SELECT p.id, p.url, p.published_at, d.title, d.keyphrase, d.body
			FROM blogposter.publications p JOIN blogposter.drafts d ON d.id = p.draft_id
			WHERE p.site_id = blogposter.current_site() AND p.state = 'published' ORDER BY p.id DESC LIMIT 500) a`
	var own []editorial.Article
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) { b.Queue(q).QueryRow(object(&own)) })
	if err != nil {
		return nil, fmt.Errorf("list own articles for run %d: %w", l.RunID, err)
	}
	return own, nil
}

// KnownTopics lists the site's Topics of every state with the pages they were
// made of, the newest first, 2,000 at most: what a later pass finds its
// subjects again by.
func (s *Store) KnownTopics(ctx context.Context, l pipeline.Lease) ([]editorial.Topic, error) {
	const q = `
		SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'key', t.key, 'state', t.state, 'title', t.title, 'pages', t.pages) ORDER BY t.id DESC), '[]')
		FROM (SELECT id, key, state, title, pages FROM blogposter.topics WHERE site_id = blogposter.current_site() ORDER BY id DESC LIMIT 2000) t`
	var known []editorial.Topic
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) { b.Queue(q).QueryRow(object(&known)) })
	if err != nil {
		return nil, fmt.Errorf("list known topics for run %d: %w", l.RunID, err)
	}
	return known, nil
}
