package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/view"
)

// shownTopic is a topic t as lib/view has it.
const shownTopic = `jsonb_build_object('id', t.id, 'title', t.title, 'keyphrase', t.keyphrase, 'state', t.state, 'kind', t.kind, 'score', t.score,
	'known_weight', t.known_weight, 'terms', t.terms, 'similarity', t.similarity, 'nearest_url', t.nearest_url, 'model', t.model, 'why', t.why,
	'page_count', jsonb_array_length(t.pages), 'taken_by', coalesce(t.taken_by, 0), 'scored_at', t.scored_at, 'created_at', t.created_at)`

// Topics lists the site's Topics, the best score first and of equals the
// newest, one more than the filter's limit when there are more.
func (s *Store) Topics(ctx context.Context, site string, f view.TopicFilter) ([]view.Topic, error) {
	const q = `
		SELECT coalesce(jsonb_agg(x.o ORDER BY x.score DESC, x.id DESC), '[]') FROM (
			SELECT t.id, t.score, ` + shownTopic + ` AS o FROM blogposter.topics t
			WHERE t.site_id = blogposter.current_site() AND ($2 = '' OR t.state = $2) AND ($3 = '' OR t.kind = $3)
			  AND ($1::bigint = 0 OR (t.score, t.id) < (SELECT l.score, l.id FROM blogposter.topics l WHERE l.id = $1 AND l.site_id = blogposter.current_site()))
			ORDER BY t.score DESC, t.id DESC LIMIT $4) x`
	var found []view.Topic
	err := s.onSite(ctx, site, func(b *pgx.Batch) { b.Queue(q, f.After, f.State, string(f.Kind), f.Limit+1).QueryRow(object(&found)) })
	if err != nil {
		return nil, fmt.Errorf("list topics of %s: %w", site, err)
	}
	return found, nil
}

// topicQuery is the topic $1 of the site, or NULL.
const topicQuery = `SELECT ` + shownTopic + ` || jsonb_build_object('pages', t.pages)
	FROM blogposter.topics t WHERE t.id = $1 AND t.site_id = blogposter.current_site()`

// Topic returns a Topic of the site with its pages.
func (s *Store) Topic(ctx context.Context, site string, id int64) (view.TopicDetail, error) {
	var t view.TopicDetail
	err := s.onSite(ctx, site, func(b *pgx.Batch) { b.Queue(topicQuery, id).QueryRow(object(&t)) })
	if err != nil {
		return view.TopicDetail{}, fmt.Errorf("show topic %d: %w", id, err)
	}
	return t, nil
}

// DismissTopic sets a Topic aside for good: no later research brings it back.
// Its Why says by whom. Dismissing it again changes nothing; one that a Run
// writes on is view.ErrTopicTaken.
func (s *Store) DismissTopic(ctx context.Context, site string, id int64, by string) (view.TopicDetail, error) {
	const q = `
		UPDATE blogposter.topics SET state = 'dismissed', why = 'Dismissed by ' || $2::text || '. ' || why
		WHERE id = $1 AND site_id = blogposter.current_site() AND state IN ('open', 'stale')`
	var t view.TopicDetail
	err := s.onSite(ctx, site, func(b *pgx.Batch) {
		b.Queue(q, id, by)
		b.Queue(topicQuery, id).QueryRow(object(&t))
	})
	if err != nil {
		return view.TopicDetail{}, fmt.Errorf("dismiss topic %d: %w", id, err)
	}
	if t.State == "taken" {
		return t, fmt.Errorf("dismiss topic %d: %w: run %d writes on it", id, view.ErrTopicTaken, t.TakenBy)
	}
	return t, nil
}
