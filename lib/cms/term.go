package cms

import (
	"cmp"
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

// Term returns the id of the category or tag that stands for our name, under
// the site's own name for it. One that is missing is made, or, where the site's
// settings say so, refused. Case and the way WordPress writes & make no
// difference, since it takes such names for the same. It is safe to repeat.
func (w *WordPress) Term(ctx context.Context, in editorial.Taxonomy, ours string) (int64, error) {
	name := strings.TrimSpace(cmp.Or(w.cms.TermNames[ours], ours))
	if name == "" {
		return 0, fault.Permanent(fmt.Errorf("%s: a name is empty", in))
	}
	id, err := w.findTerm(ctx, in, name)
	if err != nil || id != 0 {
		return id, err
	}
	if w.cms.Terms == "refuse" {
		return 0, fault.NeedsHuman(fmt.Errorf("wordpress at %s: there is no %q among its %s: create it there, name the one to use for %q in the site's cms.term_names, or set cms.terms to create",
			w.base.Host, name, in, ours))
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

// findTerm is the id of the term with that name, 0 for none. The site looks for
// the letters as it stores them, where & is &amp;.
func (w *WordPress) findTerm(ctx context.Context, in editorial.Taxonomy, name string) (int64, error) {
	spellings := []string{name}
	if stored := asStored.Replace(name); stored != name {
		spellings = append(spellings, stored)
	}
	var alike int64
	for _, search := range spellings {
		var list []term
		_, err := w.get(ctx, call{path: []string{string(in)}, what: "find " + string(in), query: url.Values{"search": {search}, "per_page": {"100"}}}, &list)
		if err != nil {
			return 0, err
		}
		for _, t := range list {
			theirs := html.UnescapeString(t.Name)
			if theirs == name {
				return t.ID, nil
			}
			if alike == 0 && strings.EqualFold(theirs, name) {
				alike = t.ID
			}
		}
	}
	return alike, nil
}

var asStored = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

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

// needs is what the user must be allowed. Without unfiltered_html WordPress
// strips scripts from the text, the structured data among them.
func (w *WordPress) needs() []string {
	kind := w.route()
	all := []string{"edit_" + kind, "publish_" + kind, "edit_published_" + kind, "delete_" + kind, "unfiltered_html"}
	if w.cms.Image != "none" {
		all = append(all, "upload_files")
	}
	if !w.isPage() && w.cms.Terms != "refuse" {
		all = append(all, "manage_categories")
	}
	return all
}

// Check reports what the user is not allowed and would need to publish.
func (w *WordPress) Check(ctx context.Context) error {
	var me struct {
		Capabilities map[string]any `json:"capabilities"` // true, or absent
	}
	if _, err := w.get(ctx, call{path: []string{"users", "me"}, query: edit, what: "ask what the user may do"}, &me); err != nil {
		return err
	}
	var missing []string
	for _, c := range w.needs() {
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
