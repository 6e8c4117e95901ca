package platform

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"blogposter/lib/config"
	"blogposter/scripts/dev/project"
)

// AccessKeyVariable names the namespace's access key, as id:secret. Functions
// that invoke others get it through their environment like any other setting.
const AccessKeyVariable = "FUNCTIONS_ACCESS_KEY"

// ListenVariable names the address to serve on.
const ListenVariable = "PLATFORM_LISTEN"

// coverVariable names the directory where programs built with coverage leave
// their counters. Functions get it when the platform itself has it.
const coverVariable = "GOCOVERDIR"

// DefaultListen is where the platform serves unless told otherwise.
const DefaultListen = "127.0.0.1:3233"

// Config says what to run and how far to bend the platform's constants for a
// test. Only Project is required; zero values are the platform's own.
type Config struct {
	Project   string            // directory of project.yml
	Listen    string            // host:port; port 0 takes a free one
	Namespace string            // "local"
	Env       map[string]string // variables for project.yml; they win over .env
	EnvFile   string            // instead of .env beside project.yml
	AccessKey string            // id:secret; else the variable AccessKeyVariable
	LogDir    string            // each function's log, appended; "" keeps none
	Also      []Tenant          // further namespaces, a colour say
	Build     bool              // run every build.sh first
	Log       *slog.Logger      // what the platform itself has to say

	NoTriggers bool   // leave the schedule alone
	Clock      *Clock // for what goes by the clock; the machine's
	Control    bool   // open the interface that steps Clock and injects faults
	CoverDir   string // GOCOVERDIR of functions; the platform's own

	Concurrency int           // activations of a namespace at once; 120
	PerMinute   int           // calls of a namespace in a minute; 600
	AckTimeout  time.Duration // from spawn to acknowledgement; 10 s
	IdleAfter   time.Duration // a warm process is ended after this; 10 min
	Wait        time.Duration // a blocking or web call becomes asynchronous after this; 30 s
	Grace       time.Duration // Close lets running activations finish for this long; none
	ExitGrace   time.Duration // a process whose stdin is closed may take this long to end; 2 s
}

// Tenant is one more namespace: a project, an environment and a key of its
// own. It shares nothing with the others but the listener and the constants.
type Tenant struct {
	Name      string
	Project   string
	Env       map[string]string
	EnvFile   string
	AccessKey string
	LogDir    string
}

func (c *Config) setDefaults() error {
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.Namespace == "" {
		c.Namespace = "local"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.CoverDir == "" {
		c.CoverDir = config.OS().Get(coverVariable, "")
	}
	if c.CoverDir != "" { // functions run in another directory
		var err error
		if c.CoverDir, err = filepath.Abs(c.CoverDir); err != nil {
			return err
		}
	}
	orDefault(&c.Concurrency, 120)
	orDefault(&c.PerMinute, 600)
	orDefault(&c.AckTimeout, 10*time.Second)
	orDefault(&c.IdleAfter, 10*time.Minute)
	orDefault(&c.Wait, 30*time.Second)
	orDefault(&c.ExitGrace, 2*time.Second)
	return nil
}

func orDefault[T comparable](to *T, value T) {
	var none T
	if *to == none {
		*to = value
	}
}

// tenants are all namespaces, the Config's own first.
func (c *Config) tenants() []Tenant {
	own := Tenant{Name: c.Namespace, Project: c.Project, Env: c.Env, EnvFile: c.EnvFile, AccessKey: c.AccessKey, LogDir: c.LogDir}
	return append([]Tenant{own}, c.Also...)
}

// load reads the tenant's project and settles its key.
func (t *Tenant) load() (*project.Project, error) {
	p, err := project.Load(t.Project, t.EnvFile, t.Env)
	if err != nil {
		return nil, err
	}
	if t.AccessKey == "" {
		t.AccessKey = p.Variables[AccessKeyVariable]
	}
	if id, secret, ok := strings.Cut(t.AccessKey, ":"); !ok || id == "" || secret == "" {
		return nil, fmt.Errorf("%s must be id:secret, for example dof_v1_local:local: put it into %s or the environment", AccessKeyVariable, p.EnvFile)
	}
	return p, nil
}
