package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/api"
	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

// lookout keeps what one site watches.
type lookout struct {
	site  string
	page  view.Page
	by    string
	pins  pipeline.Pins
	busy  bool
	empty bool
	errs  [2]error // of the competitors, of all else
}

func (l *lookout) Competitors(_ context.Context, site string) ([]view.Competitor, error) {
	l.site = site
	if l.empty {
		return nil, l.errs[0]
	}
	return []view.Competitor{{ID: 1, Name: "Rival", Report: "2 pages were not read"}}, l.errs[0]
}

func (l *lookout) Changes(_ context.Context, _ string, p view.Page) ([]view.PageChange, error) {
	l.page = p
	if l.empty {
		return nil, l.errs[1]
	}
	return []view.PageChange{{ID: 9, Kind: editorial.ChangeNew}, {ID: 8, Kind: editorial.ChangeGone}}, l.errs[1]
}

func (l *lookout) BeginResearch(_ context.Context, site, by string, pins pipeline.Pins) (view.Run, bool, error) {
	l.site, l.by, l.pins = site, by, pins
	return view.Run{ID: 7, Kind: pipeline.KindResearch, Stage: pipeline.StageMonitor, State: pipeline.StateReady}, !l.busy, l.errs[1]
}

func research(l *lookout, b *bell) http.Handler {
	return api.Research{Verifier: door{}, Store: l, Waker: b, Pins: pins, Now: func() time.Time { return now }}.Handler()
}

func TestResearch_show_listsWhomASiteWatchesAndWhatChanged(t *testing.T) {
	t.Parallel()

	l := &lookout{}
	w := ask(research(l, &bell{}), "viewer", http.MethodGet, "/?limit=1", "")
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	type sheet struct {
		Competitors []view.Competitor `json:"competitors"`
		page[view.PageChange]
	}
	got := decode[sheet](t, w)
	require.Equal(t, "2 pages were not read", got.Competitors[0].Report)
	require.Len(t, got.Items, 1)
	require.Contains(t, w.Header().Get("Link"), `rel="next"`)
	require.Equal(t, "dogs", l.site)

	w = ask(research(l, &bell{}), "viewer", http.MethodGet, "/?limit=2&cursor="+got.Next, "")
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, view.Page{Limit: 2, After: 9}, l.page)

	w = ask(research(&lookout{empty: true}, &bell{}), "viewer", http.MethodGet, "/", "")
	require.JSONEq(t, `{"competitors":[],"items":[]}`, w.Body.String())
	refused(t, ask(research(l, &bell{}), "viewer", http.MethodGet, "/?state=new", ""), http.StatusBadRequest)
	for i := range 2 {
		l := &lookout{}
		l.errs[i] = view.ErrNotFound
		refused(t, ask(research(l, &bell{}), "viewer", http.MethodGet, "/", ""), http.StatusNotFound)
	}
}

func TestResearch_begin_beginsOneLookAtATime(t *testing.T) {
	t.Parallel()

	l, b := &lookout{}, &bell{}
	w := ask(research(l, b), "editor", http.MethodPost, "/", "")
	require.Equal(t, http.StatusAccepted, w.Code, w.Body.String())
	require.Equal(t, "/api/v1/web/fn-7/api/runs/7", w.Header().Get("Location"))
	require.Equal(t, pipeline.KindResearch, decode[view.Run](t, w).Kind)
	require.Equal(t, []string{"scheduled/monitor"}, b.rung)
	require.Equal(t, "ann", l.by)
	require.Equal(t, pins, l.pins)

	l.busy = true
	w = ask(research(l, b), "many", http.MethodPost, "/", `{"site":"cats"}`)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, "/api/v1/web/fn-7/api/runs/7", w.Header().Get("Location"))
	require.Equal(t, "cats", l.site)
	require.Len(t, b.rung, 1, "who began it has woken it")

	refused(t, ask(research(l, b), "viewer", http.MethodPost, "/", ""), http.StatusForbidden)
	refused(t, ask(research(l, b), "editor", http.MethodPost, "/", `{"now":true}`), http.StatusBadRequest)
	l.errs[1] = view.ErrNoResearch
	require.Contains(t, refused(t, ask(research(l, b), "editor", http.MethodPost, "/", ""), http.StatusConflict).Detail, "give its file competitors")
	l.errs[1] = view.ErrNotFound
	refused(t, ask(research(l, b), "editor", http.MethodPost, "/", ""), http.StatusNotFound)
}
