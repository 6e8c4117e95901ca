package platform

import (
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"blogposter/scripts/dev/project"
)

// keptRecords bounds the records; the platform keeps them for three days.
const keptRecords = 10_000

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
		if name != "" && name != a.f.Name && name != a.f.Path() {
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
		{"path", ns.name + "/" + a.f.Path()},
		{"waitTime", a.start.Sub(a.received).Milliseconds()},
		{"kind", project.Runtime},
		{"timeout", errors.Is(a.cause, errTimeout)},
		{"limits", map[string]any{
			"concurrency": 1, "logs": a.f.Limits.Logs, "memory": a.f.Limits.Memory, "timeout": a.f.Limits.Timeout.Milliseconds(),
		}},
	}
	if a.initTime > 0 {
		annotations = append(annotations, annotation{"initTime", a.initTime.Milliseconds()})
	}
	return summary{
		ActivationID: a.id, Name: a.f.Name, Namespace: ns.name, Version: "0.0.1",
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
