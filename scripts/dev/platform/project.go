package platform

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// project is what project.yml declares, checked and filled in.
type project struct {
	functions []*function
	variables map[string]string
	envFile   string
}

// function is one deployed function as declared, without its processes.
type function struct {
	pkg, name     string
	dir           string // sources; build.sh runs here
	web           bool   // raw; anything else is private
	secret        string // webSecure: what x-require-whisk-auth must say
	customOptions bool   // OPTIONS and CORS are the function's own
	provideKey    bool   // the namespace's key comes with each activation
	env           map[string]string
	limits        limits
	triggers      []trigger
}

type limits struct {
	timeout time.Duration
	memory  int
	logs    int
}

func (f *function) path() string { return f.pkg + "/" + f.name }

// The file's schema. A key that is not here fails the deploy, as it does on
// the platform; one that is here only to be refused says why below.
type projectSpec struct {
	Packages        []packageSpec        `yaml:"packages"`
	Parameters      map[string]yaml.Node `yaml:"parameters"`
	Environment     map[string]yaml.Node `yaml:"environment"`
	TargetNamespace yaml.Node            `yaml:"targetNamespace"`
}

type packageSpec struct {
	Name        string               `yaml:"name"`
	Functions   []functionSpec       `yaml:"functions"`
	Actions     []functionSpec       `yaml:"actions"` // the older name
	Shared      yaml.Node            `yaml:"shared"`
	Web         yaml.Node            `yaml:"web"`
	Environment map[string]yaml.Node `yaml:"environment"`
	Parameters  map[string]yaml.Node `yaml:"parameters"`
	Annotations map[string]yaml.Node `yaml:"annotations"`
	Binding     yaml.Node            `yaml:"binding"`
}

type functionSpec struct {
	Name        string               `yaml:"name"`
	File        yaml.Node            `yaml:"file"`
	Runtime     string               `yaml:"runtime"`
	Main        yaml.Node            `yaml:"main"`
	Docker      yaml.Node            `yaml:"docker"`
	Binary      yaml.Node            `yaml:"binary"`
	RemoteBuild bool                 `yaml:"remoteBuild"`
	LocalBuild  bool                 `yaml:"localBuild"`
	Sequence    yaml.Node            `yaml:"sequence"`
	Web         yaml.Node            `yaml:"web"`
	WebSecure   yaml.Node            `yaml:"webSecure"`
	Environment map[string]yaml.Node `yaml:"environment"`
	Annotations map[string]yaml.Node `yaml:"annotations"`
	Parameters  map[string]yaml.Node `yaml:"parameters"`
	Limits      map[string]yaml.Node `yaml:"limits"`
	Triggers    []triggerSpec        `yaml:"triggers"`
}

const runtime = "go:1.25"

// loadProject reads project.yml in dir. All its mistakes are reported at once.
func loadProject(dir, envFile string, process map[string]string) (*project, error) {
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
	spec, err := decodeProject(filled)
	if err != nil {
		return nil, err
	}
	functions, err := spec.functions(dir)
	if err != nil {
		return nil, err
	}
	return &project{functions: functions, variables: vars, envFile: envFile}, nil
}

// quoted is how the YAML package shows a value, which may be a secret here.
var quoted = regexp.MustCompile(" `[^`]*`")

func decodeProject(text string) (*projectSpec, error) {
	dec := yaml.NewDecoder(bytes.NewBufferString(text))
	dec.KnownFields(true)
	var spec projectSpec
	if err := dec.Decode(&spec); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("project.yml: %s", quoted.ReplaceAllString(err.Error(), ""))
	}
	return &spec, nil
}

// checks collects faults under the path they were found at.
type checks struct {
	at     string
	faults []error
}

func (c *checks) fail(format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("project.yml: "+c.at+": "+format, args...))
}

func (c *checks) refuse(key string, n yaml.Node, why string) {
	if truthy(n) {
		c.fail("%s: %s", key, why)
	}
}

func truthy(n yaml.Node) bool {
	if n.Kind == yaml.ScalarNode {
		return n.Value != "" && n.Value != "false" && n.Value != "0" && n.Tag != "!!null"
	}
	return len(n.Content) > 0
}

var entityName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@-]*$`)

func (s *projectSpec) functions(dir string) ([]*function, error) {
	c := &checks{at: "project"}
	c.refuse("targetNamespace", s.TargetNamespace, "leave it to the deploy command")
	c.noParameters(s.Parameters)
	projectEnv := c.environment(nil, s.Environment)
	var all []*function
	seen := map[string]bool{}
	triggers := 0
	for _, p := range s.Packages {
		c.at = "package " + p.Name
		if !entityName.MatchString(p.Name) {
			c.fail("name: not a name")
		}
		c.refuse("binding", p.Binding, "not supported here")
		c.refuse("web", p.Web, "say web on each function")
		c.refuse("shared", p.Shared, "not supported here")
		c.noParameters(p.Parameters)
		env := c.environment(projectEnv, p.Environment)
		for _, spec := range append(p.Functions, p.Actions...) {
			c.at = "function " + p.Name + "/" + spec.Name
			f := spec.function(c, p.Name, filepath.Join(dir, "packages", p.Name, spec.Name), env)
			if seen[f.path()] {
				c.fail("declared twice")
			}
			seen[f.path()] = true
			triggers += len(f.triggers)
			all = append(all, f)
		}
	}
	c.at = "triggers"
	if triggers > maxTriggers {
		c.fail("%d are declared, the platform takes %d: let one function fan out", triggers, maxTriggers)
	}
	return all, errors.Join(c.faults...)
}

func (s *functionSpec) function(c *checks, pkg, dir string, env map[string]string) *function {
	f := &function{pkg: pkg, name: s.Name, dir: dir}
	if !entityName.MatchString(s.Name) {
		c.fail("name: not a name")
	}
	if s.Runtime != runtime {
		c.fail("runtime: want %q, the deployed one", runtime)
	}
	if !s.LocalBuild || s.RemoteBuild {
		c.fail("localBuild: must be true and remoteBuild unset: a remote build does not see the root go.mod")
	}
	c.refuse("file", s.File, "the function is its folder")
	c.refuse("main", s.Main, "a function has its own main()")
	c.refuse("docker", s.Docker, "not supported here")
	c.refuse("binary", s.Binary, "not supported here")
	c.refuse("sequence", s.Sequence, "not supported here")
	c.noParameters(s.Parameters)
	f.web = c.web(s.Web)
	f.secret = c.webSecure(s.WebSecure)
	f.customOptions = c.annotation(s.Annotations, "web-custom-options")
	f.provideKey = c.annotation(s.Annotations, "provide-api-key")
	for _, owned := range []string{"web-export", "raw-http", "require-whisk-auth"} {
		if _, ok := s.Annotations[owned]; ok {
			c.fail("annotations: %s is set by web and webSecure", owned)
		}
	}
	f.env = c.environment(env, s.Environment)
	f.limits = c.limits(s.Limits)
	for _, t := range s.Triggers {
		f.triggers = append(f.triggers, t.trigger(c)...)
	}
	c.folder(dir)
	return f
}

func (c *checks) noParameters(p map[string]yaml.Node) {
	if len(p) > 0 {
		c.fail("parameters: a call may not name a predefined one, so use environment instead")
	}
}

// web refuses the platform's default, which is public and parsed.
func (c *checks) web(n yaml.Node) bool {
	switch {
	case n.Kind == 0:
		c.fail("web: say raw or false; left out, the platform makes the function public")
	case n.Value == "true":
		c.fail("web: true (parsed) is not supported here: use raw, which keeps the request whole")
	case n.Value != "raw" && n.Value != "false":
		c.fail("web: want raw or false")
	}
	return n.Value == "raw"
}

func (c *checks) webSecure(n yaml.Node) string {
	if !truthy(n) {
		return ""
	}
	if n.Tag != "!!str" {
		c.fail("webSecure: want a secret as a string, or false")
		return ""
	}
	return n.Value
}

func (c *checks) annotation(all map[string]yaml.Node, key string) bool {
	n, ok := all[key]
	if ok && n.Tag != "!!bool" {
		c.fail("annotations: %s: want true or false", key)
	}
	return n.Value == "true"
}

// environment adds own to the inherited values. A number is refused because
// the function would get it as JSON text on the platform.
func (c *checks) environment(inherited map[string]string, own map[string]yaml.Node) map[string]string {
	env := make(map[string]string, len(inherited)+len(own))
	for k, v := range inherited {
		env[k] = v
	}
	for k, n := range own {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
			c.fail("environment: %s: must be a string: quote it", k)
		}
		if !variableName.MatchString(k) {
			c.fail("environment: %s: not a variable's name", k)
		}
		env[k] = n.Value
	}
	return env
}

func (c *checks) limits(own map[string]yaml.Node) limits {
	l := struct{ timeout, memory, logs int }{3000, 256, 16} // undeclared, a timeout is 3 s
	known := []struct {
		key      string
		to       *int
		min, max int
	}{
		{"timeout", &l.timeout, 100, 900_000},
		{"memory", &l.memory, 128, 1024},
		{"logs", &l.logs, 0, 256},
	}
	left := len(own)
	for _, k := range known {
		n, ok := own[k.key]
		if !ok {
			continue
		}
		left--
		if n.Tag != "!!int" || n.Decode(k.to) != nil || *k.to < k.min || *k.to > k.max {
			c.fail("limits: %s: want a number from %d to %d", k.key, k.min, k.max)
		}
	}
	if left > 0 {
		c.fail("limits: only timeout, memory and logs can be set")
	}
	return limits{timeout: time.Duration(l.timeout) * time.Millisecond, memory: l.memory, logs: l.logs}
}

// folder checks what the deployer needs to find: without build.sh it would
// build remotely, and without .include it would upload the sources.
func (c *checks) folder(dir string) {
	info, err := os.Stat(filepath.Join(dir, "build.sh"))
	switch {
	case err != nil:
		c.fail("packages/%s has no build.sh: copy another function's", filepath.Base(filepath.Dir(dir))+"/"+filepath.Base(dir))
	case info.Mode()&0o111 == 0:
		c.fail("build.sh is not executable: chmod +x it")
	}
	include, err := os.ReadFile(filepath.Join(dir, ".include")) //nolint:gosec // within the project
	if err != nil || strings.TrimSpace(string(include)) != "exec" {
		c.fail(".include must list exec and nothing else")
	}
	if _, err := os.Stat(filepath.Join(dir, ".ignore")); err == nil {
		c.fail(".ignore beside .include is refused by the platform: remove it")
	}
}
