package sitefile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"go.yaml.in/yaml/v3"
)

// Export returns the sites as a file that imports to the same sites: those
// with the slugs, or all. Secrets are not in it; references to them are.
func Export(ctx context.Context, ownerURL string, slugs ...string) ([]byte, error) {
	const q = `
		SELECT jsonb_build_object('slug', s.slug, 'name', s.name, 'url', s.url, 'time_zone', s.time_zone, 'language', s.language,
			'audience', s.audience, 'voice', s.voice, 'author', s.author, 'categories', s.categories, 'tags', s.tags, 'rules', s.rules,
			'cms', s.cms, 'article_budget', s.article_budget_micros, 'research', s.research, 'schedule', s.schedule,
			'competitors', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', k.name, 'kind', k.kind, 'url', k.url, 'via', k.via, 'most', k.most)
				ORDER BY k.id), '[]') FROM blogposter.competitors k WHERE k.site_id = s.id AND k.active),
			'sources', (SELECT coalesce(jsonb_agg(jsonb_build_object('prefix', o.prefix, 'tier', o.tier, 'start', o.start) ORDER BY o.prefix), '[]')
				FROM blogposter.sources o WHERE o.site_id = s.id))
		FROM blogposter.sites s WHERE cardinality($1::text[]) = 0 OR s.slug = ANY ($1) ORDER BY s.slug`
	found, err := query(ctx, ownerURL, q, stored, append([]string{}, slugs...))
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	have := map[string]bool{}
	for _, s := range found {
		have[s.Slug] = true
	}
	for _, slug := range slugs {
		if !have[slug] {
			return nil, fmt.Errorf("export %s: %w", slug, ErrNoSite)
		}
	}
	return Format(found...)
}

func stored(row pgx.CollectableRow) (s Site, err error) {
	var raw []byte
	if err := row.Scan(&raw); err != nil {
		return s, err
	}
	var more struct {
		CMS storedCMS `json:"cms"`
	}
	err = errors.Join(json.Unmarshal(raw, &s.Site), json.Unmarshal(raw, &more))
	s.PasswordFrom = more.CMS.PasswordFrom
	return s, err
}

// Format writes sites as a file.
func Format(sites ...Site) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	for _, s := range sites {
		if err := enc.Encode(documentOf(s)); err != nil {
			return nil, fmt.Errorf("write site %s: %w", s.Slug, err)
		}
	}
	return b.Bytes(), enc.Close()
}
