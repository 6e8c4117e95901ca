package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/modelserver/wire"
)

func format(schema string) string {
	return `"output_config":{"format":{"type":"json_schema","schema":` + schema + `}}`
}

// object is a schema with these properties, all of them required.
func object(props ...string) string {
	names := make([]string, len(props))
	for i, p := range props {
		names[i] = p[:strings.Index(p, ":")]
	}
	return `{"type":"object","additionalProperties":false,"properties":{` + strings.Join(props, ",") + `},"required":[` + strings.Join(names, ",") + `]}`
}

func many(n int, schema string) []string {
	var props []string
	for i := range n {
		props = append(props, fmt.Sprintf(`"p%d":%s`, i, schema))
	}
	return props
}

func TestServer_ServeHTTP_acceptsTheSchemasOfStructuredOutputs(t *testing.T) {
	t.Parallel()

	tests := map[string]string{
		"nested objects and lists":  object(`"a":{"type":"array","minItems":1,"items":` + object(`"b":{"type":"integer","description":"how many"}`) + `}`),
		"an enum":                   object(`"a":{"enum":["x",1,true,null]}`, `"b":{"const":"y"}`),
		"a choice":                  object(`"a":{"anyOf":[{"type":"string"},{"type":"null"}]}`, `"b":{"type":["string","null"]}`),
		"a definition used twice":   `{"type":"object","additionalProperties":false,"$defs":{"q":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/q"},"b":{"$ref":"#/$defs/q"}},"required":["a","b"]}`,
		"a format and a pattern":    object(`"a":{"type":"string","format":"date"}`, `"b":{"type":"string","pattern":"^E[0-9]+$"}`),
		"twenty-four optional ones": strings.Replace(object(many(24, `{"type":"string"}`)...), `"required"`, `"title":"x","required"`, 1),
	}
	for name, schema := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := ask(t, wire.New(wire.Config{Composer: says("{}")}), "offline-1", with(t, format(schema)))
			require.Equal(t, 200, w.Code, w.Body.String())
		})
	}
}

func TestServer_ServeHTTP_refusesSchemasThatStructuredOutputsRefuse(t *testing.T) {
	t.Parallel()

	loop := `{"type":"object","additionalProperties":false,"$defs":{"n":{"type":"object","additionalProperties":false,"properties":{"next":{"$ref":"#/$defs/n"}}}},"properties":{"a":{"$ref":"#/$defs/n"}}}`
	tests := map[string]struct{ schema, want string }{
		"an open object":           {`{"type":"object","properties":{}}`, "For 'object' type, 'additionalProperties' must be explicitly set to false"},
		"an open inner object":     {object(`"a":{"type":"array","items":{"type":"object"}}`), "must be explicitly set to false"},
		"a map":                    {`{"type":"object","additionalProperties":{"type":"string"}}`, "must be explicitly set to false"},
		"maxLength":                {object(`"a":{"type":"string","maxLength":60}`), "For 'string' type, property 'maxLength' is not supported"},
		"minLength":                {object(`"a":{"type":"string","minLength":1}`), "For 'string' type, property 'minLength' is not supported"},
		"minimum and maximum":      {object(`"a":{"type":"integer","minimum":0,"maximum":9}`), "For 'integer' type, properties maximum, minimum are not supported"},
		"multipleOf":               {object(`"a":{"type":"number","multipleOf":2}`), "property 'multipleOf' is not supported"},
		"maxItems":                 {object(`"a":{"type":"array","items":{"type":"string"},"maxItems":3}`), "For 'array' type, property 'maxItems' is not supported"},
		"minItems 2":               {object(`"a":{"type":"array","items":{"type":"string"},"minItems":2}`), "'minItems' values other than 0 or 1 are not supported"},
		"uniqueItems":              {object(`"a":{"type":"array","items":{"type":"string"},"uniqueItems":true}`), "property 'uniqueItems' is not supported"},
		"oneOf":                    {object(`"a":{"oneOf":[{"type":"string"}]}`), "property 'oneOf' is not supported"},
		"a look-ahead":             {object(`"a":{"type":"string","pattern":"^(?=x)"}`), "look-around"},
		"a word boundary":          {object(`"a":{"type":"string","pattern":"\\bdog"}`), "word boundary"},
		"a broken pattern":         {object(`"a":{"type":"string","pattern":"("}`), "is not a regular expression"},
		"an unknown string format": {object(`"a":{"type":"string","format":"phone"}`), "format 'phone' is not supported"},
		"an enum of objects":       {object(`"a":{"enum":[{}]}`), "Enum values must be"},
		"an unknown type":          {object(`"a":{"type":"text"}`), "Invalid schema type 'text'"},
		"a type that is a number":  {object(`"a":{"type":7}`), "Invalid schema type"},
		"no type":                  {object(`"a":{"description":"any"}`), "Schema type is required"},
		"a schema that is true":    {object(`"a":true`), "Schemas must be objects"},
		"a recursive definition":   {loop, "Recursive schemas are not supported"},
		"a reference to the whole": {object(`"a":{"$ref":"#"}`), "Recursive schemas are not supported"},
		"an external reference":    {object(`"a":{"$ref":"https://example.org/s"}`), "External $ref"},
		"a dangling reference":     {object(`"a":{"$ref":"#/$defs/none"}`), "is not found"},
		"too many optional ones":   {`{"type":"object","additionalProperties":false,"properties":{` + strings.Join(many(25, `{"type":"string"}`), ",") + `}}`, "too many optional parameters (25)"},
		"too many choices":         {object(many(17, `{"type":["string","null"]}`)...), "union types (17"},
		"no object":                {`"string"`, "Input should be an object"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := ask(t, wire.New(wire.Config{Composer: says("{}")}), "offline-1", with(t, format(tc.schema)))
			require.Equal(t, 400, w.Code, w.Body.String())
			require.Contains(t, read(t, w).Error.Message, "output_config.format.schema: ")
			require.Contains(t, read(t, w).Error.Message, tc.want)
		})
	}
}
