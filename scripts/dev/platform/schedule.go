package platform

import (
	"context"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"go.yaml.in/yaml/v3"
)

// maxTriggers is the platform's cap on scheduled triggers.
const maxTriggers = 3

// trigger invokes its function by the clock, with a fixed event.
type trigger struct {
	name, cron string
	at         cron.Schedule
	body       json.RawMessage
}

// triggerSpec is the documented form.
type triggerSpec struct {
	Name          string `yaml:"name"`
	SourceType    string `yaml:"sourceType"`
	Enabled       *bool  `yaml:"enabled"`
	SourceDetails struct {
		Cron     string               `yaml:"cron"`
		WithBody map[string]yaml.Node `yaml:"withBody"`
	} `yaml:"sourceDetails"`
}

var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// numericField is all the deployer accepts: no names, no @hourly, no "?".
var numericField = regexp.MustCompile(`^[0-9*/,-]+$`)

// trigger returns nothing for a disabled or refused one.
func (s *triggerSpec) trigger(c *checks) []trigger {
	defer func(at string) { c.at = at }(c.at)
	c.at += ": trigger " + s.Name
	if !entityName.MatchString(s.Name) {
		c.fail("name: not a name")
	}
	if s.SourceType != "scheduler" {
		c.fail("sourceType: want scheduler")
	}
	at := c.cron(s.SourceDetails.Cron)
	event := map[string]any{}
	for k, n := range s.SourceDetails.WithBody {
		var v any
		if err := n.Decode(&v); err != nil {
			c.fail("withBody: %s: %v", k, err)
		}
		event[k] = v
	}
	body, err := json.Marshal(event)
	if err != nil {
		c.fail("withBody: %v", err)
	}
	if at == nil || s.Enabled != nil && !*s.Enabled {
		return nil
	}
	return []trigger{{name: s.Name, cron: s.SourceDetails.Cron, at: at, body: body}}
}

func (c *checks) cron(expr string) cron.Schedule {
	fields := strings.Fields(expr)
	if len(fields) != 5 {
		c.fail("cron: want five fields: minute hour day month weekday")
		return nil
	}
	for i, size := range []int{60, 24, 0, 12, 0} { // a month's days have no common measure
		if !numericField.MatchString(fields[i]) {
			c.fail("cron: field %d: the platform takes digits and * / , - only", i+1)
			return nil
		}
		if _, step, ok := strings.Cut(fields[i], "*/"); ok && size > 0 {
			if n, err := strconv.Atoi(step); err != nil || n <= 0 || size%n != 0 {
				c.fail("cron: field %d: a step must divide %d", i+1, size)
				return nil
			}
		}
	}
	at, err := cronParser.Parse(expr)
	if err != nil {
		c.fail("cron: %v", err)
		return nil
	}
	return at
}

// due reports whether the schedule names this minute. The platform does not
// say which zone it means; UTC is assumed.
func (t trigger) due(minute time.Time) bool {
	minute = minute.UTC().Truncate(time.Minute)
	return t.at.Next(minute.Add(-time.Second)).Equal(minute)
}

// schedule fires triggers until ctx ends, each as an asynchronous invocation.
// Minutes the machine slept through are gone, as they are on the platform.
func (ns *namespace) schedule(ctx context.Context, ticks <-chan time.Time) {
	if ticks == nil {
		ticks = minutes(ctx)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticks:
			ns.fire(now)
		}
	}
}

func (ns *namespace) fire(now time.Time) {
	for _, f := range ns.functions {
		for _, t := range f.triggers {
			if !t.due(now) {
				continue
			}
			if _, err := ns.invoke(f, t.body, keepRecord); err != nil {
				ns.cfg.Log.Warn("trigger lost", "trigger", t.name, "fn", f.path(), "err", err)
			}
		}
	}
}

// minutes sends the start of every minute.
func minutes(ctx context.Context) <-chan time.Time {
	ticks := make(chan time.Time)
	go func() {
		for {
			next := time.Now().Truncate(time.Minute).Add(time.Minute)
			timer := time.NewTimer(time.Until(next))
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			}
			select {
			case <-ctx.Done():
				return
			case ticks <- next:
			}
		}
	}()
	return ticks
}
