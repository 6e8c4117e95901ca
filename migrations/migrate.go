package migrations

import (
	"context"
	"database/sql"
	"fmt"

	_ "github.com/jackc/pgx/v5/stdlib" // goose speaks database/sql
	"github.com/pressly/goose/v3"
)

// Schema is where everything lives, goose's own table included.
const Schema = "blogposter"

// Up applies what is missing, in order, and returns the names it applied. It
// needs a direct connection as the owner: a transaction pooler has no session
// to hold goose's lock. A second call does nothing.
func Up(ctx context.Context, url string) ([]string, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return nil, fmt.Errorf("open the migration database: %w", err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS "+Schema); err != nil {
		return nil, fmt.Errorf("create schema %s: %w", Schema, err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, FS, goose.WithTableName(Schema+".migrations"))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	results, err := p.Up(ctx)
	names := make([]string, 0, len(results))
	for _, r := range results {
		names = append(names, r.Source.Path)
	}
	if err != nil {
		return names, fmt.Errorf("migrate: %w", err)
	}
	return names, nil
}
