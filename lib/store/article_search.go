package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/view"
)

// SearchArticles lists the site's newest articles whose title, excerpt or
// keyphrase have every word of words, one more than the page holds when there
// are more. words is what a person types: "in quotes", -without, one or other.
// English is searched by the words' stems, any other language by the words.
func (s *Store) SearchArticles(ctx context.Context, site, words string, p view.Page) ([]view.Article, error) {
	const q = `
		SELECT coalesce(jsonb_agg(x.o ORDER BY x.id DESC), '[]') FROM (
			SELECT p.id, ` + articleObject + ` AS o
			FROM blogposter.publications p JOIN blogposter.drafts d ON d.id = p.draft_id
			CROSS JOIN (SELECT CASE WHEN language ~* '^en\M' THEN 'english' ELSE 'simple' END::regconfig AS words
				FROM blogposter.sites WHERE id = blogposter.current_site()) c
			WHERE p.site_id = blogposter.current_site() AND p.state = 'published' AND ($1::bigint = 0 OR p.id < $1::bigint)
			  AND to_tsvector(c.words, concat_ws(' ', d.title, d.excerpt, d.keyphrase)) @@ websearch_to_tsquery(c.words, $3)
			ORDER BY p.id DESC LIMIT $2) x`
	var found []view.Article
	err := s.onSite(ctx, site, func(b *pgx.Batch) { b.Queue(q, p.After, p.Limit+1, words).QueryRow(object(&found)) })
	if err != nil {
		return nil, fmt.Errorf("search articles of %s: %w", site, err)
	}
	return found, nil
}

// Revision is another text after each transition of a Run of the site, and
// after each change to what it has published. It is cheap: two index scans.
//
// Events commit in another order than their ids are drawn, so the newest one
// does not say that there is none new before it. Of the newest 64, one that
// comes late raises the least id or the count. Of what is published the sum of
// the ids counts too: a version may come back for another.
func (s *Store) Revision(ctx context.Context, site string) (string, error) {
	const q = `
		SELECT to_jsonb(concat_ws('.', e.newest, e.oldest, e.n, p.total, p.n)) FROM (
			SELECT coalesce(max(id), 0) AS newest, coalesce(min(id), 0) AS oldest, count(*) AS n FROM (
				SELECT id FROM blogposter.events WHERE site_id = blogposter.current_site() ORDER BY id DESC LIMIT 64) v) e, (
			SELECT coalesce(sum(id), 0) AS total, count(*) AS n FROM blogposter.publications
			WHERE site_id = blogposter.current_site() AND state = 'published') p`
	var revision string
	err := s.onSite(ctx, site, func(b *pgx.Batch) { b.Queue(q).QueryRow(object(&revision)) })
	if err != nil {
		return "", fmt.Errorf("revision of %s: %w", site, err)
	}
	return revision, nil
}
