package cms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

type term struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Term returns the id of the category or tag with exactly that name, made if
// there is none. It is safe to repeat.
func (w *WordPress) Term(ctx context.Context, in editorial.Taxonomy, name string) (int64, error) {
	if name = strings.TrimSpace(name); name == "" {
		return 0, fault.Permanent(fmt.Errorf("%s: a name is empty", in))
	}
	var list []term
	_, err := w.get(ctx, call{path: []string{string(in)}, what: "find " + string(in), query: url.Values{"search": {name}, "per_page": {"100"}}}, &list)
	if err != nil {
		return 0, err
	}
	for _, t := range list {
		if html.UnescapeString(t.Name) == name { // WordPress answers A &amp; B for A & B
			return t.ID, nil
		}
	}
	var made term
	_, err = w.do(ctx, call{method: http.MethodPost, path: []string{string(in)}, what: "create one of " + string(in), body: map[string]string{"name": name}}, &made)
	if id, ok := existing(err); ok {
		return id, nil
	}
	if err != nil {
		return 0, err
	}
	if made.ID == 0 {
		return 0, fault.NeedsHuman(fmt.Errorf("wordpress at %s: made %q in %s and gave no id: check that no plugin filters the REST API", w.base.Host, name, in))
	}
	return made.ID, nil
}

// existing is the id of the term whose creation was refused because it exists:
// the search doesn't find every spelling, and two attempts may race.
func existing(err error) (int64, bool) {
	var se *StatusError
	if !errors.As(err, &se) || se.Reason != "term_exists" {
		return 0, false
	}
	var data struct {
		TermID int64 `json:"term_id"`
	}
	if json.Unmarshal(se.data, &data) != nil || data.TermID == 0 {
		return 0, false
	}
	return data.TermID, true
}

// needed is what the user must be allowed. Without unfiltered_html WordPress
// strips scripts from the text, the structured data among them.
var needed = []string{"edit_posts", "publish_posts", "edit_published_posts", "delete_posts", "manage_categories", "unfiltered_html"}

// Check reports what the user is not allowed and would need to publish.
func (w *WordPress) Check(ctx context.Context) error {
	var me struct {
		Capabilities map[string]any `json:"capabilities"` // true, or absent
	}
	if _, err := w.get(ctx, call{path: []string{"users", "me"}, query: edit, what: "ask what the user may do"}, &me); err != nil {
		return err
	}
	var missing []string
	for _, c := range needed {
		if me.Capabilities[c] != true {
			missing = append(missing, c)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fault.NeedsHuman(fmt.Errorf("wordpress at %s: user %q lacks %s: give it the role of an editor (on a multisite network, of a super admin), and don't set DISALLOW_UNFILTERED_HTML",
		w.base.Host, w.user, strings.Join(missing, ", ")))
}
