package platform

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"

	"blogposter/scripts/dev/project"
)

// object is an event's members.
type object = map[string]json.RawMessage

// fields reads a JSON object that was checked before.
func fields(text json.RawMessage) object {
	members := object{}
	_ = json.Unmarshal(text, &members)
	return members
}

// withParameters is the event with the function's predefined parameters.
func withParameters(f *project.Function, event object) json.RawMessage {
	all := object{}
	maps.Copy(all, f.Parameters)
	maps.Copy(all, event)
	return marshal(all)
}

// named tells whether a caller names a predefined parameter. The deployer makes
// them all final, so that none may.
func named(parameters, by object) bool {
	for k := range by {
		if _, ok := parameters[k]; ok {
			return true
		}
	}
	return false
}

// webEvent makes the event of a web function, or answers why not. Base64
// makes a body a third larger, and it is the event that has the limit.
func webEvent(w http.ResponseWriter, r *http.Request, f *project.Function, path string) (json.RawMessage, bool) {
	body, ok := readBody(w, r)
	if !ok {
		return nil, false
	}
	members := rawEvent(r, path, body)
	if f.Web == project.Parsed {
		var problem string
		if members, problem = parsedEvent(r, f, path, body); problem != "" {
			refuse(w, http.StatusBadRequest, problem)
			return nil, false
		}
	}
	event := withParameters(f, members)
	if len(event) > maxPayload {
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf(messageTooLarge, len(event), maxPayload))
		return nil, false
	}
	return event, true
}

// rawEvent has the request whole under http.
func rawEvent(r *http.Request, path string, body []byte) object {
	text, encoded := bodyText(r, body)
	return object{"http": marshal(map[string]any{
		"method":          strings.ToLower(r.Method),
		"path":            path,
		"queryString":     r.URL.RawQuery,
		"headers":         webHeaders(r),
		"body":            text,
		"isBase64Encoded": encoded,
	})}
}

// bodyText is a body as a JSON string can hold it.
func bodyText(r *http.Request, body []byte) (text string, encoded bool) {
	if len(body) > 0 && encodesRequest(r.Header.Get("Content-Type")) {
		return base64.StdEncoding.EncodeToString(body), true
	}
	return string(body), false
}

// opaqueBody is where a parsed function finds a body that is neither a JSON
// object nor a form.
const opaqueBody = "__ow_body"

// parsedEvent has query and body merged at the top, the body's over the
// query's, and the rest of the request under http. problem is the refusal.
func parsedEvent(r *http.Request, f *project.Function, path string, body []byte) (members object, problem string) {
	members = object{}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, messageMalformed + "the query is not readable."
	}
	takeLast(members, query)
	inner, opaque, problem := parsedBody(r, body)
	if problem != "" {
		return nil, problem
	}
	maps.Copy(members, inner)
	if reserved(members) || named(f.Parameters, members) {
		return nil, messageParameters
	}
	if opaque != nil {
		members[opaqueBody] = opaque
	}
	members["http"] = marshal(map[string]any{"method": strings.ToLower(r.Method), "path": path, "headers": webHeaders(r)})
	return members, ""
}

// reserved tells whether a caller names what the platform sets.
func reserved(by object) bool {
	for k := range by {
		if k == "http" || strings.HasPrefix(k, "__ow_") {
			return true
		}
	}
	return false
}

const messageMalformed = "The request content was malformed: "

// parsedBody is a body's members, if it is a JSON object or a form, or else the
// whole of it as one opaque value.
func parsedBody(r *http.Request, body []byte) (members object, opaque json.RawMessage, problem string) {
	m, _ := parseMediaType(r.Header.Get("Content-Type"))
	switch {
	case len(body) == 0:
		return nil, nil, ""
	case m.isJSON():
		if !json.Valid(body) {
			return nil, nil, messageMalformed + "the body is no JSON."
		}
		if json.Unmarshal(body, &members) != nil || members == nil { // a list, a number, null
			return nil, body, ""
		}
		return members, nil, ""
	case m.name == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, nil, messageMalformed + "the form is not readable."
		}
		members = object{}
		takeLast(members, form)
		return members, nil, ""
	default:
		text, _ := bodyText(r, body)
		return nil, marshal(text), ""
	}
}

// takeLast keeps the last of a repeated key's values.
func takeLast(members object, values url.Values) {
	for k, vs := range values {
		members[k] = marshal(vs[len(vs)-1])
	}
}

// webHeaders has one string per name, the last where a name repeats, and adds
// what the platform's front adds.
func webHeaders(r *http.Request) map[string]string {
	h := map[string]string{"host": r.Host, "x-forwarded-proto": "http", "x-request-id": newID()}
	for k, vs := range r.Header {
		h[strings.ToLower(k)] = vs[len(vs)-1]
	}
	for _, k := range []string{"connection", "content-length", "transfer-encoding"} {
		delete(h, k)
	}
	if ip, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		h["x-forwarded-for"] = strings.TrimPrefix(h["x-forwarded-for"]+", "+ip, ", ")
	}
	return h
}
