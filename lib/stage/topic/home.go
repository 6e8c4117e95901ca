package topic

import (
	"fmt"
	"math"
	"strings"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/nearness"
)

// home is the site itself: what subjects are compared with.
type home struct {
	site     editorial.Site
	limits   nearness.Calibration
	now      time.Time
	articles []editorial.Article
	vectors  []nearness.Vector // of the articles
	points   []nearness.Point  // of the articles, among the competitors' pages
	among    *nearness.Space   // without what the competitors' pages have in common
	general  *nearness.Space   // without what all texts of the model have in common
	profile  nearness.Point    // in general
}

// profileOf is what a site says of itself.
func profileOf(s editorial.Site) string {
	return strings.Join(append(append([]string{s.Name, s.Audience, s.Voice}, s.Categories...), s.Tags...), "\n")
}

// place finds the points of the site's own texts. How near a subject is to the
// site is asked without what all texts have in common, and no more: what the
// competitors' pages have in common, the site's field, is just what makes them
// relevant to it.
func (h *home) place(c *corpus, profile nearness.Vector) error {
	h.among = c.space
	general := c.calibration
	general.Components = 0
	var none []nearness.Vector
	if !general.Centered { // the profile then says how long a vector is
		none = []nearness.Vector{profile}
	}
	var err error
	if h.general, err = nearness.NewSpace(general, c.passages, none); err != nil {
		return err
	}
	if h.profile, err = h.general.Place(profile); err != nil {
		return err
	}
	h.points = make([]nearness.Point, len(h.vectors))
	for i, v := range h.vectors {
		if h.points[i], err = h.among.Place(v); err != nil {
			return err
		}
	}
	if len(h.vectors) == 0 {
		return nil
	}
	// Half what the site says of itself, half what it does.
	middle, err := h.middle(h.vectors)
	if err != nil {
		return err
	}
	h.profile, err = h.general.Middle([]nearness.Point{h.profile, middle})
	return err
}

// middle is the middle of texts in general.
func (h *home) middle(vectors []nearness.Vector) (nearness.Point, error) {
	points := make([]nearness.Point, len(vectors))
	for i, v := range vectors {
		var err error
		if points[i], err = h.general.Place(v); err != nil {
			return nearness.Point{}, err
		}
	}
	return h.general.Middle(points)
}

// relevance is how near a subject's pages are to what the site says of itself
// and has published.
func (h *home) relevance(s subject) (editorial.ScoreTerm, error) {
	if h.site.Audience == "" && h.site.Voice == "" && len(h.site.Categories)+len(h.site.Tags)+len(h.articles) == 0 {
		return editorial.ScoreTerm{Name: "relevance", Weight: weighRelevance, Data: "unknown: the site says nothing of itself, and has no article"}, nil
	}
	vectors := make([]nearness.Vector, len(s.pages))
	for i, p := range s.pages {
		vectors[i] = p.vector
	}
	middle, err := h.middle(vectors)
	if err != nil {
		return editorial.ScoreTerm{}, err
	}
	near, err := h.general.Near(middle, h.profile)
	if err != nil {
		return editorial.ScoreTerm{}, err
	}
	data := fmt.Sprintf("its pages are %.2f near to what the site says of itself and to its %s", near, count(len(h.articles), "article"))
	return termOf("relevance", weighRelevance, near, data, &h.now), nil
}

// compare sets which of the site's articles is nearest to the subject's most
// central page, and what kind of Topic that makes it. An article of the same
// title is the same, whatever the vectors say.
func (h *home) compare(s subject, t *editorial.Topic) error {
	t.Kind = editorial.TopicGap
	same := false
	for i, a := range h.articles {
		near, err := h.among.Near(s.pages[0].point, h.points[i])
		if err != nil {
			return err
		}
		near = round(max(0, near))
		named := normal(a.Title) == normal(t.Title)
		if t.Similarity == nil || named && !same || named == same && near > *t.Similarity {
			t.Similarity, t.NearestURL = &near, a.URL
		}
		same = same || named
	}
	switch {
	case t.Similarity == nil:
	case same, *t.Similarity >= h.limits.Duplicate:
		t.Kind = editorial.TopicDuplicate
	case *t.Similarity >= h.limits.Gap:
		t.Kind = editorial.TopicAngle
	}
	return nil
}

func round(x float64) float64 { return math.Round(x*1e4) / 1e4 }
