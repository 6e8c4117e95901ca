package faas_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/faas"
)

func TestProblem_ServeHTTP_writesTheDocument(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		problem *faas.Problem
		want    string
	}{
		"its kind, and the status as its title": {
			faas.NewProblem(409, "draft-changed", "Read <it> again."),
			`{"type":"urn:blogposter:problem:draft-changed","title":"Conflict","status":409,"detail":"Read <it> again.","instance":"urn:activation:ab12"}`,
		},
		"each field with its fix": {
			&faas.Problem{Type: "x", Title: "y", Status: 400, Errors: []faas.FieldError{{Field: "max_cost", Detail: "is 0", Fix: "send more"}}},
			`{"type":"x","title":"y","status":400,"instance":"urn:activation:ab12","errors":[{"field":"max_cost","detail":"is 0","fix":"send more"}]}`,
		},
		"members of its own, which replace none of the others": {
			&faas.Problem{Type: "x", Title: "y", Status: 409, Members: map[string]any{"current_digest": "d<", "status": 200}},
			`{"current_digest":"d<","instance":"urn:activation:ab12","status":409,"title":"y","type":"x"}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			ctx := faas.WithActivation(t.Context(), faas.Call{ID: "ab12"})
			rec := httptest.NewRecorder()
			tc.problem.With("Retry-After", "2").ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))

			require.Equal(t, tc.problem.Status, rec.Code)
			require.Equal(t, tc.want+"\n", rec.Body.String(), "to the byte: escaped text takes six times its room")
			require.Equal(t, "application/problem+json; charset=utf-8", rec.Header().Get("Content-Type"))
			require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
			require.Equal(t, "2", rec.Header().Get("Retry-After"))
			require.Empty(t, tc.problem.Instance, "a document may be served twice")
		})
	}
}

func TestProblem_ServeHTTP_survivesAMemberThatIsNoJSON(t *testing.T) {
	t.Parallel()

	rec := httptest.NewRecorder()
	p := &faas.Problem{Status: 409, Members: map[string]any{"f": func() {}}}
	p.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Equal(t, http.StatusConflict, rec.Code)
	require.Empty(t, rec.Body.String())
}

func TestProblem_Error_readsAsASentence(t *testing.T) {
	t.Parallel()

	require.EqualError(t, faas.NewProblem(400, "x", "no topic"), "Bad Request: no topic")
	require.EqualError(t, &faas.Problem{Title: "Internal Server Error"}, "Internal Server Error")
}

// Example shows the whole of a web function's main, after the wiring.
func Example() {
	mux := http.NewServeMux()
	mux.Handle("GET /runs/7", faas.NewProblem(http.StatusNotFound, "not-found", "Run 7 is archived: restore it first."))
	handler := faas.HTTP(mux) // faas.Serve(handler) in main

	reply, _ := handler(context.Background(), json.RawMessage(`{"http":{"method":"get","path":"runs/7"}}`))
	line, _ := json.Marshal(reply)
	var answer struct{ Body string }
	_ = json.Unmarshal(line, &answer)
	fmt.Println(answer.Body)
	// Output: {"type":"urn:blogposter:problem:not-found","title":"Not Found","status":404,"detail":"Run 7 is archived: restore it first."}
}
