package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/ledger"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
	"blogposter/scripts/rivals"
	"blogposter/scripts/site/sitefile"
)

// auto is the topic that asks for the best recommendation instead.
const auto = "auto"

// lookBudget is what one look of the demo may cost, in micro-dollars.
const lookBudget = 50_000

// watching gives the demo's site the made-up competitors that rivalserver
// serves.
func watching(s sitefile.Site) sitefile.Site {
	s.Research = &editorial.Research{EveryMinutes: 360, Budget: lookBudget}
	for i, r := range rivals.Sites() {
		s.Competitors = append(s.Competitors, editorial.Competitor{
			Name: r.Name, Kind: editorial.CompetitorKind(r.Kind), URL: fmt.Sprintf("http://127.0.0.1:%d%s", rivalPort+i, r.List), Via: editorial.ViaDirect, Most: 200,
		})
	}
	return s
}

// research looks at the competitors and shows what is worth writing on.
func (j job) research(ctx context.Context, editor client, site string) error {
	look, err := editor.beginResearch(ctx, site)
	if err != nil {
		return err
	}
	fmt.Fprintf(j.out, "\nRun %d: a look at %d competitors\n", look.ID, len(rivals.Sites()))
	d, err := j.await(ctx, editor, site, look.ID)
	if err != nil {
		return err
	}
	w, err := editor.watched(ctx, site)
	if err != nil {
		return err
	}
	for _, c := range w.Competitors {
		fmt.Fprintf(j.out, "  %-22s %3d pages, %d of them copies, %d gone%s\n", c.Name, c.Live, c.Copies, c.Gone, noted(c.Report))
	}
	fmt.Fprintf(j.out, "  %.1f s, %s of %s\n\nRecommendations, the best first:\n", d.FinishedAt.Sub(d.CreatedAt).Seconds(), ledger.Micros(d.Cost.Spent), ledger.Micros(d.Cost.Limit))
	topics, err := editor.recommendations(ctx, site, 5)
	if err != nil {
		return err
	}
	for i, t := range topics {
		fmt.Fprintf(j.out, "  %d. %s  (%.2f, %s)\n     %s\n", i+1, t.Title, t.Score, t.Kind, t.Why)
		for _, term := range t.Terms {
			fmt.Fprintf(j.out, "       %-10s %.2f x %s  %s\n", term.Name, term.Weight, value(term.Value), term.Data)
		}
	}
	return nil
}

func noted(report string) string {
	if report == "" {
		return ""
	}
	return "; " + report
}

func value(v *float64) string {
	if v == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.2f   ", *v)
}

// await follows a research Run to its end.
func (j job) await(ctx context.Context, c client, site string, id int64) (view.Detail, error) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for shown := 0; ; {
		d, err := c.run(ctx, site, id)
		if err != nil {
			return d, err
		}
		for _, e := range d.Events[shown:] {
			j.showEvent(d, e)
		}
		shown = len(d.Events)
		switch d.State {
		case pipeline.StateDone:
			return d, nil
		case pipeline.StateFailed, pipeline.StateCancelled, pipeline.StateWaiting:
			return d, errors.New("the look stopped at " + string(d.Stage) + ": " + d.Why)
		case pipeline.StateReady, pipeline.StateRunning:
		}
		select {
		case <-ctx.Done():
			return d, ctx.Err()
		case <-tick.C:
		}
	}
}

func (c client) beginResearch(ctx context.Context, site string) (view.Run, error) {
	var r view.Run
	return r, c.call(ctx, http.MethodPost, "/api/research", map[string]any{"site": site}, &r)
}

// watch is what GET /research shows of whom a site watches.
type watch struct {
	Competitors []view.Competitor `json:"competitors"`
}

func (c client) watched(ctx context.Context, site string) (watch, error) {
	var w watch
	return w, c.call(ctx, http.MethodGet, "/api/research?limit=1&site="+site, nil, &w)
}

func (c client) recommendations(ctx context.Context, site string, limit int) ([]view.Topic, error) {
	var page struct {
		Items []view.Topic `json:"items"`
	}
	err := c.call(ctx, http.MethodGet, fmt.Sprintf("/api/topics?state=open&limit=%d&site=%s", limit, site), nil, &page)
	return page.Items, err
}
