package project

import (
	"bytes"
	"errors"
	"io"
	"regexp"

	"go.yaml.in/yaml/v3"
)

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

// quoted is how the YAML package shows a value, which may be a secret here.
var quoted = regexp.MustCompile(" `[^`]*`")

// decode takes one document whose every key is known. Its errors name lines and
// keys, never values.
func decode(text string) (*projectSpec, error) {
	dec := yaml.NewDecoder(bytes.NewBufferString(text))
	dec.KnownFields(true)
	var spec projectSpec
	if err := dec.Decode(&spec); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New(quoted.ReplaceAllString(err.Error(), ""))
	}
	return &spec, nil
}
