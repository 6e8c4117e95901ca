package platform_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/dev/platform"
)

const activations = "/api/v1/namespaces/_/activations"

func TestAPI_asynchronousCallIsAcceptedThenRecorded(t *testing.T) {
	t.Parallel()

	p, m := start(t), meet(t)
	a := api(t, p, http.MethodPost, step, m.event("hold"))
	require.Equal(t, http.StatusAccepted, a.status)
	id, ok := a.json(t)["activationId"].(string)
	require.True(t, ok)
	require.Len(t, id, 32)
	require.Equal(t, id, a.header.Get("X-Openwhisk-Activation-Id"))
	held := m.next(t)
	for _, part := range []string{"", "/result", "/logs"} {
		require.Equal(t, http.StatusNotFound, api(t, p, http.MethodGet, activations+"/"+id+part, "").status, "not before it has finished")
	}
	held.release(t)
	require.NoError(t, p.Quiet(t.Context()))

	a = api(t, p, http.MethodGet, activations+"/"+id, "")
	require.Equal(t, http.StatusOK, a.status)
	var r record
	require.NoError(t, json.Unmarshal([]byte(a.body), &r))
	require.Equal(t, id, r.ActivationID)
	require.Equal(t, "step", r.Name)
	require.Equal(t, "local", r.Namespace)
	require.True(t, r.Response.Success)
	require.Equal(t, "success", r.Response.Status)
	require.Equal(t, held.pid, r.pid(t))
	require.LessOrEqual(t, r.Start, r.End)
	require.Equal(t, "local/work/step", r.annotation("path"))
	require.Equal(t, "go:1.25", r.annotation("kind"))
	require.Equal(t, false, r.annotation("timeout"))
	require.Equal(t, map[string]any{"concurrency": 1.0, "logs": 16.0, "memory": 256.0, "timeout": 60000.0}, r.annotation("limits"))
	require.NotNil(t, r.annotation("waitTime"))

	result := api(t, p, http.MethodGet, activations+"/"+id+"/result", "").json(t)
	require.Equal(t, true, result["success"])
	logs := api(t, p, http.MethodGet, activations+"/"+id+"/logs", "").json(t)
	require.Len(t, logs["logs"], len(r.Logs))
}

func TestAPI_listsActivationsNewestFirst(t *testing.T) {
	t.Parallel()

	p := start(t)
	one := invoke(t, p, "work/step", `{}`)
	two := invoke(t, p, "web/echo", `{}`)
	three := invoke(t, p, "work/step", `{}`)

	tests := map[string]struct {
		query string
		want  []string
	}{
		"all":                      {"", []string{three.ActivationID, two.ActivationID, one.ActivationID}},
		"by name":                  {"?name=step", []string{three.ActivationID, one.ActivationID}},
		"by package and name":      {"?name=web/echo", []string{two.ActivationID}},
		"the newest":               {"?limit=1", []string{three.ActivationID}},
		"none":                     {"?limit=0", []string{}},
		"the one before":           {"?limit=1&skip=1", []string{two.ActivationID}},
		"an unknown name has none": {"?name=nobody&docs=true", []string{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var list []record
			require.NoError(t, json.Unmarshal([]byte(api(t, p, http.MethodGet, activations+tc.query, "").body), &list))
			ids := []string{}
			for _, r := range list {
				ids = append(ids, r.ActivationID)
				require.Empty(t, r.Response.Status, "a list has summaries")
			}
			require.Equal(t, tc.want, ids)
		})
	}
	var list []record
	require.NoError(t, json.Unmarshal([]byte(api(t, p, http.MethodGet, activations+"?docs=true&limit=1", "").body), &list))
	require.Equal(t, "success", list[0].Response.Status, "docs=true has whole records")
	require.Equal(t, http.StatusBadRequest, api(t, p, http.MethodGet, activations+"?limit=many", "").status)
}

func TestAPI_blockingCallGivesRecordOrResult(t *testing.T) {
	t.Parallel()

	p := start(t)
	tests := map[string]struct {
		query, event string
		status       int
		want         string // the whole body, when it is the result
	}{
		"the result alone":              {"?blocking=true&result=true", `{"do":"call"}`, 200, ""},
		"no body is an empty event":     {"?blocking=true&result=true", ``, 200, ""},
		"an application error is a 502": {"?blocking=true&result=true", `{"do":"fail"}`, 502, `{"error":"no such run"}`},
		"so is a process that died":     {"?blocking=true&result=true", `{"do":"exit"}`, 502, `{"error":"command exited"}`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			a := api(t, p, http.MethodPost, step+tc.query, tc.event)
			require.Equal(t, tc.status, a.status, a.body)
			require.NotContains(t, a.json(t), "activationId")
			if tc.want != "" {
				require.JSONEq(t, tc.want, a.body)
			}
		})
	}
	r := invoke(t, p, "work/step", `{"do":"fail"}`)
	require.Equal(t, "application error", r.Response.Status)
	require.Equal(t, 1, r.Response.StatusCode)
}

func TestAPI_blockingCallBecomesAsynchronousWhenItTakesLong(t *testing.T) {
	t.Parallel()

	p, m := start(t, func(c *platform.Config) { c.Wait = 50 * time.Millisecond }), meet(t)
	a := api(t, p, http.MethodPost, step+"?blocking=true", m.event("hold"))
	require.Equal(t, http.StatusAccepted, a.status)
	m.next(t).release(t)
	require.NoError(t, p.Quiet(t.Context()))
	id, ok := a.json(t)["activationId"].(string)
	require.True(t, ok)
	require.Equal(t, http.StatusOK, api(t, p, http.MethodGet, activations+"/"+id, "").status)
}

func TestAPI_refusals(t *testing.T) {
	t.Parallel()

	p := start(t)
	tests := map[string]struct {
		method, path, user, secret, body string
		status                           int
		message                          string
	}{
		"no key":                   {"POST", step, "", "", `{}`, 401, "The supplied authentication is invalid."},
		"a wrong secret":           {"POST", step, "dof_v1_test", "guess", `{}`, 401, "The supplied authentication is invalid."},
		"no key for the records":   {"GET", activations, "", "", "", 401, "The supplied authentication is invalid."},
		"no key for the processes": {"GET", "/_dev/processes", "", "", "", 401, "The supplied authentication is invalid."},
		"another namespace":        {"POST", "/api/v1/namespaces/other/actions/work/step", "dof_v1_test", "s3cret", `{}`, 403, "not authorized to access 'other'"},
		"an unknown function":      {"POST", "/api/v1/namespaces/local/actions/work/nobody", "dof_v1_test", "s3cret", `{}`, 404, "The requested resource does not exist."},
		"an unknown activation":    {"GET", activations + "/nobody", "dof_v1_test", "s3cret", "", 404, "The requested resource does not exist."},
		"an unknown path":          {"GET", "/api/v2/rules", "dof_v1_test", "s3cret", "", 404, "The requested resource does not exist."},
		"an event that is a list":  {"POST", step, "dof_v1_test", "s3cret", `[1]`, 400, "JSON object"},
		"an event that is null":    {"POST", step, "dof_v1_test", "s3cret", `null`, 400, "JSON object"},
		"an event that is broken":  {"POST", step, "dof_v1_test", "s3cret", `{"a":`, 400, "JSON object"},
		"an event over 1 MB":       {"POST", step, "dof_v1_test", "s3cret", `{"a":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "> 1048576 bytes"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			req := request(t, tc.method, p.URL()+tc.path, []byte(tc.body), nil)
			if tc.user != "" {
				req.SetBasicAuth(tc.user, tc.secret)
			}
			a := do(t, req)
			require.Equal(t, tc.status, a.status, a.body)
			require.Equal(t, "application/json", a.header.Get("Content-Type"))
			require.Contains(t, a.json(t)["error"], tc.message)
			require.NotEmpty(t, a.json(t)["code"])
		})
	}
}

func TestAPI_refusesAnEventOfUnsaidLengthOver1MB(t *testing.T) {
	t.Parallel()

	p := start(t)
	req := request(t, http.MethodPost, p.URL()+step, []byte(`{"a":"`+strings.Repeat("x", 1<<20)+`"}`), nil)
	req.SetBasicAuth("dof_v1_test", "s3cret")
	req.ContentLength = -1
	require.Equal(t, http.StatusRequestEntityTooLarge, do(t, req).status)
}

func TestAPI_refusesMoreThanTheNamespaceRunsAtOnce(t *testing.T) {
	t.Parallel()

	p, m := start(t, func(c *platform.Config) { c.Concurrency = 2 }), meet(t)
	for range 2 {
		require.Equal(t, http.StatusAccepted, api(t, p, http.MethodPost, step, m.event("hold")).status)
	}
	one, two := m.next(t), m.next(t)
	a := api(t, p, http.MethodPost, step, `{}`)
	require.Equal(t, http.StatusTooManyRequests, a.status)
	require.Equal(t, "Too many concurrent requests in flight (count: 3, allowed: 2).", a.json(t)["error"])
	require.Equal(t, http.StatusTooManyRequests, web(t, p, http.MethodGet, "web/echo", "", nil).status, "web calls count too")
	one.release(t)
	two.release(t)
	require.NoError(t, p.Quiet(t.Context()))
	require.True(t, invoke(t, p, "work/step", `{}`).Response.Success)
}
