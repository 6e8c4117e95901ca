package platform

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"blogposter/scripts/dev/project"
)

// maxPayload is the platform's cap on an event and on a result.
const maxPayload = 1 << 20

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
	messageSlowStart = "The action exceeded its time limits of %d milliseconds during initialization."
	messageMemory    = "The action exhausted its memory and was aborted."
	messageNoObject  = "The action did not return a dictionary."
	messageTruncated = "The action produced a response that exceeded the allowed length: %d > %d bytes. The truncated response was: %s"
	messageTooBusy   = "Too many concurrent requests in flight (count: %d, allowed: %d)."
	messageTooMany   = "Too many requests in the last minute (count: %d, allowed: %d)."
)

// shownOfTruncated is how much of an oversized result its error quotes.
const shownOfTruncated = 1 << 10

// activation is one invocation and, once done is closed, its outcome.
type activation struct {
	id         string
	f          *project.Function
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
type limitError struct {
	message        string
	count, allowed int
}

func (e *limitError) Error() string { return fmt.Sprintf(e.message, e.count, e.allowed) }

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
func (ns *namespace) invoke(f *project.Function, event json.RawMessage, record bool) (*activation, error) {
	if err := ns.admit(); err != nil {
		return nil, err
	}
	a := ns.activation(f)
	go ns.serve(a, event, record)
	return a, nil
}

func (ns *namespace) activation(f *project.Function) *activation {
	return &activation{id: newID(), f: f, received: time.Now(), done: make(chan struct{})}
}

// serve runs an activation that has its place, and gives the place back.
func (ns *namespace) serve(a *activation, event json.RawMessage, record bool) {
	ns.run(a, event)
	if record {
		ns.records.add(a)
	}
	ns.leave() // first, so that a caller who has the answer finds the place free
	close(a.done)
}

// run gives the event to a process and reads off what became of it.
func (ns *namespace) run(a *activation, event json.RawMessage) {
	a.start = time.Now()
	p, cold, err := ns.acquire(a.f, a.id)
	if err != nil {
		ns.cfg.Log.Error("cannot spawn", "namespace", ns.name, "fn", a.f.Path(), "err", err)
		a.fail(errNoAck, messageNoStart)
		a.end = time.Now()
		return
	}
	p.logs.begin()
	answered := ns.converse(a, p, cold, event)
	a.end = time.Now()
	a.logs = p.logs.end(logGrace)
	if answered {
		ns.release(p)
	}
}

// converse reports whether the process answered and lives on. The time limit
// includes its start.
func (ns *namespace) converse(a *activation, p *process, cold bool, event json.RawMessage) bool {
	defer p.watchMemory(int64(a.f.Limits.Memory) << 20)()
	deadline := a.start.Add(a.f.Limits.Timeout)
	if cold && !ns.begin(a, p, deadline) {
		return false
	}
	if fault, ok := ns.faults.take(a.f.Path(), KillAfter); ok {
		defer ns.clock.afterFunc(fault.After, p.kill)()
	}
	reply, err := p.call(ns.request(a, event, deadline), deadline)
	if err != nil {
		a.fail(err, a.lastWords(err))
		return false
	}
	a.read(reply)
	return true
}

// begin waits for a new process to acknowledge its start.
func (ns *namespace) begin(a *activation, p *process, deadline time.Time) bool {
	if _, ok := ns.faults.take(a.f.Path(), KillStart); ok {
		p.kill()
	}
	err := p.ack(earlier(deadline, a.start.Add(ns.cfg.AckTimeout)))
	a.initTime = max(time.Since(a.start), time.Millisecond) // a start is never free
	if err == nil {
		ns.cfg.Log.Info("cold start", "namespace", ns.name, "fn", a.f.Path(), "activation_id", a.id,
			"pid", p.cmd.Process.Pid, "init_ms", a.initTime.Milliseconds())
		return true
	}
	message := messageNoStart
	if errors.Is(err, errTimeout) {
		message = fmt.Sprintf(messageSlowStart, a.f.Limits.Timeout.Milliseconds())
	}
	a.fail(err, message)
	ns.cfg.Log.Error("function cannot start", "namespace", ns.name, "fn", a.f.Path(), "activation_id", a.id, "err", err)
	return false
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// lastWords are the platform's for a process that did not answer.
func (a *activation) lastWords(err error) string {
	switch {
	case errors.Is(err, errTimeout):
		return fmt.Sprintf(messageTimeout, a.f.Limits.Timeout.Milliseconds())
	case errors.Is(err, errMemory):
		return messageMemory
	default:
		return messageExited
	}
}

// request is the line a process reads.
func (ns *namespace) request(a *activation, event json.RawMessage, deadline time.Time) []byte {
	line := map[string]any{
		"value":          event, // encoding compacts it, so that it stays one line
		"namespace":      ns.name,
		"action_name":    "/" + ns.name + "/" + a.f.Path(),
		"action_version": "0.0.1",
		"api_host":       ns.url,
		"activation_id":  a.id,
		"transaction_id": newID(),
		"deadline":       strconv.FormatInt(deadline.UnixMilli(), 10),
	}
	if a.f.ProvideKey {
		line["api_key"] = ns.key
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
		a.status = applicationError // upstream's verdict: the function did answer
		a.result = marshal(map[string]string{"error": fmt.Sprintf(messageTruncated, r.size, maxPayload, r.line[:shownOfTruncated])})
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
