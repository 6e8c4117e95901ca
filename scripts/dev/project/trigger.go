package project

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"go.yaml.in/yaml/v3"
)

// MaxTriggers is the platform's cap on scheduled triggers, of a namespace and
// switched off ones included.
const MaxTriggers = 3

// Trigger invokes its function by the clock, with a fixed event.
type Trigger struct {
	Name, Cron string
	Body       json.RawMessage
	at         cron.Schedule
}

// Due reports whether the schedule names this minute. The platform does not
// say which zone it means; UTC is assumed.
func (t Trigger) Due(minute time.Time) bool {
	minute = minute.UTC().Truncate(time.Minute)
	return t.at.Next(minute.Add(-time.Second)).Equal(minute)
}

// triggerSpec has the keys of both forms: the documented one (sourceType,
// sourceDetails) and the one the deployer makes of it (type, scheduledDetails).
type triggerSpec struct {
	Name          string `yaml:"name"`
	Enabled       *bool  `yaml:"enabled"`
	SourceType    string `yaml:"sourceType"`
	SourceDetails *struct {
		Cron     string               `yaml:"cron"`
		WithBody map[string]yaml.Node `yaml:"withBody"`
	} `yaml:"sourceDetails"`
	Type             string `yaml:"type"`
	ScheduledDetails *struct {
		Cron string               `yaml:"cron"`
		Body map[string]yaml.Node `yaml:"body"`
	} `yaml:"scheduledDetails"`
}

// details reads one form or the other.
func (s *triggerSpec) details(c *checks) (expr string, body map[string]yaml.Node, ok bool) {
	older, newer := s.SourceType != "" || s.SourceDetails != nil, s.Type != "" || s.ScheduledDetails != nil
	switch {
	case older == newer:
		c.fail("want either sourceType and sourceDetails, or type and scheduledDetails")
	case older && s.SourceType != "scheduler":
		c.fail("sourceType: want scheduler")
	case newer && s.Type != "scheduled":
		c.fail("type: want scheduled")
	case older && s.SourceDetails != nil:
		return s.SourceDetails.Cron, s.SourceDetails.WithBody, true
	case newer && s.ScheduledDetails != nil:
		return s.ScheduledDetails.Cron, s.ScheduledDetails.Body, true
	default:
		c.fail("the details with its cron are missing")
	}
	return "", nil, false
}

// trigger returns nothing for a disabled or refused one.
func (s *triggerSpec) trigger(c *checks) []Trigger {
	defer func(at string) { c.at = at }(c.at)
	c.at += ": trigger " + s.Name
	if !entityName.MatchString(s.Name) {
		c.fail("name: not a name")
	}
	expr, body, ok := s.details(c)
	if !ok {
		return nil
	}
	at := c.cron(expr)
	event := map[string]json.RawMessage{}
	for k, n := range body {
		value, err := asJSON(n)
		if err != nil {
			c.fail("body: %s: has no JSON form", k)
			return nil
		}
		event[k] = value
	}
	if at == nil || s.Enabled != nil && !*s.Enabled {
		return nil
	}
	text, _ := json.Marshal(event) // of JSON: cannot fail
	return []Trigger{{Name: s.Name, Cron: expr, at: at, Body: text}}
}

var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// numericField is all the deployer accepts: no names, no @hourly, no "?".
var numericField = regexp.MustCompile(`^[0-9*/,-]+$`)

func (c *checks) cron(expr string) cron.Schedule {
	fields := strings.Fields(expr)
	if len(fields) != 5 {
		c.fail("cron: want five fields: minute hour day month weekday")
		return nil
	}
	for i, size := range []int{60, 24, 31, 12, 7} {
		if !numericField.MatchString(fields[i]) {
			c.fail("cron: field %d: the platform takes digits and * / , - only", i+1)
			return nil
		}
		for part := range strings.SplitSeq(fields[i], ",") {
			if _, step, ok := strings.Cut(part, "/"); ok && !divides(step, size) {
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

func divides(step string, size int) bool {
	n, err := strconv.Atoi(step)
	return err == nil && n > 0 && size%n == 0
}
