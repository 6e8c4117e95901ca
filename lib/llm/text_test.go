package llm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
	"blogposter/lib/llm/llmtest"
	"blogposter/lib/pipeline"
)

var lease = pipeline.Lease{RunID: 7, Stage: pipeline.StageDraft}

func request(step string) llm.Request {
	return llm.Request{
		Step: step, Prompt: "v1/section", Model: "claude-sonnet-5-5", System: "You write sections.",
		Messages: []llm.Message{{Role: llm.RoleUser, Text: "Write about leashes."}}, MaxTokens: 400,
	}
}

func TestClient_Text_continuesWhereTheAnswerWasCut(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ first, second, want string }{
		"in the middle of a word":              {"A dog must be hand", "handled well.", "A dog must be handled well."},
		"after a whole word":                   {"A dog must be", "be handled.", "A dog must be handled."},
		"the continuation brings the space":    {"A dog must be", " be handled.", "A dog must be handled."},
		"after a space":                        {"A dog must ", "be handled.", "A dog must be handled."},
		"a space on both sides":                {"A dog must ", " be handled.", "A dog must be handled."},
		"after a blank line":                   {"One.\n\n", "Two.", "One.\n\nTwo."},
		"a blank line on both sides":           {"One.\n\n", "\n\nTwo.", "One.\n\nTwo."},
		"between the two breaks of a new line": {"One.\n", "\n\nTwo.", "One.\n\nTwo."},
		"the first word of a paragraph":        {"One.\n\nTw", "\n\nTwo.", "One.\n\nTwo."},
		"behind a bullet":                      {"- one\n- tw", "two\n- three", "- one\n- two\n- three"},
		"a text of one word":                   {"Handl", "er", "Handler"},
		"a character of several bytes":         {"Zürich\u00a0Hör", "Hören", "Zürich\u00a0Hören"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := llmtest.New().On("section:1", llmtest.Answer{Text: tc.first, Stop: llm.StopTruncated}).Text("section:1+1", tc.second)
			c, _ := llmtest.NewClient(m)
			got, err := c.Text(t.Context(), lease, request("section:1"))
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestClient_Text_asksForTheRestInAUsersTurn(t *testing.T) {
	t.Parallel()

	m := llmtest.New().
		On("s", llmtest.Answer{Text: "One two thr", Stop: llm.StopTruncated}).
		On("s+1", llmtest.Answer{Text: "three fo", Stop: llm.StopTruncated}).
		Text("s+2", "four.")
	c, steps := llmtest.NewClient(m)
	got, err := c.Text(t.Context(), lease, request("s"))
	require.NoError(t, err)
	require.Equal(t, "One two three four.", got)
	require.Equal(t, []string{"s", "s+1", "s+2"}, m.Steps())

	last := m.Requests()[2].Messages
	require.Len(t, last, 3)
	require.Equal(t, llm.Message{Role: llm.RoleAssistant, Text: "One two three"}, last[1])
	require.Equal(t, llm.RoleUser, last[2].Role)
	require.Contains(t, last[2].Text, "exactly where it stops")

	// Another worker finds every part stored.
	again, err := c.Text(t.Context(), lease, request("s"))
	require.NoError(t, err)
	require.Equal(t, got, again)
	require.Len(t, m.Requests(), 3)
	require.Len(t, steps.Rows(), 3)
}

func TestClient_Text_neverReturnsCutText(t *testing.T) {
	t.Parallel()

	cut := func(text string) llmtest.Answer { return llmtest.Answer{Text: text, Stop: llm.StopTruncated} }
	tests := map[string]struct {
		model *llmtest.Model
		calls int
	}{
		"after three continuations": {llmtest.New().On("s", cut("a b")).On("s+1", cut("b c")).On("s+2", cut("c d")).On("s+3", cut("d e")).Text("s+4", "never asked"), 4},
		"with nothing to continue":  {llmtest.New().On("s", cut(" \n")).Text("s+1", "never asked"), 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c, steps := llmtest.NewClient(tc.model)
			got, err := c.Text(t.Context(), lease, request("s"))
			require.ErrorIs(t, err, llm.ErrTruncated)
			require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err), "another attempt would be given the same stored answers")
			require.Empty(t, got)
			require.Len(t, tc.model.Requests(), tc.calls)
			require.Positive(t, steps.Spent(), "what was cut off is charged")
		})
	}
}

func TestClient_Text_stopsForAPersonWhenTheModelDeclines(t *testing.T) {
	t.Parallel()

	m := llmtest.New().On("s", llmtest.Answer{Stop: llm.StopRefused, Usage: ledger.Usage{Input: 1000, Output: 10}})
	c, steps := llmtest.NewClient(m)
	_, err := c.Text(t.Context(), lease, request("s"))
	require.ErrorIs(t, err, llm.ErrRefused)
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	require.False(t, fault.IsBudget(err))
	require.ErrorContains(t, err, "req_1")
	require.Equal(t, ledger.Micros(2100), steps.Spent(), "a refusal is charged like an answer")

	_, err = c.Text(t.Context(), lease, request("s"))
	require.ErrorIs(t, err, llm.ErrRefused)
	require.Len(t, m.Requests(), 1, "a refusal is remembered")
}

func TestClient_Text_refusesAnAnswerThatSaysNothing(t *testing.T) {
	t.Parallel()

	for name, a := range map[string]llmtest.Answer{"empty": {Text: " \n"}, "unknown stop": {Text: "x", Stop: "tired"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c, _ := llmtest.NewClient(llmtest.New().On("s", a))
			got, err := c.Text(t.Context(), lease, request("s"))
			require.Equal(t, fault.KindPermanent, fault.KindOf(err))
			require.ErrorContains(t, err, `step "s"`)
			require.Empty(t, got)
		})
	}
}

func TestClient_Text_keepsAnAnswerThatPostgresCanStore(t *testing.T) {
	t.Parallel()

	c, _ := llmtest.NewClient(llmtest.New().Text("s", "a\x00b\xffc"))
	got, err := c.Text(t.Context(), lease, request("s"))
	require.NoError(t, err)
	require.Equal(t, "ab\uFFFDc", got)
}

func TestClient_Text_namesWhatARequestLacks(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		change func(*llm.Request)
		want   string
	}{
		"no step":         {func(r *llm.Request) { r.Step = "" }, "has no Step"},
		"no model":        {func(r *llm.Request) { r.Model = "" }, "has no Model"},
		"no tokens":       {func(r *llm.Request) { r.MaxTokens = 0 }, "MaxTokens 0"},
		"no messages":     {func(r *llm.Request) { r.Messages = nil }, "has no Messages"},
		"an answer begun": {func(r *llm.Request) { r.Messages = append(r.Messages, llm.Message{Role: llm.RoleAssistant, Text: "{"}) }, "must be the user's"},
		"a schema":        {func(r *llm.Request) { r.Schema = []byte(`{}`) }, "call JSON"},
		"a broken schema": {func(r *llm.Request) { r.Schema = []byte(`{`) }, "Schema"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := llmtest.New().Text("s", "x")
			c, steps := llmtest.NewClient(m)
			r := request("s")
			tc.change(&r)
			_, err := c.Text(t.Context(), lease, r)
			require.Equal(t, fault.KindPermanent, fault.KindOf(err))
			require.ErrorContains(t, err, tc.want)
			require.Empty(t, m.Requests())
			require.Empty(t, steps.Events(), "nothing is reserved for a request that can't work")
		})
	}
}

func TestClient_Text_leavesAModelWithoutAPriceToANewerProgram(t *testing.T) {
	t.Parallel()

	m := llmtest.New().Text("s", "x")
	c, steps := llmtest.NewClient(m)
	r := request("s")
	r.Model = "claude-sonnet-9"
	_, err := c.Text(t.Context(), lease, r)
	require.ErrorContains(t, err, "this program has no price for anthropic/claude-sonnet-9")
	require.True(t, fault.IsNotYet(err))
	require.Equal(t, 10*time.Minute, fault.RetryAfter(err))
	require.Empty(t, m.Requests())
	require.Empty(t, steps.Events(), "nothing is reserved for it")
}

func TestClient_Text_keepsAStepByAllThatItsAnswerDependsOn(t *testing.T) {
	t.Parallel()

	c, steps := llmtest.NewClient(llmtest.New().Text("a", "x").Text("b", "x"))
	for _, change := range []func(*llm.Request){
		func(*llm.Request) {},
		func(r *llm.Request) { r.Step = "b" },
		func(r *llm.Request) { r.Prompt = "v2/section" },
		func(r *llm.Request) { r.Model = "claude-opus-5-5" },
		func(r *llm.Request) { r.System = "You write lists." },
		func(r *llm.Request) { r.Messages[0].Text = "Write about vests." },
		func(r *llm.Request) { r.MaxTokens = 401 },
	} {
		r := request("a")
		change(&r)
		_, err := c.Text(t.Context(), lease, r)
		require.NoError(t, err)
	}
	rows := steps.Rows()
	require.Len(t, rows, 7, "each change is another step")
	require.Equal(t, rows[0].Hash(), rows[1].Hash(), "the name of a step is not part of its input")
}

func TestClient_Text_reservesTheWorstCaseOfTheWholeRequest(t *testing.T) {
	t.Parallel()

	r := request("s")
	r.System, r.Messages[0].Text = strings.Repeat("s", 10_000), strings.Repeat("m", 5_000)
	c, steps := llmtest.NewClient(llmtest.New().Text("s", "x"))
	_, err := c.Text(t.Context(), lease, r)
	require.NoError(t, err)
	// Every byte as a token written to the cache at $2.50 a million, and 400
	// tokens of answer at $10.
	require.Equal(t, ledger.Micros((10_000+5_000+256+16)*25/10+400*10), steps.Rows()[0].Worst)
	require.Equal(t, "v1/section", steps.Rows()[0].Prompt)
	require.Equal(t, "anthropic", steps.Rows()[0].Provider)
}
