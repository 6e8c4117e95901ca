package llm_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/journal/journaltest"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
	"blogposter/lib/llm/llmtest"
)

// overloaded may have been carried out; throttled was certainly not.
var (
	overloaded = fault.Retryable(fault.Lost(errors.New("529 overloaded")), 0)
	throttled  = fault.Retryable(errors.New("429 slow down"), 20*time.Second)
)

func openai() *llmtest.Model { return llmtest.NewOf("openai") }

func TestClient_Text_asksTheModelOfEqualPriceWhenTheWayToTheFirstFails(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		err     error
		state   string
		charged bool // the first call's reservation
	}{
		"overloaded": {overloaded, "unknown", true},
		"throttled":  {throttled, "failed", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			claude := llmtest.New().On("section:1", llmtest.Answer{Err: tc.err})
			gpt := openai().Text("section:1@openai", "From the other one.")
			c, steps := llmtest.NewClient(claude, gpt)
			got, err := c.Text(t.Context(), lease, request("section:1"))
			require.NoError(t, err)
			require.Equal(t, "From the other one.", got)

			sent := gpt.Requests()[0]
			require.Equal(t, "gpt-6-sol", sent.Model)
			require.Equal(t, request("section:1").Messages, sent.Messages)
			rows := steps.Rows()
			require.Len(t, rows, 2)
			require.Equal(t, []string{tc.state, "done"}, []string{rows[0].State, rows[1].State})
			require.Equal(t, []string{"anthropic", "claude-sonnet-5-5"}, []string{rows[0].Provider, rows[0].Model})
			require.Equal(t, []string{"openai", "gpt-6-sol"}, []string{rows[1].Provider, rows[1].Model})
			require.Positive(t, rows[1].Worst, "it has a reservation of its own")
			spent := rows[1].Receipt.Cost
			if tc.charged {
				spent += rows[0].Worst
			}
			require.Equal(t, spent, steps.Spent())
		})
	}
}

func TestClient_Text_neverBuysTheAnswerOfEitherAgain(t *testing.T) {
	t.Parallel()

	claude := llmtest.New().On("s", llmtest.Answer{Err: throttled}, llmtest.Answer{Text: "Bought twice."})
	gpt := openai().Text("s@openai", "Stored.")
	steps := &journaltest.Steps{}
	for _, models := range [][]llm.Model{
		{claude, gpt},
		{claude, gpt}, // the provider answers again, but so does the journal
		{claude},      // even when the other one is no longer configured
	} {
		c := llm.New(models[0], journal.New(steps), ledger.Prices, day, models[1:]...)
		got, err := c.Text(t.Context(), lease, request("s"))
		require.NoError(t, err)
		require.Equal(t, "Stored.", got)
	}
	require.Len(t, claude.Requests(), 1)
	require.Len(t, gpt.Requests(), 1)
	require.Equal(t, []string{"begin s", "end s", "begin s@openai", "finish s@openai", "stored s@openai", "stored s@openai"}, steps.Events())
}

func day() time.Time { return llmtest.Day }

func TestClient_Text_fallsBackFromOpenAIToo(t *testing.T) {
	t.Parallel()

	r := request("s")
	r.Model = "gpt-6-luna"
	gpt := openai().On("s", llmtest.Answer{Err: throttled})
	claude := llmtest.New().Text("s@anthropic", "Yes.")
	c, steps := llmtest.NewClient(claude, gpt)
	got, err := c.Text(t.Context(), lease, r)
	require.NoError(t, err)
	require.Equal(t, "Yes.", got)
	require.Equal(t, "gpt-6-luna", steps.Rows()[0].Model, "the price book says who serves it")
	require.Equal(t, "claude-haiku-5-5", claude.Requests()[0].Model)
}

func TestClient_Text_doesNotFallBackFromWhatIsNoFaultOfTheWay(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		answer llmtest.Answer
		model  string
		limit  ledger.Micros
		kind   fault.Kind
	}{
		"a revoked key":             {answer: llmtest.Answer{Err: fault.NeedsHuman(errors.New("401"))}, kind: fault.KindNeedsHuman},
		"a request that is refused": {answer: llmtest.Answer{Err: fault.Permanent(errors.New("400"))}, kind: fault.KindPermanent},
		"an answer that is refused": {answer: llmtest.Answer{Stop: llm.StopRefused}, kind: fault.KindNeedsHuman},
		"a budget that is spent":    {answer: llmtest.Answer{Text: "x"}, limit: 1, kind: fault.KindNeedsHuman},
		"a model without an equal":  {answer: llmtest.Answer{Err: throttled}, model: "claude-opus-5-5", kind: fault.KindRetryable},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			gpt := openai()
			c, steps := llmtest.NewClient(llmtest.New().On("s", tc.answer), gpt)
			steps.Limit = tc.limit
			r := request("s")
			if tc.model != "" {
				r.Model = tc.model
			}
			_, err := c.Text(t.Context(), lease, r)
			require.Equal(t, tc.kind, fault.KindOf(err))
			require.Empty(t, gpt.Requests())
		})
	}
}

func TestClient_Text_waitsForThePinnedModelWhenNobodyAnswers(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ other error }{
		"throttled as well":   {fault.Retryable(errors.New("503"), time.Hour)},
		"its key is revoked":  {fault.NeedsHuman(errors.New("401"))},
		"it refuses the call": {fault.Permanent(errors.New("400"))},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c, _ := llmtest.NewClient(
				llmtest.New().On("s", llmtest.Answer{Err: throttled}), openai().On("s@openai", llmtest.Answer{Err: tc.other}))
			for range 2 { // the second time the other one is asked first, or both are paused
				_, err := c.Text(t.Context(), lease, request("s"))
				require.Equal(t, fault.KindRetryable, fault.KindOf(err))
				require.Equal(t, 20*time.Second, fault.RetryAfter(err))
				require.ErrorContains(t, err, "429 slow down; openai/gpt-6-sol instead: ")
				require.ErrorIs(t, err, tc.other)
			}
		})
	}
}

func TestClient_Text_asksAProviderThatJustFailedLast(t *testing.T) {
	t.Parallel()

	now := llmtest.Day
	steps := &journaltest.Steps{}
	claude := llmtest.New().On("a", llmtest.Answer{Err: overloaded}).Text("c", "C")
	gpt := openai().Text("a@openai", "A").Text("b@openai", "B")
	c := llm.New(claude, journal.New(steps), ledger.Prices, func() time.Time { return now }, gpt)
	for _, step := range []string{"a", "b"} {
		_, err := c.Text(t.Context(), lease, request(step))
		require.NoError(t, err)
	}
	require.Equal(t, []string{"a"}, claude.Steps(), "one lost call is charged, not one for each step")

	now = now.Add(time.Minute)
	got, err := c.Text(t.Context(), lease, request("c"))
	require.NoError(t, err)
	require.Equal(t, "C", got)
	require.Equal(t, []string{"a@openai", "b@openai"}, gpt.Steps(), "after a minute the pinned one is asked first again")
}

func TestClient_Text_asksThePausedProviderWhenTheOtherOneFails(t *testing.T) {
	t.Parallel()

	claude := llmtest.New().On("a", llmtest.Answer{Err: throttled}).Text("b", "B")
	gpt := openai().Text("a@openai", "A").On("b@openai", llmtest.Answer{Err: fault.Permanent(errors.New("400"))})
	c, _ := llmtest.NewClient(claude, gpt)
	for _, step := range []string{"a", "b"} {
		got, err := c.Text(t.Context(), lease, request(step))
		require.NoError(t, err)
		require.Equal(t, strings.ToUpper(step), got)
	}
	require.Equal(t, []string{"a@openai", "b@openai"}, gpt.Steps())
}

func TestClient_Text_asksNobodyElseWhenTheTimeIsUp(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	gpt := openai().Text("s@openai", "Too late.")
	c, steps := llmtest.NewClient(cutOff{cancel}, gpt)
	_, err := c.Text(ctx, lease, request("s"))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{"begin s", "end s"}, steps.Events(), "nothing is reserved for a call that can't be made")
}

// cutOff is a model whose caller's time ends while it is asked.
type cutOff struct{ cancel func() }

func (cutOff) Provider() string { return "anthropic" }

func (m cutOff) Call(ctx context.Context, _ llm.Request) (llm.Response, error) {
	m.cancel()
	return llm.Response{}, fault.Retryable(fault.Lost(ctx.Err()), 0)
}

func TestClient_JSON_repairsWhatTheOtherModelSaid(t *testing.T) {
	t.Parallel()

	claude := llmtest.New().On("o", llmtest.Answer{Err: throttled})
	gpt := openai().Text("o@openai", `{"title":1}`).Text("o/repair@openai", good)
	c, _ := llmtest.NewClient(claude, gpt)
	var out outline
	require.NoError(t, c.JSON(t.Context(), lease, jsonRequest("o"), &out))
	require.Equal(t, "Leashes", out.Title)
	require.Equal(t, `{"title":1}`, gpt.Requests()[1].Messages[1].Text)
}

// The log is shared by the whole process, so this test can't run beside others.
func TestClient_Text_warnsOncePerFallback(t *testing.T) { //nolint:paralleltest // it replaces the process's logger
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })

	c, _ := llmtest.NewClient(llmtest.New().On("s", llmtest.Answer{Err: throttled}), openai().Text("s@openai", "Yes."))
	for range 2 { // the second answer is stored
		_, err := c.Text(t.Context(), lease, request("s"))
		require.NoError(t, err)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 1, log.String())
	for _, want := range []string{`"level":"WARN"`, `"step":"s@openai"`, `"pinned":"claude-sonnet-5-5"`, `"model":"gpt-6-sol"`, `429 slow down`} {
		require.Contains(t, lines[0], want)
	}
	require.NotContains(t, lines[0], "Write", "no prompt is logged")
}
