package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const rounds = 21

// binaries prints size and start of every function beside the least one.
// Rounds go through all of them in turn, so that a slow moment of the machine
// falls on each alike.
func binaries(out io.Writer, env map[string]string) error {
	paths, err := filepath.Glob("packages/*/*/exec")
	if err != nil || len(paths) == 0 {
		return fmt.Errorf("no functions are built: make build (%w)", err)
	}
	const hello, helloDB = ".build/bin/hello", ".build/bin/hellodb"
	all := append([]string{hello, helloDB}, paths...)
	acks, answers := map[string][]time.Duration{}, map[string][]time.Duration{}
	for range rounds {
		for _, path := range all {
			began := time.Now()
			f, err := start(path, env)
			if err != nil {
				return err
			}
			acked := time.Since(began)
			if _, err := f.call(firstEvent(path)); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			acks[path] = append(acks[path], acked)
			answers[path] = append(answers[path], time.Since(began))
			if err := f.close(); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(out, "binaries (median of %d cold starts, in turn; aim: at most 20 MB, at most 2x hello)\n", rounds)
	fmt.Fprintln(out, "  to answer: of what meets no database, beside hello; of what does, beside hellodb, which connects and asks once")
	fmt.Fprintf(out, "  %-20s %8s  %12s %6s  %12s %6s %9s\n", "function", "MB", "to ack", "x", "to answer", "x", "x hellodb")
	baseAck, base, baseDB := median(acks[hello]), median(answers[hello]), median(answers[helloDB])
	for _, path := range all {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		ack, ans := median(acks[path]), median(answers[path])
		besideDB := "-"
		if asksDatabase(path) {
			besideDB = fmt.Sprintf("%.1f", float64(ans)/float64(baseDB))
		}
		fmt.Fprintf(out, "  %-20s %8.1f  %12s %6.1f  %12s %6.1f %9s\n", name(path), float64(info.Size())/1e6,
			ms(ack), float64(ack)/float64(baseAck), ms(ans), float64(ans)/float64(base), besideDB)
	}
	return nil
}

// firstEvent is what a function answers without having any work: a look for
// due runs, or a request without a token.
func firstEvent(path string) any {
	if strings.Contains(path, "/api/") {
		return request("GET", "/", "", nil)
	}
	return map[string]any{}
}

// asksDatabase reports whether the first event needs a connection: looking for
// due runs does, refusing a request without a token does not.
func asksDatabase(path string) bool {
	return !strings.Contains(path, "/api/") && !strings.HasSuffix(path, "hello") || strings.HasSuffix(path, "ready/exec")
}

func name(path string) string {
	if dir := filepath.Dir(path); strings.HasPrefix(dir, "packages/") {
		return strings.TrimPrefix(dir, "packages/")
	}
	return filepath.Base(path)
}

func median(d []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[len(s)/2]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }
