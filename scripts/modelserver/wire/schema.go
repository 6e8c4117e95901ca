package wire

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// What structured outputs understand, from the provider's page and its SDK's
// list of keys. Everything else is refused, by type and name.
var (
	schemaKeys = []string{
		"$schema", "$ref", "$defs", "definitions", "type", "title", "description", "default", "enum", "const",
		"anyOf", "allOf", "properties", "required", "additionalProperties", "items", "minItems", "format", "pattern",
	}
	schemaTypes   = []string{"object", "array", "string", "integer", "number", "boolean", "null"}
	stringFormats = []string{"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
	// refusedRegexp finds look-arounds, back references and word boundaries.
	refusedRegexp = regexp.MustCompile(`\(\?[=!<]|\\[1-9bB]`)
)

const (
	maxOptional = 24 // optional properties of a whole schema
	maxUnions   = 16 // properties with anyOf or several types
)

// walk is one pass over a schema.
type walk struct {
	root     map[string]any
	optional int
	unions   int
	refs     []string // the references being followed: one that comes twice is recursive
}

func badSchema(format string, args ...any) error {
	return invalid("output_config.format.schema: "+format, args...)
}

func checkSchema(raw json.RawMessage) error {
	var root map[string]any
	if json.Unmarshal(raw, &root) != nil || root == nil {
		return badSchema("Input should be an object")
	}
	w := &walk{root: root}
	if err := w.node(root); err != nil {
		return err
	}
	if w.optional > maxOptional {
		return badSchema("Schemas contains too many optional parameters (%d), which would make grammar compilation inefficient. Reduce the number of optional parameters in your schemas (limit: %d).", w.optional, maxOptional)
	}
	if w.unions > maxUnions {
		return badSchema("Schemas contains too many parameters with union types (%d parameters with type arrays or anyOf), which would cause exponential compilation cost (limit: %d).", w.unions, maxUnions)
	}
	return nil
}

func (w *walk) node(s map[string]any) error {
	types, err := typesOf(s)
	if err != nil {
		return err
	}
	label := "schema"
	if len(types) > 0 {
		label = types[0]
	}
	var refused []string
	for key := range s {
		if !slices.Contains(schemaKeys, key) {
			refused = append(refused, key)
		}
	}
	slices.Sort(refused)
	switch len(refused) {
	case 0:
	case 1:
		return badSchema("For '%s' type, property '%s' is not supported", label, refused[0])
	default:
		return badSchema("For '%s' type, properties %s are not supported", label, strings.Join(refused, ", "))
	}
	if len(types) == 0 && s["$ref"] == nil && s["anyOf"] == nil && s["allOf"] == nil && s["enum"] == nil && s["const"] == nil {
		return badSchema("Schema type is required: give each schema a 'type', '$ref', 'anyOf', 'allOf', 'enum' or 'const'")
	}
	if slices.Contains(types, "object") && s["additionalProperties"] != false {
		return badSchema("For 'object' type, 'additionalProperties' must be explicitly set to false")
	}
	if err := leaf(s); err != nil {
		return err
	}
	if len(types) > 1 || s["anyOf"] != nil {
		w.unions++
	}
	return w.children(s)
}

func typesOf(s map[string]any) ([]string, error) {
	var types []string
	switch t := s["type"].(type) {
	case nil:
	case string:
		types = []string{t}
	case []any:
		for _, one := range t {
			name, _ := one.(string)
			types = append(types, name)
		}
	default:
		types = []string{""}
	}
	for _, t := range types {
		if !slices.Contains(schemaTypes, t) {
			return nil, badSchema("Invalid schema type '%s': use one of %s", t, strings.Join(schemaTypes, ", "))
		}
	}
	return types, nil
}

// leaf checks the keywords whose values matter.
func leaf(s map[string]any) error {
	if n, ok := s["minItems"]; ok && n != float64(0) && n != float64(1) {
		return badSchema("For 'array' type, 'minItems' values other than 0 or 1 are not supported (got: %v)", n)
	}
	if f, ok := s["format"].(string); ok && !slices.Contains(stringFormats, f) {
		return badSchema("For 'string' type, format '%s' is not supported", f)
	}
	if p, ok := s["pattern"].(string); ok {
		if refusedRegexp.MatchString(p) {
			return badSchema("For 'string' type, pattern '%s' is not supported: it has a look-around, a back reference or a word boundary", p)
		}
		if _, err := regexp.Compile(p); err != nil {
			return badSchema("For 'string' type, pattern '%s' is not a regular expression", p)
		}
	}
	if values, ok := s["enum"].([]any); ok {
		for _, v := range values {
			switch v.(type) {
			case map[string]any, []any:
				return badSchema("Enum values must be strings, numbers, booleans or nulls")
			}
		}
	}
	return nil
}

func (w *walk) children(s map[string]any) error {
	var list []any
	if props, ok := s["properties"].(map[string]any); ok {
		required, _ := s["required"].([]any)
		for _, name := range sortedKeys(props) {
			if !slices.Contains(required, any(name)) {
				w.optional++
			}
			list = append(list, props[name])
		}
	}
	for _, key := range []string{"anyOf", "allOf"} {
		members, _ := s[key].([]any)
		list = append(list, members...)
	}
	if items, ok := s["items"]; ok {
		list = append(list, items)
	}
	for _, one := range list {
		child, ok := one.(map[string]any)
		if !ok {
			return badSchema("Schemas must be objects")
		}
		if err := w.node(child); err != nil {
			return err
		}
	}
	if ref, ok := s["$ref"].(string); ok {
		return w.follow(ref)
	}
	return nil
}

func (w *walk) follow(ref string) error {
	if ref == "#" || slices.Contains(w.refs, ref) {
		return badSchema("Recursive schemas are not supported: '%s' refers to itself", ref)
	}
	if !strings.HasPrefix(ref, "#/") {
		return badSchema("External $ref '%s' is not supported", ref)
	}
	var at any = w.root
	for _, name := range strings.Split(ref[2:], "/") {
		o, _ := at.(map[string]any)
		at = o[name]
	}
	target, ok := at.(map[string]any)
	if !ok {
		return badSchema("$ref '%s' is not found", ref)
	}
	w.refs = append(w.refs, ref)
	defer func() { w.refs = w.refs[:len(w.refs)-1] }()
	return w.node(target)
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
