package llm_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/journal/journaltest"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
	"blogposter/lib/llm/llmtest"
)

type outline struct {
	Title    string   `json:"title"`
	Sections []string `json:"sections"`
}

const outlineSchema = `{"type":"object","additionalProperties":false,"required":["title","sections"],
	"properties":{"title":{"type":"string"},"sections":{"type":"array","items":{"type":"string"}}}}`

func jsonRequest(step string) llm.Request {
	r := request(step)
	r.Schema = json.RawMessage(outlineSchema)
	return r
}

const good = `{"title":"Leashes","sections":["Why","When"]}`

func TestClient_JSON_decodesAnAnswerThatFits(t *testing.T) {
	t.Parallel()

	m := llmtest.New().Text("outline", good)
	c, steps := llmtest.NewClient(m)
	for range 2 { // the second time from the journal, through the cached schema
		var out outline
		require.NoError(t, c.JSON(t.Context(), lease, jsonRequest("outline"), &out))
		require.Equal(t, outline{"Leashes", []string{"Why", "When"}}, out)
	}
	require.Equal(t, []string{"outline"}, m.Steps())
	require.Equal(t, []string{"begin outline", "finish outline", "stored outline"}, steps.Events())
}

func TestClient_JSON_decodesNothingThatPostgresRefuses(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ said, want string }{
		"a NUL":                     {`Lea\u0000shes`, "Leashes"},
		"nothing but NULs":          {`\u0000\u0000`, ""},
		"a NUL behind a backslash":  {`a\\\u0000b`, `a\b`},
		"a backslash and its text":  {`a\\u0000b`, `a\u0000b`},
		"two backslashes and a NUL": {`a\\\\\u0000b`, `a\\b`},
		"half of a surrogate pair":  {`a\ud83db`, "a\uFFFDb"},
		"another control character": {`a\u0001\n\u0000b`, "a\x01\nb"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := llmtest.New().Text("o", `{"title":"`+tc.said+`","sections":["`+tc.said+`"]}`)
			c, _ := llmtest.NewClient(m)
			var out outline
			require.NoError(t, c.JSON(t.Context(), lease, jsonRequest("o"), &out))
			require.Equal(t, outline{tc.want, []string{tc.want}}, out)
		})
	}
}

func FuzzClient_JSON_neverDecodesANUL(f *testing.F) {
	f.Add(`a\u0000b\\u0000\\\u0000\`)
	f.Fuzz(func(t *testing.T, said string) {
		answer := `{"title":"` + said + `","sections":[]}`
		c, _ := llmtest.NewClient(llmtest.New().Text("o", answer).Text("o/repair", answer))
		var out outline
		if c.JSON(t.Context(), lease, jsonRequest("o"), &out) == nil {
			require.NotContains(t, out.Title, "\x00")
			require.True(t, utf8.ValidString(out.Title))
		}
	})
}

func TestClient_JSON_repairsOnce(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ answer, complaint string }{
		"no JSON":         {"Sure, here it is", "not valid JSON"},
		"two values":      {good + good, "not valid JSON"},
		"a missing field": {`{"title":"Leashes"}`, "sections"},
		"a wrong type":    {`{"title":"Leashes","sections":"Why"}`, "sections"},
		"an extra field":  {`{"title":"Leashes","sections":[],"mood":"dry"}`, "mood"},
		"nothing":         {"", "not valid JSON"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := llmtest.New().Text("outline", tc.answer).Text("outline/repair", good)
			c, _ := llmtest.NewClient(m)
			var out outline
			require.NoError(t, c.JSON(t.Context(), lease, jsonRequest("outline"), &out))
			require.Equal(t, "Leashes", out.Title)
			require.Equal(t, []string{"outline", "outline/repair"}, m.Steps())

			repair := m.Requests()[1]
			require.Len(t, repair.Messages, 3)
			require.Equal(t, llm.RoleAssistant, repair.Messages[1].Role)
			require.NotEmpty(t, repair.Messages[1].Text)
			require.Contains(t, repair.Messages[1].Text, tc.answer)
			require.Contains(t, repair.Messages[2].Text, tc.complaint)
			require.JSONEq(t, outlineSchema, string(repair.Schema))
		})
	}
}

func TestClient_JSON_givesUpAfterOneRepair(t *testing.T) {
	t.Parallel()

	m := llmtest.New().Text("outline", `{}`).Text("outline/repair", `{"title":1,"sections":[]}`)
	c, _ := llmtest.NewClient(m)
	out := outline{Title: "as it was"}
	err := c.JSON(t.Context(), lease, jsonRequest("outline"), &out)
	require.ErrorIs(t, err, llm.ErrInvalid)
	require.Equal(t, fault.KindPermanent, fault.KindOf(err))
	require.ErrorContains(t, err, "title")
	require.Equal(t, outline{Title: "as it was"}, out)
	require.Len(t, m.Requests(), 2)
}

func TestClient_JSON_leavesOutAloneWhenHalfOfTheAnswerDecodes(t *testing.T) {
	t.Parallel()

	half := `{"title":"Leashes","sections":"not a list"}`
	c, _ := llmtest.NewClient(llmtest.New().Text("o", half).Text("o/repair", half))
	r := jsonRequest("o")
	r.Schema = json.RawMessage(`{"type":"object"}`)
	var out outline
	require.ErrorIs(t, c.JSON(t.Context(), lease, r, &out), llm.ErrInvalid)
	require.Zero(t, out)
}

func TestClient_JSON_compilesASchemaOnce(t *testing.T) {
	t.Parallel()

	c, _ := llmtest.NewClient(llmtest.New().Text("a", good).Text("b", good))
	for _, step := range []string{"a", "b"} {
		require.NoError(t, c.JSON(t.Context(), lease, jsonRequest(step), &outline{}))
	}
	require.Equal(t, 1, c.Schemas())
}

func TestClient_JSON_reservesForItsSchemaToo(t *testing.T) {
	t.Parallel()

	c, steps := llmtest.NewClient(llmtest.New().Text("o", good))
	r := jsonRequest("o")
	require.NoError(t, c.JSON(t.Context(), lease, r, &outline{}))
	prompt := len(r.System) + len(r.Messages[0].Text) + len(r.Schema) + 256 + 16 + 1024
	require.Equal(t, ledger.Micros((prompt*25+9)/10+400*10), steps.Rows()[0].Worst) // $2 a million, written to the cache for 1.25 times that
}

func TestClient_JSON_showsTheModelALongComplaintCut(t *testing.T) {
	t.Parallel()

	m := llmtest.New().Text("outline", `{"title":"t","sections":"`+strings.Repeat("ü", 5000)+`"}`).Text("outline/repair", good)
	c, _ := llmtest.NewClient(m)
	require.NoError(t, c.JSON(t.Context(), lease, jsonRequest("outline"), &outline{}))
	shown := m.Requests()[1].Messages[2].Text
	require.Contains(t, shown, "ü …\nAnswer again")
	require.Less(t, len(shown), 2300)
}

func TestClient_JSON_asksForALongerAnswerWhenItWasCut(t *testing.T) {
	t.Parallel()

	m := llmtest.New().On("outline", llmtest.Answer{Text: `{"title":"Lea`, Stop: llm.StopTruncated}).Text("outline/longer", good)
	c, _ := llmtest.NewClient(m)
	var out outline
	require.NoError(t, c.JSON(t.Context(), lease, jsonRequest("outline"), &out))
	require.Equal(t, "Leashes", out.Title)
	require.Equal(t, int64(800), m.Requests()[1].MaxTokens)
	require.Len(t, m.Requests()[1].Messages, 1, "half an answer is no help to write the whole one")
}

func TestClient_JSON_neverDecodesACutAnswer(t *testing.T) {
	t.Parallel()

	cut := llmtest.Answer{Text: good, Stop: llm.StopTruncated} // whole by chance
	tests := map[string]struct {
		model *llmtest.Model
		steps []string
	}{
		"twice":         {llmtest.New().On("o", cut).On("o/longer", cut), []string{"o", "o/longer"}},
		"in its repair": {llmtest.New().Text("o", "{}").On("o/repair", cut), []string{"o", "o/repair"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c, _ := llmtest.NewClient(tc.model)
			err := c.JSON(t.Context(), lease, jsonRequest("o"), &outline{})
			require.ErrorIs(t, err, llm.ErrTruncated)
			require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err), "another attempt would be given the same stored answers")
			require.Equal(t, tc.steps, tc.model.Steps())
		})
	}
}

func TestClient_JSON_refusesWhatCannotWork(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		schema string
		out    any
		want   string
	}{
		"no schema":           {"", &outline{}, "schema: is missing"},
		"a schema of no JSON": {"{", &outline{}, "schema: "},
		"a dangling ref":      {`{"$ref":"#/$defs/none"}`, &outline{}, "schema: "},
		"no pointer":          {outlineSchema, outline{}, "pass a pointer"},
		"a nil pointer":       {outlineSchema, (*outline)(nil), "pass a pointer"},
		"nothing":             {outlineSchema, nil, "pass a pointer"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := llmtest.New()
			c, _ := llmtest.NewClient(m)
			r := jsonRequest("o")
			r.Schema = json.RawMessage(tc.schema)
			err := c.JSON(t.Context(), lease, r, tc.out)
			require.Equal(t, fault.KindPermanent, fault.KindOf(err))
			require.ErrorContains(t, err, tc.want)
			require.Empty(t, m.Requests())
		})
	}
}

func TestClient_JSON_decodesStrictlyEvenWhereTheSchemaIsLoose(t *testing.T) {
	t.Parallel()

	m := llmtest.New().Text("o", `{"title":"t","sections":[],"mood":"dry"}`).Text("o/repair", good)
	c, _ := llmtest.NewClient(m)
	r := jsonRequest("o")
	r.Schema = json.RawMessage(`{"type":"object"}`)
	require.NoError(t, c.JSON(t.Context(), lease, r, &outline{}))
	require.Contains(t, m.Requests()[1].Messages[2].Text, "mood")
}

func TestClient_JSON_makesNoCallThatTheBudgetDenies(t *testing.T) {
	t.Parallel()

	m := llmtest.New().Text("o", good)
	steps := &journaltest.Steps{Limit: 100}
	c := llm.New(m, journal.New(steps), ledger.Prices, func() time.Time { return llmtest.Day })
	err := c.JSON(t.Context(), lease, jsonRequest("o"), &outline{})
	require.ErrorIs(t, err, journal.ErrBudget)
	require.True(t, fault.IsBudget(err))
	require.Empty(t, m.Requests())
}

func TestClient_JSON_chargesAFailedCallForWhatItUsed(t *testing.T) {
	t.Parallel()

	boom := errors.New("boom")
	tests := map[string]struct {
		answer llmtest.Answer
		spent  func(worst ledger.Micros) ledger.Micros
	}{
		"refused":              {llmtest.Answer{Err: fault.Permanent(boom)}, func(ledger.Micros) ledger.Micros { return 0 }},
		"useless, but charged": {llmtest.Answer{Err: fault.Permanent(boom), Usage: ledger.Usage{Input: 500}}, func(ledger.Micros) ledger.Micros { return 1000 }},
		"lost":                 {llmtest.Answer{Err: fault.Retryable(fault.Lost(boom), time.Minute)}, func(worst ledger.Micros) ledger.Micros { return worst }},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c, steps := llmtest.NewClient(llmtest.New().On("o", tc.answer))
			err := c.JSON(t.Context(), lease, jsonRequest("o"), &outline{})
			require.ErrorIs(t, err, boom)
			require.Equal(t, fault.KindOf(tc.answer.Err), fault.KindOf(err))
			require.Equal(t, fault.RetryAfter(tc.answer.Err), fault.RetryAfter(err))
			require.Equal(t, tc.spent(steps.Rows()[0].Worst), steps.Spent())
		})
	}
}

func TestClient_JSON_isSafeForConcurrentUse(t *testing.T) {
	t.Parallel()

	c, _ := llmtest.NewClient(llmtest.New().Text("o", good))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var out outline
			if err := c.JSON(t.Context(), lease, jsonRequest("o"), &out); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
