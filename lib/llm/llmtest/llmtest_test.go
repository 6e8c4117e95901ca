package llmtest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/llm"
	"blogposter/lib/llm/llmtest"
	"blogposter/lib/pipeline"
)

func Example() {
	m := llmtest.New().Text("section:1", "A leash is required [E1].")
	c, steps := llmtest.NewClient(m)
	text, err := c.Text(context.Background(), pipeline.Lease{RunID: 1}, llm.Request{
		Step: "section:1", Model: "claude-haiku-5-5", MaxTokens: 100,
		Messages: []llm.Message{{Role: llm.RoleUser, Text: "Write."}},
	})
	fmt.Println(text, err, m.Steps(), steps.Events())
	// Output: A leash is required [E1]. <nil> [section:1] [begin section:1 finish section:1]
}

func TestModel_Call_answersByStepInOrderAndRepeatsTheLast(t *testing.T) {
	t.Parallel()

	m := llmtest.New().Text("a", "1").Text("a", "2")
	for _, want := range []string{"1", "2", "2"} {
		resp, err := m.Call(t.Context(), llm.Request{Step: "a"})
		require.NoError(t, err)
		require.Equal(t, want, resp.Text)
	}
	_, err := m.Call(t.Context(), llm.Request{Step: "b"})
	require.ErrorContains(t, err, `"b"`)
	require.Equal(t, fault.KindPermanent, fault.KindOf(err))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = m.Call(ctx, llm.Request{Step: "a"})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{"a", "a", "a", "b"}, m.Steps())
}
