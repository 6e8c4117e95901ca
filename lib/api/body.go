package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"

	"blogposter/lib/faas"
)

// maxBody is the platform's cap on an event.
const maxBody = 1 << 20

// readBody decodes a flat JSON object into dst, a pointer to a struct of
// strings, lists of strings, whole numbers and truth values. It is stricter
// than encoding/json: a member that is unknown, doubled or of the wrong type is
// a fault, and all of them are named at once. null counts as absent.
func readBody(w http.ResponseWriter, r *http.Request, dst any) error {
	mediaType, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" || params["charset"] != "" && !strings.EqualFold(params["charset"], "utf-8") {
		return faas.NewProblem(http.StatusUnsupportedMediaType, "media-type", "Send JSON, with the header Content-Type: application/json.")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return faas.NewProblem(http.StatusRequestEntityTooLarge, "body-too-large", fmt.Sprintf("The body is over %d bytes; send less.", maxBody))
	case err != nil:
		return malformed("The body could not be read to its end.")
	case len(bytes.TrimSpace(raw)) == 0:
		return malformed("The body is empty; send a JSON object.")
	case !utf8.Valid(raw):
		return malformed("The body is not UTF-8.")
	}
	return decodeObject(raw, dst)
}

func malformed(detail string) *faas.Problem {
	return faas.NewProblem(http.StatusBadRequest, "malformed-body", detail)
}

func decodeObject(raw []byte, dst any) error {
	fields, names := members(dst)
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return malformed("The body is not a JSON object.")
	}
	var errs []faas.FieldError
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		name, isName := t.(string)
		if err != nil || !isName {
			return syntax(dec)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return syntax(dec)
		}
		field, known := fields[name]
		switch {
		case !known:
			errs = append(errs, faas.FieldError{Field: name, Detail: "is not a field of this request", Fix: "leave it out, or use one of " + strings.Join(names, ", ")})
		case seen[name]:
			errs = append(errs, faas.FieldError{Field: name, Detail: "is given more than once", Fix: "give it once"})
		default:
			if err := json.Unmarshal(value, field.dst); err != nil {
				errs = append(errs, faas.FieldError{Field: name, Detail: "is of the wrong type", Fix: "send " + field.want})
			}
		}
		seen[name] = true
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return syntax(dec)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return malformed("Something follows the JSON object; send one object alone.")
	}
	if len(errs) > 0 {
		return invalid(errs...)
	}
	return nil
}

func syntax(dec *json.Decoder) *faas.Problem {
	return malformed(fmt.Sprintf("The body is not JSON: look near byte %d.", dec.InputOffset()))
}

// member is where a field's value goes, and what its type is called.
type member struct {
	dst  any
	want string
}

// members lists a struct's JSON fields. The names are matched to the letter,
// where encoding/json would overlook case.
func members(dst any) (map[string]member, []string) {
	v := reflect.ValueOf(dst).Elem()
	fields := map[string]member{}
	var names []string
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		want := "a string"
		switch v.Field(i).Kind() { //nolint:exhaustive // a body has no other kinds
		case reflect.Slice:
			want = "a list of strings"
		case reflect.Int64:
			want = "a whole number"
		case reflect.Bool:
			want = "true or false"
		}
		fields[name] = member{dst: v.Field(i).Addr().Interface(), want: want}
		names = append(names, name)
	}
	return fields, names
}
