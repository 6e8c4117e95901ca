package publish

import (
	"context"
	"fmt"
	"maps"
	"math"
	"strings"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/markup"
)

// texts is what a post for the Draft says.
func texts(d editorial.Draft) editorial.Post {
	// A site prints titles and excerpts as HTML.
	return editorial.Post{Title: markup.Escape(d.Title), Excerpt: markup.Escape(d.Excerpt), Content: d.Markup, Slug: d.Slug}
}

// want is the post for the Draft, in whole. Terms and pictures that the site
// lacks are made there.
func (a *attempt) want(ctx context.Context, d editorial.Draft) (editorial.Post, error) {
	p := texts(d)
	p.Meta = a.meta(d)
	var err error
	if a.dossier.Site.CMS.PostType != "page" { // pages have no terms
		if p.Categories, err = a.terms(ctx, editorial.TaxonomyCategory, d.Categories); err != nil {
			return editorial.Post{}, err
		}
		if p.Tags, err = a.terms(ctx, editorial.TaxonomyTag, d.Tags); err != nil {
			return editorial.Post{}, err
		}
	}
	for _, m := range d.Media {
		if m.Role == "featured" {
			if p.Picture, err = a.picture(ctx, m); err != nil {
				return editorial.Post{}, err
			}
		}
	}
	return p, nil
}

// standing is the post for the Draft with the terms and the picture that it
// has on the site: what was made there is not made again to look at it.
func (a *attempt) standing(d editorial.Draft, post editorial.Post) editorial.Post {
	p := texts(d)
	p.ID, p.Categories, p.Tags, p.Picture, p.Meta = post.ID, post.Categories, post.Tags, post.Picture, a.meta(d)
	return a.at(p, post.URL)
}

// meta is what search engines are told, as far as the site keeps it.
func (a *attempt) meta(d editorial.Draft) map[string]string {
	m := map[string]string{
		a.fields.Title: markup.Clean(d.Title), a.fields.Description: markup.Clean(d.MetaDescription), a.fields.Keyphrase: markup.Clean(d.Keyphrase),
	}
	delete(m, "") // what the site doesn't keep
	return m
}

// at is p with address as the one that search engines are told.
func (a *attempt) at(p editorial.Post, address string) editorial.Post {
	if a.fields.Canonical != "" {
		p.Meta = maps.Clone(p.Meta)
		p.Meta[a.fields.Canonical] = address
	}
	return p
}

func (a *attempt) terms(ctx context.Context, in editorial.Taxonomy, names []string) ([]int64, error) {
	var ids []int64
	for i, name := range names {
		var id int64
		err := a.write(ctx, fmt.Sprintf("%s:%d", in, i), name, func(ctx context.Context) (err error) {
			id, err = a.blog.Term(ctx, in, name)
			return err
		})
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// note keeps what a person should know of a publication that went well.
func (a *attempt) note(format string, args ...any) {
	a.notes = append(a.notes, fmt.Sprintf(format, args...))
}

// told is detail with the notes.
func (a *attempt) told(detail string) string {
	return strings.Join(append([]string{detail}, a.notes...), "; ")
}

// surroundings asks the site what it keeps for search engines and which time it
// has, before anything is sent.
func (a *attempt) surroundings(ctx context.Context) error {
	var err error
	if a.fields, err = a.blog.SearchFields(ctx); err != nil {
		return err
	}
	for _, n := range a.fields.Notes {
		a.note("%s", n)
	}
	clock, err := a.blog.Clock(ctx)
	if err != nil {
		return err
	}
	if said := otherZone(a.dossier.Site.TimeZone, clock, a.now()); said != "" {
		a.note("%s", said)
	}
	return nil
}

// otherZone says how the site's zone and that of its content system differ at
// a moment; "" where they don't, or nothing is known of ours.
func otherZone(ours string, theirs editorial.BlogClock, now time.Time) string {
	zone, err := time.LoadLocation(ours)
	if err != nil || ours == "" || ours == theirs.Zone {
		return ""
	}
	_, seconds := now.In(zone).Zone()
	if theirs.Zone == "" && math.Abs(float64(seconds)/3600-theirs.Offset) < .01 {
		return "" // an offset that holds today; it has no name to compare
	}
	if z, err := time.LoadLocation(theirs.Zone); err == nil && theirs.Zone != "" {
		_, other := now.In(z).Zone()
		_, half := now.AddDate(0, 6, 0).In(zone).Zone()
		if _, otherHalf := now.AddDate(0, 6, 0).In(z).Zone(); other == seconds && half == otherHalf {
			return ""
		}
	}
	return fmt.Sprintf("WordPress is set to the time zone %s and the site to %s: its pages show other times than are meant", zoneName(theirs), ours)
}

func zoneName(c editorial.BlogClock) string {
	if c.Zone != "" {
		return c.Zone
	}
	return fmt.Sprintf("UTC%+g", c.Offset)
}
