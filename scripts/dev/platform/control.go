package platform

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

var (
	errNoControl    = errors.New("the control interface is closed: start the platform with -control (Config.Control); it is for tests")
	errRunningClock = errors.New("the clock runs by itself: start the platform with -clock TIME (Config.Clock), then it can be stepped")
)

// control adds the calls that only a test makes. The real platform has
// nothing of the kind, so they are refused unless somebody asked for them.
func (ns *namespace) control(mux *http.ServeMux) {
	mux.HandleFunc("GET /_dev/faults", ns.whenControlled(ns.getFaults))
	mux.HandleFunc("POST /_dev/faults", ns.whenControlled(ns.postFault))
	mux.HandleFunc("DELETE /_dev/faults", ns.whenControlled(ns.deleteFaults))
	mux.HandleFunc("GET /_dev/clock", ns.whenControlled(ns.getClock))
	mux.HandleFunc("POST /_dev/clock", ns.whenControlled(ns.postClock))
}

func (ns *namespace) whenControlled(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !ns.cfg.Control {
			refuse(w, http.StatusForbidden, errNoControl.Error())
			return
		}
		next(w, r)
	}
}

// faultBody is a Fault as the interface speaks of it.
type faultBody struct {
	Fn      string    `json:"fn"`
	Do      FaultKind `json:"do"`
	AfterMS int64     `json:"after_ms,omitempty"`
	Times   int       `json:"times,omitempty"`
}

func (ns *namespace) postFault(w http.ResponseWriter, r *http.Request) {
	var b faultBody
	if !decodeBody(w, r, &b) {
		return
	}
	f := Fault{Namespace: ns.name, Function: b.Fn, Do: b.Do, After: time.Duration(b.AfterMS) * time.Millisecond, Times: b.Times}
	if err := ns.inject(f); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusCreated, b)
}

func (ns *namespace) getFaults(w http.ResponseWriter, _ *http.Request) {
	pending := []faultBody{}
	for _, f := range ns.faults.list() {
		pending = append(pending, faultBody{f.Function, f.Do, f.After.Milliseconds(), f.Times})
	}
	writeJSON(w, http.StatusOK, pending)
}

func (ns *namespace) deleteFaults(w http.ResponseWriter, _ *http.Request) {
	ns.faults.clear()
	w.WriteHeader(http.StatusNoContent)
}

func (ns *namespace) getClock(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"now": ns.clock.Now().UTC(), "standing": ns.cfg.Clock != nil})
}

// postClock steps the clock of all namespaces, {"step":"5m"}.
func (ns *namespace) postClock(w http.ResponseWriter, r *http.Request) {
	var b struct{ Step string }
	if !decodeBody(w, r, &b) {
		return
	}
	step, err := time.ParseDuration(b.Step)
	switch {
	case err != nil || step <= 0:
		refuse(w, http.StatusBadRequest, "step: want a duration over 0, such as 5m")
	case ns.cfg.Clock == nil:
		refuse(w, http.StatusConflict, errRunningClock.Error())
	default:
		ns.cfg.Clock.Step(step)
		ns.getClock(w, r)
	}
}

func decodeBody(w http.ResponseWriter, r *http.Request, to any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPayload))
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		refuse(w, http.StatusBadRequest, "body: "+err.Error())
		return false
	}
	return true
}
