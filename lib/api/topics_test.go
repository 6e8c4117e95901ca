package api_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/api"
	"blogposter/lib/editorial"
	"blogposter/lib/view"
)

// ideas keeps one site's topics.
type ideas struct {
	site   string
	filter view.TopicFilter
	by     string
	err    error
}

func (s *ideas) Topics(_ context.Context, site string, f view.TopicFilter) ([]view.Topic, error) {
	s.site, s.filter = site, f
	return []view.Topic{{ID: 12, Title: "Dogs on trains", Score: 0.9}, {ID: 31, Title: "Dogs on boats", Score: 0.7, TakenBy: 7}}, s.err
}

func (s *ideas) Topic(_ context.Context, site string, id int64) (view.TopicDetail, error) {
	s.site = site
	return view.TopicDetail{Topic: view.Topic{ID: id, TakenBy: 7}, Pages: []editorial.TopicPage{{URL: "https://rival.example/1"}}}, s.err
}

func (s *ideas) DismissTopic(_ context.Context, site string, id int64, by string) (view.TopicDetail, error) {
	s.site, s.by = site, by
	return view.TopicDetail{Topic: view.Topic{ID: id, State: "dismissed"}}, s.err
}

func topics(s *ideas) http.Handler { return api.Topics{Verifier: door{}, Store: s}.Handler() }

func TestTopics_list_pagesTheBestFirst(t *testing.T) {
	t.Parallel()

	s := &ideas{}
	w := ask(topics(s), "viewer", http.MethodGet, "/?state=open&kind=gap&limit=1", "")
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, view.TopicFilter{Limit: 1, State: "open", Kind: editorial.TopicGap}, s.filter)
	first := decode[page[view.Topic]](t, w)
	require.Len(t, first.Items, 1)
	require.Equal(t, map[string]string{"self": "/api/v1/web/fn-7/api/topics/12"}, first.Items[0].Links)
	require.NotEmpty(t, first.Next)

	w = ask(topics(s), "viewer", http.MethodGet, "/?state=open&kind=gap&limit=9&cursor="+first.Next, "")
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, int64(12), s.filter.After)
	require.Equal(t, "/api/v1/web/fn-7/api/runs/7", decode[page[view.Topic]](t, w).Items[1].Links["run"])

	p := refused(t, ask(topics(s), "viewer", http.MethodGet, "/?state=new&kind=good&score=1", ""), http.StatusBadRequest)
	require.Equal(t, []string{"kind", "score", "state"}, fields(p))
	require.Contains(t, p.Errors[0].Fix, "gap, angle, duplicate")
	require.Contains(t, p.Errors[2].Fix, "open, taken, dismissed, stale")
}

func TestTopics_one_showsWhatItIsMadeOf(t *testing.T) {
	t.Parallel()

	s := &ideas{}
	w := ask(topics(s), "many", http.MethodGet, "/12?site=cats", "")
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, "cats", s.site)
	got := decode[view.TopicDetail](t, w)
	require.Equal(t, "https://rival.example/1", got.Pages[0].URL)
	require.Equal(t, "/api/v1/web/fn-7/api/runs/7", got.Links["run"])
	refused(t, ask(topics(s), "viewer", http.MethodGet, "/x", ""), http.StatusNotFound)
	refused(t, ask(topics(s), "viewer", http.MethodGet, "/12?state=open", ""), http.StatusBadRequest)
}

func TestTopics_dismiss_saysWhoAndNeedsNoBody(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		token, target, body string
		status              int
		site                string
	}{
		"without a body":          {"editor", "/12/dismiss", "", 200, "dogs"},
		"with the site in it":     {"many", "/12/dismiss", `{"site":"cats"}`, 200, "cats"},
		"with the site before it": {"many", "/12/dismiss?site=cats", "", 200, "cats"},
		"with two sites":          {"many", "/12/dismiss?site=cats", `{"site":"dogs"}`, 400, ""},
		"with no site of several": {"many", "/12/dismiss", "", 400, ""},
		"of somebody else's":      {"editor", "/12/dismiss?site=cats", "", 404, ""},
		"with more than a site":   {"editor", "/12/dismiss", `{"why":"dull"}`, 400, ""},
		"what is no topic":        {"editor", "/x/dismiss", "", 404, ""},
		"as a viewer":             {"viewer", "/12/dismiss", "", 403, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := &ideas{}
			w := ask(topics(s), tc.token, http.MethodPost, tc.target, tc.body)
			require.Equal(t, tc.status, w.Code, w.Body.String())
			require.Equal(t, tc.site, s.site)
			if tc.status == http.StatusOK {
				require.Equal(t, "ann", s.by)
				require.Equal(t, "dismissed", decode[view.TopicDetail](t, w).State)
			}
		})
	}
}

func TestTopics_passesOnWhatTheStoreSays(t *testing.T) {
	t.Parallel()

	gone := topics(&ideas{err: view.ErrNotFound})
	for _, target := range []string{"/", "/12"} {
		refused(t, ask(gone, "viewer", http.MethodGet, target, ""), http.StatusNotFound)
	}
	refused(t, ask(gone, "editor", http.MethodPost, "/12/dismiss", ""), http.StatusNotFound)
	p := refused(t, ask(topics(&ideas{err: fmt.Errorf("dismiss: %w", view.ErrTopicTaken)}), "editor", http.MethodPost, "/12/dismiss", ""), http.StatusConflict)
	require.Contains(t, p.Detail, "/api/v1/web/fn-7/api/topics/12")
}
