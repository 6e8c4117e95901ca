// Package store is the only room that speaks SQL. Methods take and return the
// nouns of editorial and pipeline.
//
// It works behind a transaction pooler: queries use the exec mode (no prepared
// statement outlives a round trip) and a site's rows are reached by setting
// app.site_id for one transaction. Without it, row-level security shows no row.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

// ErrNotFound means that there is no such row, or not on this site.
var ErrNotFound = errors.New("store: not found")

// SQLSTATEs that the migrations' functions raise.
const (
	codeLeaseLost = "BP001"
	codeBudget    = "BP002"
	codeGate      = "BP003"
	codeTopic     = "BP004"
)

// conn is what *pgxpool.Pool and pgx.Tx have in common.
type conn interface {
	Begin(ctx context.Context) (pgx.Tx, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Store reads and writes on a pool.
type Store struct{ db conn }

// New returns a Store on db, which is a *pgxpool.Pool in production.
func New(db conn) *Store { return &Store{db: db} }

// Pool opens a pool for one function process: at most two connections, since
// a process serves one event at a time and a pooler stands in front. It does
// not connect yet.
func Pool(ctx context.Context, url string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("DATABASE_URL is not a Postgres URL: use postgres://user:password@host:port/database?sslmode=verify-full")
	}
	cfg.MaxConns = 2
	// A function is frozen between events: a connection may be dead when it is
	// thawed, and nobody may wait for the network's own patience to find out.
	cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	cfg.PingTimeout = 2 * time.Second
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	cfg.ConnConfig.StatementCacheCapacity = 0
	cfg.ConnConfig.DescriptionCacheCapacity = 0
	return pgxpool.NewWithConfig(ctx, cfg)
}

// asSite sends the queries that add queues as one transaction in one round
// trip, in which only the rows of siteID exist.
func (s *Store) asSite(ctx context.Context, siteID int64, add func(b *pgx.Batch)) error {
	var b pgx.Batch
	b.Queue(`SELECT set_config('app.site_id', $1::bigint::text, true)`, siteID)
	add(&b)
	return translate(s.db.SendBatch(ctx, &b).Close())
}

// object scans the single JSON value of a query's only row into dst.
func object(dst any) func(pgx.Row) error {
	return func(row pgx.Row) error {
		var raw []byte
		if err := row.Scan(&raw); err != nil {
			return err
		}
		if raw == nil {
			return ErrNotFound
		}
		return json.Unmarshal(raw, dst)
	}
}

// translate turns what the migrations raise into the errors of this package
// and classifies the rest.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return err
	}
	switch pe.Code {
	case codeLeaseLost:
		return fmt.Errorf("%w: %s", pipeline.ErrLeaseLost, pe.Message)
	case codeBudget:
		return fault.NeedsBudget(fmt.Errorf("%w: %s", journal.ErrBudget, pe.Message))
	case codeGate:
		return fault.NeedsHuman(err)
	case codeTopic:
		return fmt.Errorf("%w: %s", view.ErrTopicTaken, pe.Message)
	case "42501", "28P01", "28000", "3D000": // rights, password, role, database: a person must look
		return fault.NeedsHuman(err)
	}
	switch pe.Code[:2] {
	case "22", "23": // the data itself is refused
		return fault.Permanent(err)
	}
	return err
}
