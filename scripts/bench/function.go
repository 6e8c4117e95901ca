package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// function is one process of a function, spoken to as the platform does.
type function struct {
	cmd     *exec.Cmd
	logs    *bytes.Buffer
	in      io.WriteCloser
	out     *bufio.Reader
	closers []io.Closer
}

// start spawns binary with nothing but env and returns when it has
// acknowledged.
func start(binary string, env map[string]string) (*function, error) {
	replies, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary) //nolint:noctx // a function built from this repository; ended by close
	cmd.Env = []string{"__OW_WAIT_FOR_ACK=1", "PATH=/usr/bin:/bin"}
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	cmd.ExtraFiles = []*os.File{write}
	logs := &bytes.Buffer{}
	cmd.Stderr = logs
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	_ = write.Close()
	f := &function{cmd: cmd, logs: logs, in: in, out: bufio.NewReaderSize(replies, 64<<10), closers: []io.Closer{in, replies}}
	if _, err := f.out.ReadString('\n'); err != nil {
		return nil, errors.Join(fmt.Errorf("%s did not start: %w", binary, err), f.close())
	}
	return f, nil
}

// call sends one event and returns the result.
func (f *function) call(event any) (json.RawMessage, error) {
	line, err := json.Marshal(map[string]any{
		"value": event, "namespace": "bench", "action_name": "/bench/x/y", "activation_id": "bench",
		"deadline": strconv.FormatInt(time.Now().Add(15*time.Minute).UnixMilli(), 10),
	})
	if err != nil {
		return nil, err
	}
	if _, err := f.in.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	return f.out.ReadBytes('\n')
}

// close ends the process. What it logged is the error when it logged one.
func (f *function) close() error {
	for _, c := range f.closers {
		_ = c.Close()
	}
	_ = f.cmd.Process.Kill()
	_ = f.cmd.Wait()
	if text := f.logs.String(); strings.Contains(text, `"level":"ERROR"`) || strings.Contains(text, "cannot start") {
		return errors.New(text)
	}
	return nil
}

// request is the event of a web call.
func request(method, path, token string, body any) map[string]any {
	headers := map[string]string{"content-type": "application/json"}
	if token != "" {
		headers["authorization"] = "Bearer " + token
	}
	text := ""
	if body != nil {
		raw, _ := json.Marshal(body) // maps of strings always encode
		text = string(raw)
	}
	return map[string]any{"http": map[string]any{"method": method, "path": path, "queryString": "", "headers": headers, "body": text}}
}

// answer decodes the body of a web reply into out.
func answer(reply json.RawMessage, out any) error {
	var web struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if err := json.Unmarshal(reply, &web); err != nil {
		return err
	}
	if web.StatusCode/100 != 2 {
		return fmt.Errorf("status %d: %s", web.StatusCode, web.Body)
	}
	return json.Unmarshal([]byte(web.Body), out)
}
