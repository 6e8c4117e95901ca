package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"blogposter/lib/config"
)

// service is a program of this repository that the demo keeps running after
// it has ended, so that the next one starts in seconds.
type service struct {
	name    string
	program string   // the built binary
	args    []string // its command line
	inputs  []string // files it reads at its start: changed ones restart it
	ready   string   // URL that answers once it serves
	address string
	remark  string
}

// patience is how long a service may take to answer; the platform builds ten
// functions first.
const patience = 5 * time.Minute

// start makes sure that the service runs as it is now: one that runs already,
// from the same binary with the same arguments and inputs, is left alone.
func (s service) start(ctx context.Context, dir string, out io.Writer) error {
	mark, err := s.fingerprint()
	if err != nil {
		return err
	}
	pidFile := filepath.Join(dir, s.name+".pid")
	pid, was := readPid(pidFile)
	if pid != 0 && s.isOurs(pid) {
		if was == mark && answers(ctx, s.ready) {
			return nil
		}
		if err := stop(ctx, pid); err != nil {
			return fmt.Errorf("restart %s: %w", s.name, err)
		}
	}
	if taken(ctx, s.address) {
		return fmt.Errorf("%s can't listen on %s: another program does; stop it first", s.name, s.address)
	}
	fmt.Fprintf(out, "  starting %s on %s%s\n", s.name, s.address, s.remark)
	log, err := os.OpenFile(filepath.Clean(filepath.Join(dir, s.name+".log")), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(s.program, s.args...) //nolint:gosec,noctx // our own binary; it outlives the demo
	cmd.Stdout, cmd.Stderr = log, log
	// What it may know: where its tools are. Settings come from a file.
	for _, name := range []string{"PATH", "HOME", "GOCACHE", "GOPATH", "GOFLAGS", "GOPROXY", "GOMODCACHE", "TMPDIR"} {
		if v := config.OS().Get(name, ""); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	if err := os.WriteFile(pidFile, []byte(strconv.Itoa(cmd.Process.Pid)+" "+mark+"\n"), 0o600); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return s.await(ctx, ended, log.Name())
}

func (s service) await(ctx context.Context, ended <-chan error, logFile string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			text, _ := os.ReadFile(filepath.Clean(logFile))
			return fmt.Errorf("%s ended at once (%w); it said:\n%s", s.name, err, tail(string(text), 15))
		case <-ctx.Done():
			return fmt.Errorf("%s doesn't answer at %s; see %s", s.name, s.ready, logFile)
		case <-tick.C:
			if answers(ctx, s.ready) {
				return nil
			}
		}
	}
}

// fingerprint changes with the binary, its arguments and its inputs.
func (s service) fingerprint() (string, error) {
	sum := sha256.New()
	_, _ = io.WriteString(sum, strings.Join(s.args, "\x00"))
	for _, name := range append([]string{s.program}, s.inputs...) {
		f, err := os.Open(filepath.Clean(name))
		if err != nil {
			return "", err
		}
		_, err = io.Copy(sum, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}

// isOurs guards against a recycled process id.
func (s service) isOurs(pid int) bool {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil && strings.TrimSuffix(exe, " (deleted)") == s.program
}

// halt ends the service if it is ours; it reports whether it ran.
func (s service) halt(ctx context.Context, dir string) (bool, error) {
	pidFile := filepath.Join(dir, s.name+".pid")
	pid, _ := readPid(pidFile)
	if pid == 0 || !s.isOurs(pid) {
		return false, nil
	}
	if err := stop(ctx, pid); err != nil {
		return true, fmt.Errorf("stop %s: %w", s.name, err)
	}
	return true, os.Remove(pidFile)
}

// stop ends a process of ours, by force if it takes more than ten seconds.
func stop(ctx context.Context, pid int) error {
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	force := time.After(10 * time.Second)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-force:
			_ = syscall.Kill(pid, syscall.SIGKILL)
		case <-tick.C:
			if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || zombie(pid) {
				return nil
			}
		}
	}
}

func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func readPid(file string) (pid int, mark string) {
	text, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return 0, ""
	}
	_, _ = fmt.Sscanf(string(text), "%d %s", &pid, &mark)
	return pid, mark
}

func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := (&http.Client{}).Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode < http.StatusInternalServerError
}

func taken(ctx context.Context, address string) bool {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return true
	}
	_ = l.Close()
	return false
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
