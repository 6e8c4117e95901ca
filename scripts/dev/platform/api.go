package platform

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"blogposter/scripts/dev/project"
)

// Refusals, in the platform's words.
const (
	messageNotFound   = "The requested resource does not exist."
	messageAuth       = "The supplied authentication is invalid."
	messageForbidden  = "The supplied authentication is not authorized to access '%s'."
	messageTooLarge   = "Request larger than allowed: %d > %d bytes."
	messageBadRequest = "The request content was malformed: want a JSON object."
	messageParameters = "Request defines parameters that are not allowed (e.g., reserved properties)."
)

// refuse answers like the platform: what is wrong, and a code to quote.
func refuse(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"error": message, "code": newID()})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(marshal(v)) // the caller may be gone
}

// routes is everything but web calls, behind the access key.
func (ns *namespace) routes() http.Handler {
	mux := http.NewServeMux()
	const base = "/api/v1/namespaces/{ns}"
	mux.HandleFunc("POST "+base+"/actions/{pkg}/{fn}", ns.postInvoke)
	mux.HandleFunc("GET "+base+"/activations", ns.getActivations)
	mux.HandleFunc("GET "+base+"/activations/{id}", ns.withActivation(func(a *activation) any { return ns.record(a) }))
	mux.HandleFunc("GET "+base+"/activations/{id}/result", ns.withActivation(func(a *activation) any { return a.response() }))
	mux.HandleFunc("GET "+base+"/activations/{id}/logs", ns.withActivation(func(a *activation) any {
		return map[string]any{"logs": append([]string{}, a.logs...)}
	}))
	mux.HandleFunc("GET /_dev/processes", ns.getProcesses)
	ns.control(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusNotFound, messageNotFound) })
	return ns.own(mux)
}

// own refuses a key that asks for another's namespace.
func (ns *namespace) own(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := strings.CutPrefix(r.URL.Path, "/api/v1/namespaces/"); ok {
			if name, _, _ = strings.Cut(name, "/"); name != "_" && name != ns.name {
				refuse(w, http.StatusForbidden, fmt.Sprintf(messageForbidden, name))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (ns *namespace) postInvoke(w http.ResponseWriter, r *http.Request) {
	f := ns.byPath[r.PathValue("pkg")+"/"+r.PathValue("fn")]
	if f == nil {
		refuse(w, http.StatusNotFound, messageNotFound)
		return
	}
	event, ok := readBody(w, r)
	if !ok {
		return
	}
	object := map[string]json.RawMessage{}
	if len(event) > 0 {
		if err := json.Unmarshal(event, &object); err != nil || object == nil {
			refuse(w, http.StatusBadRequest, messageBadRequest)
			return
		}
	}
	if named(f.Parameters, object) {
		refuse(w, http.StatusBadRequest, messageParameters)
		return
	}
	if r.URL.Query().Get("blocking") != "true" {
		id, err := ns.wake(f, withParameters(f, object))
		if err != nil {
			refuseInvoke(w, err)
			return
		}
		accept(w, id)
		return
	}
	ns.invokeAndWait(w, r, f, withParameters(f, object))
}

// accept is the answer to a call whose result nobody waits for.
func accept(w http.ResponseWriter, id string) {
	w.Header().Set("X-Openwhisk-Activation-Id", id)
	writeJSON(w, http.StatusAccepted, map[string]string{"activationId": id})
}

func (ns *namespace) invokeAndWait(w http.ResponseWriter, r *http.Request, f *project.Function, event json.RawMessage) {
	a, err := ns.invoke(f, event, keepRecord)
	if err != nil {
		refuseInvoke(w, err)
		return
	}
	if !ns.wait(a) {
		accept(w, a.id)
		return
	}
	w.Header().Set("X-Openwhisk-Activation-Id", a.id)
	status := http.StatusOK
	if a.status != success {
		status = http.StatusBadGateway
	}
	if r.URL.Query().Get("result") == "true" {
		writeJSON(w, status, a.result)
		return
	}
	writeJSON(w, status, ns.record(a))
}

// wait reports whether the activation finished while its caller may wait.
func (ns *namespace) wait(a *activation) bool {
	timer := time.NewTimer(ns.cfg.Wait)
	defer timer.Stop()
	select {
	case <-a.done:
		return true
	case <-timer.C:
		return false
	}
}

// readBody reads what fits, or answers 413.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	if r.ContentLength > maxPayload {
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf(messageTooLarge, r.ContentLength, maxPayload))
		return nil, false
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	if err != nil {
		refuse(w, http.StatusBadRequest, "Failed extracting request body.")
		return nil, false
	}
	if len(body) > maxPayload {
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf(messageTooLarge, len(body), maxPayload))
		return nil, false
	}
	return body, true
}

func (ns *namespace) getActivations(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, ok1 := number(q.Get("limit"), 30, 200)
	skip, ok2 := number(q.Get("skip"), 0, keptRecords)
	if !ok1 || !ok2 {
		refuse(w, http.StatusBadRequest, "limit must be a number from 0 to 200, skip one from 0.")
		return
	}
	found := []any{}
	for _, a := range ns.records.latest(q.Get("name"), skip, limit) {
		if q.Get("docs") == "true" {
			found = append(found, ns.record(a))
		} else {
			found = append(found, ns.summary(a))
		}
	}
	writeJSON(w, http.StatusOK, found)
}

func number(s string, otherwise, most int) (int, bool) {
	if s == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0 && n <= most
}

// withActivation answers 404 until the activation has finished.
func (ns *namespace) withActivation(show func(*activation) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a := ns.records.find(r.PathValue("id"))
		if a == nil {
			refuse(w, http.StatusNotFound, messageNotFound)
			return
		}
		writeJSON(w, http.StatusOK, show(a))
	}
}

// processInfo is one process, for tests that kill one. The real platform
// shows nothing of the kind.
type processInfo struct {
	Fn           string    `json:"fn"`
	PID          int       `json:"pid"`
	Busy         bool      `json:"busy"`
	ActivationID string    `json:"activation_id,omitempty"`
	Started      time.Time `json:"started"`
}

func (ns *namespace) getProcesses(w http.ResponseWriter, _ *http.Request) {
	found := []processInfo{}
	ns.mu.Lock()
	for p, id := range ns.live {
		if !p.alive() {
			continue
		}
		found = append(found, processInfo{Fn: p.f.Path(), PID: p.cmd.Process.Pid, Busy: id != "", ActivationID: id, Started: p.started})
	}
	ns.mu.Unlock()
	slices.SortFunc(found, func(a, b processInfo) int { return cmp.Compare(a.PID, b.PID) })
	writeJSON(w, http.StatusOK, found)
}
