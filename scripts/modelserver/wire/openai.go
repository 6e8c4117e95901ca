package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// provider names OpenAI's calls in the log.
const provider = "openai"

// endpoint answers one call of OpenAI's API, or returns why it doesn't.
type endpoint func(w http.ResponseWriter, r *http.Request, o openaiCall) error

// openaiCall is what every endpoint of OpenAI's gets.
type openaiCall struct {
	id   string // of the request
	key  string // the hash that stands for the caller's key
	body object
}

func (s *Server) openai() map[string]endpoint {
	return map[string]endpoint{"/v1/chat/completions": s.chat, "/v1/embeddings": s.embeddings}
}

func serveOpenAI(w http.ResponseWriter, r *http.Request, id string, api endpoint) {
	w.Header().Set("X-Request-Id", id)
	o, err := readOpenAI(w, r, id)
	if err == nil {
		err = api(w, r, o)
	}
	var no *openaiError
	switch {
	case errors.As(err, &no):
		no.write(w)
	case err != nil:
		(&openaiError{status: http.StatusInternalServerError, Message: err.Error(), Type: "server_error"}).write(w)
	}
}

func readOpenAI(w http.ResponseWriter, r *http.Request, id string) (openaiCall, error) {
	o := openaiCall{id: id}
	if r.Method != http.MethodPost {
		return o, &openaiError{
			status: http.StatusMethodNotAllowed, Type: invalidRequest, Code: "method_not_supported",
			Message: fmt.Sprintf("Not allowed to %s on %s. (HINT: Perhaps you meant to use a different HTTP method?)", r.Method, r.URL.Path),
		}
	}
	var err error
	if o.key, err = bearer(r); err != nil {
		return o, err
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return o, &openaiError{status: http.StatusRequestEntityTooLarge, Type: invalidRequest, Message: "Request body is larger than the limit of 32 MB"}
	}
	if err != nil || json.Unmarshal(raw, &o.body) != nil || o.body == nil {
		return o, bad("", "", "We could not parse the JSON body of your request. The OpenAI API expects a JSON payload")
	}
	return o, nil
}

// bearer returns the hash that stands for the caller's key.
func bearer(r *http.Request) (string, error) {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || key == "" {
		return "", &openaiError{
			status: http.StatusUnauthorized, Type: invalidRequest,
			Message: "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
		}
	}
	if !strings.HasPrefix(key, "offline-") {
		return "", &openaiError{
			status: http.StatusUnauthorized, Type: invalidRequest, Code: "invalid_api_key",
			// The real one quotes the ends of the key, too.
			Message: "Incorrect API key provided: " + key[:min(4, len(key))] + "****" + key[max(0, len(key)-4):] + ". This offline server takes keys that begin with \"offline-\".",
		}
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:6]), nil
}

// openaiError is an answer in OpenAI's error envelope.
type openaiError struct {
	status  int
	Message string
	Type    string
	Param   string // "" is null
	Code    string // "" is null
}

const invalidRequest = "invalid_request_error"

func (e *openaiError) Error() string { return e.Message }

// bad is a 400 about one parameter.
func bad(param, code, format string, args ...any) error {
	return &openaiError{status: http.StatusBadRequest, Type: invalidRequest, Param: param, Code: code, Message: fmt.Sprintf(format, args...)}
}

func unsupportedParam(name, hint string) error {
	return bad(name, "unsupported_parameter", "Unsupported parameter: '%s' is not supported with this model.%s", name, hint)
}

func unsupportedValue(name, value, hint string) error {
	return bad(name, "unsupported_value", "Unsupported value: '%s' does not support %s with this model. %s", name, value, hint)
}

func invalidType(name, want string, got json.RawMessage) error {
	return bad(name, "invalid_type", "Invalid type for '%s': expected %s, but got %.40s instead.", name, want, got)
}

func (e *openaiError) write(w http.ResponseWriter) {
	orNull := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	sendJSON(w, e.status, map[string]any{"error": map[string]any{
		"message": e.Message, "type": e.Type, "param": orNull(e.Param), "code": orNull(e.Code),
	}}, false)
}

// scripted is a refusal that a Script asked for.
func scripted(w http.ResponseWriter, f *Fault) error {
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	e := &openaiError{status: f.Status, Message: "scripted fault", Type: "server_error"}
	switch f.Status {
	case http.StatusTooManyRequests:
		e.Type, e.Code = "requests", "rate_limit_exceeded"
	case http.StatusUnauthorized:
		e.Type, e.Code = invalidRequest, "invalid_api_key"
	}
	if f.Status < http.StatusInternalServerError && e.Code == "" {
		e.Type = invalidRequest
	}
	return e
}

// sendJSON writes an answer, half of it when it is cut.
func sendJSON(w http.ResponseWriter, status int, v any, cut bool) {
	body, _ := json.Marshal(v)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if cut {
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body) // the caller is gone: nobody to tell
}

// knownParams refuses what the API doesn't know, and by name what it knows and
// this server does not serve, so that nobody believes it worked.
func knownParams(body object, known, notHere []string) error {
	for _, name := range sorted(body) {
		if slices.Contains(notHere, name) {
			return bad(name, "", "'%s': this offline server does not serve it; the real API does", name)
		}
		if !slices.Contains(known, name) {
			return bad(name, "unknown_parameter", "Unknown parameter: '%s'.", name)
		}
	}
	return nil
}

// modelOf reads the name of a model that kind knows.
func modelOf(body object) (string, error) {
	var name string
	raw, ok := body["model"]
	if !ok {
		return "", bad("", "", "you must provide a model parameter")
	}
	if json.Unmarshal(raw, &name) != nil || name == "" {
		return "", invalidType("model", "a string", raw)
	}
	return name, nil
}

func noModel(name string) error {
	return &openaiError{
		status: http.StatusNotFound, Type: invalidRequest, Code: "model_not_found",
		Message: fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", name),
	}
}
