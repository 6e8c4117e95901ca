package platform

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What a web function's answer can be refused for, always with a 400.
var (
	errNotHTTP     = errors.New("Response is not valid 'message/http'.")                         //nolint:staticcheck,revive // the platform's own words
	errUnknownType = errors.New("Response did not specify a known content-type.")                //nolint:staticcheck,revive // the platform's own words
	errTypeDiffers = errors.New("Response type in header did not match generated content type.") //nolint:staticcheck,revive // the platform's own words
)

// answer is a web function's result, read as an HTTP response.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) write(w http.ResponseWriter) {
	for k, vs := range a.header {
		for _, v := range vs {
			w.Header().Add(k, v)
		}
	}
	if len(a.body) == 0 {
		w.Header()["Content-Type"] = nil // an empty answer has no type, and net/http must not guess one
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// parseAnswer reads statusCode, headers and body. No body is 204 unless the
// function names a status.
func parseAnswer(result json.RawMessage) (*answer, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(result, &fields); err != nil || fields == nil {
		return nil, errNotHTTP
	}
	a := &answer{header: http.Header{}}
	if raw, ok := fields["headers"]; ok {
		var headers map[string]any
		if err := json.Unmarshal(raw, &headers); err != nil || headers == nil {
			return nil, errNotHTTP
		}
		for _, k := range slices.Sorted(maps.Keys(headers)) {
			if !a.addHeader(k, headers[k]) {
				return nil, errNotHTTP
			}
		}
	}
	for _, k := range []string{"Content-Length", "Transfer-Encoding", "Connection"} {
		a.header.Del(k) // the answer is framed here
	}
	var err error
	if a.body, err = a.readBody(fields["body"]); err != nil {
		return nil, err
	}
	a.status = http.StatusOK
	if len(a.body) == 0 {
		a.status = http.StatusNoContent
	}
	if raw, ok := fields["statusCode"]; ok {
		if a.status, ok = readStatus(raw); !ok {
			return nil, errNotHTTP
		}
	}
	return a, nil
}

// addHeader takes a string, number, boolean, or a list of them.
func (a *answer) addHeader(name string, value any) bool {
	switch v := value.(type) {
	case string:
		a.header.Add(name, v)
	case bool:
		a.header.Add(name, strconv.FormatBool(v))
	case float64:
		a.header.Add(name, strconv.FormatFloat(v, 'f', -1, 64))
	case []any:
		for _, inner := range v {
			if !a.addHeader(name, inner) {
				return false
			}
		}
	default:
		return false
	}
	return true
}

// readStatus takes a whole number or one in a string, and only statuses that
// HTTP registers.
func readStatus(raw json.RawMessage) (int, bool) {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		s = string(raw)
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 200 && http.StatusText(n) != ""
}

func (a *answer) readBody(raw json.RawMessage) ([]byte, error) {
	var text string
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, nil
	case json.Unmarshal(raw, &text) == nil:
		if text == "" {
			return nil, nil
		}
		return a.readText(text)
	default:
		return a.readJSON(raw)
	}
}

func (a *answer) readJSON(raw json.RawMessage) ([]byte, error) {
	m, err := a.mediaType("application/json")
	if err != nil {
		return nil, err
	}
	if !m.isJSON() {
		return nil, errTypeDiffers
	}
	a.header.Set("Content-Type", m.asText())
	return raw, nil
}

// looksBase64 is the platform's test for a JSON text that was encoded; it
// decodes what passes, meant or not.
var looksBase64 = regexp.MustCompile(`^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$`)

func (a *answer) readText(text string) ([]byte, error) {
	m, err := a.mediaType("text/html")
	if err != nil {
		return nil, err
	}
	if m.isBinary() || m.isJSON() && looksBase64.MatchString(strings.TrimSpace(text)) {
		decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil {
			return nil, errTypeDiffers
		}
		return decoded, nil
	}
	a.header.Set("Content-Type", m.asText())
	return []byte(text), nil
}

func (a *answer) mediaType(otherwise string) (mediaType, error) {
	value := a.header.Get("Content-Type")
	if value == "" {
		a.header.Set("Content-Type", otherwise)
		value = otherwise
	}
	m, ok := parseMediaType(value)
	if !ok {
		return mediaType{}, errUnknownType
	}
	return m, nil
}

// mediaType is a content type as the platform's HTTP library sees it.
type mediaType struct {
	name   string // lower case, without parameters
	params map[string]string
}

func parseMediaType(value string) (mediaType, bool) {
	name, params, err := mime.ParseMediaType(value)
	return mediaType{name, params}, err == nil && strings.Contains(name, "/")
}

// knownText are the types the platform's HTTP library has down as text.
var knownText = []string{
	"text/html", "text/plain", "text/css", "text/csv", "text/xml", "text/calendar", "text/event-stream",
	"text/tab-separated-values", "text/uri-list",
	"application/json", "application/json-patch+json", "application/merge-patch+json", "application/vnd.api+json",
	"application/xml", "application/xhtml+xml", "application/atom+xml", "application/rss+xml", "application/soap+xml",
	"application/javascript", "application/x-www-form-urlencoded",
}

// knownBinary are those it has down as binary, whatever charset they claim.
var knownBinary = []string{"application/octet-stream", "application/pdf", "application/zip", "application/gzip"}

// isBinary decides by type alone. A type the library does not know is binary
// unless it names a charset: application/problem+json or text/markdown too.
func (m mediaType) isBinary() bool {
	family, _, _ := strings.Cut(m.name, "/")
	switch {
	case slices.Contains([]string{"image", "audio", "video", "font", "multipart"}, family):
		return true
	case slices.Contains(knownText, m.name):
		return false
	case slices.Contains(knownBinary, m.name):
		return true
	}
	return m.params["charset"] == ""
}

func (m mediaType) isJSON() bool {
	return m.name == "application/json" || strings.HasSuffix(m.name, "+json")
}

// asText is the type as sent with a text: in UTF-8, which JSON need not say.
func (m mediaType) asText() string {
	if m.name == "application/json" {
		return m.name
	}
	params := maps.Clone(m.params)
	params["charset"] = "UTF-8"
	return mime.FormatMediaType(m.name, params)
}

// encodesRequest tells which request bodies arrive as base64: binary ones,
// those without a type, and always application/json.
func encodesRequest(contentType string) bool {
	m, ok := parseMediaType(contentType)
	return !ok || m.isBinary() || m.name == "application/json"
}
