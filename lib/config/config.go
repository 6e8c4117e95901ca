// Package config is the only reader of the environment. A main asks for its
// variables by name, then looks at Err once: every fault is reported at the
// same time, one line a variable, before the first event is served.
//
//	env := config.OS()
//	db := env.Need("DATABASE_URL", "Postgres URL of the functions' role; `make up` writes one to .env")
//	ttl := env.Duration("LEASE_TTL", 90*time.Second)
//	if err := env.Err(); err != nil {
//		faas.Fail(err)
//	}
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// Env reads variables and remembers what was wrong with them. The values it
// returns may be used once Err has returned nil. It is not for concurrent use.
type Env struct {
	values map[string]string
	faults map[string]bool
	errs   []error
}

// New returns an Env over what environ lists as "NAME=value".
func New(environ func() []string) *Env {
	e := &Env{values: map[string]string{}, faults: map[string]bool{}}
	for _, pair := range environ() {
		name, value, _ := strings.Cut(pair, "=")
		// A secret pasted with its line break would otherwise fail far from
		// here, as a refused header or a wrong signature.
		e.values[name] = strings.TrimSpace(value)
	}
	return e
}

// OS returns an Env over the process's own environment.
func OS() *Env { return New(os.Environ) }

// Need returns a variable that has no default; how says where to get one. An
// empty value counts as not set: that is how an unfilled line in .env arrives.
func (e *Env) Need(name, how string) string {
	v := e.values[name]
	if v == "" {
		e.fault(name, fmt.Errorf("%s is not set: %s", name, how))
	}
	return v
}

// Get returns a variable, or def when it is not set.
func (e *Env) Get(name, def string) string {
	if v := e.values[name]; v != "" {
		return v
	}
	return def
}

// Duration returns a variable such as "90s", or def when it is not set. It
// must be above zero.
func (e *Env) Duration(name string, def time.Duration) time.Duration {
	v := e.values[name]
	if v == "" {
		return def
	}
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		e.fault(name, fmt.Errorf("%s is %s: use a Go duration such as 90s", name, shown(v)))
		return def
	}
	return d
}

// Int returns a variable that is a whole number, or def when it is not set.
// It must not be below zero.
func (e *Env) Int(name string, def int) int {
	v := e.values[name]
	if v == "" {
		return def
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		e.fault(name, fmt.Errorf("%s is %s: use a whole number such as 8", name, shown(v)))
		return def
	}
	return n
}

// URL returns a variable that is an absolute http or https URL, or def when it
// is not set. The fault doesn't show the value: a URL may carry a password.
func (e *Env) URL(name, def string) *url.URL {
	u, err := url.Parse(e.Get(name, def))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		e.fault(name, fmt.Errorf("%s is not an absolute URL: use one such as https://example.com", name))
		return &url.URL{}
	}
	return u
}

// NeedURL is URL for a variable that has no default.
func (e *Env) NeedURL(name, how string) *url.URL {
	if e.Need(name, how) == "" {
		return &url.URL{}
	}
	return e.URL(name, "")
}

// LogLevel returns LOG_LEVEL, or INFO when it is not set.
func (e *Env) LogLevel() slog.Level {
	const name = "LOG_LEVEL"
	var l slog.Level
	v := e.Get(name, "INFO")
	if err := l.UnmarshalText([]byte(v)); err != nil {
		e.fault(name, fmt.Errorf("%s is %s: use DEBUG, INFO, WARN or ERROR", name, shown(v)))
		return slog.LevelInfo
	}
	return l
}

// Err reports every fault in the order the variables were asked for, one line
// each, or nil.
func (e *Env) Err() error { return errors.Join(e.errs...) }

// fault keeps one line a variable, however often it is asked for.
func (e *Env) fault(name string, err error) {
	if !e.faults[name] {
		e.faults[name] = true
		e.errs = append(e.errs, err)
	}
}

// shown quotes a value, but not so much of it that a secret set under the
// wrong name could be used by who reads the log.
func shown(v string) string {
	const most = 12
	if len(v) > most {
		return strconv.Quote(strings.ToValidUTF8(v[:most], "")) + "…"
	}
	return strconv.Quote(v)
}
