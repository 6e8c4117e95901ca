package platform

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

const webPrefix = "/api/v1/web/"

var webMethods = []string{"GET", "DELETE", "POST", "PUT", "HEAD", "OPTIONS", "PATCH"}

const (
	messageProcessing = "There was an error processing your request."
	messageNotReady   = "Response not yet ready."
	messageUnauth     = "The resource requires authentication, which was not supplied with the request."
)

// target is what a web URL names.
type target struct {
	f    *function
	json bool   // .json: the whole result as it is
	rest string // the path after the function, escaped as it came
}

func (ns *namespace) target(escapedPath string) (target, bool) {
	parts := strings.SplitN(strings.TrimPrefix(escapedPath, webPrefix), "/", 4)
	if len(parts) < 3 || parts[0] != ns.name {
		return target{}, false
	}
	name, isJSON := strings.CutSuffix(parts[2], ".json")
	name = strings.TrimSuffix(name, ".http")
	t := target{f: ns.byPath[parts[1]+"/"+name], json: isJSON}
	if len(parts) == 4 {
		t.rest = "/" + parts[3]
	}
	return t, t.f != nil && t.f.web // a private function is not there
}

// serveWeb is a web call from request to answer.
func (ns *namespace) serveWeb(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains(webMethods, r.Method) {
		refuse(w, http.StatusMethodNotAllowed, "HTTP method not allowed, supported methods: "+strings.Join(webMethods, ", "))
		return
	}
	t, ok := ns.target(r.URL.EscapedPath())
	if !ok {
		refuse(w, http.StatusNotFound, messageNotFound)
		return
	}
	if !t.f.customOptions {
		allowOrigins(w, r)
		if r.Method == http.MethodOptions {
			return
		}
	}
	if t.f.secret != "" && r.Header.Get("X-Require-Whisk-Auth") != t.f.secret && r.Method != http.MethodOptions {
		refuse(w, http.StatusUnauthorized, messageUnauth)
		return
	}
	event, ok := webEvent(w, r, t.rest)
	if !ok {
		return
	}
	a, err := ns.invoke(t.f, event, noRecord)
	if err != nil {
		refuseInvoke(w, err)
		return
	}
	w.Header().Set("X-Openwhisk-Activation-Id", a.id)
	if !ns.wait(a) {
		refuse(w, http.StatusAccepted, messageNotReady)
		return
	}
	a.answer(w, t.json)
}

// allowOrigins sets what the platform sets unless web-custom-options is on.
func allowOrigins(w http.ResponseWriter, r *http.Request) {
	headers := r.Header.Get("Access-Control-Request-Headers")
	if headers == "" {
		headers = "Authorization, Origin, X-Requested-With, Content-Type, User-Agent"
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Methods", "OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH")
	w.Header().Set("Access-Control-Allow-Headers", headers)
}

// refuseInvoke answers a call that was not let in.
func refuseInvoke(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable
	var full *limitError
	if errors.As(err, &full) {
		status = http.StatusTooManyRequests
	}
	refuse(w, status, err.Error())
}

// webEvent makes the event of a raw function, or answers why not. Base64
// makes a body a third larger, and it is the event that has the limit.
func webEvent(w http.ResponseWriter, r *http.Request, path string) (json.RawMessage, bool) {
	body, ok := readBody(w, r)
	if !ok {
		return nil, false
	}
	text, encoded := string(body), false
	if len(body) > 0 && encodesRequest(r.Header.Get("Content-Type")) {
		text, encoded = base64.StdEncoding.EncodeToString(body), true
	}
	event := marshal(map[string]any{"http": map[string]any{
		"method":          strings.ToLower(r.Method),
		"path":            path,
		"queryString":     r.URL.RawQuery,
		"headers":         webHeaders(r),
		"body":            text,
		"isBase64Encoded": encoded,
	}})
	if len(event) > maxPayload {
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf(messageTooLarge, len(event), maxPayload))
		return nil, false
	}
	return event, true
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

// answer turns the activation's outcome into the HTTP response.
func (a *activation) answer(w http.ResponseWriter, asJSON bool) {
	result := a.result
	switch {
	case errors.Is(a.cause, errTimeout):
		refuse(w, http.StatusGatewayTimeout, messageProcessing)
		return
	case errors.Is(a.cause, errNoAck):
		refuse(w, http.StatusBadGateway, messageNoStart)
		return
	case a.status == developerError:
		refuse(w, http.StatusBadGateway, messageProcessing)
		return
	case a.status == applicationError: // the error itself is the answer
		var fields map[string]json.RawMessage
		_ = json.Unmarshal(a.result, &fields)
		result = fields["error"]
	}
	if asJSON {
		answerWhole(w, result)
		return
	}
	answer, err := parseAnswer(result)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	answer.write(w)
}

func answerWhole(w http.ResponseWriter, result json.RawMessage) {
	if len(result) == 0 || result[0] != '{' && result[0] != '[' {
		refuse(w, http.StatusBadRequest, "Response is not valid 'application/json'.")
		return
	}
	writeJSON(w, http.StatusOK, result)
}
