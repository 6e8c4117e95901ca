package cms

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

// plugin is one that keeps what search engines are told, and under which names.
type plugin struct {
	setting   string // the site's cms.seo
	name      string
	namespace string // of its own REST API, which says that it is active
	fields    editorial.SearchFields
}

var plugins = []plugin{
	{"yoast", "Yoast", "yoast/v1", editorial.SearchFields{
		Plugin: "yoast", Title: "_yoast_wpseo_title", Description: "_yoast_wpseo_metadesc", Keyphrase: "_yoast_wpseo_focuskw", Canonical: "_yoast_wpseo_canonical",
	}},
	{"rankmath", "Rank Math", "rankmath/v1", editorial.SearchFields{
		Plugin: "rankmath", Title: "rank_math_title", Description: "rank_math_description", Keyphrase: "rank_math_focus_keyword", Canonical: "rank_math_canonical_url",
	}},
}

// index is what the API says of the site.
type index struct {
	Zone       string   `json:"timezone_string"`
	Offset     float64  `json:"gmt_offset"`
	Namespaces []string `json:"namespaces"`
}

func (w *WordPress) index(ctx context.Context) (index, error) {
	var in index
	_, err := w.get(ctx, call{query: url.Values{"_fields": {"timezone_string,gmt_offset,namespaces"}}, what: "read the site's index"}, &in)
	return in, err
}

// Clock says which time zone the site is set to.
func (w *WordPress) Clock(ctx context.Context) (editorial.BlogClock, error) {
	in, err := w.index(ctx)
	return editorial.BlogClock{Zone: in.Zone, Offset: in.Offset}, err
}

// SearchFields says whose fields the site takes over its API for our post type.
// With cms.seo set to a plugin, a field that the site would drop without a word
// needs a person, before anything is sent; with "auto" it stands in Notes.
func (w *WordPress) SearchFields(ctx context.Context) (editorial.SearchFields, error) {
	switch w.cms.SEO {
	case "none":
		return editorial.SearchFields{}, nil
	case "", "auto":
		return w.offered(ctx)
	}
	i := slices.IndexFunc(plugins, func(p plugin) bool { return p.setting == w.cms.SEO })
	if i < 0 {
		return editorial.SearchFields{}, fault.NeedsHuman(fmt.Errorf("cms.seo is %q: set it to yoast, rankmath, none or auto", w.cms.SEO))
	}
	kept, err := w.kept(ctx, w.route())
	if err != nil {
		return editorial.SearchFields{}, err
	}
	p := plugins[i]
	missing := p.missing(kept)
	if len(missing) == 0 {
		return p.fields, nil
	}
	why, err := w.cause(ctx, p, missing)
	if err != nil {
		return editorial.SearchFields{}, err
	}
	return editorial.SearchFields{}, fault.NeedsHuman(fmt.Errorf("wordpress at %s: cms.seo is %s, and %s, or set cms.seo to auto or none", w.base.Host, p.setting, why))
}

// offered is the first plugin that keeps any field for us, or none. A plugin
// that is there and keeps not all of them is named.
func (w *WordPress) offered(ctx context.Context) (editorial.SearchFields, error) {
	in, err := w.index(ctx)
	if err != nil {
		return editorial.SearchFields{}, err
	}
	kept, err := w.kept(ctx, w.route())
	if err != nil {
		return editorial.SearchFields{}, err
	}
	for _, p := range plugins {
		missing := p.missing(kept)
		some := len(missing) < len(p.keys())
		if !some && !slices.Contains(in.Namespaces, p.namespace) {
			continue
		}
		f := p.fields.Only(kept)
		if len(missing) > 0 {
			why, err := w.cause(ctx, p, missing)
			if err != nil {
				return f, err
			}
			f.Notes = []string{why}
		}
		if !some {
			f.Plugin = ""
		}
		return f, nil
	}
	return editorial.SearchFields{}, nil
}

// cause says why fields are missing, and the remedy.
func (w *WordPress) cause(ctx context.Context, p plugin, missing []string) (string, error) {
	ours, other := "post", "page"
	if w.isPage() {
		ours, other = other, ours
	}
	elsewhere, err := w.kept(ctx, other+"s")
	if err != nil {
		return "", err
	}
	names := strings.Join(missing, ", ")
	if !slices.ContainsFunc(missing, func(name string) bool { return !elsewhere[name] }) {
		return fmt.Sprintf("the site keeps %s's %s for its %ss alone, not for its %ss: register them with show_in_rest for %s too", p.name, names, other, ours, ours), nil
	}
	return fmt.Sprintf("the site does not take %s's %s over its REST API and would drop them without a word: activate the plugin, and register the fields with register_post_meta('%s', …, show_in_rest)",
		p.name, names, ours), nil
}

func (p plugin) keys() []string {
	return []string{p.fields.Title, p.fields.Description, p.fields.Keyphrase, p.fields.Canonical}
}

func (p plugin) missing(kept map[string]bool) []string {
	return slices.DeleteFunc(p.keys(), func(name string) bool { return kept[name] })
}

// kept is the fields that the API takes for a post type: those of its schema.
func (w *WordPress) kept(ctx context.Context, route string) (map[string]bool, error) {
	var options struct {
		Schema struct {
			Properties struct {
				Meta struct {
					Properties json.RawMessage `json:"properties"` // an object, or [] when there is none
				} `json:"meta"`
			} `json:"properties"`
		} `json:"schema"`
	}
	c := call{method: http.MethodOptions, path: []string{route}, query: url.Values{"_fields": {"schema.properties.meta"}}, what: "ask which fields " + route + " have"}
	if _, err := w.get(ctx, c, &options); err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(options.Schema.Properties.Meta.Properties, &fields) // [] leaves it empty
	names := map[string]bool{}
	for name := range fields {
		names[name] = true
	}
	return names, nil
}
