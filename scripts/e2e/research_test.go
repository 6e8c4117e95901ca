package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/pipeline"
	"blogposter/lib/view"
	"blogposter/scripts/rivals"
	"blogposter/scripts/world"
)

// show reads from the API as a viewer of the session's site.
func (s *session) show(path string, into any) {
	s.t.Helper()
	status, body := s.call(http.MethodGet, path, s.Token("viewer", s.Site.Slug), nil)
	require.Equal(s.t, http.StatusOK, status, "%s: %s", path, body)
	require.NoError(s.t, json.Unmarshal(body, into))
}

// order posts to the API as an editor of the session's site.
func (s *session) order(path string, body any) (view.Run, int) {
	s.t.Helper()
	status, raw := s.call(http.MethodPost, path, s.Token("editor", s.Site.Slug), body)
	require.Less(s.t, status, 300, string(raw))
	var r view.Run
	require.NoError(s.t, json.Unmarshal(raw, &r))
	return r, status
}

// asked counts what all competitors were asked for since before.
func (s *session) asked(before int) (requests []rivals.Request) {
	for _, r := range s.Rivals {
		requests = append(requests, r.Requests()...)
	}
	return requests[min(before, len(requests)):]
}

type topicList struct {
	Items []view.Topic `json:"items"`
}

func TestResearch_fromACompetitorsPagesToAnArticleOnTheBestOfThem(t *testing.T) {
	t.Parallel()

	s := openWorld(t, world.Config{Rivals: true})
	// The clock's way: tick finds that a look is due, and the look's function begins it.
	s.tick()
	var looks struct {
		Items []view.Run `json:"items"`
	}
	for len(looks.Items) == 0 {
		s.show("/api/runs?kind=research", &looks)
	}
	look := s.await(looks.Items[0].ID, "done", done, s.tick)
	require.Equal(t, pipeline.StageTopic, look.Stage)
	require.LessOrEqual(t, int64(look.Cost.Spent), int64(look.Cost.Limit))
	require.Zero(t, look.Cost.Reserved)

	var watched struct {
		Competitors []view.Competitor `json:"competitors"`
		Items       []view.PageChange `json:"items"`
	}
	s.show("/api/research", &watched)
	live := 0
	for _, c := range watched.Competitors {
		require.NotNil(t, c.CheckedAt, c.Name)
		live += c.Live
	}
	require.Len(t, watched.Competitors, len(s.Rivals))
	require.GreaterOrEqual(t, live, 200)

	var topics topicList
	s.show("/api/topics?state=open", &topics)
	require.GreaterOrEqual(t, len(topics.Items), 5)
	for _, topic := range topics.Items {
		require.Len(t, topic.Terms, 5, topic.Title)
		require.NotEmpty(t, topic.Why)
		for _, term := range topic.Terms {
			require.NotEmpty(t, term.Data, "%s: %s", topic.Title, term.Name)
		}
	}
	var one view.TopicDetail
	s.show(fmt.Sprintf("/api/topics/%d", topics.Items[0].ID), &one)
	require.NotEmpty(t, one.Pages)

	// An editor dismisses the best one; auto takes the next.
	status, body := s.call(http.MethodPost, fmt.Sprintf("/api/topics/%d/dismiss", topics.Items[0].ID), s.Token("editor", s.Site.Slug), map[string]any{})
	require.Equal(t, http.StatusOK, status, string(body))
	run, status := s.order("/api/runs", map[string]any{"auto": true})
	require.Equal(t, http.StatusAccepted, status)
	require.Empty(t, run.Topic)
	chosen := s.await(run.ID, "given a topic", func(d view.Detail) bool { return d.Topic != "" }, nil)
	require.Equal(t, topics.Items[1].Title, chosen.Topic)

	// A second look asks each competitor for its list, and for nothing it has.
	before, entries := len(s.asked(0)), len(s.Model.Entries())
	_, err := s.DB.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET created_at = created_at - interval '7 hours' WHERE kind = 'research'`)
	require.NoError(t, err)
	again, status := s.order("/api/research", map[string]any{})
	require.Equal(t, http.StatusAccepted, status)
	twin, status := s.order("/api/research", map[string]any{})
	require.Equal(t, http.StatusOK, status, "one is under way")
	require.Equal(t, again.ID, twin.ID)
	s.await(again.ID, "done", done, s.tick)
	lists := map[string]bool{}
	for _, site := range rivals.Sites() {
		lists[site.List] = true
	}
	for _, r := range s.asked(before) {
		require.True(t, lists[r.Path] || r.Path == "/robots.txt", "needless: %+v", r)
	}
	for _, e := range s.Model.Entries()[entries:] {
		require.NotEqual(t, s.Settings["MODEL_EMBEDDING"], e.Model, "a text was turned into a vector again")
	}

	var sites struct {
		Items []struct {
			Slug string `json:"slug"`
		} `json:"items"`
	}
	s.show("/api/sites", &sites)
	require.Len(t, sites.Items, 1)
}
