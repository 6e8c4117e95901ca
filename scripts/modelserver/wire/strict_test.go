package wire_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/modelserver/wire"
)

func strictFormat(schema string) string {
	return `{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":` + schema + `}}`
}

func TestServer_ServeHTTP_acceptsStrictSchemas(t *testing.T) {
	t.Parallel()

	tests := map[string]string{
		"nested objects and lists": object(`"a":{"type":"array","minItems":1,"maxItems":9,"items":` + object(`"b":{"type":"integer","minimum":0,"description":"how many"}`) + `}`),
		"an enum and a constant":   object(`"a":{"enum":["x","y"]}`, `"b":{"const":"y"}`, `"c":{"type":"string","pattern":"^E"}`),
		"a choice":                 object(`"a":{"anyOf":[{"type":"string"},{"type":"null"}]}`, `"b":{"type":["string","null"]}`),
		"a definition, recursive":  `{"type":"object","additionalProperties":false,"$defs":{"q":` + object(`"next":{"anyOf":[{"$ref":"#/$defs/q"},{"type":"null"}]}`) + `},"properties":{"a":{"$ref":"#/$defs/q"}},"required":["a"]}`,
	}
	for name, schema := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var got wire.Request
			s := wire.New(wire.Config{Composer: compose(func(r wire.Request) (string, error) { got = r; return "{}", nil })})
			w := chat(t, s, `"response_format":`+strictFormat(schema))
			require.Equal(t, http.StatusOK, w.Code, w.Body.String())
			require.JSONEq(t, schema, string(got.Schema))
		})
	}
}

func TestServer_ServeHTTP_refusesSchemasThatAreNotStrict(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ schema, want string }{
		"an open object":          {`{"type":"object","properties":{},"required":[]}`, "Invalid schema for response_format 'answer': In context=(), 'additionalProperties' is required to be supplied and to be false."},
		"an open inner object":    {object(`"a":{"type":"array","items":{"type":"object"}}`), "In context=('properties', 'a', 'items'), 'additionalProperties' is required"},
		"an optional property":    {`{"type":"object","additionalProperties":false,"properties":{"a":{"type":"string"}},"required":[]}`, "In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'a'."},
		"a required stranger":     {`{"type":"object","additionalProperties":false,"properties":{},"required":["b"]}`, "'required' names 'b', which is no property."},
		"an optional in a choice": {object(`"a":{"anyOf":[{"type":"null"},{"type":"object","additionalProperties":false,"properties":{"b":{"type":"string"}}}]}`), "In context=('properties', 'a', 'anyOf', '1'), 'required' is required"},
		"an open definition":      {`{"type":"object","additionalProperties":false,"$defs":{"q":{"type":"object"}},"properties":{},"required":[]}`, "In context=('$defs', 'q'), 'additionalProperties'"},
		"minLength":               {object(`"a":{"type":"string","minLength":1}`), "In context=('properties', 'a'), 'minLength' is not permitted."},
		"oneOf":                   {object(`"a":{"oneOf":[{"type":"string"}]}`), "'oneOf' is not permitted."},
		"a list of anything":      {object(`"a":{"type":"array"}`), "array schema missing items."},
		"no type":                 {object(`"a":{"description":"any"}`), "schema must have a 'type' key."},
		"a schema that is true":   {object(`"a":true`), "schema must be an object."},
		"no object at the root":   {`{"type":"array","items":{"type":"string"}}`, `schema must be a JSON Schema of 'type: "object"', got 'type: "array"'.`},
		"a root that is text":     {`"string"`, "schema must be a JSON Schema of"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := chat(t, wire.New(wire.Config{Composer: says("{}")}), `"response_format":`+strictFormat(tc.schema))
			require.Equal(t, http.StatusBadRequest, w.Code, w.Body.String())
			e := completed(t, w).Error
			require.Contains(t, e.Message, tc.want)
			require.Equal(t, "response_format", orEmpty(e.Param))
		})
	}
}

func TestServer_ServeHTTP_refusesFormatsThatSayTooLittle(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ format, param, want string }{
		"text":              {`"json"`, "response_format", "expected an object"},
		"an unknown type":   {`{"type":"xml"}`, "response_format.type", "Invalid value: 'xml'."},
		"json_object":       {`{"type":"json_object"}`, "response_format.type", "does not serve 'json_object'"},
		"no schema at all":  {`{"type":"json_schema"}`, "response_format.json_schema", "Missing required parameter"},
		"no name":           {`{"type":"json_schema","json_schema":{"strict":true,"schema":{}}}`, "response_format.json_schema.name", "does not match pattern"},
		"a name with space": {`{"type":"json_schema","json_schema":{"name":"an answer","strict":true,"schema":{}}}`, "response_format.json_schema.name", "does not match pattern"},
		"not strict":        {`{"type":"json_schema","json_schema":{"name":"a","schema":{}}}`, "response_format.json_schema.strict", "set strict to true"},
		"no inner schema":   {`{"type":"json_schema","json_schema":{"name":"a","strict":true}}`, "response_format.json_schema.schema", "Missing required parameter"},
		"more than it has":  {`{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":{},"effort":1}}`, "response_format.json_schema.effort", "Unknown parameter"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := chat(t, wire.New(wire.Config{Composer: says("{}")}), `"response_format":`+tc.format)
			require.Equal(t, http.StatusBadRequest, w.Code, w.Body.String())
			e := completed(t, w).Error
			require.Contains(t, e.Message, tc.want)
			require.Equal(t, tc.param, orEmpty(e.Param))
		})
	}
}
