// Package storetest gives each test its own Postgres database, cloned from a
// template that has every migration applied. Import it from tests only.
//
// With TEST_THROUGH_POOLER=1 the functions' role reaches it as in production:
// through a pooler in transaction mode, at TEST_POOLER_FN_DATABASE_URL.
// Databases are made and dropped past it, as migrations are.
package storetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"blogposter/lib/store"
	"blogposter/migrations"
)

// DB is one test's database, seen by its owner and by the functions' role.
type DB struct {
	OwnerURL     string
	FunctionsURL string
	Owner        *pgxpool.Pool // sees every row: for setting up and looking
	Functions    *pgxpool.Pool // what production code gets: row-level security applies
}

// template builds the template database at most once per test binary.
var template = sync.OnceValues(buildTemplate)

// New returns a fresh, migrated database that is dropped when the test ends.
// Without the addresses of a Postgres server the test is skipped, except in CI.
func New(tb testing.TB) DB {
	tb.Helper()
	return fresh(tb, functionsVariable())
}

// NewPooled is New with the functions' role behind the pooler, whatever
// TEST_THROUGH_POOLER says: for what must hold there.
func NewPooled(tb testing.TB) DB {
	tb.Helper()
	return fresh(tb, poolerVariable)
}

func fresh(tb testing.TB, functions string) DB {
	tb.Helper()
	if ownerURL() == "" || os.Getenv(functions) == "" {
		need := ownerVariable + " and " + functions
		if os.Getenv("CI") != "" {
			tb.Fatal(need + " must be set in CI")
		}
		tb.Skip("set " + need + " to run tests against Postgres (scripts/stack/up.sh --all)")
	}
	db, drop, err := create(context.Background(), os.Getenv(functions))
	require.NoError(tb, err, "create a test database")
	tb.Cleanup(func() { require.NoError(tb, drop()) })
	return db
}

// Create is New for programs that are no tests, such as a benchmark: the
// caller drops the database. Both addresses must be set.
func Create(ctx context.Context) (db DB, drop func() error, err error) {
	return create(ctx, os.Getenv(functionsVariable()))
}

func create(ctx context.Context, functionsURL string) (db DB, drop func() error, err error) {
	tmpl, err := template()
	if err != nil {
		return DB{}, nil, fmt.Errorf("build template database: %w", err)
	}
	admin, err := pgx.Connect(ctx, ownerURL())
	if err != nil {
		return DB{}, nil, err
	}
	name := "t_" + strings.ToLower(rand.Text()[:16])
	if _, err := admin.Exec(ctx, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, tmpl)); err != nil {
		return DB{}, nil, errors.Join(err, admin.Close(ctx))
	}
	db = DB{OwnerURL: inDatabase(ownerURL(), name), FunctionsURL: inDatabase(functionsURL, name)}
	if db.Owner, err = pool(ctx, db.OwnerURL); err != nil {
		return DB{}, nil, err
	}
	if db.Functions, err = pool(ctx, db.FunctionsURL); err != nil {
		return DB{}, nil, err
	}
	return db, func() error {
		db.Owner.Close()
		db.Functions.Close()
		ctx := context.WithoutCancel(ctx) // a test's own context is cancelled when cleanups run
		_, err := admin.Exec(ctx, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name))
		return errors.Join(err, admin.Close(ctx))
	}, nil
}

// pool opens connections just as a function does, with a few more of them for
// tests that overlap calls.
func pool(ctx context.Context, url string) (*pgxpool.Pool, error) {
	small, err := store.Pool(ctx, url)
	if err != nil {
		return nil, err
	}
	cfg := small.Config()
	small.Close()
	cfg.MaxConns = 4
	return pgxpool.NewWithConfig(ctx, cfg)
}

const (
	ownerVariable  = "TEST_DATABASE_URL"
	directVariable = "TEST_FN_DATABASE_URL"
	poolerVariable = "TEST_POOLER_FN_DATABASE_URL"
)

func ownerURL() string { return os.Getenv(ownerVariable) }

// functionsVariable names the variable with the functions' way to the server.
func functionsVariable() string {
	if os.Getenv("TEST_THROUGH_POOLER") == "1" {
		return poolerVariable
	}
	return directVariable
}

func inDatabase(raw, name string) string {
	u, err := url.Parse(raw)
	if err != nil {
		panic(ownerVariable + " and " + functionsVariable() + " must be URLs such as postgres://user:password@127.0.0.1:5432/postgres")
	}
	u.Path = "/" + name
	return u.String()
}

// buildTemplate names the template after the hash of the migrations, so an
// edited migration gets a new one, and holds an advisory lock so that test
// binaries running side by side build it once.
func buildTemplate() (string, error) {
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, n := range names {
		b, err := fs.ReadFile(migrations.FS, n)
		if err != nil {
			return "", err
		}
		sum.Write(b)
	}
	tmpl := fmt.Sprintf("tmpl_%x", sum.Sum(nil)[:8])

	ctx := context.Background()
	admin, err := pgx.Connect(ctx, ownerURL())
	if err != nil {
		return "", err
	}
	defer func() { _ = admin.Close(ctx) }()
	if _, err := admin.Exec(ctx, "SELECT pg_advisory_lock(72177)"); err != nil {
		return "", err
	}
	var ready bool
	if err := admin.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)", tmpl).Scan(&ready); err != nil {
		return "", err
	}
	if ready {
		return tmpl, nil
	}
	for _, q := range []string{"DROP DATABASE IF EXISTS " + tmpl, "CREATE DATABASE " + tmpl} {
		if _, err := admin.Exec(ctx, q); err != nil {
			return "", err
		}
	}
	if _, err := migrations.Up(ctx, inDatabase(ownerURL(), tmpl)); err != nil {
		return "", err
	}
	// The flag is set last: a half-built template is rebuilt, never cloned.
	_, err = admin.Exec(ctx, "ALTER DATABASE "+tmpl+" WITH IS_TEMPLATE true")
	return tmpl, err
}
