package wire

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var schemaName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// readFormat reads response_format. A schema must be strict: without that the
// real one takes almost anything, and promises nothing.
func (c *chatCall) readFormat(body object) error {
	raw, ok := body["response_format"]
	if !ok || string(raw) == "null" {
		return nil
	}
	var f struct {
		Type   string `json:"type"`
		Schema object `json:"json_schema"`
	}
	if json.Unmarshal(raw, &f) != nil {
		return invalidType("response_format", "an object", raw)
	}
	switch f.Type {
	case "text":
		return nil
	case "json_schema":
	case "json_object":
		return bad("response_format.type", "", "response_format: this offline server does not serve 'json_object'; the real API does")
	default:
		return bad("response_format.type", "invalid_value", "Invalid value: '%s'. Supported values are: 'json_object', 'json_schema', and 'text'.", f.Type)
	}
	if f.Schema == nil {
		return bad("response_format.json_schema", "missing_required_parameter", "Missing required parameter: 'response_format.json_schema'.")
	}
	for _, name := range sorted(f.Schema) {
		if !slices.Contains([]string{"name", "description", "schema", "strict"}, name) {
			return bad("response_format.json_schema."+name, "unknown_parameter", "Unknown parameter: 'response_format.json_schema.%s'.", name)
		}
	}
	var name string
	if _ = json.Unmarshal(f.Schema["name"], &name); !schemaName.MatchString(name) {
		return bad("response_format.json_schema.name", "invalid_value", "Invalid 'response_format.json_schema.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.")
	}
	if string(f.Schema["strict"]) != "true" {
		return bad("response_format.json_schema.strict", "", "this offline server serves strict schemas only: set strict to true")
	}
	var root any
	if json.Unmarshal(f.Schema["schema"], &root) != nil {
		return bad("response_format.json_schema.schema", "missing_required_parameter", "Missing required parameter: 'response_format.json_schema.schema'.")
	}
	if why := strictRoot(root); why != "" {
		return bad("response_format", "", "Invalid schema for response_format '%s': %s", name, why)
	}
	c.Schema = f.Schema["schema"]
	return nil
}

// forbidden are keywords that strict schemas must not hold.
var forbidden = []string{
	"allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties", "unevaluatedProperties",
	"propertyNames", "minProperties", "maxProperties", "minLength", "maxLength", "uniqueItems", "contains", "minContains", "maxContains",
}

// strictRoot says what is wrong with a schema, "" for nothing.
func strictRoot(v any) string {
	root, ok := v.(map[string]any)
	if !ok || root["type"] != "object" {
		return fmt.Sprintf("schema must be a JSON Schema of 'type: \"object\"', got 'type: %s'.", mustJSON(root["type"]))
	}
	return strict(root, nil)
}

func strict(v any, path []string) string {
	o, ok := v.(map[string]any)
	at := "In context=(" + strings.Join(path, ", ") + "), "
	if !ok {
		return at + "schema must be an object."
	}
	for _, name := range sortedKeys(o) {
		if slices.Contains(forbidden, name) {
			return at + "'" + name + "' is not permitted."
		}
	}
	if why := strictObject(o, at); why != "" {
		return why
	}
	for _, holder := range []string{"properties", "$defs", "definitions"} {
		members, _ := o[holder].(map[string]any)
		for _, name := range sortedKeys(members) {
			if why := strict(members[name], slices.Concat(path, []string{"'" + holder + "'", "'" + name + "'"})); why != "" {
				return why
			}
		}
	}
	if items, ok := o["items"]; ok {
		if why := strict(items, slices.Concat(path, []string{"'items'"})); why != "" {
			return why
		}
	} else if o["type"] == "array" {
		return at + "array schema missing items."
	}
	choices, _ := o["anyOf"].([]any)
	for i, choice := range choices {
		if why := strict(choice, slices.Concat(path, []string{"'anyOf'", fmt.Sprintf("'%d'", i)})); why != "" {
			return why
		}
	}
	return ""
}

// strictObject checks that an object is closed and asks for all it knows.
func strictObject(o map[string]any, at string) string {
	properties, ok := o["properties"].(map[string]any)
	if o["type"] != "object" && !ok {
		_, ref := o["$ref"]
		_, choice := o["anyOf"]
		_, enum := o["enum"]
		_, constant := o["const"]
		if o["type"] == nil && !ref && !choice && !enum && !constant {
			return at + "schema must have a 'type' key."
		}
		return ""
	}
	if o["additionalProperties"] != false {
		return at + "'additionalProperties' is required to be supplied and to be false."
	}
	required, _ := o["required"].([]any)
	for _, name := range sortedKeys(properties) {
		if !slices.Contains(required, any(name)) {
			return at + "'required' is required to be supplied and to be an array including every key in properties. Missing '" + name + "'."
		}
	}
	for _, name := range required {
		if s, ok := name.(string); !ok || properties[s] == nil {
			return at + fmt.Sprintf("'required' names '%v', which is no property.", name)
		}
	}
	return ""
}
