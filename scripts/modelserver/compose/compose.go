// Package compose is the mind of the offline model: it answers the tasks of
// lib/prompt from the material in the prompt alone, by copying sentences. It
// knows no facts, so it can't make any up, and of the world only a few words
// that go together (places, facets); the same question gives the same answer.
//
// It is no language model. It stands in for one where there is no key, and
// its articles are what a careful person with scissors would make of the
// sources.
package compose

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
)

// Composer composes answers. It is stateless and safe for concurrent use.
type Composer struct{}

// New returns a Composer.
func New() *Composer { return &Composer{} }

// confused is the answer to everything that is no task of ours.
const confused = "I am the offline model of Blog-Poster. I can only do its own tasks, " +
	"from the sources given with them, and I found none of these tasks in your message."

var task = regexp.MustCompile(`(?m)^Task: ([a-z]+)[ \t]*$`)

// Compose answers the last of messages, which are the user's and the model's
// in turn, the user's first. A schema asks for JSON. A conversation it can't
// make sense of gets an answer in prose that says so, as from a confused
// model.
func (c *Composer) Compose(ctx context.Context, system string, messages []string, schema json.RawMessage) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if len(messages) == 0 {
		return "", errors.New("compose: no message to answer")
	}
	last := messages[len(messages)-1]
	if answer, ok := c.answer(system, last, len(schema) > 0); ok {
		return answer, nil
	}
	if len(messages) < 3 {
		return confused, nil
	}
	whole, ok := c.answer(system, messages[0], len(schema) > 0)
	if !ok {
		return confused, nil
	}
	written := messages[len(messages)-2]
	if rest, found := strings.CutPrefix(whole, written); found && rest != "" && len(schema) == 0 {
		return rest, nil // cut off: the rest, exactly
	}
	return whole, nil // it did not fit: again, all of it
}

// answer does the task that message names, if it names one.
func (c *Composer) answer(system, message string, asJSON bool) (string, bool) {
	m := task.FindStringSubmatch(message)
	if m == nil {
		return "", false
	}
	in := material{system: system, user: message}
	var out any
	switch m[1] {
	case "digest":
		out = digest(in)
	case "outline":
		out = outline(in)
	case "section":
		return section(in), !asJSON
	case "metadata":
		out = describe(in)
	case "claims":
		out = claims(in)
	case "verdicts":
		out = verdicts(in)
	case "repair":
		out = repair(in)
	default:
		return "", false
	}
	raw, err := json.Marshal(out)
	return string(raw), err == nil && asJSON
}

// material is what a prompt brings.
type material struct{ system, user string }

// tag is a piece of it.
type tag struct {
	attrs map[string]string
	inner string // as it stands, escaped, with the tags inside
}

var attribute = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)

// find lists the tags of that name in s. What is inside a tag is escaped, so
// the first closing tag is its own.
func find(s, name string) []tag {
	var out []tag
	for {
		i := strings.Index(s, "<"+name)
		if i < 0 {
			return out
		}
		s = s[i+1+len(name):]
		head, rest, ok := strings.Cut(s, ">")
		if !ok {
			return out
		}
		if head != "" && head[0] != ' ' { // another, longer name
			continue
		}
		inner, after, ok := strings.Cut(rest, "</"+name+">")
		if !ok {
			return out
		}
		t := tag{attrs: map[string]string{}, inner: inner}
		for _, a := range attribute.FindAllStringSubmatch(head, -1) {
			t.attrs[a[1]] = unescape(a[2])
		}
		out = append(out, t)
		s = after
	}
}

// text is what stands in the tag before any tag inside.
func (t tag) text() string {
	before, _, _ := strings.Cut(t.inner, "<")
	return strings.TrimSpace(unescape(before))
}

// one is the text of the only tag of that name, "" when there is none.
func one(s, name string) string {
	if all := find(s, name); len(all) > 0 {
		return all[0].text()
	}
	return ""
}

var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&amp;", "&")

func unescape(s string) string { return entities.Replace(s) }

// commas splits a list as it stands in a prompt.
func commas(s string) []string {
	var out []string
	for _, p := range strings.Split(s, ",") {
		if p = strings.TrimSpace(p); p != "" && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}
