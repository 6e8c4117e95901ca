package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	plan   editorial.Schedule
	zone   string
	taken  []time.Time
	racing []error // what AddRun answers first
	err    error
}

func (d *desk) Intake(_ context.Context, site, key string) (view.Intake, error) {
	d.site = site
	in := view.Intake{Taken: d.taken, Site: editorial.Site{Slug: site, ArticleBudget: 150_000, TimeZone: d.zone, Schedule: d.plan, Sources: []editorial.Source{
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
	if len(d.racing) > 0 {
		err := d.racing[0]
		d.racing = d.racing[1:]
		if errors.Is(err, view.ErrSlotTaken) {
			d.taken = append(d.taken, *r.PublishAt)
		}
		return view.Earlier{}, false, err
	}
	d.added = append(d.added, r)
	e := view.Earlier{Request: r.Request, Run: view.Run{ID: 7, Topic: r.Topic, Stage: pipeline.StageDraft, State: pipeline.StateReady}}
	if r.Topic == "" && r.TopicID == 0 {
		e.Run.Stage = pipeline.StageTopic
	}
	if d.keys == nil {
		d.keys = map[string]view.Earlier{}
	}
	d.keys[r.Key] = e
	return e, true, nil
}

// Updatable knows article 3.
func (d *desk) Updatable(_ context.Context, _ string, id int64) (view.Updatable, error) {
	if id != 3 {
		return view.Updatable{}, view.ErrNotFound
	}
	return view.Updatable{ID: id}, nil
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
	require.Equal(t, view.Page{Limit: 5, State: pipeline.StateWaiting, Stage: pipeline.StageReview, Kind: pipeline.KindArticle}, d.page)
	r := decode[page[view.Run]](t, w).Items[0]
	require.Equal(t, map[string]string{"self": "/api/v1/web/fn-7/api/runs/9", "review": "/api/v1/web/fn-7/api/reviews/9"}, r.Links)
	require.Equal(t, "A reviewer approves or rejects the draft.", r.Next)

	p := refused(t, ask(runs(d, &bell{}), "viewer", http.MethodGet, "/?state=lost&stage=print&kind=any", ""), http.StatusBadRequest)
	require.Equal(t, []string{"kind", "stage", "state"}, fields(p))
	require.Contains(t, p.Errors[0].Fix, "article, research, retraction")
	require.Contains(t, p.Errors[1].Fix, "draft, factcheck, seo, review, publish")

	require.Equal(t, http.StatusOK, ask(runs(d, &bell{}), "viewer", http.MethodGet, "/?kind=research", "").Code)
	require.Equal(t, pipeline.KindResearch, d.page.Kind)
}

func TestRuns_start_takesATopicInOneOfFourWays(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		body string
		want view.NewRun
		wake string
	}{
		"a topic":                      {`{"topic":"Dogs on trains"}`, view.NewRun{Topic: "Dogs on trains"}, "pipeline/draft"},
		"a page":                       {`{"url":"https://www.ada.gov/trains"}`, view.NewRun{Topic: "Trains", URLs: []string{"https://www.ada.gov/trains"}}, "pipeline/draft"},
		"a recommendation":             {`{"topic_id":12}`, view.NewRun{TopicID: 12}, "pipeline/draft"},
		"a recommendation, with pages": {`{"topic_id":12,"urls":["https://www.ada.gov/trains"]}`, view.NewRun{TopicID: 12, URLs: []string{"https://www.ada.gov/trains"}}, "pipeline/draft"},
		"whatever is best":             {`{"auto":true}`, view.NewRun{}, "pipeline/topic"},
		"a topic, and not auto":        {`{"topic":"Dogs on trains","auto":false,"topic_id":0,"article":0}`, view.NewRun{Topic: "Dogs on trains"}, "pipeline/draft"},
		"an article that is updated":   {`{"topic":"Dogs on trains","article":3}`, view.NewRun{Topic: "Dogs on trains", TargetID: 3}, "pipeline/draft"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			d, b := &desk{}, &bell{}
			w := ask(runs(d, b), "editor", http.MethodPost, "/", tc.body)
			require.Equal(t, http.StatusAccepted, w.Code, w.Body.String())
			tc.want.By, tc.want.Pins, tc.want.Request = "ann", pins, d.added[0].Request
			require.Equal(t, tc.want, d.added[0])
			require.Equal(t, []string{tc.wake}, b.rung)
		})
	}
}

func TestRuns_start_tellsOrdersApartByWhatTheyAskFor(t *testing.T) {
	t.Parallel()

	seen := map[string]string{}
	for _, body := range []string{
		`{"topic":"Dogs"}`, `{"topic_id":12}`, `{"topic_id":13}`, `{"auto":true}`, `{"topic":"Dogs","article":3}`,
	} {
		d := &desk{}
		require.Equal(t, http.StatusAccepted, ask(runs(d, &bell{}), "editor", http.MethodPost, "/", body).Code)
		require.Empty(t, seen[d.added[0].Request], "%s is taken for another order", body)
		seen[d.added[0].Request] = body
	}
	before := sha256.Sum256([]byte(`{"site":"dogs","topic":"Dogs","url":"","urls":null,"max_cost":"","publish":"","publish_at":""}`))
	require.Contains(t, seen, hex.EncodeToString(before[:]), "an order of the release before keeps its fingerprint: a replay over a deploy is the same request")
}

func TestRuns_start_takesTheNextFreeSlotOfTheSchedule(t *testing.T) {
	t.Parallel()

	// now is a Friday, 04:00 in New York.
	daily := editorial.Schedule{Days: []string{"mon", "fri"}, Time: "10:00"}
	friday, monday := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC), time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	soon := editorial.Schedule{Days: daily.Days, Time: "05:59"}
	just := editorial.Schedule{Days: daily.Days, Time: "06:00"}
	tests := map[string]struct {
		d    *desk
		want time.Time
	}{
		"today":                           {&desk{plan: daily, zone: "America/New_York"}, friday},
		"not one that a run has":          {&desk{plan: daily, zone: "America/New_York", taken: []time.Time{friday}}, monday},
		"not one that a run takes now":    {&desk{plan: daily, zone: "America/New_York", racing: []error{view.ErrSlotTaken}}, monday},
		"not one in less than two hours":  {&desk{plan: soon, zone: "America/New_York"}, time.Date(2026, 11, 23, 10, 59, 0, 0, time.UTC)},
		"one in two hours, to the minute": {&desk{plan: just, zone: "America/New_York"}, time.Date(2026, 11, 20, 11, 0, 0, 0, time.UTC)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := ask(runs(tc.d, &bell{}), "editor", http.MethodPost, "/", `{"topic":"Dogs","publish":"schedule"}`)
			require.Equal(t, http.StatusAccepted, w.Code, w.Body.String())
			require.Equal(t, tc.want, *tc.d.added[0].PublishAt)
			require.True(t, tc.d.added[0].Slot)
		})
	}
}

func TestRuns_start_saysWhyThereIsNoSlot(t *testing.T) {
	t.Parallel()

	daily := editorial.Schedule{Days: []string{"mon", "fri"}, Time: "10:00"}
	var full []time.Time
	for at := now.Truncate(24 * time.Hour); at.Before(now.AddDate(3, 0, 0)); at = at.Add(24 * time.Hour) {
		full = append(full, at.Add(10*time.Hour))
	}
	tests := map[string]struct {
		d     *desk
		body  string
		field string
		fix   string
	}{
		"no schedule":            {&desk{zone: "UTC"}, `{"topic":"Dogs","publish":"schedule"}`, "publish", "give the site's file a schedule: days and time"},
		"no zone":                {&desk{plan: daily, zone: "Mars/Olympus"}, `{"topic":"Dogs","publish":"schedule"}`, "publish", "mend time_zone"},
		"no slot that is free":   {&desk{plan: daily, zone: "UTC", taken: full}, `{"topic":"Dogs","publish":"schedule"}`, "publish", "more days"},
		"a time of its own, too": {&desk{plan: daily, zone: "UTC"}, `{"topic":"Dogs","publish":"schedule","publish_at":"2026-11-25T10:00:00Z"}`, "publish_at", "leave it out"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			p := refused(t, ask(runs(tc.d, &bell{}), "editor", http.MethodPost, "/", tc.body), http.StatusBadRequest)
			require.Equal(t, []string{tc.field}, fields(p))
			require.Contains(t, p.Errors[0].Fix, tc.fix)
			require.Empty(t, tc.d.added)
		})
	}
	busy := &desk{plan: daily, zone: "UTC"}
	for range 9 {
		busy.racing = append(busy.racing, view.ErrSlotTaken)
	}
	w := ask(runs(busy, &bell{}), "editor", http.MethodPost, "/", `{"topic":"Dogs","publish":"schedule"}`)
	refused(t, w, http.StatusServiceUnavailable)
	require.Equal(t, "2", w.Header().Get("Retry-After"))
}

func TestRuns_start_refusesATopicOrAnArticleThatIsNotToBeHad(t *testing.T) {
	t.Parallel()

	b := &bell{}
	d := &desk{racing: []error{view.ErrTopicTaken}}
	p := refused(t, ask(runs(d, b), "editor", http.MethodPost, "/", `{"topic_id":12}`), http.StatusConflict)
	require.Equal(t, "urn:blogposter:problem:topic-taken", p.Type)
	d = &desk{racing: []error{view.ErrNotFound}}
	p = refused(t, ask(runs(d, b), "editor", http.MethodPost, "/", `{"topic_id":12}`), http.StatusBadRequest)
	require.Equal(t, []string{"topic_id"}, fields(p))
	refused(t, ask(runs(&desk{racing: []error{view.ErrNotFound}}, b), "editor", http.MethodPost, "/", `{"topic":"Dogs"}`), http.StatusNotFound)
	d = &desk{}
	p = refused(t, ask(runs(d, b), "editor", http.MethodPost, "/", `{"topic":"Dogs","article":4}`), http.StatusBadRequest)
	require.Equal(t, []string{"article"}, fields(p))
	require.Contains(t, p.Errors[0].Fix, "GET /articles")
	require.Empty(t, d.added)
	require.Empty(t, b.rung)
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
