package faas_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/faas"
	"blogposter/lib/fault"
)

func TestHandlerFunc_answersEachFaultKind(t *testing.T) {
	t.Parallel()

	boom := errors.New("dial 10.0.0.7: refused")
	tests := map[string]struct {
		err        error
		want       faas.Problem
		retryAfter string
	}{
		"a problem is its own answer": {
			err:  fmt.Errorf("decode: %w", faas.BadRequest("topic is missing: send %q", "topic")),
			want: faas.Problem{Status: 400, Title: "Malformed request", Detail: `topic is missing: send "topic"`},
		},
		"a problem names its fields, and takes its status as title": {
			err:  &faas.Problem{Status: 422, Errors: []faas.FieldError{{Field: "max_cost", Detail: "must be above 0"}}},
			want: faas.Problem{Status: 422, Title: "Unprocessable Entity", Errors: []faas.FieldError{{Field: "max_cost", Detail: "must be above 0"}}},
		},
		"permanent is 422, and its text is for the caller": {
			err:  fault.Permanent(errors.New("draft 7 has no title")),
			want: faas.Problem{Status: 422, Title: "Cannot be processed", Detail: "draft 7 has no title"},
		},
		"needs human is 409": {
			err:  fault.NeedsHuman(errors.New("run 7 waits for approval")),
			want: faas.Problem{Status: 409, Title: "A person must decide first", Detail: "run 7 waits for approval"},
		},
		"retryable is 503 with the wait, its text kept back": {
			err:        fault.Retryable(boom, 1500*time.Millisecond),
			want:       faas.Problem{Status: 503, Title: "Temporarily unavailable", Detail: "Try again later."},
			retryAfter: "2",
		},
		"a timeout is 503": {
			err:        fmt.Errorf("load run: %w", context.DeadlineExceeded),
			want:       faas.Problem{Status: 503, Title: "Temporarily unavailable", Detail: "Try again later."},
			retryAfter: "1",
		},
		"anything else is ours, its text kept back": {
			err:  boom,
			want: faas.Problem{Status: 500, Title: "Internal error"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			rec := httptest.NewRecorder()
			h := faas.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return tc.err })
			h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))

			require.Equal(t, tc.want.Status, rec.Code)
			require.Equal(t, "application/problem+json; charset=utf-8", rec.Header().Get("Content-Type"))
			require.Equal(t, tc.retryAfter, rec.Header().Get("Retry-After"))
			var got faas.Problem
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &got))
			require.Equal(t, tc.want, got)
		})
	}
}

func TestHandlerFunc_leavesASuccessAlone(t *testing.T) {
	t.Parallel()

	rec := httptest.NewRecorder()
	h := faas.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusAccepted)
		return nil
	})
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Equal(t, http.StatusAccepted, rec.Code)
	require.Empty(t, rec.Body.String())
}

func TestProblem_namesTheActivationToSearchFor(t *testing.T) {
	t.Parallel()

	ctx := faas.WithActivation(t.Context(), faas.Call{ID: "ab12"})
	rec := httptest.NewRecorder()
	faas.BadRequest("no").ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
	require.Contains(t, rec.Body.String(), `"instance":"urn:activation:ab12"`)
}

func TestProblem_Error_readsAsASentence(t *testing.T) {
	t.Parallel()

	require.EqualError(t, faas.BadRequest("no topic"), "Malformed request: no topic")
	require.EqualError(t, &faas.Problem{Title: "Internal error"}, "Internal error")
}

// Example shows the whole of a web function's main, after the wiring.
func Example() {
	mux := http.NewServeMux()
	mux.Handle("GET /runs/{id}", faas.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) error {
		return fault.Permanent(fmt.Errorf("run %s is archived: restore it first", r.PathValue("id")))
	}))
	handler := faas.HTTP(mux) // faas.Serve(handler) in main

	reply, _ := handler(context.Background(), json.RawMessage(`{"http":{"method":"get","path":"runs/7"}}`))
	line, _ := json.Marshal(reply)
	var answer struct{ Body string }
	_ = json.Unmarshal(line, &answer)
	fmt.Println(answer.Body)
	// Output: {"title":"Cannot be processed","status":422,"detail":"run 7 is archived: restore it first"}
}
