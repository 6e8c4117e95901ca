package store_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
	"blogposter/lib/llm/llmtest"
	"blogposter/lib/pipeline"
)

// or is an intent that is served by the answer of another step, too.
func or(in journal.Intent, name string) journal.Intent {
	in.Or = []journal.Key{{Name: name, Input: []byte("other")}}
	return in
}

func other(name string) journal.Intent {
	in := intent(name, 700)
	in.Input, in.Provider, in.Model = []byte("other"), "openai", "gpt-6-luna"
	return in
}

func TestStore_BeginStep_returnsTheStoredAnswerOfAStepThatServesAsWell(t *testing.T) {
	t.Parallel()

	db, s, l := journaled(t)
	first, err := s.BeginStep(t.Context(), l, or(intent("digest:1", 900), "digest:1@openai"))
	require.NoError(t, err)
	require.Nil(t, first.Stored, "neither is answered")
	require.NoError(t, s.EndStep(t.Context(), l, first, journal.Ending{Err: errors.New("529"), Lost: true}))

	b, err := s.BeginStep(t.Context(), l, other("digest:1@openai"))
	require.NoError(t, err)
	sent, err := s.BeginStep(t.Context(), l, or(intent("digest:2", 10), "digest:1@openai"))
	require.NoError(t, err)
	require.Nil(t, sent.Stored, "one that is under way is no answer")
	require.NoError(t, s.FinishStep(t.Context(), l, b, journal.Receipt{Result: json.RawMessage(`{"text": "yes"}`), Cost: 120}))

	_, _, _, before := budget(t, db.Owner)
	got, err := s.BeginStep(t.Context(), l, or(intent("digest:1", 900), "digest:1@openai"))
	require.NoError(t, err)
	require.JSONEq(t, `{"text": "yes"}`, string(got.Stored))
	require.Equal(t, b.StepID, got.StepID)
	_, _, unknown, after := budget(t, db.Owner)
	require.Equal(t, before, after, "nothing is reserved")
	require.Equal(t, int64(900), unknown, "the lost call stays charged")
}

func TestStore_BeginStep_takesNoAnswerOfAnotherRequestStageOrEpoch(t *testing.T) {
	t.Parallel()

	tests := map[string]func(l *pipeline.Lease, in *journal.Intent){
		"another request": func(_ *pipeline.Lease, in *journal.Intent) { in.Or[0].Input = []byte("another") },
		"another stage":   func(l *pipeline.Lease, _ *journal.Intent) { l.Stage = pipeline.StageSEO },
		"another epoch":   func(l *pipeline.Lease, _ *journal.Intent) { l.Epoch++ },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db, s, l := journaled(t)
			b, err := s.BeginStep(t.Context(), l, other("d@openai"))
			require.NoError(t, err)
			require.NoError(t, s.FinishStep(t.Context(), l, b, journal.Receipt{Result: json.RawMessage(`{}`)}))
			in := or(intent("d", 900), "d@openai")
			change(&l, &in)
			got, err := s.BeginStep(t.Context(), l, in)
			require.NoError(t, err)
			require.Nil(t, got.Stored)
			require.Equal(t, "d@openai done, d sent",
				scalar[string](t, db.Owner, `SELECT string_agg(name || ' ' || state, ', ' ORDER BY id) FROM blogposter.steps`))
		})
	}
}

func TestStore_BeginStep_prefersTheStepsOwnAnswer(t *testing.T) {
	t.Parallel()

	_, s, l := journaled(t)
	for _, in := range []journal.Intent{other("d@openai"), intent("d", 900)} {
		b, err := s.BeginStep(t.Context(), l, in)
		require.NoError(t, err)
		require.NoError(t, s.FinishStep(t.Context(), l, b, journal.Receipt{Result: json.RawMessage(`"` + in.Model + `"`)}))
	}
	got, err := s.BeginStep(t.Context(), l, or(intent("d", 900), "d@openai"))
	require.NoError(t, err)
	require.JSONEq(t, `"claude-haiku-5-5"`, string(got.Stored))
}

func TestStore_BeginStep_refusesALostLeaseAlthoughAnotherStepServes(t *testing.T) {
	t.Parallel()

	_, s, l := journaled(t)
	b, err := s.BeginStep(t.Context(), l, other("d@openai"))
	require.NoError(t, err)
	require.NoError(t, s.FinishStep(t.Context(), l, b, journal.Receipt{Result: json.RawMessage(`{}`)}))
	l.Fence++
	_, err = s.BeginStep(t.Context(), l, or(intent("d", 900), "d@openai"))
	require.ErrorIs(t, err, pipeline.ErrLeaseLost)
}

func TestClient_Text_fallsBackOnceAndForAllAgainstTheDatabase(t *testing.T) {
	t.Parallel()

	db, s, l := journaled(t)
	lost := fault.Retryable(fault.Lost(errors.New("529 overloaded")), 0)
	claude := llmtest.New().On("section:1", llmtest.Answer{Err: lost})
	gpt := llmtest.NewOf("openai").Text("section:1@openai", "Leashes are short.")
	ask := func() (string, error) {
		// A client a call, as an attempt in another process would have.
		c := llm.New(claude, journal.New(s), ledger.Prices, func() time.Time { return llmtest.Day }, gpt)
		return c.Text(t.Context(), l, llm.Request{
			Step: "section:1", Prompt: "v1/section", Model: "claude-sonnet-5-5", MaxTokens: 400,
			Messages: []llm.Message{{Role: llm.RoleUser, Text: "Write about leashes."}},
		})
	}
	for range 2 {
		got, err := ask()
		require.NoError(t, err)
		require.Equal(t, "Leashes are short.", got)
	}
	require.Len(t, claude.Requests(), 1)
	require.Len(t, gpt.Requests(), 1)
	require.Equal(t, "section:1 anthropic claude-sonnet-5-5 unknown, section:1@openai openai gpt-6-sol done",
		scalar[string](t, db.Owner, `SELECT string_agg(concat_ws(' ', name, provider, model, state), ', ' ORDER BY id) FROM blogposter.steps`))
	require.Equal(t, "gpt-6-sol", scalar[string](t, db.Owner, `SELECT result ->> 'model' FROM blogposter.steps WHERE state = 'done'`))
	reserved, spent, unknown, entries := budget(t, db.Owner)
	require.Zero(t, reserved)
	require.Positive(t, spent)
	require.Positive(t, unknown)
	require.Len(t, entries, 4, "two reservations, one lost, one settled: %v", entries)
}
