package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/view"
)

// siteObject is the site s as the store's own statements know it, its
// competitors and sources included. cms is what a file says, without a secret.
const siteObject = `jsonb_build_object('id', s.id, 'slug', s.slug, 'name', s.name, 'url', s.url, 'time_zone', s.time_zone,
	'language', s.language, 'audience', s.audience, 'voice', s.voice, 'author', s.author, 'categories', s.categories,
	'tags', s.tags, 'rules', s.rules, 'cms', s.cms, 'article_budget', s.article_budget_micros, 'research', s.research, 'schedule', s.schedule,
	'competitors', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'name', k.name, 'kind', k.kind, 'url', k.url, 'via', k.via, 'most', k.most)
		ORDER BY k.id), '[]') FROM blogposter.competitors k WHERE k.site_id = s.id AND k.active),
	'sources', (SELECT coalesce(jsonb_agg(jsonb_build_object('prefix', o.prefix, 'tier', o.tier, 'start', o.start) ORDER BY o.prefix), '[]')
		FROM blogposter.sources o WHERE o.site_id = s.id))`

// Sites lists those of the named sites that exist, in the given order. Each is
// read as itself: no statement sees two of them.
func (s *Store) Sites(ctx context.Context, slugs []string) ([]view.Site, error) {
	const q = `
		SELECT coalesce(jsonb_agg(jsonb_build_object('slug', s.slug, 'name', s.name, 'url', s.url, 'language', s.language,
			'time_zone', s.time_zone, 'schedule', s.schedule, 'updated_at', s.updated_at)), '[]')
		FROM blogposter.sites s WHERE s.id = blogposter.current_site()`
	var b pgx.Batch
	found := make([][]view.Site, len(slugs))
	for i, slug := range slugs {
		b.Queue(`SELECT set_config('app.site_id', coalesce(blogposter.site_by_slug($1)::text, ''), true)`, slug)
		b.Queue(q).QueryRow(object(&found[i]))
	}
	if err := s.db.SendBatch(ctx, &b).Close(); err != nil {
		return nil, fmt.Errorf("list sites: %w", translate(err))
	}
	var list []view.Site
	for _, one := range found {
		list = append(list, one...)
	}
	return list, nil
}

// Site returns all that a site is made of. Of its credentials it says which
// are set, and since when.
func (s *Store) Site(ctx context.Context, slug string) (view.SiteSettings, error) {
	const q = `
		SELECT ` + siteObject + ` || jsonb_build_object('updated_at', s.updated_at, 'credentials',
			(SELECT coalesce(jsonb_agg(jsonb_build_object('name', c.name, 'set_at', c.updated_at, 'key_id', c.key_id) ORDER BY c.name), '[]')
			 FROM blogposter.credentials c WHERE c.site_id = s.id))
		FROM blogposter.sites s WHERE s.id = blogposter.current_site()`
	var found view.SiteSettings
	err := s.onSite(ctx, slug, func(b *pgx.Batch) { b.Queue(q).QueryRow(object(&found)) })
	if err != nil {
		return view.SiteSettings{}, fmt.Errorf("show site %s: %w", slug, err)
	}
	return found, nil
}
