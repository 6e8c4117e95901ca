package cms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

const (
	perPage  = 50
	maxPages = 20
)

type rawText struct {
	Raw *string `json:"raw"`
}

// wirePost is a post as the API answers in the edit context.
type wirePost struct {
	ID         int64           `json:"id"`
	Status     string          `json:"status"`
	Slug       string          `json:"slug"`
	Link       string          `json:"link"`
	Template   string          `json:"permalink_template"` // of its address, with a place for the slug
	DateGMT    string          `json:"date_gmt"`
	Title      rawText         `json:"title"`
	Content    rawText         `json:"content"`
	Excerpt    rawText         `json:"excerpt"`
	Categories []int64         `json:"categories"`
	Tags       []int64         `json:"tags"`
	Picture    int64           `json:"featured_media"`
	Meta       json.RawMessage `json:"meta"` // an object, or [] when there is none
}

func (p wirePost) post() (editorial.Post, error) {
	if p.ID == 0 || p.Title.Raw == nil || p.Content.Raw == nil || p.Excerpt.Raw == nil {
		return editorial.Post{}, fault.NeedsHuman(errors.New("the answer has no raw text of the post: check that the user may edit it and that no plugin filters the REST API"))
	}
	return editorial.Post{
		ID: p.ID, Status: editorial.PostStatus(p.Status), Slug: p.Slug, URL: p.address(),
		Title: *p.Title.Raw, Content: *p.Content.Raw, Excerpt: *p.Excerpt.Raw,
		Categories: p.Categories, Tags: p.Tags, Picture: p.Picture, Meta: p.meta(), DatedAt: p.datedAt(),
	}, nil
}

// address is the post's link. A draft's leads to a preview, so its address is
// made as WordPress will make it, unless that is taken by then.
func (p wirePost) address() string {
	if p.Status == string(editorial.PostPublic) || p.Template == "" || p.Slug == "" {
		return p.Link
	}
	return strings.NewReplacer("%postname%", p.Slug, "%pagename%", p.Slug).Replace(p.Template)
}

// meta is the texts among the post's fields.
func (p wirePost) meta() map[string]string {
	var all map[string]any
	_ = json.Unmarshal(p.Meta, &all) // [] leaves it empty
	texts := map[string]string{}
	for name, value := range all {
		if text, ok := value.(string); ok {
			texts[name] = text
		}
	}
	return texts
}

// datedAt reads the date that does not depend on the zone WordPress is set to.
func (p wirePost) datedAt() time.Time {
	at, err := time.Parse("2006-01-02T15:04:05", p.DateGMT)
	if err != nil || p.Status != string(editorial.PostPublic) {
		return time.Time{} // of a draft it says when it was saved, not when it appears
	}
	return at
}

func (w *WordPress) fields(p editorial.Post) map[string]any {
	f := map[string]any{
		"slug": p.Slug, "title": p.Title, "content": p.Content, "excerpt": p.Excerpt, "featured_media": p.Picture,
	}
	if p.Status != "" {
		f["status"] = p.Status
	}
	if !w.isPage() {
		f["categories"], f["tags"] = ids(p.Categories), ids(p.Tags)
	}
	if len(p.Meta) > 0 {
		f["meta"] = p.Meta
	}
	return f
}

func ids(list []int64) []int64 { return append([]int64{}, list...) } // never null

var edit = url.Values{"context": {"edit"}}

// FindPosts lists the posts whose raw content holds marker, in any state but
// the trash, the oldest first.
func (w *WordPress) FindPosts(ctx context.Context, marker string) ([]editorial.Post, error) {
	if marker == "" {
		return nil, fault.Permanent(errors.New("find posts: the marker is empty"))
	}
	var found []editorial.Post
	for page := 1; page <= maxPages; page++ {
		var list []wirePost
		header, err := w.get(ctx, call{path: []string{w.route()}, what: "find posts with " + marker, query: url.Values{
			"context": {"edit"}, "status": {"any"}, "search": {marker}, "orderby": {"id"}, "order": {"asc"},
			"per_page": {strconv.Itoa(perPage)}, "page": {strconv.Itoa(page)},
		}}, &list)
		if err != nil {
			return nil, err
		}
		for _, item := range list {
			p, err := item.post()
			if err != nil {
				return nil, fmt.Errorf("wordpress at %s: post %d: %w", w.base.Host, item.ID, err)
			}
			// The search is the site's: it may be fuzzy.
			if strings.Contains(p.Content, marker) {
				found = append(found, p)
			}
		}
		pages, err := strconv.Atoi(header.Get("X-WP-TotalPages"))
		if err != nil && len(list) == perPage {
			return nil, fault.NeedsHuman(fmt.Errorf("wordpress at %s: find posts: the answer doesn't say how many pages there are: check that nothing drops the X-WP-TotalPages header", w.base.Host))
		}
		if page >= pages {
			return found, nil
		}
	}
	return nil, fault.NeedsHuman(fmt.Errorf("wordpress at %s: over %d posts match %s: its search is broken, and a look-up can't be trusted", w.base.Host, maxPages*perPage, marker))
}

// Post returns the post as it is stored, or false when there is none.
func (w *WordPress) Post(ctx context.Context, id int64) (editorial.Post, bool, error) {
	var wire wirePost
	what := "read post " + strconv.FormatInt(id, 10)
	_, err := w.get(ctx, call{path: []string{w.route(), strconv.FormatInt(id, 10)}, query: edit, what: what}, &wire)
	if reason(err) == "rest_post_invalid_id" {
		return editorial.Post{}, false, nil
	}
	if err != nil {
		return editorial.Post{}, false, err
	}
	p, err := wire.post()
	if err != nil {
		return editorial.Post{}, false, fmt.Errorf("wordpress at %s: %s: %w", w.base.Host, what, err)
	}
	return p, true, nil
}

// Create makes a new post. Made twice, there are two: look up before.
func (w *WordPress) Create(ctx context.Context, p editorial.Post) (editorial.Post, error) {
	return w.write(ctx, []string{w.route()}, w.fields(p), "create a post")
}

// Update makes the post with p.ID what p says, terms and status included. It
// is safe to repeat.
func (w *WordPress) Update(ctx context.Context, p editorial.Post) (editorial.Post, error) {
	id := strconv.FormatInt(p.ID, 10)
	return w.write(ctx, []string{w.route(), id}, w.fields(p), "update post "+id)
}

// SetStatus changes nothing but the post's status, so that it works even where
// the site objects to the text. It is safe to repeat.
func (w *WordPress) SetStatus(ctx context.Context, id int64, s editorial.PostStatus) (editorial.Post, error) {
	path := []string{w.route(), strconv.FormatInt(id, 10)}
	return w.write(ctx, path, map[string]any{"status": s}, fmt.Sprintf("set post %d to %s", id, s))
}

func (w *WordPress) write(ctx context.Context, path []string, body map[string]any, what string) (editorial.Post, error) {
	var wire wirePost
	// POST updates too, and unlike PUT no firewall in front of a site drops it.
	if _, err := w.do(ctx, call{method: http.MethodPost, path: path, query: edit, body: body, what: what}, &wire); err != nil {
		return editorial.Post{}, err
	}
	p, err := wire.post()
	if err != nil {
		return editorial.Post{}, fault.Lost(fmt.Errorf("wordpress at %s: %s: %w", w.base.Host, what, err))
	}
	return p, nil
}

// Trash puts the post where a person can restore it, or removes it where the
// site keeps no trash. One that is gone already is no error.
func (w *WordPress) Trash(ctx context.Context, id int64) error {
	err := w.remove(ctx, id, nil, "trash")
	switch reason(err) {
	case "rest_trash_not_supported":
		return w.Delete(ctx, id)
	case "rest_already_trashed":
		return nil
	}
	return err
}

// Delete removes the post for good, past the trash. One that is gone already
// is no error.
func (w *WordPress) Delete(ctx context.Context, id int64) error {
	return w.remove(ctx, id, url.Values{"force": {"true"}}, "delete")
}

func (w *WordPress) remove(ctx context.Context, id int64, query url.Values, verb string) error {
	var out any
	n := strconv.FormatInt(id, 10)
	_, err := w.do(ctx, call{method: http.MethodDelete, path: []string{w.route(), n}, query: query, what: verb + " post " + n}, &out)
	if reason(err) == "rest_post_invalid_id" {
		return nil
	}
	return err
}
