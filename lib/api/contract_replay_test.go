package api_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/api/apitest"
	"blogposter/lib/auth"
	"blogposter/lib/store/storetest"
)

// dogsAndCats is the API with the sites that the file's examples are about.
func dogsAndCats(t *testing.T) (*apitest.World, map[string]http.Handler) {
	t.Helper()
	w := apitest.New(t, storetest.New(t), "dogs", "cats")
	return w, w.Handlers(t)
}

// sent is one example, or one combination of examples, as a request.
type sent struct {
	apitest.Request
	about string
	want  string // status
}

// path fills a route's path with its parameters' examples.
func (c contract) path(t *testing.T, op operation) string {
	t.Helper()
	_, path, _ := strings.Cut(op.name, " ")
	for name, p := range c.parameters(t, op, "path") {
		require.NotNil(t, p["example"], "%s: %s has no example", op.name, name)
		path = strings.ReplaceAll(path, "{"+name+"}", text(p["example"]))
	}
	return path
}

func text(v any) string {
	if n, ok := v.(float64); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// examples are all requests that the file's examples make: the operation as it
// is, once more with each parameter, and with each body.
func (c contract) examples(t *testing.T, op operation, w *apitest.World) []sent {
	t.Helper()
	method, _, _ := strings.Cut(op.name, " ")
	plain := apitest.Request{Method: method, Path: c.path(t, op)}
	if role, ok := op.node["x-role"].(string); ok {
		plain.Token = w.Ours.Keys[auth.Role(role)]
	}
	var all []sent
	bodies := c.part(t, op.node, "requestBody", "content", "application/json", "examples")
	optional := c.part(t, op.node, "requestBody")["required"] != true
	if bodies == nil || optional {
		all = append(all, sent{Request: plain, about: "as it is", want: c.success(t, op)})
	}
	for _, name := range slices.Sorted(maps.Keys(bodies)) {
		example := bodies[name].(node)
		body, err := json.Marshal(example["value"])
		require.NoError(t, err)
		s := sent{Request: plain, about: name, want: text(example["x-answer"])}
		s.Body = string(body)
		all = append(all, s)
	}
	for _, in := range []string{"query", "header"} {
		parameters := c.parameters(t, op, in)
		for _, name := range slices.Sorted(maps.Keys(parameters)) {
			p := parameters[name]
			require.NotNil(t, p["example"], "%s: %s has no example", op.name, name)
			c.valid(t, p["schema"].(node), p["example"], name)
			s := all[slices.IndexFunc(all, func(s sent) bool { return strings.HasPrefix(s.want, "2") })]
			s.about += " with " + name
			if in == "query" {
				s.Path += "?" + url.Values{name: {text(p["example"])}}.Encode()
			} else {
				s.Header = map[string]string{name: text(p["example"])}
			}
			if p["x-answer"] != nil {
				s.want = text(p["x-answer"])
			}
			all = append(all, s)
		}
	}
	return all
}

// success is the status of an operation that has nothing to say against it.
func (c contract) success(t *testing.T, op operation) string {
	t.Helper()
	for _, status := range []string{"202", "200"} {
		if c.part(t, op.node, "responses", status) != nil {
			return status
		}
	}
	t.Fatalf("%s never succeeds", op.name)
	return ""
}

func TestContract_everyExampleIsAnsweredAsItSays(t *testing.T) {
	t.Parallel()

	c := readContract(t)
	for name, op := range c.operations(t) {
		t.Run(strings.ReplaceAll(name, "/", " "), func(t *testing.T) {
			t.Parallel()

			w, functions := dogsAndCats(t)
			for i := range c.examples(t, op, w) {
				if i > 0 && !strings.HasPrefix(name, "GET") {
					w, functions = dogsAndCats(t) // what one example changes, another would stumble over
				}
				s := c.examples(t, op, w)[i]
				got := apitest.Send(functions, s.Request)
				require.Equal(t, s.want, strconv.Itoa(got.Code), "%s, %s: %s", name, s.about, got.Body)
				c.fits(t, op, got)
			}
		})
	}
}

// Every GET is asked for all that a site has, by every role, so that all the
// forms an answer can take are held to the file.
func TestContract_everyAnswerFits(t *testing.T) {
	t.Parallel()

	c := readContract(t)
	w, functions := dogsAndCats(t)
	for name, op := range c.operations(t) {
		method, path, _ := strings.Cut(name, " ")
		if method != http.MethodGet {
			continue
		}
		shown := 0
		for _, id := range append(made(1000, 1020), "dogs", "cats", "900000", "x") {
			for _, role := range append(slices.Clone(apitest.Roles), "") {
				filled := path
				for parameter := range c.parameters(t, op, "path") {
					filled = strings.ReplaceAll(filled, "{"+parameter+"}", id)
				}
				got := apitest.Send(functions, apitest.Request{Method: method, Path: filled, Token: w.Ours.Keys[role]})
				c.fits(t, op, got)
				if got.Code == http.StatusOK {
					shown++
				}
			}
		}
		require.Positive(t, shown, name)
	}
}

func made(from, to int) (all []string) {
	for id := from; id < to; id++ {
		all = append(all, strconv.Itoa(id))
	}
	return all
}

// What an operation takes is what it tells a caller who sends something else.
func TestContract_parametersAndBodiesAreThoseOfTheHandlers(t *testing.T) {
	t.Parallel()

	c := readContract(t)
	w, functions := dogsAndCats(t)
	for name, op := range c.operations(t) {
		if op.node["x-role"] == nil {
			continue
		}
		method, _, _ := strings.Cut(name, " ")
		q := apitest.Request{Method: method, Path: c.path(t, op) + "?nosuch=1", Token: w.Ours.Keys[auth.RoleAdmin]}
		schema := c.part(t, op.node, "requestBody", "content", "application/json", "schema")
		if schema != nil {
			q.Path, q.Body = c.path(t, op), `{"nosuch": 1}`
			want, _ := c.properties(t, schema)
			require.ElementsMatch(t, slices.Collect(maps.Keys(want)), fixes(t, apitest.Send(functions, q)), "%s: its body", name)
			continue
		}
		require.ElementsMatch(t, slices.Collect(maps.Keys(c.parameters(t, op, "query"))), fixes(t, apitest.Send(functions, q)), "%s: its parameters", name)
	}
}

// fixes are the names that an answer offers in the place of nosuch.
func fixes(t *testing.T, w *httptest.ResponseRecorder) []string {
	t.Helper()
	require.Equal(t, http.StatusBadRequest, w.Code, w.Body.String())
	var p struct {
		Errors []struct{ Field, Fix string }
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	for _, e := range p.Errors {
		if names, ok := strings.CutPrefix(e.Fix, "leave it out, or use one of "); e.Field == "nosuch" && ok {
			return strings.Split(names, ", ")
		}
		if e.Field == "nosuch" {
			return nil
		}
	}
	t.Fatalf("nosuch is not named: %s", w.Body)
	return nil
}

// The examples of answers in the file fit their own schemas.
func TestContract_examplesOfAnswersFit(t *testing.T) {
	t.Parallel()

	c := readContract(t)
	checked := 0
	for name := range c.part(t, c.root, "components", "responses") {
		for _, media := range c.part(t, c.root, "components", "responses", name, "content") {
			examples, _ := media.(node)["examples"].(node)
			for about, e := range examples {
				c.valid(t, media.(node)["schema"].(node), e.(node)["value"], name+" "+about)
				checked++
			}
		}
	}
	require.Positive(t, checked)
}

func TestCursor_isNotShiftedByWhatIsAdded(t *testing.T) {
	t.Parallel()

	w, functions := dogsAndCats(t)
	key := w.Ours.Keys[auth.RoleEditor]
	var before, after []int64
	for _, ids := range []*[]int64{&before, &after} {
		for path := "/runs?limit=3"; path != ""; {
			got := apitest.Send(functions, apitest.Request{Method: http.MethodGet, Path: path, Token: key})
			require.Equal(t, http.StatusOK, got.Code, got.Body.String())
			p := decode[page[struct {
				ID int64 `json:"id"`
			}]](t, got)
			for _, r := range p.Items {
				*ids = append(*ids, r.ID)
			}
			if ids == &after { // somebody adds a Run between each two pages
				body := fmt.Sprintf(`{"topic": "Another %s"}`, rand.Text())
				require.Equal(t, http.StatusAccepted, apitest.Send(functions, apitest.Request{Method: http.MethodPost, Path: "/runs", Token: key, Body: body}).Code)
			}
			path = ""
			if p.Next != "" {
				path = "/runs?limit=3&cursor=" + url.QueryEscape(p.Next)
			}
		}
	}
	require.Greater(t, len(before), 6)
	require.Equal(t, before, after)
}
