package network_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/config"
	"blogposter/lib/store/storetest"
)

// binaries holds what build made; TestMain deletes it.
var binaries string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "network")
	if err != nil {
		panic(err)
	}
	binaries = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// readyBinary builds the function api/ready, once.
var readyBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaries, "ready")
	out, err := exec.Command("go", "build", "-o", path, "../../packages/api/ready").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build api/ready: %w\n%s", err, out)
	}
	return path, nil
})

// ready is the function api/ready in a process of its own, spoken to as the
// platform does.
type ready struct {
	t       *testing.T
	in      *os.File
	replies *bufio.Reader
	logs    *bytes.Buffer
	end     func()
}

// servers are the settings of the local stack, with a database of the test's
// own.
func servers(t *testing.T) map[string]string {
	t.Helper()
	env := map[string]string{"LOG_LEVEL": "INFO", "DATABASE_URL": storetest.New(t).FunctionsURL}
	for _, name := range []string{"REDIS_URL", "S3_ENDPOINT", "S3_REGION", "S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY"} {
		env[name] = variable(t, name)
	}
	return env
}

// startReady starts the function with nothing but env.
func startReady(t *testing.T, env map[string]string) *ready {
	t.Helper()
	binary, err := readyBinary()
	require.NoError(t, err)
	r := &ready{t: t, logs: &bytes.Buffer{}}
	replies, write, err := os.Pipe()
	require.NoError(t, err)
	stdin, in, err := os.Pipe()
	require.NoError(t, err)
	r.in, r.replies = in, bufio.NewReader(replies)
	cmd := exec.Command(binary)
	cmd.Stdin, cmd.Stderr, cmd.ExtraFiles = stdin, r.logs, []*os.File{write}
	cmd.Env = []string{"__OW_WAIT_FOR_ACK=1", "PATH=/usr/bin:/bin"}
	if dir := config.OS().Get("GOCOVERDIR", ""); dir != "" {
		cmd.Env = append(cmd.Env, "GOCOVERDIR="+dir)
	}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	require.NoError(t, cmd.Start())
	r.end = sync.OnceFunc(func() {
		_ = in.Close()
		_ = cmd.Wait()
		_ = replies.Close()
	})
	t.Cleanup(r.end)
	require.NoError(t, stdin.Close())
	require.NoError(t, write.Close())
	ack, err := r.replies.ReadString('\n')
	require.NoError(t, err, "%s", r.logs)
	require.JSONEq(t, `{"ok":true}`, ack)
	return r
}

// said is what api/ready answered.
type said struct {
	Code   int
	Status string
	Checks map[string]string // of each server: ok or failed
}

func (r *ready) ask() said {
	r.t.Helper()
	line, err := json.Marshal(map[string]any{
		"value": map[string]any{"http": map[string]any{"method": "GET", "path": "", "queryString": "", "headers": map[string]string{}, "body": ""}},
		// the platform's deadline, in milliseconds
		"deadline": fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()), "activation_id": "a", "action_name": "/local/api/ready", "namespace": "local",
	})
	require.NoError(r.t, err)
	_, err = r.in.Write(append(line, '\n'))
	require.NoError(r.t, err)
	reply, err := r.replies.ReadBytes('\n')
	require.NoError(r.t, err)
	var web struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	require.NoError(r.t, json.Unmarshal(reply, &web), "%s", reply)
	var body struct {
		Status string `json:"status"`
		Checks map[string]struct {
			Status string `json:"status"`
		} `json:"checks"`
	}
	require.NoError(r.t, json.Unmarshal([]byte(web.Body), &body), "%s", web.Body)
	s := said{Code: web.StatusCode, Status: body.Status, Checks: map[string]string{}}
	for name, check := range body.Checks {
		s.Checks[name] = check.Status
	}
	return s
}

// logged ends the process and returns what it logged.
func (r *ready) logged() string {
	r.end()
	return r.logs.String()
}

// with is env with some settings changed.
func with(env map[string]string, changed map[string]string) map[string]string {
	all := maps.Clone(env)
	maps.Copy(all, changed)
	return all
}
