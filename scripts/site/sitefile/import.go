package sitefile

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/editorial"
)

// Import validates a site and writes it, its sources included, in one
// transaction: a new row, or the row with its slug brought up to date. It logs
// in as the schema's owner. A second call changes nothing.
func Import(ctx context.Context, ownerURL string, s editorial.Site) error {
	if err := Validate(s); err != nil {
		return err
	}
	documents := make([]string, 0, 3)
	for _, v := range []any{s.Rules, s.CMS, s.Sources} {
		raw, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("encode site %s: %w", s.Slug, err)
		}
		documents = append(documents, string(raw))
	}
	db, err := pgx.Connect(ctx, ownerURL)
	if err != nil {
		return fmt.Errorf("import site %s: %w", s.Slug, err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		const site = `
			INSERT INTO blogposter.sites (slug, name, url, time_zone, language, audience, voice, author, categories, tags,
			                              article_budget_micros, rules, cms)
			VALUES (@slug, @name, @url, @time_zone, @language, @audience, @voice, @author, @categories, @tags, @budget, @rules, @cms)
			ON CONFLICT (slug) DO UPDATE SET name = @name, url = @url, time_zone = @time_zone, language = @language, audience = @audience,
			    voice = @voice, author = @author, categories = @categories, tags = @tags, article_budget_micros = @budget,
			    rules = @rules, cms = @cms, updated_at = now()
			RETURNING id`
		var id int64
		err := tx.QueryRow(ctx, site, pgx.NamedArgs{
			"slug": s.Slug, "name": s.Name, "url": s.URL, "time_zone": s.TimeZone, "language": s.Language, "audience": s.Audience,
			"voice": s.Voice, "author": s.Author, "categories": append([]string{}, s.Categories...), "tags": append([]string{}, s.Tags...),
			"budget": s.ArticleBudget, "rules": documents[0], "cms": documents[1],
		}).Scan(&id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM blogposter.sources WHERE site_id = $1`, id); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO blogposter.sources (site_id, prefix, tier, start)
			SELECT $1, prefix, tier, start FROM jsonb_to_recordset($2::jsonb) AS x(prefix text, tier text, start boolean)`, id, documents[2])
		return err
	})
	if err != nil {
		return fmt.Errorf("import site %s: %w", s.Slug, err)
	}
	return nil
}

// AddKey stores the hash of a new API key of the site. Only its holder ever
// knows the key.
func AddKey(ctx context.Context, ownerURL, slug, name, role, hash string) error {
	db, err := pgx.Connect(ctx, ownerURL)
	if err != nil {
		return fmt.Errorf("add key to %s: %w", slug, err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	tag, err := db.Exec(ctx, `INSERT INTO blogposter.api_keys (site_id, name, role, hash)
		SELECT id, $2, $3, $4 FROM blogposter.sites WHERE slug = $1`, slug, name, role, hash)
	if err != nil {
		return fmt.Errorf("add key to %s: %w", slug, err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("add key: there is no site %q: import it first", slug)
	}
	return nil
}
