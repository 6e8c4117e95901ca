// Package prompt holds the prompts as files, in sets that are never changed
// once a Run was pinned to them: a better prompt is a new set.
//
// A file has a system part, stable for a site so that the provider can cache
// it, and a user part with the material. Material stands in tags and is
// escaped, so that no page can close its tag and speak as the user.
package prompt

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"blogposter/lib/fault"
)

// Current is the set new Runs are pinned to.
const Current = "v1"

//go:embed v1
var files embed.FS

// border parts a file into system and user.
const border = "\n=== user ===\n"

// Prompt is one loaded file. Version names it in the journal, such as
// "v1/digest". Schema is that of its answer, nil for prose.
type Prompt struct {
	Version string
	Schema  json.RawMessage

	system, user string
}

// deployed is how long to wait for a program that has a set. While a release
// is rolled out, a Run may be pinned to a set that the older one never saw.
const deployed = 10 * time.Minute

// Load reads a prompt of a set. A set that this program lacks is fault.NotYet;
// whatever is wrong within a set is fault.KindPermanent, since a set is never
// changed.
func Load(set, name string) (Prompt, error) {
	if _, err := fs.Stat(files, set); err != nil && set != "" {
		return Prompt{}, fault.NotYet(fmt.Errorf("prompt set %q is not in this program, which has %s: deploy the release that has it", set, sets()), deployed)
	}
	p, err := load(set, name)
	if err != nil {
		return Prompt{}, fault.Permanent(err)
	}
	return p, nil
}

// sets lists what this program has.
func sets() string {
	dirs, err := files.ReadDir(".")
	if err != nil {
		return err.Error()
	}
	names := make([]string, 0, len(dirs))
	for _, d := range dirs {
		names = append(names, d.Name())
	}
	return strings.Join(names, ", ")
}

func load(set, name string) (Prompt, error) {
	p := Prompt{Version: set + "/" + name}
	raw, err := files.ReadFile(p.Version + ".md")
	if err != nil {
		return Prompt{}, fmt.Errorf("prompt %s is not in this program: %w", p.Version, err)
	}
	system, user, ok := strings.Cut(string(raw), border)
	if !ok {
		return Prompt{}, fmt.Errorf("prompt %s has no line %q between its system and user parts", p.Version, strings.TrimSpace(border))
	}
	p.system, p.user = strings.TrimSpace(system), strings.TrimSpace(user)
	p.Schema, err = files.ReadFile(p.Version + ".json")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Prompt{}, fmt.Errorf("schema of prompt %s: %w", p.Version, err)
	}
	return p, nil
}

// Vars are the values of a prompt's slots: a string, an int or []Tag.
// In the user part strings are escaped.
type Vars map[string]any

var slot = regexp.MustCompile(`\{\{([a-z_]+)\}\}`)

// Render fills in the slots. A slot without a value, and a
// value without a slot, is an error: both are mistakes in a program,
// and either would change what a model is asked without a trace.
func (p Prompt) Render(vars Vars) (system, user string, err error) {
	used := map[string]bool{}
	system, err = p.fill(p.system, vars, used, func(s string) string { return s })
	if err == nil {
		user, err = p.fill(p.user, vars, used, Escape)
	}
	if err != nil {
		return "", "", err
	}
	for name := range vars {
		if !used[name] {
			err = errors.Join(err, fmt.Errorf("prompt %s has no place for {{%s}}", p.Version, name))
		}
	}
	return system, user, err
}

func (p Prompt) fill(part string, vars Vars, used map[string]bool, escape func(string) string) (string, error) {
	var errs []error
	out := slot.ReplaceAllStringFunc(part, func(m string) string {
		name := m[2 : len(m)-2]
		used[name] = true
		switch v := vars[name].(type) {
		case string:
			return escape(v)
		case int:
			return strconv.Itoa(v)
		case []Tag:
			return join(v)
		case nil:
			errs = append(errs, fmt.Errorf("prompt %s needs {{%s}}", p.Version, name))
		default:
			errs = append(errs, fmt.Errorf("prompt %s: {{%s}} is a %T: give a string, an int or []Tag", p.Version, name, v))
		}
		return ""
	})
	return out, errors.Join(errs...)
}

// Tag is a piece of material: <page n="1" url="…">text</page>. Attrs are
// names and values in turn. Inside stand its Text, then its Tags.
type Tag struct {
	Name  string
	Attrs []string
	Text  string
	Tags  []Tag
}

func (t Tag) String() string {
	var b strings.Builder
	b.WriteString("<" + t.Name)
	for pair := range slices.Chunk(t.Attrs, 2) {
		fmt.Fprintf(&b, ` %s="%s"`, pair[0], quoted.Replace(pair[1]))
	}
	b.WriteString(">" + Escape(t.Text))
	if len(t.Tags) > 0 {
		b.WriteString("\n" + join(t.Tags) + "\n")
	}
	b.WriteString("</" + t.Name + ">")
	return b.String()
}

func join(tags []Tag) string {
	lines := make([]string, 0, len(tags))
	for _, t := range tags {
		lines = append(lines, t.String())
	}
	return strings.Join(lines, "\n")
}

var (
	escaped   = strings.NewReplacer("&", "&amp;", "<", "&lt;")
	quoted    = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\n", " ", "\r", " ")
	unescaped = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&amp;", "&")
)

// Escape makes text safe to stand inside a tag.
func Escape(text string) string { return escaped.Replace(text) }

// Unescape turns Escape back. A model may copy a quote in either form.
func Unescape(text string) string { return unescaped.Replace(text) }
