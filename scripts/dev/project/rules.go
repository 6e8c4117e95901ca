package project

import (
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Check holds a project to all that Load refuses and to this repository's own
// rules, which keep a deploy from doing what nobody wrote: explicit web and
// limits, values from outside by quoted placeholders that .env.example explains, triggers with names of their own, a folder for every
// entry and an entry for every folder, nothing public but the functions listed
// in public, each of them raw. It needs no setting and no built code; code
// that is there must be small enough.
func Check(root fs.FS, public []string) []Fault {
	c := &checks{root: root, at: "file"}
	text, err := fs.ReadFile(root, "project.yml")
	if err != nil {
		c.fail("%v", err)
		return c.faults
	}
	c.placeholders(string(text))
	spec, functions := c.read(placeholder.ReplaceAllString(string(text), filledIn))
	if spec == nil {
		return c.faults // all else would be said of an empty file
	}
	c.declared(spec)
	c.settings(spec)
	c.distinct(spec)
	for _, f := range functions {
		c.at = "function " + f.Path()
		c.exposure(f, public)
		c.code(f)
	}
	c.allowed(functions, public)
	c.folders(functions)
	return c.faults
}

// placeholders must each be a quoted value and be explained in .env.example. A
// value that is not quoted may turn into a number or a list once filled in.
func (c *checks) placeholders(text string) {
	known := c.explained()
	for _, m := range placeholder.FindAllString(text, -1) {
		name := strings.TrimSuffix(strings.TrimPrefix(m, "${"), "}")
		switch {
		case !variableName.MatchString(name):
			c.fail("%s: only ${NAME} is supported", m)
		case known != nil && !known[name]:
			c.fail("%s is not in .env.example: say there what it is", m)
		}
	}
	var document yaml.Node
	if yaml.Unmarshal([]byte(text), &document) == nil { // read says what is wrong with a broken one
		c.quoted(&document)
	}
}

func (c *checks) quoted(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "${") && n.Style&yaml.DoubleQuotedStyle == 0 {
		c.fail("line %d: put %s into double quotes", n.Line, n.Value)
	}
	for _, inner := range n.Content {
		c.quoted(inner)
	}
}

var exampleLine = regexp.MustCompile(`(?m)^([A-Za-z_][A-Za-z0-9_]*)=`)

// explained are the variables of .env.example; nil without it.
func (c *checks) explained() map[string]bool {
	text, err := fs.ReadFile(c.root, ".env.example")
	if err != nil {
		c.fail("%v: it explains every variable", err)
		return nil
	}
	known := map[string]bool{}
	for _, m := range exampleLine.FindAllStringSubmatch(string(text), -1) {
		known[m[1]] = true
	}
	return known
}

// filledIn stands for what a placeholder will be.
const filledIn = "filled in"

// settings wants every value of an environment to come from outside: one that
// is written out lies in git, and may be a secret.
func (c *checks) settings(spec *projectSpec) {
	c.at = "project"
	c.fromOutside(spec.Environment)
	for _, p := range spec.Packages {
		c.at = "package " + p.Name
		c.fromOutside(p.Environment)
		for _, f := range append(p.Functions, p.Actions...) {
			c.at = "function " + p.Name + "/" + f.Name
			c.fromOutside(f.Environment)
		}
	}
}

func (c *checks) fromOutside(environment map[string]yaml.Node) {
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		value := environment[name]
		switch {
		case strings.HasPrefix(name, "__OW_"):
			c.fail("environment: %s: the platform sets it: leave it out", name)
		case value.ShortTag() == "!!str" && value.Value != filledIn: // read says what is wrong with other kinds
			c.fail("environment: %s: its value lies in git: write \"${%s}\" alone, and the value into .env", name, name)
		}
	}
}

// distinct wants each trigger a name of its own: they are the namespace's, and
// of two with one name the deployer deletes the first to make the second.
func (c *checks) distinct(spec *projectSpec) {
	by := map[string]string{}
	for _, p := range spec.Packages {
		for _, f := range append(p.Functions, p.Actions...) {
			c.at = "function " + p.Name + "/" + f.Name
			for _, t := range f.Triggers {
				if first, taken := by[t.Name]; taken {
					c.fail("trigger %s: %s has one of this name, which would be deleted: name it otherwise", t.Name, first)
					continue
				}
				by[t.Name] = p.Name + "/" + f.Name
			}
		}
	}
}

// declared wants every limit said: an undeclared timeout is three seconds.
func (c *checks) declared(spec *projectSpec) {
	for _, p := range spec.Packages {
		for _, f := range append(p.Functions, p.Actions...) {
			c.at = "function " + p.Name + "/" + f.Name
			for _, key := range []string{"timeout", "memory", "logs"} {
				if _, ok := f.Limits[key]; !ok {
					c.fail("limits: %s: say it; the platform's own is seldom meant", key)
				}
			}
		}
	}
}

// exposure keeps the public surface to the list, and raw: a parsed function
// loses repeated keys, and refuses callers who name a predefined parameter.
func (c *checks) exposure(f *Function, public []string) {
	if f.Web == Private {
		return
	}
	if !slices.Contains(public, f.Path()) {
		c.fail("web: public, but not on the list of public functions: set web: false, or add it to the list")
	}
	if f.Web == Parsed {
		c.fail("web: want raw, which keeps the request whole")
		if len(f.Parameters) > 0 {
			c.fail("parameters: a caller who names %s is refused: use environment", strings.Join(slices.Sorted(maps.Keys(f.Parameters)), ", "))
		}
	}
}

// allowed keeps the list itself true.
func (c *checks) allowed(functions []*Function, public []string) {
	c.at = "public functions"
	for _, name := range public {
		if !strings.HasPrefix(name, "api/") {
			c.fail("%s: only the package api is public", name)
		}
		if !slices.ContainsFunc(functions, func(f *Function) bool { return f.Path() == name && f.Web != Private }) {
			c.fail("%s: on the list, but no public function: take it off", name)
		}
	}
}

func (c *checks) code(f *Function) {
	info, err := fs.Stat(c.root, path.Join(f.Dir, "exec"))
	if err != nil {
		return // not built; the platform checks again when it is uploaded
	}
	c.size(info.Size())
}

// folders wants an entry for every folder: the deployer deploys a folder
// without one too, with the platform's defaults, and so in public.
func (c *checks) folders(functions []*Function) {
	c.at = "folders"
	found, _ := fs.Glob(c.root, "packages/*/*") // the pattern is well-formed
	for _, dir := range found {
		if info, err := fs.Stat(c.root, dir); err != nil || !info.IsDir() {
			c.fail("%s: a function is a folder; this would be deployed as one: move it", dir)
			continue
		}
		if !slices.ContainsFunc(functions, func(f *Function) bool { return f.Dir == dir }) {
			c.fail("%s has no entry: it would be deployed in public: add one with web: false, or remove the folder", dir)
		}
	}
}
