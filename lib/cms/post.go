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

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

const (
	perPage  = 50
	maxPages = 20
	// description is the field most sites have for search engines' texts. One
	// that has not registered it ignores it.
	description = "_yoast_wpseo_metadesc"
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
	Title      rawText         `json:"title"`
	Content    rawText         `json:"content"`
	Excerpt    rawText         `json:"excerpt"`
	Categories []int64         `json:"categories"`
	Tags       []int64         `json:"tags"`
	Meta       json.RawMessage `json:"meta"` // an object, or [] when there is none
}

func (p wirePost) post() (editorial.Post, error) {
	if p.ID == 0 || p.Title.Raw == nil || p.Content.Raw == nil || p.Excerpt.Raw == nil {
		return editorial.Post{}, fault.NeedsHuman(errors.New("the answer has no raw text of the post: check that the user may edit it and that no plugin filters the REST API"))
	}
	var meta map[string]any
	_ = json.Unmarshal(p.Meta, &meta) // [] leaves it empty
	about, _ := meta[description].(string)
	return editorial.Post{
		ID: p.ID, Status: editorial.PostStatus(p.Status), Slug: p.Slug, URL: p.Link,
		Title: *p.Title.Raw, Content: *p.Content.Raw, Excerpt: *p.Excerpt.Raw,
		Categories: p.Categories, Tags: p.Tags, Description: about,
	}, nil
}

func fields(p editorial.Post) map[string]any {
	return map[string]any{
		"status": p.Status, "slug": p.Slug, "title": p.Title, "content": p.Content, "excerpt": p.Excerpt,
		"categories": ids(p.Categories), "tags": ids(p.Tags),
		"meta": map[string]string{description: p.Description},
	}
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
		header, err := w.get(ctx, call{path: []string{"posts"}, what: "find posts with " + marker, query: url.Values{
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
	_, err := w.get(ctx, call{path: []string{"posts", strconv.FormatInt(id, 10)}, query: edit, what: what}, &wire)
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
	return w.write(ctx, []string{"posts"}, fields(p), "create a post")
}

// Update makes the post with p.ID what p says, terms and status included. It
// is safe to repeat.
func (w *WordPress) Update(ctx context.Context, p editorial.Post) (editorial.Post, error) {
	id := strconv.FormatInt(p.ID, 10)
	return w.write(ctx, []string{"posts", id}, fields(p), "update post "+id)
}

// SetStatus changes nothing but the post's status, so that it works even where
// the site objects to the text. It is safe to repeat.
func (w *WordPress) SetStatus(ctx context.Context, id int64, s editorial.PostStatus) (editorial.Post, error) {
	path := []string{"posts", strconv.FormatInt(id, 10)}
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
	_, err := w.do(ctx, call{method: http.MethodDelete, path: []string{"posts", n}, query: query, what: verb + " post " + n}, &out)
	if reason(err) == "rest_post_invalid_id" {
		return nil
	}
	return err
}
