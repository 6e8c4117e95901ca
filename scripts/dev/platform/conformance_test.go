package platform_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/dev/platform"
)

// rule is one thing the real platform does, and why we believe it: the section
// of the platform's fact sheet and its mark there. V is verified in published
// source or by a run, D is documented, G is a guess; where the sheet leaves two
// answers open, the row has the stricter one and says so.
//
// The functions that answer are under testdata/project: web/echo (raw) and
// web/form (parsed) answer with the event they were given; web/answer answers
// with the text of the request's body, as it is; work/step does what its
// event says; work/early never starts.
type rule struct {
	why string

	method, path, body string // path: after /api/v1/web/local/ or, signed, after /api/v1/namespaces/_/
	header             map[string]string
	signed             bool // with the namespace's access key

	status int
	sees   event             // members of the event the function was given
	says   event             // members of the answer, which is JSON
	exact  string            // the whole body
	typ    string            // its content type
	sends  map[string]string // headers of the answer, values joined by a comma
}

// event is members by their dotted path; nil for one that must not be there.
type event map[string]any

// get and post are a caller's requests, form and raw the same in short.
func get(path string) rule { return rule{method: http.MethodGet, path: path} }

func post(path, contentType, body string) rule {
	r := rule{method: http.MethodPost, path: path, body: body, header: map[string]string{}}
	if contentType != "" {
		r.header["Content-Type"] = contentType
	}
	return r
}

// result is a request whose function answers with this result.
func result(text string) rule { return post("web/answer", "text/plain", text) }

// call is a signed request, with which one function invokes another.
func call(path, body string) rule {
	return rule{method: http.MethodPost, path: "actions/" + path, body: body, signed: true}
}

// because, and what follows, complete a request to a rule.
func (r rule) because(why string) rule { r.why = why; return r }

func (r rule) with(name, value string) rule {
	header := map[string]string{name: value}
	for k, v := range r.header {
		header[k] = v
	}
	r.header = header
	return r
}

func (r rule) by(method string) rule      { r.method = method; return r }
func (r rule) shows(members event) rule   { r.status, r.sees = http.StatusOK, members; return r }
func (r rule) gives(status int) rule      { r.status = status; return r }
func (r rule) saying(members event) rule  { r.says = members; return r }
func (r rule) text(typ, body string) rule { r.typ, r.exact = typ, body; return r }
func (r rule) sending(name, value string) rule {
	r.sends = map[string]string{name: value}
	return r
}

// refused is an answer of the platform's own.
func (r rule) refused(status int, message string) rule {
	return r.gives(status).saying(event{"error": message})
}

func TestConformance(t *testing.T) {
	t.Parallel()

	p := start(t)
	for name, r := range conformance() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Regexp(t, `^PLATFORM \d [VDG]: `, r.why, "a row without its reason")
			a := r.ask(t, p)
			require.Equal(t, r.status, a.status, "%.300s", a.body)
			if r.sees != nil {
				r.sees.check(t, a.json(t))
			}
			if r.says != nil {
				r.says.check(t, a.json(t))
			}
			if r.typ != "" {
				require.Equal(t, r.typ, a.header.Get("Content-Type"))
				require.Equal(t, r.exact, a.body)
			}
			for k, want := range r.sends {
				require.Equal(t, want, strings.Join(a.header.Values(k), ", "), k)
			}
		})
	}
}

func (r rule) ask(t *testing.T, p *platform.Platform) answer {
	t.Helper()
	if r.signed {
		return api(t, p, r.method, "/api/v1/namespaces/_/"+r.path, r.body)
	}
	return web(t, p, r.method, r.path, r.body, r.header)
}

func (e event) check(t *testing.T, got map[string]any) {
	t.Helper()
	for path, want := range e {
		found, there := member(got, path)
		require.Equal(t, want != nil, there, path)
		if !there {
			continue
		}
		if part, ok := want.(contains); ok {
			require.Contains(t, fmt.Sprint(found), string(part), path)
			continue
		}
		wanted, err := json.Marshal(want)
		require.NoError(t, err)
		found2, err := json.Marshal(found)
		require.NoError(t, err)
		require.JSONEq(t, string(wanted), string(found2), path)
	}
}

// contains is a member that is only partly known.
type contains string

// null is a member that is there, and null.
var null = json.RawMessage("null")

// member follows a dotted path.
func member(in any, path string) (found any, there bool) {
	for name := range strings.SplitSeq(path, ".") {
		object, _ := in.(map[string]any)
		if in, there = object[name]; !there {
			return nil, false
		}
	}
	return in, true
}
