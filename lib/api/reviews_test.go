package api_test

import (
	"context"
	"fmt"
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

var digest = strings.Repeat("d", 64)

// judge has one run, 7, and answers every decision with what it is set to.
type judge struct {
	page    view.Page
	review  view.Review
	answer  *view.Answer
	decided view.Decided
	err     error
}

func (j *judge) Reviews(_ context.Context, _ string, p view.Page) ([]view.Run, error) {
	j.page = p
	return []view.Run{{ID: 7, State: pipeline.StateWaiting, Waiting: pipeline.WaitingApproval}}, j.err
}

func (j *judge) Review(context.Context, string, int64) (view.Review, error) { return j.review, j.err }

func (j *judge) Decide(_ context.Context, _ string, a view.Answer) (view.Decided, error) {
	j.answer = &a
	return j.decided, j.err
}

func reviews(j *judge, b *bell) http.Handler {
	return api.Reviews{
		Verifier: door{}, Store: j, Waker: b, Now: func() time.Time { return now },
		Markdown: func(d editorial.Dossier) string { return "# " + d.Draft.Title + "\n<script>" },
	}.Handler()
}

func TestReviews_list_pagesWhatWaits(t *testing.T) {
	t.Parallel()

	j := &judge{}
	w := ask(reviews(j, &bell{}), "viewer", http.MethodGet, "/?limit=1", "")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, view.Page{Limit: 1}, j.page)
	require.Equal(t, "/api/v1/web/fn-7/api/reviews/7", decode[page[view.Run]](t, w).Items[0].Links["review"])

	refused(t, ask(reviews(j, &bell{}), "viewer", http.MethodGet, "/?state=done", ""), http.StatusBadRequest)
	j.err = view.ErrNotFound
	refused(t, ask(reviews(j, &bell{}), "viewer", http.MethodGet, "/", ""), http.StatusNotFound)
	refused(t, ask(reviews(j, &bell{}), "viewer", http.MethodGet, "/7", ""), http.StatusNotFound)
	refused(t, ask(reviews(j, &bell{}), "viewer", http.MethodGet, "/7?site=cats", ""), http.StatusNotFound)
}

func TestReviews_one_showsAllAReviewerNeeds(t *testing.T) {
	t.Parallel()

	cite := editorial.Citation{URL: "https://law.example/1", Title: "Law", TextHash: digest, Quote: "Dogs may ride.", Start: 3, End: 17}
	j := &judge{review: view.Review{
		Run:  view.Run{ID: 7, State: pipeline.StateWaiting, Waiting: pipeline.WaitingApproval},
		Cost: view.Cost{Spent: 80_000},
		Dossier: editorial.Dossier{
			Draft:    &editorial.Draft{Title: "Dogs on trains", Digest: digest, Version: 2, Markup: "<p>not shown</p>"},
			Claims:   []editorial.Claim{{N: 1, Verdict: editorial.VerdictSupported, Citations: []editorial.Citation{cite}}},
			Findings: []editorial.Finding{{Rule: "title-length"}},
		},
	}}
	w := ask(reviews(j, &bell{}), "viewer", http.MethodGet, "/7", "")
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	got := decode[map[string]any](t, w)
	require.Equal(t, digest, got["digest"])
	require.Equal(t, "Dogs on trains", got["title"])
	require.Equal(t, "# Dogs on trains\n<script>", got["markdown"], "data, not HTML: nothing in it is escaped or run")
	require.InDelta(t, 2, got["version"], 0)
	require.Contains(t, w.Body.String(), `"quote":"Dogs may ride.","start":3,"end":17`)
	require.Contains(t, w.Body.String(), `"rule":"title-length"`)
	require.Contains(t, w.Body.String(), `"dollars":"0.080000"`)
	require.NotContains(t, w.Body.String(), "not shown")
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))

	j.review.Dossier.Claims, j.review.Dossier.Findings = nil, nil
	require.Contains(t, ask(reviews(j, &bell{}), "viewer", http.MethodGet, "/7", "").Body.String(), `"claims":[],"findings":[]`)

	j.review.Dossier.Draft = nil
	require.Contains(t, refused(t, ask(reviews(j, &bell{}), "viewer", http.MethodGet, "/7", ""), 404).Detail, "/api/v1/web/fn-7/api/runs/7")
}

func TestReviews_decide_recordsWhoDecided(t *testing.T) {
	t.Parallel()

	later := now.Add(time.Hour)
	tests := map[string]struct {
		verb    string
		decided view.Decided
		rung    []string
	}{
		"an approval wakes publishing":    {"approve", view.Decided{New: true, Run: view.Run{State: pipeline.StateReady, NotBefore: now.Add(time.Second)}}, []string{"pipeline/publish"}},
		"one for later leaves it to tick": {"approve", view.Decided{New: true, Run: view.Run{State: pipeline.StateReady, PublishAt: &later}}, nil},
		"the same again wakes nobody":     {"approve", view.Decided{Run: view.Run{State: pipeline.StateReady}}, nil},
		"a rejection has nothing to wake": {"reject", view.Decided{New: true, Run: view.Run{State: pipeline.StateCancelled}}, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			tc.decided.Decision = &editorial.Decision{ID: 3, Reviewer: "ann"}
			j, b := &judge{decided: tc.decided}, &bell{}
			w := ask(reviews(j, b), "reviewer", http.MethodPost, "/7/decision", fmt.Sprintf(`{"verb":%q,"digest":%q,"comment":" well\nsaid "}`, tc.verb, digest))
			require.Equal(t, http.StatusOK, w.Code, w.Body.String())
			require.Equal(t, &view.Answer{RunID: 7, Verb: editorial.Verb(tc.verb), Digest: digest, Comment: "well\nsaid", Reviewer: "ann"}, j.answer)
			require.Equal(t, tc.rung, b.rung)
			require.Contains(t, w.Body.String(), `"reviewer":"ann"`)
		})
	}
}

func TestReviews_decide_namesWhatIsNotInOrder(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		body   string
		status int
		want   []string
	}{
		"nothing":                      {`{}`, 400, []string{"verb", "digest"}},
		"another verb":                 {`{"verb":"publish","digest":"` + digest + `"}`, 400, []string{"verb"}},
		"a digest cut short":           {`{"verb":"approve","digest":"dd"}`, 400, []string{"digest"}},
		"a comment too long":           {`{"verb":"approve","digest":"` + digest + `","comment":"` + strings.Repeat("é", 2001) + `"}`, 400, []string{"comment"}},
		"a comment with a NUL":         {`{"verb":"approve","digest":"` + digest + `","comment":"a\u0000"}`, 400, []string{"comment"}},
		"a reviewer of one's choosing": {`{"verb":"approve","digest":"` + digest + `","reviewer":"bob"}`, 400, []string{"reviewer"}},
		"no JSON":                      {`approve`, 400, []string{}},
		"another's site":               {`{"site":"cats","verb":"approve","digest":"` + digest + `"}`, 404, []string{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			j := &judge{}
			require.Equal(t, tc.want, fields(refused(t, ask(reviews(j, &bell{}), "reviewer", http.MethodPost, "/7/decision", tc.body), tc.status)))
			require.Nil(t, j.answer)
		})
	}
}

func TestReviews_decide_saysWhyItCameTooLate(t *testing.T) {
	t.Parallel()

	body := `{"verb":"approve","digest":"` + digest + `"}`
	current := strings.Repeat("e", 64)
	waiting := view.Run{ID: 7, Stage: pipeline.StageReview, State: pipeline.StateWaiting, Waiting: pipeline.WaitingApproval}
	j, b := &judge{err: fmt.Errorf("decide: %w", &view.Conflict{Run: waiting, Digest: current})}, &bell{}
	w := ask(reviews(j, b), "reviewer", http.MethodPost, "/7/decision", body)
	p := refused(t, w, http.StatusConflict)
	require.Equal(t, "urn:blogposter:problem:draft-changed", p.Type)
	require.Equal(t, current, decode[map[string]any](t, w)["current_digest"])

	gone := view.Run{ID: 7, Stage: pipeline.StagePublish, State: pipeline.StateReady}
	j.err = fmt.Errorf("decide: %w", &view.Conflict{Run: gone, Digest: digest})
	w = ask(reviews(j, b), "reviewer", http.MethodPost, "/7/decision", body)
	p = refused(t, w, http.StatusConflict)
	require.Equal(t, "urn:blogposter:problem:not-waiting", p.Type)
	require.Contains(t, p.Detail, "it is ready at the publish stage")
	require.Equal(t, "60", w.Header().Get("Retry-After"), "it moves by itself")
	require.NotContains(t, w.Body.String(), "current_digest")

	j.err = fmt.Errorf("decide: %w", &view.Conflict{Run: waiting, Digest: digest})
	p = refused(t, ask(reviews(j, b), "reviewer", http.MethodPost, "/7/decision", body), http.StatusConflict)
	require.Equal(t, "urn:blogposter:problem:already-decided", p.Type)

	j.err = view.ErrNotFound
	refused(t, ask(reviews(j, b), "reviewer", http.MethodPost, "/7/decision", body), http.StatusNotFound)
	require.Empty(t, b.rung)
}
