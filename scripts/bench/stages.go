package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/invoke"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
	"blogposter/lib/worker"
	"blogposter/scripts/bench/wirecount"
	"blogposter/scripts/world"
)

// articles is how many runs go through all stages; the first one is left out
// of the medians, since it meets cold processes.
const articles = 4

// bench is one run of the benchmark.
type bench struct {
	world *world.World
	proxy *wirecount.Proxy
	env   map[string]string
	out   io.Writer
}

// open puts the counting proxy before the database and a platform that takes
// every wake-up behind the functions.
func open(ctx context.Context, w *world.World, out io.Writer) (*bench, func(), error) {
	u, err := url.Parse(w.DB.FunctionsURL)
	if err != nil {
		return nil, nil, err
	}
	proxy, err := wirecount.Listen(ctx, u.Host)
	if err != nil {
		return nil, nil, err
	}
	u.Host = proxy.Address()
	sink := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusAccepted)
		_, _ = rw.Write([]byte(`{"activationId":"none"}`))
	}))
	env := map[string]string{"__OW_API_HOST": sink.URL}
	for k, v := range w.Settings {
		env[k] = v
	}
	env["DATABASE_URL"], env["LOG_LEVEL"] = u.String(), "ERROR"
	return &bench{world: w, proxy: proxy, env: env, out: out}, func() { sink.Close(); _ = proxy.Close() }, nil
}

// nothing is a stage without work of its own: what is left is the frame.
type nothing struct{ store *store.Store }

func (n nothing) Do(ctx context.Context, l pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
	_, err := n.store.Dossier(ctx, l)
	return editorial.Work{}, pipeline.Outcome{}, err
}

// frame prints what claim, load, finish, wake and event cost around any stage.
func (b *bench) frame(ctx context.Context) error {
	site, err := storetest.InsertSite(ctx, b.world.DB.Owner, "frame")
	if err != nil {
		return err
	}
	pool, err := store.Pool(ctx, b.env["DATABASE_URL"])
	if err != nil {
		return err
	}
	defer pool.Close()
	host, err := url.Parse(b.env["__OW_API_HOST"])
	if err != nil {
		return err
	}
	s := store.New(pool)
	w := worker.New(pipeline.StageDraft, nothing{s}, s, invoke.New(host, b.env["FUNCTIONS_ACCESS_KEY"], &http.Client{Timeout: time.Second}), time.Minute)
	var took []time.Duration
	var statements []string
	for i := range rounds + 1 {
		if _, err := storetest.InsertRun(ctx, b.world.DB.Owner, site, "draft"); err != nil {
			return err
		}
		b.proxy.Take()
		began := time.Now()
		if _, err := w.Drain(ctx, "bench"); err != nil {
			return err
		}
		if i > 0 { // the first one connects
			took = append(took, time.Since(began))
		}
		statements = b.proxy.Take()
	}
	// These runs stay at the next stage; they must not be work for the real one.
	if _, err := b.world.DB.Owner.Exec(ctx, `DELETE FROM blogposter.budgets WHERE site_id = $1`, site); err != nil {
		return err
	}
	if _, err := b.world.DB.Owner.Exec(ctx, `DELETE FROM blogposter.runs WHERE site_id = $1`, site); err != nil {
		return err
	}
	// The last statement is the look that finds no more work.
	fmt.Fprintf(b.out, "\nframe of a stage: claim, load, finish, wake, event (median of %d; aim: at most 6 statements, under 50 ms)\n", rounds)
	fmt.Fprintf(b.out, "  %d statements and one that finds nothing more, %s\n", len(statements)-1, ms(median(took)))
	return nil
}

// seen is what one stage did for one article.
type seen struct {
	took, busy       time.Duration
	journal, rest, n int
}

// stages prints what each stage takes for a whole article, with a model that
// adds no waiting of its own.
func (b *bench) stages(ctx context.Context) error {
	names := []string{"pipeline/draft", "pipeline/factcheck", "pipeline/seo", "pipeline/publish"}
	functions := map[string]*function{}
	for _, name := range append([]string{"api/runs", "api/reviews"}, names...) {
		f, err := start("packages/"+name+"/exec", b.env)
		if err != nil {
			return err
		}
		defer func() { _ = f.close() }()
		functions[name] = f
	}
	results := map[string][]seen{}
	for i := range articles {
		id, err := b.order(functions["api/runs"], i)
		if err != nil {
			return err
		}
		for _, name := range names {
			if name == "pipeline/publish" {
				if err := b.approve(functions["api/reviews"], id); err != nil {
					return err
				}
			}
			got, err := b.work(functions[name], name)
			if err != nil {
				return errors.Join(err, b.mustBeDone(ctx, id))
			}
			results[name] = append(results[name], got)
		}
		if err := b.mustBeDone(ctx, id); err != nil {
			return err
		}
	}
	fmt.Fprintf(b.out, "\nstages, for a whole article (median of %d, warm processes, offline model without latency)\n", articles-1)
	fmt.Fprintf(b.out, "  %-20s %11s  %24s  %7s  %18s  %6s\n", "stage", "takes", "of it model and reader", "calls", "SQL for the calls", "other")
	for _, name := range names {
		var took, busy []time.Duration
		var last seen
		for _, s := range results[name][1:] {
			took, busy, last = append(took, s.took), append(busy, s.busy), s
		}
		fmt.Fprintf(b.out, "  %-20s %11s  %24s  %7d  %18d  %6d\n", name, ms(median(took)), ms(median(busy)), last.n, last.journal, last.rest)
	}
	return nil
}

func (b *bench) work(f *function, name string) (seen, error) {
	b.proxy.Take()
	busy, began := b.world.Busy(), time.Now()
	reply, err := f.call(map[string]any{})
	if err != nil {
		return seen{}, err
	}
	got := seen{took: time.Since(began), busy: b.world.Busy() - busy}
	var sum worker.Summary
	if err := json.Unmarshal(reply, &sum); err != nil || sum.Finished != 1 {
		return seen{}, fmt.Errorf("%s answered %s, one run was due", name, strings.TrimSpace(string(reply)))
	}
	for _, q := range b.proxy.Take() {
		switch {
		case strings.Contains(q, "begin_step"):
			got.n++
			got.journal += 2 // the statement, and the one that names the site
		case strings.Contains(q, "end_step"):
			got.journal += 2
		default:
			got.rest++
		}
	}
	got.rest -= got.journal/2 + 1 // the calls' own site statements, and the last look
	return got, nil
}

func (b *bench) order(api *function, i int) (int64, error) {
	text, err := os.ReadFile("scripts/demo/topics.txt")
	if err != nil {
		return 0, err
	}
	var topics []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			topics = append(topics, line)
		}
	}
	token := b.world.Token("editor", b.world.Site.Slug)
	reply, err := api.call(request("POST", "/", token, map[string]any{"topic": topics[i%len(topics)]}))
	if err != nil {
		return 0, err
	}
	var run struct {
		ID int64 `json:"id"`
	}
	return run.ID, answer(reply, &run)
}

func (b *bench) approve(api *function, id int64) error {
	token := b.world.Token("reviewer", b.world.Site.Slug)
	reply, err := api.call(request("GET", fmt.Sprintf("/%d", id), token, nil))
	if err != nil {
		return err
	}
	var sheet struct {
		Digest string `json:"digest"`
	}
	if err := answer(reply, &sheet); err != nil {
		return err
	}
	reply, err = api.call(request("POST", fmt.Sprintf("/%d/decision", id), token, map[string]any{"verb": "approve", "digest": sheet.Digest}))
	if err != nil {
		return err
	}
	var decided json.RawMessage
	return answer(reply, &decided)
}

func (b *bench) mustBeDone(ctx context.Context, id int64) error {
	var state, stage, fault string
	err := b.world.DB.Owner.QueryRow(ctx, `SELECT state, stage, coalesce(error, '') FROM blogposter.runs WHERE id = $1`, id).Scan(&state, &stage, &fault)
	if err == nil && state != "done" {
		err = fmt.Errorf("run %d is %s at %s: %s", id, state, stage, fault)
	}
	return err
}
