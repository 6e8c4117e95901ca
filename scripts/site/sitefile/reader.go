package sitefile

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// reader puts YAML into Go values and goes on after a fault, so that one look
// finds them all. yaml's own decoder names types and lines; this one names
// fields and what to write.
type reader struct{ faults []Fault }

func (r *reader) fault(field, format string, args ...any) {
	r.faults = append(r.faults, Fault{field, fmt.Sprintf(format, args...)})
}

// read puts a document into dst, a pointer to a struct.
func (r *reader) read(n *yaml.Node, dst any) { r.into(n, reflect.ValueOf(dst).Elem(), "") }

func (r *reader) into(n *yaml.Node, dst reflect.Value, field string) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		r.fault(field, "uses an anchor or alias: write the value out")
		return
	}
	if n.Tag == "!!null" {
		return // as if it were not there
	}
	if v, ok := dst.Addr().Interface().(value); ok {
		r.value(n, v, field)
		return
	}
	switch dst.Kind() { //nolint:exhaustive // a document has no other kinds
	case reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		r.into(n, dst.Elem(), field)
	case reflect.Struct:
		r.fields(n, dst, field)
	case reflect.Map:
		r.entries(n, dst, field)
	case reflect.Slice:
		r.items(n, dst, field)
	default:
		r.scalar(n, dst, field)
	}
}

func (r *reader) value(n *yaml.Node, v value, field string) {
	if n.Kind != yaml.ScalarNode {
		r.fault(field, "must be a single value, not a list or a section")
	} else if err := v.parse(n); err != nil {
		r.fault(field, "%s", err)
	}
}

func (r *reader) fields(n *yaml.Node, dst reflect.Value, field string) {
	if n.Kind != yaml.MappingNode {
		r.fault(orSite(field), "must be a section of its own: keys with values, indented below it")
		return
	}
	known, names := map[string]reflect.Value{}, []string{}
	for i := range dst.NumField() {
		name, _, _ := strings.Cut(dst.Type().Field(i).Tag.Get("yaml"), ",")
		known[name], names = dst.Field(i), append(names, name)
	}
	r.each(n, field, func(key string, n *yaml.Node) {
		at := under(field, key)
		if target, ok := known[key]; ok {
			r.into(n, target, at)
		} else if near := nearest(key, names); near != "" {
			r.fault(at, "is not a key of a site file: did you mean %s?", near)
		} else {
			r.fault(at, "is not a key of a site file: use one of %s", strings.Join(names, ", "))
		}
	})
}

func (r *reader) entries(n *yaml.Node, dst reflect.Value, field string) {
	if n.Kind != yaml.MappingNode {
		r.fault(field, "must be a section of its own: keys with values, indented below it")
		return
	}
	dst.Set(reflect.MakeMap(dst.Type()))
	r.each(n, field, func(key string, n *yaml.Node) {
		if strings.ContainsFunc(key, unseen) {
			r.fault(field, "has a key with a character that nobody sees: write it without")
		}
		entry := reflect.New(dst.Type().Elem()).Elem()
		r.into(n, entry, under(field, key))
		dst.SetMapIndex(reflect.ValueOf(key), entry)
	})
}

// each calls take for every key and its value; a key that stands twice is a
// fault.
func (r *reader) each(n *yaml.Node, field string, take func(key string, n *yaml.Node)) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if seen[key] {
			r.fault(under(field, key), "stands twice: keep one of them")
			continue
		}
		seen[key] = true
		take(key, n.Content[i+1])
	}
}

func (r *reader) items(n *yaml.Node, dst reflect.Value, field string) {
	if n.Kind != yaml.SequenceNode {
		r.fault(field, "must be a list: one item a line, each behind a hyphen")
		return
	}
	dst.Set(reflect.MakeSlice(dst.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		r.into(item, dst.Index(i), field+"["+strconv.Itoa(i)+"]")
	}
}

func (r *reader) scalar(n *yaml.Node, dst reflect.Value, field string) {
	if n.Kind != yaml.ScalarNode {
		r.fault(field, "must be a single value, not a list or a section")
		return
	}
	switch dst.Kind() { //nolint:exhaustive // a document has no other kinds
	case reflect.String:
		if strings.ContainsFunc(n.Value, unseen) {
			r.fault(field, "holds a character that nobody sees, and that can steer a terminal or turn text around: write it without")
		}
		dst.SetString(n.Value)
	case reflect.Bool:
		if n.Tag != "!!bool" {
			r.fault(field, "%q: write true or false", n.Value)
		}
		dst.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int:
		whole, err := strconv.ParseInt(n.Value, 10, 32)
		if err != nil {
			r.fault(field, "%q: write a whole number", n.Value)
		}
		dst.SetInt(whole)
	default:
		panic("sitefile: a document has no " + dst.Kind().String())
	}
}

// unseen reports what no text of a site needs: control characters, of which
// Postgres keeps none that is zero, and marks that turn the direction of
// writing. Joiners stay: some scripts are written with them.
func unseen(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r)
}

func under(field, key string) string {
	if field == "" {
		return key
	}
	return field + "." + key
}

func orSite(field string) string {
	if field == "" {
		return "the file"
	}
	return field
}

// nearest is the name that key was most likely meant to be; "" when none is
// like it.
func nearest(key string, names []string) string {
	best, least := "", 1+max(1, len(key)/3)
	for _, name := range names {
		if d := distance(strings.ToLower(key), name); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is how many letters must be put in, taken out or replaced to make
// one of the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
