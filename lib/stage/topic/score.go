package topic

import (
	"fmt"
	"math"
	"time"

	"blogposter/lib/editorial"
)

// The weights of the five terms.
const (
	weighFrequency  = 0.35
	weighEngagement = 0.25
	weighSearch     = 0.20
	weighRelevance  = 0.15
	weighFreshness  = 0.05
)

// halfLife is the age at which a page is half as fresh as a new one.
const halfLife = 90 * 24 * time.Hour

// scale is what the subjects of one pass are measured by: the most that any
// of them has.
type scale struct {
	pages    int     // on one subject
	comments float64 // a page, on average over a subject's pages
	watched  int
	rivals   int // competitors with a page in view
	now      time.Time
}

func scaleOf(c corpus, now time.Time) scale {
	s := scale{watched: len(c.all), rivals: c.competitors(), now: now}
	for _, x := range c.subjects {
		s.pages = max(s.pages, len(x.pages))
		if mean, known := x.comments(); known > 0 {
			s.comments = max(s.comments, mean)
		}
	}
	return s
}

// competitors is how many write on the subject.
func (s subject) competitors() int {
	who := map[int64]bool{}
	for _, p := range s.pages {
		who[p.CompetitorID] = true
	}
	return len(who)
}

// comments is how many a page has, on average over the known ones.
func (s subject) comments() (mean float64, known int) {
	sum := 0
	for _, p := range s.pages {
		if p.Comments != nil {
			sum += *p.Comments
			known++
		}
	}
	return float64(sum) / float64(max(1, known)), known
}

// checked is when the page was looked at that was not looked at longest: what
// is said of the subject is at least as old.
func (s subject) checked() *time.Time {
	oldest := s.pages[0].CheckedAt
	for _, p := range s.pages {
		if p.CheckedAt.Before(oldest) {
			oldest = p.CheckedAt
		}
	}
	return &oldest
}

// newest is the newest date of the subject's pages, nil when none has one.
func (s subject) newest(now time.Time) *time.Time {
	var newest *time.Time
	for _, p := range s.pages {
		if at := p.date(now); at != nil && (newest == nil || at.After(*newest)) {
			newest = at
		}
	}
	return newest
}

// terms are the five parts of a subject's score. relevance is how near it is
// to the site itself.
func (s subject) terms(by scale, relevance editorial.ScoreTerm) []editorial.ScoreTerm {
	return []editorial.ScoreTerm{
		s.frequency(by), s.engagement(by),
		{Name: "search", Weight: weighSearch, Data: "unknown: there is no search data for this site"},
		relevance, s.freshness(by),
	}
}

// frequency is half how many of the competitors write on it, half how many
// pages there are beside the most frequent subject. Both grow as logarithms:
// from one to two says more than from ten to eleven.
func (s subject) frequency(by scale) editorial.ScoreTerm {
	who, copies := s.competitors(), 0
	for _, p := range s.pages {
		copies += len(p.also)
	}
	value := (share(who, by.rivals) + share(len(s.pages), by.pages)) / 2
	data := fmt.Sprintf("%s by %d of %s, of %s in view", count(len(s.pages), "page"), who, count(by.rivals, "competitor"), count(by.watched, "page"))
	if copies > 0 {
		data += fmt.Sprintf("; %s not counted", count(copies, "near-copy"))
	}
	return termOf("frequency", weighFrequency, value, data, s.checked())
}

// share is n beside most, both as logarithms.
func share(n, most int) float64 {
	return math.Log1p(float64(n)) / math.Log1p(float64(max(1, most)))
}

func (s subject) engagement(by scale) editorial.ScoreTerm {
	mean, pages := s.comments()
	if pages == 0 {
		return editorial.ScoreTerm{Name: "engagement", Weight: weighEngagement, Data: "unknown: none of its pages says how many comments it has"}
	}
	value := 0.0
	if by.comments > 0 {
		value = math.Log1p(mean) / math.Log1p(by.comments)
	}
	data := fmt.Sprintf("%.1f comments a page, on %d of %s that say so; the most on any subject are %.1f", mean, pages, count(len(s.pages), "page"), by.comments)
	return termOf("engagement", weighEngagement, value, data, s.checked())
}

func (s subject) freshness(by scale) editorial.ScoreTerm {
	newest := s.newest(by.now)
	if newest == nil {
		return editorial.ScoreTerm{Name: "freshness", Weight: weighFreshness, Data: "unknown: none of its pages has a date"}
	}
	age := max(0, by.now.Sub(*newest))
	data := fmt.Sprintf("the newest page is of %s, %s old; half of it is lost in %s", newest.UTC().Format(time.DateOnly), count(days(age), "day"), count(days(halfLife), "day"))
	return termOf("freshness", weighFreshness, math.Exp2(-float64(age)/float64(halfLife)), data, s.checked())
}

// termOf is a term whose data was there.
func termOf(name string, weight, value float64, data string, asOf *time.Time) editorial.ScoreTerm {
	value = math.Round(min(1, max(0, value))*1e4) / 1e4
	return editorial.ScoreTerm{Name: name, Weight: weight, Value: &value, Data: data, AsOf: asOf}
}

// score is the weighted mean of the terms whose data was there, and how much
// of the five weights they are.
func score(terms []editorial.ScoreTerm) (score, knownWeight float64) {
	for _, t := range terms {
		if t.Value != nil {
			score += t.Weight * *t.Value
			knownWeight += t.Weight
		}
	}
	if knownWeight > 0 {
		score /= knownWeight
	}
	return math.Round(score*1e4) / 1e4, math.Round(knownWeight*1e4) / 1e4
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }

// count is a number with its noun.
func count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case noun[len(noun)-1] == 'y' && noun != "day":
		return fmt.Sprintf("%d %sies", n, noun[:len(noun)-1])
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
