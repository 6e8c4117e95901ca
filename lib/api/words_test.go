package api

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

func TestDescribe_saysInWordsWhyAndWhatNext(t *testing.T) {
	t.Parallel()

	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		run       view.Run
		why, next string
	}{
		"new":                           {view.Run{Stage: "draft", State: "ready"}, "", "The draft stage takes it up within a minute."},
		"retried":                       {view.Run{Stage: "seo", State: "ready", Why: "503", NotBefore: now.Add(time.Minute)}, "The attempt before this failed: 503", "The seo stage takes it up at 2026-11-20T09:01:00Z or soon after."},
		"running":                       {view.Run{Stage: "publish", State: "running", Attempt: 2}, "", "The publish stage is at work on it (attempt 2 of 3)."},
		"approval":                      {view.Run{Stage: "review", State: "waiting", Waiting: pipeline.WaitingApproval}, "", "A reviewer approves or rejects the draft."},
		"budget":                        {view.Run{Stage: "draft", State: "waiting", Waiting: pipeline.WaitingBudget, Why: "step x needs 9"}, "The budget does not cover the next call: step x needs 9", "Nothing by itself: start a new run with a higher max_cost, or on a site with a higher article budget."},
		"person":                        {view.Run{Stage: "factcheck", State: "waiting", Waiting: pipeline.WaitingPerson, Why: "no source"}, "A person is needed: no source", "Nothing by itself: a person mends what the reason names and starts a new run."},
		"poison":                        {view.Run{Stage: "draft", State: "waiting", Waiting: pipeline.WaitingPoison, Why: "5 workers died"}, "A person is needed: 5 workers died", "Nothing by itself: a person finds out what stops its workers and starts a new run."},
		"research that lacks money":     {view.Run{Kind: "research", Stage: "monitor", State: "waiting", Waiting: pipeline.WaitingBudget}, "", "Nothing by itself: raise research.budget in the site's file, import it, and begin another look."},
		"an article that is done":       {view.Run{Kind: "article", Stage: "publish", State: "done"}, "", "Nothing: the article is published."},
		"research that is done":         {view.Run{Kind: "research", Stage: "topic", State: "done"}, "", "Nothing: the look is over, and /topics lists what it made worth writing on."},
		"a retraction that is done":     {view.Run{Kind: "retraction", Stage: "publish", State: "done"}, "", "Nothing: the article is taken back."},
		"done":                          {view.Run{Stage: "publish", State: "done"}, "", "Nothing: the article is published."},
		"failed":                        {view.Run{Stage: "seo", State: "failed", Why: "no title"}, "Given up: no title", "Nothing: start a new run once the reason is mended."},
		"rejected":                      {view.Run{Stage: "review", State: "cancelled", Why: "the draft was rejected"}, "Ended by a person: the draft was rejected", "Nothing: a person ended it."},
		"unknown":                       {view.Run{State: "elsewhere"}, "", ""},
		"waiting for what is not known": {view.Run{State: "waiting", Waiting: "rain"}, "", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got := links{base: "/api"}.describe(tc.run, now)
			require.Equal(t, tc.why, got.Why)
			require.Equal(t, tc.next, got.Next)
			require.Equal(t, tc.run.Waiting == pipeline.WaitingApproval, got.Links["review"] != "")
		})
	}
}
