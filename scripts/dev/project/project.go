// Package project reads project.yml as the function platform's deployer does:
// placeholders are filled in before the text is YAML, every key must be known,
// and what the deployer or the platform would refuse is refused here, with
// the place and the fix. scripts/dev runs what Load returns; Check holds the
// file, the folders and .env.example to this repository's own rules too.
package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Runtime is the deployed one, by its full name: which version "go:default"
// means is the platform's to change.
const Runtime = "go:1.25"

// MaxCode is the platform's cap on a function's code, as the base64 text it is
// uploaded as.
const MaxCode = 48 << 20

// Project is what project.yml declares, checked and filled in.
type Project struct {
	Functions []*Function
	Variables map[string]string // of the environment and of EnvFile
	EnvFile   string
}

// Fault is one thing that is wrong: where, and what with its fix.
type Fault struct{ At, What string }

func (f Fault) Error() string { return "project.yml: " + f.At + ": " + f.What }

// Load reads project.yml in dir. Variables come from process and, after it,
// from envFile (.env in dir when empty). All mistakes are reported at once.
func Load(dir, envFile string, process map[string]string) (*Project, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "project.yml")) //nolint:gosec // the developer names the project
	if err != nil {
		return nil, fmt.Errorf("the project directory is the one that holds project.yml: %w", err)
	}
	if envFile == "" {
		envFile = filepath.Join(dir, ".env")
	}
	vars, err := variables(envFile, process)
	if err != nil {
		return nil, err
	}
	filled, err := substitute(string(text), vars, envFile)
	if err != nil {
		return nil, err
	}
	c := &checks{root: os.DirFS(dir)}
	_, functions := c.read(filled)
	if len(c.faults) > 0 {
		return nil, joined(c.faults)
	}
	for _, f := range functions {
		f.Dir = filepath.Join(dir, f.Dir)
	}
	return &Project{Functions: functions, Variables: vars, EnvFile: envFile}, nil
}

// CodeFault says that a program of size bytes is too large to deploy, or nil.
func (f *Function) CodeFault(size int64) error {
	c := &checks{at: "function " + f.Path()}
	c.size(size)
	return joined(c.faults)
}

func (c *checks) size(bytes int64) {
	if encoded := (bytes + 2) / 3 * 4; encoded >= MaxCode {
		c.fail("exec: %d bytes in base64, the platform takes less than %d: import less", encoded, MaxCode)
	}
}

// checks collects faults under the path they were found at.
type checks struct {
	root   fs.FS // the project's directory
	at     string
	faults []Fault
}

func (c *checks) fail(format string, args ...any) {
	c.faults = append(c.faults, Fault{c.at, fmt.Sprintf(format, args...)})
}

func joined(faults []Fault) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}

// read makes functions of the filled-in text; nil when it has no readable form.
func (c *checks) read(text string) (*projectSpec, []*Function) {
	c.at = "file"
	for n, line := range strings.Split(text, "\n") {
		if strings.Contains(line, "\t") {
			c.fail("line %d has a tab: indent with spaces", n+1)
		}
	}
	spec, err := decode(text)
	if err != nil {
		c.fail("%v", err)
		return nil, nil
	}
	return spec, spec.functions(c)
}
