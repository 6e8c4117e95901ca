package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"blogposter/lib/seal"
)

// Where the demo's own servers listen. The platform's is the real one's local
// default.
const (
	modelAddress    = "127.0.0.1:58090"
	sourceAddress   = "127.0.0.1:58091"
	platformAddress = "127.0.0.1:3233"
	rivalPort       = 58100 // of the first competitor; the others follow
)

// settings are what project.yml asks for, by name.
type settings map[string]string

// offline reports whether the articles are written by the offline model.
func (s settings) offline() bool { return strings.HasPrefix(s["ANTHROPIC_API_KEY"], "offline-") }

// readSettings gathers what the stack made, what the environment says about
// models and the reader, and secrets that are made once and kept in file.
func readSettings(stackEnv, file string, environ map[string]string) (settings, error) {
	stack, err := readEnv(stackEnv)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: run `make up` first, or `make demo`, which does", stackEnv)
	}
	if err != nil {
		return nil, err
	}
	kept, err := readEnv(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	s := settings{
		"LOG_LEVEL": "INFO", "LEASE_TTL": "150s", "S3_CHECKSUMS": "on", "READER_ALLOW_PRIVATE": "true",
		"MODEL_SMALL": "claude-haiku-5-5", "MODEL_LARGE": "claude-sonnet-5-5", "MODEL_EMBEDDING": "glove-100d-offline",
		"ANTHROPIC_API_KEY": "offline-demo", "ANTHROPIC_BASE_URL": "http://" + modelAddress,
		"OPENAI_API_KEY": "offline-demo", "OPENAI_BASE_URL": "http://" + modelAddress + "/v1",
		"JINA_API_KEY": "offline-demo", "JINA_BASE_URL": "http://" + sourceAddress + "/reader",
		"FUNCTIONS_ACCESS_KEY": "dof_v1_local:" + rand.Text(), "JWT_SECRET": rand.Text() + rand.Text(),
		seal.Variable: seal.NewKey("demo"),
	}
	for _, name := range []string{"FUNCTIONS_ACCESS_KEY", "JWT_SECRET", seal.Variable} {
		if kept[name] != "" {
			s[name] = kept[name]
		}
	}
	maps.Copy(s, stack)
	if table := filepath.Join(filepath.Dir(stackEnv), "vectors", "glove-100d.bin"); s["MODEL_VECTORS"] == "" && exists(table) {
		s["MODEL_VECTORS"] = table // made since up wrote its file
	}
	if environ["ANTHROPIC_API_KEY"] != "" {
		s["ANTHROPIC_BASE_URL"] = "https://api.anthropic.com"
		s["OPENAI_API_KEY"] = "none" // the offline model must never stand in for a real one
	}
	if environ["OPENAI_API_KEY"] != "" {
		s["OPENAI_BASE_URL"], s["MODEL_EMBEDDING"] = "https://api.openai.com/v1", "text-embedding-3-small"
	}
	for _, name := range []string{"ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL_SMALL", "MODEL_LARGE", "MODEL_EMBEDDING", "LOG_LEVEL", "LEASE_TTL"} {
		if environ[name] != "" {
			s[name] = environ[name]
		}
	}
	return s, nil
}

// useInternet sends page reads to the real reader instead of the local pages.
func (s settings) useInternet(environ map[string]string) {
	s["READER_ALLOW_PRIVATE"] = "false"
	s["JINA_BASE_URL"] = "https://r.jina.ai"
	s["JINA_API_KEY"] = "none"
	for _, name := range []string{"JINA_BASE_URL", "JINA_API_KEY"} {
		if environ[name] != "" {
			s[name] = environ[name]
		}
	}
}

// write replaces file in one move; it holds secrets.
func (s settings) write(file string) error {
	var b bytes.Buffer
	b.WriteString("# Written by make demo, each time anew.\n")
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%s=%s\n", name, s[name])
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", b.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func readEnv(file string) (map[string]string, error) {
	text, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return nil, err
	}
	vars := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, value, ok := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		if ok && !strings.HasPrefix(name, "#") {
			vars[name] = strings.Trim(value, "'")
		}
	}
	return vars, nil
}
