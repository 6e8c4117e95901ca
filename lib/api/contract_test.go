package api_test

import (
	"encoding/json"
	"maps"
	"mime"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"blogposter/lib/api"
	"blogposter/lib/api/apitest"
	"blogposter/lib/editorial"
	"blogposter/lib/faas"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

// node is a part of the OpenAPI file.
type node = map[string]any

// contract is the OpenAPI file.
type contract struct {
	root     node
	resolved *sync.Map // schemas, by their text
}

func readContract(t *testing.T) contract {
	t.Helper()
	raw, err := os.ReadFile("../../docs/openapi.yaml")
	require.NoError(t, err)
	var root any
	require.NoError(t, yaml.Unmarshal(raw, &root))
	plain, err := json.Marshal(root) // fails where the file holds what JSON can't
	require.NoError(t, err)
	c := contract{resolved: &sync.Map{}}
	require.NoError(t, json.Unmarshal(plain, &c.root))
	require.Equal(t, "3.1.0", c.root["openapi"])
	return c
}

// part follows a path of names from n, and every $ref on its way.
func (c contract) part(t *testing.T, n node, names ...string) node {
	t.Helper()
	n = c.deref(t, n)
	for _, name := range names {
		next, ok := n[name].(node)
		if !ok {
			return nil
		}
		n = c.deref(t, next)
	}
	return n
}

func (c contract) deref(t *testing.T, n node) node {
	t.Helper()
	ref, ok := n["$ref"].(string)
	if !ok {
		return n
	}
	path, ok := strings.CutPrefix(ref, "#/")
	require.True(t, ok, ref)
	to := c.part(t, c.root, strings.Split(path, "/")...)
	require.NotNil(t, to, "%s leads nowhere", ref)
	return to
}

// operation is what the file says of one route.
type operation struct {
	name string // GET /runs/{id}
	node
}

func (c contract) operations(t *testing.T) map[string]operation {
	t.Helper()
	all := map[string]operation{}
	for path := range c.part(t, c.root, "paths") {
		for method := range c.part(t, c.root, "paths", path) {
			name := strings.ToUpper(method) + " " + path
			all[name] = operation{name: name, node: c.part(t, c.root, "paths", path, method)}
		}
	}
	return all
}

// parameters of an operation that stand there: query, path or header.
func (c contract) parameters(t *testing.T, op operation, in string) map[string]node {
	t.Helper()
	all := map[string]node{}
	list, _ := op.node["parameters"].([]any)
	for _, p := range list {
		if n := c.deref(t, p.(node)); n["in"] == in {
			all[n["name"].(string)] = n
		}
	}
	return all
}

// valid asserts that a value fits a schema of the file.
func (c contract) valid(t *testing.T, schema node, value any, about string) {
	t.Helper()
	text, err := json.Marshal(schema)
	require.NoError(t, err)
	known, ok := c.resolved.Load(string(text))
	if !ok {
		known = c.resolve(t, schema, about)
		c.resolved.Store(string(text), known)
	}
	require.NoError(t, known.(*jsonschema.Resolved).Validate(value), "%s: %v", about, value)
}

func (c contract) resolve(t *testing.T, schema node, about string) *jsonschema.Resolved {
	t.Helper()
	raw, err := json.Marshal(node{"$defs": c.part(t, c.root, "components", "schemas"), "allOf": []any{schema}})
	require.NoError(t, err)
	raw = []byte(strings.ReplaceAll(string(raw), "#/components/schemas/", "#/$defs/"))
	var s jsonschema.Schema
	require.NoError(t, json.Unmarshal(raw, &s))
	resolved, err := s.Resolve(nil)
	require.NoError(t, err, about)
	return resolved
}

// told are the headers whose presence the file must know about.
var told = []string{"ETag", "Cache-Control", "Vary", "Link", "Location", "Retry-After", "Allow", "WWW-Authenticate", "X-Request-Id"}

// fits asserts that an answer is one that the file describes.
func (c contract) fits(t *testing.T, op operation, w *httptest.ResponseRecorder) {
	t.Helper()
	about := op.name + " " + strconv.Itoa(w.Code)
	response := c.part(t, op.node, "responses", strconv.Itoa(w.Code))
	require.NotNil(t, response, "%s is not in the file: %s", about, w.Body)
	headers, _ := response["headers"].(node)
	for name, h := range headers {
		h := c.deref(t, h.(node))
		value := w.Header().Get(name)
		if value == "" {
			require.NotEqual(t, true, h["required"], "%s lacks %s", about, name)
			continue
		}
		c.valid(t, h["schema"].(node), value, about+" "+name)
	}
	for _, name := range told {
		if w.Header().Get(name) != "" {
			require.Contains(t, headers, name, about)
		}
	}
	if response["content"] == nil {
		require.Empty(t, w.Body.String(), about)
		return
	}
	media, _, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	require.NoError(t, err, about)
	schema := c.part(t, response, "content")[media]
	require.NotNil(t, schema, "%s answers with %s", about, media)
	var body any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body), about)
	c.valid(t, schema.(node)["schema"].(node), body, about)
}

// anyFunctions are the handlers, without a database behind them.
func routes(t *testing.T) []apitest.Route {
	t.Helper()
	return apitest.Routes((&apitest.World{}).Handlers(t))
}

func TestContract_hasTheRoutesOfTheHandlersAndTheirRoles(t *testing.T) {
	t.Parallel()

	want, got := map[string]string{}, map[string]string{}
	for _, r := range routes(t) {
		want[r.String()] = string(r.Role)
	}
	c := readContract(t)
	ids := map[any]string{}
	for name, op := range c.operations(t) {
		role, _ := op.node["x-role"].(string)
		got[name] = role
		require.Equal(t, role == "", op.node["security"] != nil, "%s: security: [] and x-role exclude one another", name)
		require.Empty(t, ids[op.node["operationId"]], "%s has the operationId of another", name)
		ids[op.node["operationId"]] = name
	}
	require.NotEmpty(t, got)
	require.Equal(t, want, got, "the handlers' routes and roles, and the file's")
}

func TestContract_pathsNameTheirParameters(t *testing.T) {
	t.Parallel()

	c := readContract(t)
	for name, op := range c.operations(t) {
		var inPath []string
		for _, part := range strings.Split(name, "/") {
			if strings.HasPrefix(part, "{") {
				inPath = append(inPath, strings.Trim(part, "{}"))
			}
		}
		require.ElementsMatch(t, inPath, slices.Collect(maps.Keys(c.parameters(t, op, "path"))), name)
	}
}

func TestContract_schemasHaveEveryPropertyOfTheAnswers(t *testing.T) {
	t.Parallel()

	c := readContract(t)
	for name, typ := range api.Schemas {
		schema := c.part(t, c.root, "components", "schemas", name)
		require.NotNil(t, schema, "the file has no schema %s", name)
		c.describes(t, schema, typ, name, typ.Kind() == reflect.Struct && (name == "Order" || name == "Verdict" || name == "TakeBack"))
	}
	c.describes(t, c.part(t, c.root, "components", "schemas", "FieldError"), reflect.TypeFor[faas.FieldError](), "FieldError", false)
}

// properties of a schema and of those it is made of, and which are required.
func (c contract) properties(t *testing.T, schema node) (all node, required []string) {
	t.Helper()
	all = node{}
	parts, _ := schema["allOf"].([]any)
	for _, p := range parts {
		more, need := c.properties(t, c.deref(t, p.(node)))
		maps.Copy(all, more)
		required = append(required, need...)
	}
	own, _ := schema["properties"].(node)
	maps.Copy(all, own)
	need, _ := schema["required"].([]any)
	for _, n := range need {
		required = append(required, n.(string))
	}
	return all, required
}

var (
	timeType   = reflect.TypeFor[time.Time]()
	amountType = reflect.TypeFor[view.Amount]()
	enums      = map[reflect.Type][]any{
		reflect.TypeFor[pipeline.State](): anys(pipeline.States()),
		reflect.TypeFor[pipeline.Stage](): anys(pipeline.Stages()),
		reflect.TypeFor[pipeline.Kind]():  anys(pipeline.Kinds()),

		reflect.TypeFor[editorial.TopicKind](): anys(view.TopicKinds()),
	}
)

func anys[T ~string](list []T) []any {
	all := make([]any, len(list))
	for i, v := range list {
		all[i] = string(v)
	}
	return all
}

// describes asserts that a schema has the properties of a Go type, no more and
// no fewer, and those of its parts. Those of a body may all be absent.
func (c contract) describes(t *testing.T, schema node, typ reflect.Type, about string, body bool) {
	t.Helper()
	schema = c.deref(t, schema)
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
		if either, ok := schema["oneOf"].([]any); ok { // it, or null
			schema = c.deref(t, either[0].(node))
		}
	}
	if want, ok := enums[typ]; ok {
		require.ElementsMatch(t, want, schema["enum"], about)
		return
	}
	switch {
	case typ == timeType:
		require.Equal(t, "date-time", schema["format"], about)
	case typ == amountType:
		require.Contains(t, schema["properties"], "micro_dollars", about)
	case typ.Kind() == reflect.Slice:
		require.Equal(t, "array", schema["type"], about)
		c.describes(t, schema["items"].(node), typ.Elem(), about+"[]", body)
	case typ.Kind() == reflect.Struct:
		all, required := c.properties(t, schema)
		want, need := map[string]reflect.Type{}, []string{}
		fieldsOf(typ, want, &need)
		if body {
			need = nil
		}
		require.ElementsMatch(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(all)), about)
		require.ElementsMatch(t, need, required, "%s: what is always there", about)
		require.True(t, schema["additionalProperties"] == false || schema["unevaluatedProperties"] == false, "%s is open", about)
		for name, field := range want {
			c.describes(t, all[name].(node), field, about+"."+name, body)
		}
	}
}

// fieldsOf lists the JSON members of a struct, and those that are always there.
func fieldsOf(typ reflect.Type, all map[string]reflect.Type, need *[]string) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			fieldsOf(f.Type, all, need)
			continue
		case !f.IsExported() || name == "-":
			continue
		}
		all[name] = f.Type
		if !strings.Contains(options, "omit") {
			*need = append(*need, name)
		}
	}
}
