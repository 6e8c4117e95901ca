package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gojwt "github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"blogposter/lib/api/apitest"
	"blogposter/lib/auth"
	"blogposter/lib/faas"
	"blogposter/lib/store"
)

const problemPrefix = "urn:blogposter:problem:"

// elsewhere are problems that no request to a handler can provoke, and where
// they are tested.
var elsewhere = map[string]string{
	"answer-too-large": "lib/faas: the loop refuses a result that the platform would",
	"slots-contended":  "lib/api/runs_test.go: five others have to be faster in a row",
}

// provocation leads to one problem.
type provocation struct {
	route string // as in the file
	apitest.Request
	before func(t *testing.T, w *apitest.World) // makes the world as it must be
	first  []apitest.Request                    // are sent before
}

func exec(sql string) func(*testing.T, *apitest.World) {
	return func(t *testing.T, w *apitest.World) {
		t.Helper()
		_, err := w.DB.Owner.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
}

// unreachable leaves the API without its database.
func unreachable(t *testing.T, w *apitest.World) {
	t.Helper()
	pool, err := store.Pool(t.Context(), "postgres://fn:x@127.0.0.1:1/x?sslmode=disable")
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	w.DB.Functions = pool
}

func expired(t *testing.T) string {
	t.Helper()
	token := gojwt.NewWithClaims(gojwt.SigningMethodHS256, gojwt.MapClaims{
		"aud": "authenticated", "sub": "person", "exp": time.Now().Add(-time.Hour).Unix(), "app_metadata": map[string]any{"role": "viewer"},
	})
	text, err := token.SignedString([]byte(apitest.Secret))
	require.NoError(t, err)
	return text
}

// provocations has a way to each problem, by its name. KEY in a token stands
// for our site's key of that role.
func provocations(t *testing.T) map[string]provocation {
	t.Helper()
	digest := exampleDigest(t)
	get := func(path, token string) apitest.Request {
		return apitest.Request{Method: http.MethodGet, Path: path, Token: token}
	}
	post := func(path, token, body string) apitest.Request {
		return apitest.Request{Method: http.MethodPost, Path: path, Token: token, Body: body}
	}
	with := func(q apitest.Request, name, value string) apitest.Request {
		q.Header = map[string]string{name: value}
		return q
	}
	decide := post("/reviews/1002/decision", "KEY reviewer", `{"verb": "approve", "digest": "`+digest+`"}`)
	const retract = "POST /articles/{id}/retract"
	const decision = "POST /reviews/{run}/decision"
	return map[string]provocation{
		"invalid-request": {route: "GET /runs", Request: get("/runs?limit=0", "KEY viewer")},
		"malformed-body":  {route: "POST /runs", Request: post("/runs", "KEY editor", `{`)},
		"body-too-large":  {route: "POST /runs", Request: post("/runs", "KEY editor", `{"topic":"`+strings.Repeat("x", 1<<20)+`"}`)},
		"media-type":      {route: "POST /runs", Request: with(post("/runs", "KEY editor", `{}`), "Content-Type", "text/plain")},
		"token-missing":   {route: "GET /runs", Request: get("/runs", "")},
		"token-malformed": {route: "GET /runs", Request: get("/runs", "two words")},
		"token-expired":   {route: "GET /runs", Request: get("/runs", expired(t))},
		"token-refused":   {route: "GET /runs", Request: get("/runs", "bp_0000000000_"+strings.Repeat("0", 64))},
		"role":            {route: "POST /runs", Request: post("/runs", "KEY viewer", `{"topic": "Dogs on trains"}`)},
		"not-found":       {route: "GET /articles/{id}", Request: get("/articles/7", "KEY viewer")},
		"method":          {route: "GET /runs", Request: apitest.Request{Method: http.MethodDelete, Path: "/runs", Token: "KEY admin"}},
		"not-waiting":     {route: decision, Request: post("/reviews/1000/decision", "KEY reviewer", decide.Body)},
		"draft-changed":   {route: decision, Request: post("/reviews/1002/decision", "KEY reviewer", `{"verb": "approve", "digest": "`+strings.Repeat("0", 64)+`"}`)},
		"review-changed":  {route: decision, Request: with(decide, "If-Match", `"another"`)},
		"already-decided": {
			route: decision, Request: decide,
			before: exec(`INSERT INTO blogposter.decisions (run_id, draft_id, site_id, verb, digest, reviewer)
				SELECT run_id, id, site_id, 'reject', digest, 'bob' FROM blogposter.drafts WHERE run_id = 1002`),
		},
		"idempotency-key-reused": {
			route: "POST /runs", Request: with(post("/runs", "KEY editor", `{"topic": "Dogs on ships"}`), "Idempotency-Key", "k"),
			first: []apitest.Request{with(post("/runs", "KEY editor", `{"topic": "Dogs on trains"}`), "Idempotency-Key", "k")},
		},
		"topic-taken": {
			route: "POST /runs", Request: post("/runs", "KEY editor", `{"topic_id": 1000}`),
			first: []apitest.Request{post("/topics/1000/dismiss", "KEY editor", "")},
		},
		"nothing-before": {route: retract, Request: post("/articles/1000/retract", "KEY reviewer", `{"reason": "Wrong act.", "restore": true}`)},
		"retracting": {
			route: retract, Request: post("/articles/1000/retract", "KEY reviewer", `{"reason": "Wrong act.", "restore": true}`),
			first: []apitest.Request{post("/articles/1000/retract", "KEY reviewer", `{"reason": "Wrong act."}`)},
		},
		"superseded": {
			route: retract, Request: post("/articles/1000/retract", "KEY reviewer", `{"reason": "Wrong act."}`),
			before: exec(`UPDATE blogposter.publications SET state = 'superseded', ended_at = now() WHERE id = 1000;
				UPDATE blogposter.publications SET replaces_id = 1000, post_id = 1 WHERE id = 1001`),
		},
		"not-published": {
			route: retract, Request: post("/articles/1000/retract", "KEY reviewer", `{"reason": "Wrong act."}`),
			before: exec(`UPDATE blogposter.publications SET state = 'retracted', ended_at = now() WHERE id = 1000`),
		},
		"no-research": {route: "POST /research", Request: post("/research", "KEY editor", ""), before: exec(`UPDATE blogposter.sites SET research = NULL`)},
		"internal":    {route: "GET /runs", Request: get("/runs", "KEY viewer"), before: exec(`REVOKE SELECT ON blogposter.runs FROM blogposter_functions`)},
		"unavailable": {route: "GET /runs", Request: get("/runs", "KEY viewer"), before: unreachable},
	}
}

// exampleDigest is that of the draft which the file's examples decide on.
func exampleDigest(t *testing.T) string {
	t.Helper()
	c := readContract(t)
	approve := c.part(t, c.operations(t)["POST /reviews/{run}/decision"].node, "requestBody", "content", "application/json", "examples", "approve", "value")
	return approve["digest"].(string)
}

func TestContract_everyProblemLooksAsItSays(t *testing.T) {
	t.Parallel()

	c := readContract(t)
	for name, p := range provocations(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w, _ := dogsAndCats(t)
			if p.before != nil {
				p.before(t, w)
			}
			functions := w.Handlers(t)
			for _, q := range p.first {
				q.Token = w.Ours.Keys[auth.Role(strings.TrimPrefix(q.Token, "KEY "))]
				require.Less(t, apitest.Send(functions, q).Code, 300)
			}
			if role, ok := strings.CutPrefix(p.Token, "KEY "); ok {
				p.Token = w.Ours.Keys[auth.Role(role)]
			}
			c.looks(t, p.route, name, apitest.Send(functions, p.Request))
		})
	}
}

// looks asserts that an answer is a certain problem, as the file has it.
func (c contract) looks(t *testing.T, route, name string, w *httptest.ResponseRecorder) {
	t.Helper()
	op, ok := c.operations(t)[route]
	require.True(t, ok, route)
	c.fits(t, op, w)
	got := decode[faas.Problem](t, w)
	require.Equal(t, problemPrefix+name, got.Type)
	require.Equal(t, w.Code, got.Status)
	require.Equal(t, http.StatusText(w.Code), got.Title)
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	if w.Code == http.StatusServiceUnavailable {
		require.NotEmpty(t, w.Header().Get("Retry-After"))
	}
}

// An event that is no request never reaches a handler.
func TestContract_anUnreadableEventLooksAsItSays(t *testing.T) {
	t.Parallel()

	reply, err := faas.HTTP(http.NotFoundHandler())(t.Context(), json.RawMessage(`{"http": {}}`))
	require.NoError(t, err)
	raw, err := json.Marshal(reply)
	require.NoError(t, err)
	var web struct {
		StatusCode int
		Headers    map[string]string
		Body       string
	}
	require.NoError(t, json.Unmarshal(raw, &web))
	w := httptest.NewRecorder()
	for name, value := range web.Headers {
		w.Header().Set(name, value)
	}
	w.Header().Set("X-Request-Id", "set by the edge")
	w.WriteHeader(web.StatusCode)
	_, _ = w.WriteString(web.Body)
	readContract(t).looks(t, "GET /runs", "malformed-request", w)
}

var (
	inSource = regexp.MustCompile(`NewProblem\([^,]+, "([a-z-]+)"[,)]|(?:malformed|unauthorized)\("([a-z]+)", "`)
	inFile   = regexp.MustCompile(regexp.QuoteMeta(problemPrefix) + `([a-z-]+)`)
)

func TestContract_listsEveryProblemOfTheSourceAndNoOther(t *testing.T) {
	t.Parallel()

	source := map[string]bool{}
	for _, dir := range []string{".", "../faas"} {
		files, err := filepath.Glob(dir + "/*.go")
		require.NoError(t, err)
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			text, err := os.ReadFile(f)
			require.NoError(t, err)
			for _, m := range inSource.FindAllStringSubmatch(string(text), -1) {
				if m[2] != "" {
					m[1] = "token-" + m[2]
				}
				source[m[1]] = true
			}
		}
	}
	text, err := os.ReadFile("../../docs/openapi.yaml")
	require.NoError(t, err)
	listed := map[string]bool{}
	for _, m := range inFile.FindAllStringSubmatch(string(text), -1) {
		listed[m[1]] = true
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(source)), slices.Collect(maps.Keys(listed)), "the problems of the source, and the file's")

	tried := map[string]bool{"malformed-request": true}
	for name := range provocations(t) {
		tried[name] = true
	}
	for name := range elsewhere {
		tried[name] = true
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(listed)), slices.Collect(maps.Keys(tried)), "each problem is provoked by a test")
}
