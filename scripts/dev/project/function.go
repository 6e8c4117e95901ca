package project

import (
	"encoding/json"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Function is one deployed function as declared, without its processes.
type Function struct {
	Package, Name string
	Dir           string // its folder: sources, build.sh, exec
	Web           Web
	Secret        string // webSecure: what x-require-whisk-auth must say
	CustomOptions bool   // OPTIONS and CORS are the function's own
	ProvideKey    bool   // the namespace's key comes with each activation
	Env           map[string]string
	Parameters    map[string]json.RawMessage // in every event; no caller may name one
	Limits        Limits
	Triggers      []Trigger
}

// Web says what of an HTTP request a function sees.
type Web string

// The values of web, as project.yml spells them.
const (
	Private Web = "false" // not reachable by a web URL
	Parsed  Web = "true"  // query and body merged into the event
	Raw     Web = "raw"   // the request whole
)

// Limits are a function's own. Logs counts what the file says and is not
// enforced: all documented log limits are the platform's.
type Limits struct {
	Timeout time.Duration
	Memory  int // MB
	Logs    int
}

// Path is the function's name with its package, as URLs have it.
func (f *Function) Path() string { return f.Package + "/" + f.Name }

var entityName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@-]*$`)

// scope is what a function inherits from its package and project.
type scope struct {
	env        map[string]string
	parameters map[string]json.RawMessage
}

func (s *projectSpec) functions(c *checks) []*Function {
	c.at = "project"
	c.refuse("targetNamespace", s.TargetNamespace, "leave it to the deploy command")
	outer := scope{c.environment(nil, s.Environment), c.parameters(nil, s.Parameters)}
	var all []*Function
	seen := map[string]bool{}
	triggers := 0
	for _, p := range s.Packages {
		c.at = "package " + p.Name
		inner := p.scope(c, outer)
		for _, spec := range append(p.Functions, p.Actions...) {
			c.at = "function " + p.Name + "/" + spec.Name
			f := spec.function(c, p.Name, inner)
			if seen[f.Path()] {
				c.fail("declared twice")
			}
			seen[f.Path()] = true
			triggers += len(spec.Triggers)
			all = append(all, f)
		}
	}
	c.at = "triggers"
	if triggers > MaxTriggers {
		c.fail("%d are declared, the platform takes %d: let one function fan out", triggers, MaxTriggers)
	}
	return all
}

func (p *packageSpec) scope(c *checks, outer scope) scope {
	if !entityName.MatchString(p.Name) {
		c.fail("name: not a name")
	}
	c.refuse("binding", p.Binding, "not supported here")
	c.refuse("web", p.Web, "say web on each function")
	c.refuse("shared", p.Shared, "not supported here")
	for key := range p.Annotations {
		c.fail("annotations: %s: put it on each function", key)
	}
	return scope{c.environment(outer.env, p.Environment), c.parameters(outer.parameters, p.Parameters)}
}

func (s *functionSpec) function(c *checks, pkg string, outer scope) *Function {
	f := &Function{Package: pkg, Name: s.Name, Dir: path.Join("packages", pkg, s.Name)}
	if !entityName.MatchString(s.Name) {
		c.fail("name: not a name")
	}
	if s.Runtime != Runtime {
		c.fail("runtime: want %q, the deployed one", Runtime)
	}
	if !s.LocalBuild || s.RemoteBuild {
		c.fail("localBuild: must be true and remoteBuild unset: a remote build does not see the root go.mod")
	}
	c.refuse("file", s.File, "the function is its folder")
	c.refuse("main", s.Main, "a function has its own main()")
	c.refuse("docker", s.Docker, "not supported here")
	c.refuse("binary", s.Binary, "not supported here")
	c.refuse("sequence", s.Sequence, "not supported here")
	f.Web = c.web(s.Web)
	f.Secret = c.webSecure(s.WebSecure)
	f.CustomOptions = c.annotation(s.Annotations, "web-custom-options")
	f.ProvideKey = c.annotation(s.Annotations, "provide-api-key")
	for _, owned := range []string{"web-export", "raw-http", "require-whisk-auth", "final"} {
		if _, ok := s.Annotations[owned]; ok {
			c.fail("annotations: %s is set by the deployer, from web and webSecure", owned)
		}
	}
	f.Env = c.environment(outer.env, s.Environment)
	f.Parameters = c.parameters(outer.parameters, s.Parameters)
	f.Limits = c.limits(s.Limits)
	for _, t := range s.Triggers {
		f.Triggers = append(f.Triggers, t.trigger(c)...)
	}
	c.folder(f)
	return f
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

// web refuses the platform's default, which is public and parsed, because
// nobody would see it in the file.
func (c *checks) web(n yaml.Node) Web {
	switch w := Web(n.Value); {
	case n.Kind == 0:
		c.fail("web: say raw, true or false; left out, the platform makes the function public")
	case n.Kind != yaml.ScalarNode || w != Private && w != Parsed && w != Raw:
		c.fail("web: want raw, true or false")
	default:
		return w
	}
	return Private
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
	maps.Copy(env, inherited)
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

func (c *checks) parameters(inherited map[string]json.RawMessage, own map[string]yaml.Node) map[string]json.RawMessage {
	all := make(map[string]json.RawMessage, len(inherited)+len(own))
	maps.Copy(all, inherited)
	for k, n := range own {
		value, err := asJSON(n)
		if err != nil {
			c.fail("parameters: %s: has no JSON form", k)
		}
		all[k] = value
	}
	return all
}

// asJSON is a value as the platform stores it. A YAML map with keys that are no
// strings has no such form.
func asJSON(n yaml.Node) (json.RawMessage, error) {
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

func (c *checks) limits(own map[string]yaml.Node) Limits {
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
	return Limits{Timeout: time.Duration(l.timeout) * time.Millisecond, Memory: l.memory, Logs: l.logs}
}

// folder checks what the deployer needs to find: without build.sh it would
// build remotely, and without .include it would upload the sources.
func (c *checks) folder(f *Function) {
	info, err := fs.Stat(c.root, path.Join(f.Dir, "build.sh"))
	switch {
	case err != nil:
		c.fail("%s has no build.sh: copy another function's", f.Dir)
	case info.Mode()&0o111 == 0:
		c.fail("build.sh is not executable: chmod +x it")
	}
	include, err := fs.ReadFile(c.root, path.Join(f.Dir, ".include"))
	if err != nil || strings.TrimSpace(string(include)) != "exec" {
		c.fail(".include must list exec and nothing else")
	}
	if _, err := fs.Stat(c.root, path.Join(f.Dir, ".ignore")); err == nil {
		c.fail(".ignore beside .include is refused by the platform: remove it")
	}
}
