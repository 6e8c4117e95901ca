package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/api"
	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

// desk keeps one site's runs: what was added, by key.
type desk struct {
	site   string
	page   view.Page
	added  []view.NewRun
	keys   map[string]view.Earlier
	faster *view.Earlier // what another request adds under the key between Intake and AddRun
	err    error
}

func (d *desk) Intake(_ context.Context, site, key string) (view.Intake, error) {
	d.site = site
	in := view.Intake{Site: editorial.Site{Slug: site, ArticleBudget: 150_000, Sources: []editorial.Source{
		{Prefix: "https://www.ada.gov/"}, {Prefix: "https://law.example/acts/"},
	}}}
	if e, ok := d.keys[key]; ok && key != "" {
		in.Earlier = &e
	}
	return in, d.err
}

func (d *desk) AddRun(_ context.Context, _ string, r view.NewRun) (view.Earlier, bool, error) {
	if d.err != nil {
		return view.Earlier{}, false, d.err
	}
	if d.faster != nil {
		return *d.faster, false, nil
	}
	d.added = append(d.added, r)
	e := view.Earlier{Request: r.Request, Run: view.Run{ID: 7, Topic: r.Topic, Stage: pipeline.StageDraft, State: pipeline.StateReady}}
	if d.keys == nil {
		d.keys = map[string]view.Earlier{}
	}
	d.keys[r.Key] = e
	return e, true, nil
}

func (d *desk) Runs(_ context.Context, site string, p view.Page) ([]view.Run, error) {
	d.site, d.page = site, p
	return []view.Run{{ID: 9, Stage: pipeline.StageReview, State: pipeline.StateWaiting, Waiting: pipeline.WaitingApproval}}, d.err
}

func (d *desk) Run(_ context.Context, site string, id int64) (view.Detail, error) {
	d.site = site
	return view.Detail{
		Run:    view.Run{ID: id, Stage: pipeline.StageSEO, State: pipeline.StateFailed, Why: "no title fits"},
		Cost:   view.Cost{Spent: 14_250, Limit: 150_000},
		Drafts: []view.Version{{Version: 1}},
	}, d.err
}

// bell records what was woken.
type bell struct {
	rung []string
	err  error
}

func (b *bell) Wake(_ context.Context, function string) error {
	b.rung = append(b.rung, function)
	return b.err
}

var pins = pipeline.Pins{Prompts: "v1", Small: "s", Large: "l"}

func runs(d *desk, b *bell) http.Handler {
	return api.Runs{
		Verifier: door{}, Store: d, Waker: b, Pins: pins, Now: func() time.Time { return now },
	}.Handler()
}

func TestRuns_start_addsTheRunThenWakesTheStage(t *testing.T) {
	t.Parallel()

	d, b := &desk{}, &bell{}
	w := ask(runs(d, b), "editor", http.MethodPost, "/", `{"site":"dogs","topic":" Dogs on trains ","urls":["HTTPS://WWW.ada.gov","https://www.ada.gov/#top","https://law.example/acts/2?p=1"],
		"max_cost":"0.12","publish":"review","publish_at":"2026-11-21T04:00:00.1234567-05:00"}`)
	require.Equal(t, http.StatusAccepted, w.Code, w.Body.String())
	require.Equal(t, "/api/v1/web/fn-7/api/runs/7", w.Header().Get("Location"))
	got := decode[view.Run](t, w)
	require.Equal(t, int64(7), got.ID)
	require.Equal(t, "/api/v1/web/fn-7/api/runs/7", got.Links["self"])
	require.NotEmpty(t, got.Next)
	require.Equal(t, []string{"pipeline/draft"}, b.rung)

	at := time.Date(2026, 11, 21, 9, 0, 0, 123456000, time.UTC)
	require.Equal(t, []view.NewRun{{
		Topic: "Dogs on trains", URLs: []string{"https://www.ada.gov/", "https://law.example/acts/2?p=1"},
		MaxCost: 120_000, PublishAt: &at, By: "ann", Pins: pins, Request: d.added[0].Request,
	}}, d.added)
}

func TestRuns_start_answersEvenWhenTheWakeUpIsLost(t *testing.T) {
	t.Parallel()

	b := &bell{err: errors.New("429")}
	require.Equal(t, http.StatusAccepted, ask(runs(&desk{}, b), "editor", http.MethodPost, "/", `{"topic":"Dogs on trains"}`).Code)
	require.Len(t, b.rung, 1)
}

func TestRuns_start_takesTheSiteFromTheBodyOrTheAddress(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		token, target, body string
		status              int
		site                string
	}{
		"neither, with one site":   {"editor", "/", `{"topic":"Dogs"}`, 202, "dogs"},
		"the body":                 {"many", "/", `{"topic":"Dogs","site":"cats"}`, 202, "cats"},
		"the address":              {"many", "/?site=cats", `{"topic":"Dogs"}`, 202, "cats"},
		"both, agreeing":           {"many", "/?site=cats", `{"topic":"Dogs","site":"cats"}`, 202, "cats"},
		"both, not agreeing":       {"many", "/?site=cats", `{"topic":"Dogs","site":"dogs"}`, 400, ""},
		"neither, with two sites":  {"many", "/", `{"topic":"Dogs"}`, 400, ""},
		"somebody else's":          {"editor", "/", `{"topic":"Dogs","site":"cats"}`, 404, ""},
		"a parameter of something": {"editor", "/?dry=1", `{"topic":"Dogs"}`, 400, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			d := &desk{}
			w := ask(runs(d, &bell{}), tc.token, http.MethodPost, tc.target, tc.body)
			require.Equal(t, tc.status, w.Code, w.Body.String())
			require.Equal(t, tc.site, d.site)
		})
	}
}

func TestRuns_start_isSafeToRepeatUnderAKey(t *testing.T) {
	t.Parallel()

	d, b := &desk{}, &bell{}
	h := runs(d, b)
	const key = "Idempotency-Key"
	body := `{"topic":"Dogs on trains","publish_at":"2026-11-20T09:00:01Z"}`
	first := ask(h, "editor", http.MethodPost, "/", body, key, "k1")
	require.Equal(t, http.StatusAccepted, first.Code)

	late := api.Runs{Verifier: door{}, Store: d, Waker: b, Now: func() time.Time { return now.Add(time.Hour) }}.Handler()
	again := ask(late, "editor", http.MethodPost, "/?site=dogs", ` {"publish_at":"2026-11-20T09:00:01Z", "topic":"Dogs on trains", "site":"dogs"}`, key, "k1")
	require.Equal(t, http.StatusOK, again.Code, "spacing, order and a site that goes without saying don't count, nor that the time has passed meanwhile: %s", again.Body)
	require.Equal(t, first.Header().Get("Location"), again.Header().Get("Location"))
	require.Len(t, d.added, 1)
	require.Len(t, b.rung, 1)

	p := refused(t, ask(h, "editor", http.MethodPost, "/", `{"topic":"Cats on trains"}`, key, "k1"), http.StatusUnprocessableEntity)
	require.Equal(t, "urn:blogposter:problem:idempotency-key-reused", p.Type)
	require.Equal(t, http.StatusAccepted, ask(h, "editor", http.MethodPost, "/", `{"topic":"Cats on trains"}`, key, "k2").Code)
	require.Len(t, d.added, 2)

	for _, bad := range []string{"", "two words", "é", strings.Repeat("x", 201)} {
		p := refused(t, ask(h, "editor", http.MethodPost, "/", body, key, bad), http.StatusBadRequest)
		require.Equal(t, []string{key}, fields(p))
	}
}

func TestRuns_start_yieldsToAFasterRequestWithItsKey(t *testing.T) {
	t.Parallel()

	b := &bell{}
	d := &desk{faster: &view.Earlier{Request: "another", Run: view.Run{ID: 8}}}
	refused(t, ask(runs(d, b), "editor", http.MethodPost, "/", `{"topic":"Dogs"}`, "Idempotency-Key", "k"), http.StatusUnprocessableEntity)

	probe := &desk{}
	ask(runs(probe, &bell{}), "editor", http.MethodPost, "/", `{"topic":"Dogs"}`, "Idempotency-Key", "k")
	d.faster.Request = probe.added[0].Request
	w := ask(runs(d, b), "editor", http.MethodPost, "/", `{"topic":"Dogs"}`, "Idempotency-Key", "k")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "/api/v1/web/fn-7/api/runs/8", w.Header().Get("Location"))
	require.Empty(t, b.rung, "whoever added it wakes")
}

func TestRuns_list_filtersAndDescribes(t *testing.T) {
	t.Parallel()

	d := &desk{}
	w := ask(runs(d, &bell{}), "viewer", http.MethodGet, "/?state=waiting&stage=review&limit=5", "")
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, view.Page{Limit: 5, State: pipeline.StateWaiting, Stage: pipeline.StageReview}, d.page)
	r := decode[page[view.Run]](t, w).Items[0]
	require.Equal(t, map[string]string{"self": "/api/v1/web/fn-7/api/runs/9", "review": "/api/v1/web/fn-7/api/reviews/9"}, r.Links)
	require.Equal(t, "A reviewer approves or rejects the draft.", r.Next)

	p := refused(t, ask(runs(d, &bell{}), "viewer", http.MethodGet, "/?state=lost&stage=print", ""), http.StatusBadRequest)
	require.Equal(t, []string{"stage", "state"}, fields(p))
	require.Contains(t, p.Errors[0].Fix, "draft, factcheck, seo, review, publish")
}

func TestRuns_one_saysWhyItStandsThere(t *testing.T) {
	t.Parallel()

	w := ask(runs(&desk{}, &bell{}), "viewer", http.MethodGet, "/9", "")
	require.Equal(t, http.StatusOK, w.Code)
	d := decode[view.Detail](t, w)
	require.Equal(t, "Given up: no title fits", d.Why)
	require.Equal(t, "/api/v1/web/fn-7/api/reviews/9", d.Links["review"])
	require.Contains(t, w.Body.String(), `"spent":{"micro_dollars":14250,"dollars":"0.014250"}`)
}

func TestRuns_passesOnWhatTheStoreSays(t *testing.T) {
	t.Parallel()

	d := &desk{err: view.ErrNotFound}
	for _, target := range []string{"/", "/9"} {
		refused(t, ask(runs(d, &bell{}), "viewer", http.MethodGet, target, ""), http.StatusNotFound)
	}
	refused(t, ask(runs(d, &bell{}), "viewer", http.MethodGet, "/9?x=1", ""), http.StatusBadRequest)
	refused(t, ask(runs(d, &bell{}), "editor", http.MethodPost, "/", `{"topic":"Dogs"}`), http.StatusNotFound)
}
