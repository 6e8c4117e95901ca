package platform

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// maxPayload is the platform's cap on an event and on a result.
const maxPayload = 1 << 20

// keptRecords bounds the records; the platform keeps them for three days.
const keptRecords = 10_000

// How an activation ended, in the platform's words.
const (
	success          = 0
	applicationError = 1 // the function answered {"error": ...}
	developerError   = 2 // the function did not answer
)

var statusWords = []string{"success", "application error", "action developer error"}

const (
	messageNoStart   = "Cannot start function. Check logs"
	messageExited    = "command exited"
	messageTimeout   = "The action exceeded its time limits of %d milliseconds."
	messageNoObject  = "The action did not return a dictionary."
	messageTruncated = "The action produced a response that exceeded the allowed length: %d > %d bytes."
)

// activation is one invocation and, once done is closed, its outcome.
type activation struct {
	id         string
	f          *function
	received   time.Time
	start, end time.Time
	initTime   time.Duration // zero when the process was warm
	status     int
	cause      error // why the function did not answer
	result     json.RawMessage
	logs       []string
	done       chan struct{}
}

// limitError is a limit of the namespace that a request ran into.
type limitError struct{ count, allowed int }

func (e *limitError) Error() string {
	return fmt.Sprintf("Too many concurrent requests in flight (count: %d, allowed: %d).", e.count, e.allowed)
}

// Web calls leave no record on the platform.
const (
	keepRecord = true
	noRecord   = false
)

func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// invoke starts an activation and returns at once; the caller's going away
// does not end it. event must be one JSON object.
func (ns *namespace) invoke(f *function, event json.RawMessage, record bool) (*activation, error) {
	if err := ns.admit(); err != nil {
		return nil, err
	}
	a := &activation{id: newID(), f: f, received: time.Now(), done: make(chan struct{})}
	go func() {
		ns.run(a, event)
		if record {
			ns.records.add(a)
		}
		ns.leave() // first, so that a caller who has the answer finds the place free
		close(a.done)
	}()
	return a, nil
}

// run gives the event to a process and reads off what became of it.
func (ns *namespace) run(a *activation, event json.RawMessage) {
	a.start = time.Now()
	defer func() { a.end = time.Now() }()
	p, cold, err := ns.acquire(a.f, a.id)
	if err != nil {
		ns.cfg.Log.Error("cannot spawn", "fn", a.f.path(), "err", err)
		a.fail(errNoAck, messageNoStart)
		return
	}
	p.logs.begin()
	if cold {
		if err := p.ack(ns.cfg.AckTimeout); err != nil {
			a.fail(err, messageNoStart)
			a.logs = p.logs.end(logGrace)
			ns.cfg.Log.Error("function cannot start", "fn", a.f.path(), "logs", a.logs)
			return
		}
		a.initTime = time.Since(a.start)
	}
	deadline := time.Now().Add(a.f.limits.timeout)
	reply, err := p.call(ns.request(a, event, deadline), deadline)
	if err != nil {
		message := messageExited
		if errors.Is(err, errTimeout) {
			message = fmt.Sprintf(messageTimeout, a.f.limits.timeout.Milliseconds())
		}
		a.fail(err, message)
		a.logs = p.logs.end(logGrace)
		return
	}
	a.read(reply)
	a.logs = p.logs.end(logGrace)
	ns.release(p)
}

// request is the line a process reads.
func (ns *namespace) request(a *activation, event json.RawMessage, deadline time.Time) []byte {
	line := map[string]any{
		"value":          event, // encoding compacts it, so that it stays one line
		"namespace":      ns.name,
		"action_name":    "/" + ns.name + "/" + a.f.path(),
		"action_version": "0.0.1",
		"api_host":       ns.url,
		"activation_id":  a.id,
		"transaction_id": newID(),
		"deadline":       strconv.FormatInt(deadline.UnixMilli(), 10),
	}
	if a.f.provideKey {
		line["api_key"] = ns.cfg.AccessKey
	}
	return marshal(line)
}

// errResult is a result the platform does not take.
var errResult = errors.New("unusable result")

func (a *activation) fail(cause error, message string) {
	a.status, a.cause = developerError, cause
	a.result = marshal(map[string]string{"error": message})
}

// read judges a result line as the platform does.
func (a *activation) read(r reply) {
	if r.size > maxPayload {
		a.fail(errResult, fmt.Sprintf(messageTruncated, r.size, maxPayload))
		return
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(r.line, &fields); err != nil || fields == nil {
		a.fail(errResult, messageNoObject)
		return
	}
	if cause, ok := fields["error"]; ok {
		a.status = applicationError
		a.result = marshal(map[string]json.RawMessage{"error": cause}) // whatever stood beside it is dropped
		return
	}
	a.result = r.line
}

// marshal encodes what cannot fail, without making <, > and & longer.
func marshal(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // a programmer's mistake: every caller passes plain values or checked JSON
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// records are the finished activations, oldest first.
type records struct {
	mu   sync.Mutex
	list []*activation
}

func (r *records) add(a *activation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, a)
	if extra := len(r.list) - keptRecords; extra > 0 {
		r.list = slices.Delete(r.list, 0, extra)
	}
}

func (r *records) find(id string) *activation {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range slices.Backward(r.list) {
		if a.id == id {
			return a
		}
	}
	return nil
}

// latest lists newest first; name may be a function's name, with or without
// its package, or empty for all.
func (r *records) latest(name string, skip, limit int) []*activation {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := []*activation{}
	for _, a := range slices.Backward(r.list) {
		if name != "" && name != a.f.name && name != a.f.path() {
			continue
		}
		if skip--; skip >= 0 {
			continue
		}
		if len(found) == limit {
			break
		}
		found = append(found, a)
	}
	return found
}

// annotation is a key and a value, as the platform lists them.
type annotation struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

// response is the outcome as a record shows it.
type response struct {
	Status     string          `json:"status"`
	StatusCode int             `json:"statusCode"`
	Success    bool            `json:"success"`
	Result     json.RawMessage `json:"result"`
}

// summary is a record in a list; record is the whole of it.
type summary struct {
	ActivationID string       `json:"activationId"`
	Name         string       `json:"name"`
	Namespace    string       `json:"namespace"`
	Version      string       `json:"version"`
	Publish      bool         `json:"publish"`
	Start        int64        `json:"start"`
	End          int64        `json:"end"`
	Duration     int64        `json:"duration"`
	StatusCode   int          `json:"statusCode"`
	Annotations  []annotation `json:"annotations"`
}

type record struct {
	summary
	Subject  string   `json:"subject"`
	Response response `json:"response"`
	Logs     []string `json:"logs"`
}

func (ns *namespace) summary(a *activation) summary {
	annotations := []annotation{
		{"path", ns.name + "/" + a.f.path()},
		{"waitTime", a.start.Sub(a.received).Milliseconds()},
		{"kind", runtime},
		{"timeout", errors.Is(a.cause, errTimeout)},
		{"limits", map[string]any{
			"concurrency": 1, "logs": a.f.limits.logs, "memory": a.f.limits.memory, "timeout": a.f.limits.timeout.Milliseconds(),
		}},
	}
	if a.initTime > 0 {
		annotations = append(annotations, annotation{"initTime", a.initTime.Milliseconds()})
	}
	return summary{
		ActivationID: a.id, Name: a.f.name, Namespace: ns.name, Version: "0.0.1",
		Start: a.start.UnixMilli(), End: a.end.UnixMilli(), Duration: a.end.Sub(a.start).Milliseconds(),
		StatusCode: a.status, Annotations: annotations,
	}
}

func (ns *namespace) record(a *activation) record {
	return record{summary: ns.summary(a), Subject: ns.name, Response: a.response(), Logs: append([]string{}, a.logs...)}
}

func (a *activation) response() response {
	return response{Status: statusWords[a.status], StatusCode: a.status, Success: a.status == success, Result: a.result}
}
