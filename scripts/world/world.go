// Package world is all that the functions of one test or one benchmark run
// talk to: a fresh database on the real Postgres, the real S3 and WordPress of
// make up, and in this process the offline model and the pages' server. It is
// for tests and benchmarks only.
package world

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"blogposter/lib/config"
	"blogposter/lib/editorial"
	"blogposter/lib/seal"
	"blogposter/lib/store/storetest"
	"blogposter/scripts/modelserver/compose"
	"blogposter/scripts/modelserver/wire"
	"blogposter/scripts/rivals"
	"blogposter/scripts/site/sitefile"
	"blogposter/scripts/sourceserver/pages"
)

// Config says what is special about a World.
type Config struct {
	Root   string // of the repository, such as "../.."
	Pages  string // folder of source pages; "" is the demo's
	Script func(wire.Request) *wire.Fault
	Rivals bool // the site watches the made-up competitors
}

// World is open until its Close.
type World struct {
	DB        storetest.DB
	Site      editorial.Site
	Model     *wire.Server
	Rivals    []*rivals.Rival   // whom the site watches
	Settings  map[string]string // what project.yml asks for
	readerLog *bytes.Buffer
	busy      atomic.Int64 // nanoseconds that the model and the reader took
	closers   []func() error
}

// Busy is how long the model and the reader have taken so far to make their
// answers: what a stage waited for, and what no stage can help.
func (w *World) Busy() time.Duration { return time.Duration(w.busy.Load()) }

// timed adds what h takes to Busy.
func (w *World) timed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		start := time.Now()
		defer func() { w.busy.Add(int64(time.Since(start))) }()
		h.ServeHTTP(rw, r)
	})
}

// ReaderCall is one page the reader returned.
type ReaderCall struct {
	URL    string `json:"url"`
	Tokens int64  `json:"tokens"`
}

// Open makes a World. The addresses of the real servers come from the
// environment, as make test and make bench set it.
func Open(ctx context.Context, cfg Config) (w *World, err error) {
	w = &World{readerLog: &bytes.Buffer{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	db, drop, err := storetest.Create(ctx)
	if err != nil {
		return w, err
	}
	w.DB = db
	w.closers = append(w.closers, drop)

	wired := wire.Config{Composer: mind{compose.New()}, Script: cfg.Script}
	table, err := vectors()
	if err != nil {
		return w, err
	}
	if table != nil {
		wired.Vectors = table
	}
	w.Model = wire.New(wired)
	model := httptest.NewServer(w.timed(w.Model))
	w.closers = append(w.closers, func() error { model.CloseClientConnections(); model.Close(); return nil })
	sources, err := w.servePages(ctx, cfg)
	if err != nil {
		return w, err
	}
	w.Settings = map[string]string{
		"LOG_LEVEL": "INFO", "LEASE_TTL": "150s", "S3_CHECKSUMS": "on", "READER_ALLOW_PRIVATE": "true",
		"MODEL_SMALL": "claude-haiku-5-5", "MODEL_LARGE": "claude-sonnet-5-5", "MODEL_EMBEDDING": "glove-100d-offline",
		"ANTHROPIC_API_KEY": "offline-world", "ANTHROPIC_BASE_URL": model.URL,
		"OPENAI_API_KEY": "offline-world", "OPENAI_BASE_URL": model.URL + "/v1",
		"JINA_API_KEY": "offline-world", "JINA_BASE_URL": sources + "/reader",
		"FUNCTIONS_ACCESS_KEY": "dof_v1_world:" + rand.Text(), "JWT_SECRET": rand.Text() + rand.Text(), seal.Variable: seal.NewKey("world"),
		"DATABASE_URL": db.FunctionsURL,
	}
	for _, name := range []string{"REDIS_URL", "S3_ENDPOINT", "S3_REGION", "S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY", "WP_URL", "WP_USER", "WP_APP_PASSWORD"} {
		if w.Settings[name] = config.OS().Get(name, ""); w.Settings[name] == "" {
			return w, fmt.Errorf("%s is not set: run make up and load its stack.env", name)
		}
	}
	return w, w.importSite(ctx, cfg)
}

// Close ends the servers and drops the database.
func (w *World) Close() error {
	var errs []error
	for i := len(w.closers) - 1; i >= 0; i-- {
		errs = append(errs, w.closers[i]())
	}
	w.closers = nil
	return errors.Join(errs...)
}

// Token is what Supabase would sign for a person of the site's team.
func (w *World) Token(role string, sites ...string) string {
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": role + "@example.org", "aud": "authenticated", "exp": time.Now().Add(time.Hour).Unix(),
		"app_metadata": map[string]any{"role": role, "sites": sites},
	}).SignedString([]byte(w.Settings["JWT_SECRET"]))
	if err != nil {
		panic(err) // HS256 signs any key
	}
	return signed
}

// ReaderCalls lists the pages the reader was paid for.
func (w *World) ReaderCalls() ([]ReaderCall, error) {
	var calls []ReaderCall
	for dec := json.NewDecoder(bytes.NewReader(w.readerLog.Bytes())); dec.More(); {
		var c ReaderCall
		if err := dec.Decode(&c); err != nil {
			return nil, err
		}
		calls = append(calls, c)
	}
	return calls, nil
}

func (w *World) servePages(ctx context.Context, cfg Config) (string, error) {
	dir := cfg.Pages
	if dir == "" {
		dir = cfg.Root + "/scripts/demo/pages"
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	base := "http://" + l.Addr().String()
	found, err := pages.Load(dir, base)
	if err != nil {
		return "", errors.Join(err, l.Close())
	}
	h, err := pages.New(pages.Config{Pages: found, Log: w.readerLog})
	if err != nil {
		return "", errors.Join(err, l.Close())
	}
	srv := &http.Server{Handler: w.timed(h), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(l) }()
	w.closers = append(w.closers, srv.Close)
	for _, p := range found {
		tier := editorial.Tier(p.Tier)
		if tier == "" {
			tier = editorial.TierAuthoritative
		}
		w.Site.Sources = append(w.Site.Sources, editorial.Source{Prefix: p.URL, Tier: tier, Start: true})
	}
	return base, nil
}

// importSite imports the demo's site under a name of its own: worlds share one
// WordPress, where the site's name tells their posts apart.
func (w *World) importSite(ctx context.Context, cfg Config) error {
	raw, err := os.ReadFile(cfg.Root + "/scripts/demo/site.yml")
	if err != nil {
		return err
	}
	s, err := sitefile.Read(raw)
	if err != nil {
		return err
	}
	s.Slug, s.Sources = "world-"+strings.ToLower(rand.Text()[:10]), w.Site.Sources
	s.URL, s.CMS.URL, s.CMS.User = w.Settings["WP_URL"], w.Settings["WP_URL"], w.Settings["WP_USER"]
	if cfg.Rivals {
		w.watch(&s.Site)
	}
	w.Site = s.Site
	keys, err := seal.Parse(w.Settings[seal.Variable])
	if err != nil {
		return err
	}
	secrets := sitefile.Secrets{Keys: keys, Value: func(name string) string { return w.Settings[name] }}
	return sitefile.Import(ctx, w.DB.OwnerURL, secrets, s)
}

// mind puts the composer behind the wire; neither knows the other.
type mind struct{ composer *compose.Composer }

func (m mind) Compose(ctx context.Context, r wire.Request) (string, error) {
	texts := make([]string, len(r.Messages))
	for i, msg := range r.Messages {
		texts[i] = msg.Text
	}
	return m.composer.Compose(ctx, r.System, texts, r.Schema)
}
