package platform

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"blogposter/scripts/dev/project"
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
	f    *project.Function
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
	return t, t.f != nil && t.f.Web != project.Private // a private function is not there
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
	if !t.f.CustomOptions {
		allowOrigins(w, r)
		if r.Method == http.MethodOptions {
			return
		}
	}
	if t.f.Secret != "" && r.Header.Get("X-Require-Whisk-Auth") != t.f.Secret && r.Method != http.MethodOptions {
		refuse(w, http.StatusUnauthorized, messageUnauth)
		return
	}
	event, ok := webEvent(w, r, t.f, t.rest)
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

// answer turns the activation's outcome into the HTTP response.
func (a *activation) answer(w http.ResponseWriter, asJSON bool) {
	result := a.result
	switch a.status {
	case developerError: // upstream has one answer for all of them, the crash and the time-out
		refuse(w, http.StatusBadRequest, messageProcessing)
		return
	case applicationError: // the error itself is the answer
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
