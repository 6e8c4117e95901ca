package sitefile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/editorial"
	"blogposter/lib/seal"
)

// Secrets is where an import finds what a file only refers to. The zero value
// does for sites that refer to nothing.
type Secrets struct {
	Keys  *seal.Keys
	Value func(variable string) string // "" for one that is not set
}

// Import validates the sites and writes them, with all that belongs to them,
// in one transaction: new rows, or those with their slugs brought up to date.
// Competitors that the file no longer names become inactive and keep their
// pages. It logs in as the schema's owner. When anything is wrong nothing is
// written, and a second call changes nothing.
func Import(ctx context.Context, ownerURL string, secrets Secrets, sites ...Site) error {
	var errs []error
	passwords := make([]string, len(sites))
	for i, s := range sites {
		faults := validate(s, nil)
		if s.PasswordFrom != "" {
			var fault *Fault
			if passwords[i], fault = secrets.password(s.PasswordFrom); fault != nil {
				faults = append(faults, *fault)
			}
		}
		if err := joined(faults); err != nil {
			errs = append(errs, fmt.Errorf("site %s:\n%w", s.Slug, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return transact(ctx, ownerURL, func(tx pgx.Tx) error {
		for i, s := range sites {
			if err := write(ctx, tx, secrets.Keys, s, passwords[i]); err != nil {
				return fmt.Errorf("import site %s: %w", s.Slug, err)
			}
		}
		return nil
	})
}

func (s Secrets) password(variable string) (string, *Fault) {
	if s.Keys == nil {
		return "", &Fault{"cms.password", "can't be sealed: " + seal.Variable + " is not set, " + seal.How}
	}
	if s.Value == nil || s.Value(variable) == "" {
		return "", &Fault{"cms.password", fmt.Sprintf("${%s} is not set: put an application password of cms.user there (WordPress: Users, Profile, Application Passwords)", variable)}
	}
	return s.Value(variable), nil
}

// transact runs fn in one transaction as the schema's owner.
func transact(ctx context.Context, ownerURL string, fn func(tx pgx.Tx) error) error {
	db, err := pgx.Connect(ctx, ownerURL)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	return pgx.BeginFunc(ctx, db, fn)
}

// write brings everything of one site up to date.
func write(ctx context.Context, tx pgx.Tx, keys *seal.Keys, s Site, password string) error {
	id, err := writeSite(ctx, tx, s)
	if err != nil {
		return err
	}
	statements := []struct {
		sql  string
		rows any
	}{
		{`DELETE FROM blogposter.sources WHERE site_id = $1 AND prefix NOT IN (SELECT prefix FROM jsonb_to_recordset($2::jsonb) AS x(prefix text))`, s.Sources},
		{`INSERT INTO blogposter.sources (site_id, prefix, tier, start)
			SELECT $1, prefix, tier, start FROM jsonb_to_recordset($2::jsonb) AS x(prefix text, tier text, start boolean)
			ON CONFLICT (site_id, prefix) DO UPDATE SET tier = EXCLUDED.tier, start = EXCLUDED.start`, s.Sources},
		{`UPDATE blogposter.competitors SET active = false
			WHERE site_id = $1 AND active AND url NOT IN (SELECT url FROM jsonb_to_recordset($2::jsonb) AS x(url text))`, s.Competitors},
		{`INSERT INTO blogposter.competitors (site_id, name, kind, url, via, most)
			SELECT $1, x.v ->> 'name', x.v ->> 'kind', x.v ->> 'url', x.v ->> 'via', (x.v ->> 'most')::int
			FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS x(v, n) ORDER BY n
			ON CONFLICT (site_id, url) DO UPDATE SET name = EXCLUDED.name, kind = EXCLUDED.kind, via = EXCLUDED.via, most = EXCLUDED.most, active = true`, s.Competitors},
	}
	for _, st := range statements {
		rows, err := jsonText(st.rows)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, st.sql, id, rows); err != nil {
			return err
		}
	}
	if password == "" {
		return nil
	}
	_, err = put(ctx, tx, keys, holder{id, s.Slug}, editorial.CredentialPassword, password)
	return err
}

// storedCMS is what the column cms holds: what functions read, and where the
// next export says the password comes from.
type storedCMS struct {
	editorial.CMS
	PasswordFrom string `json:"password_from,omitempty"`
}

func writeSite(ctx context.Context, tx pgx.Tx, s Site) (id int64, err error) {
	const q = `
		INSERT INTO blogposter.sites (slug, name, url, time_zone, language, audience, voice, author, categories, tags,
		                              article_budget_micros, rules, cms, research, schedule)
		VALUES (@slug, @name, @url, @time_zone, @language, @audience, @voice, @author, @categories, @tags, @budget, @rules, @cms, @research, @schedule)
		ON CONFLICT (slug) DO UPDATE SET name = @name, url = @url, time_zone = @time_zone, language = @language, audience = @audience,
		    voice = @voice, author = @author, categories = @categories, tags = @tags, article_budget_micros = @budget,
		    rules = @rules, cms = @cms, research = @research, schedule = @schedule, updated_at = now()
		RETURNING id`
	args := pgx.NamedArgs{
		"slug": s.Slug, "name": s.Name, "url": s.URL, "time_zone": s.TimeZone, "language": s.Language, "audience": s.Audience,
		"voice": s.Voice, "author": s.Author, "categories": append([]string{}, s.Categories...), "tags": append([]string{}, s.Tags...),
		"budget": s.ArticleBudget,
	}
	for name, v := range map[string]any{"rules": s.Rules, "cms": storedCMS{s.CMS, s.PasswordFrom}, "schedule": s.Schedule, "research": s.Research} {
		if args[name], err = jsonText(v); err != nil {
			return 0, err
		}
	}
	if s.Research == nil {
		args["research"] = nil
	}
	return id, tx.QueryRow(ctx, q, args).Scan(&id)
}

// jsonText is v as a jsonb parameter; an empty list is [], never null.
func jsonText(v any) (string, error) {
	raw, err := json.Marshal(v)
	if string(raw) == "null" {
		return "[]", err
	}
	return string(raw), err
}
