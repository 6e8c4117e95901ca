package editorial

import "time"

// TopicKind says how a Topic stands to what the site has published.
type TopicKind string

// How a Topic stands to the site's own articles.
const (
	TopicGap       TopicKind = "gap"       // nothing near it is published
	TopicAngle     TopicKind = "angle"     // something near it is: worth another angle
	TopicDuplicate TopicKind = "duplicate" // the site has this already
)

// Topic is a subject worth writing on, and why.
type Topic struct {
	ID          int64       `json:"id"`
	Key         string      `json:"key"` // the subject in one normal form: a later pass finds it again by it
	Title       string      `json:"title"`
	Keyphrase   string      `json:"keyphrase"`
	State       string      `json:"state"` // open, taken, dismissed, stale
	Kind        TopicKind   `json:"kind"`
	Score       float64     `json:"score"`        // 0 to 1, over the weights that are known
	KnownWeight float64     `json:"known_weight"` // how much of the five weights that is, 0 to 1
	Terms       []ScoreTerm `json:"terms"`
	Pages       []TopicPage `json:"pages"`
	Similarity  *float64    `json:"similarity"` // to the nearest own article; nil when there is none
	NearestURL  string      `json:"nearest_url"`
	Model       string      `json:"model"` // whose vectors the figures come from
	Why         string      `json:"why"`   // one sentence for an editor
	ScoredAt    time.Time   `json:"scored_at"`
	TakenBy     int64       `json:"taken_by,omitempty"` // the Run that writes on it
}

// ScoreTerm is one of the five parts of a Topic's score. Value is nil where
// the data is missing: it is never guessed, and its weight counts for nothing.
type ScoreTerm struct {
	Name   string     `json:"name"` // frequency, engagement, search, relevance, freshness
	Weight float64    `json:"weight"`
	Value  *float64   `json:"value"` // 0 to 1
	Data   string     `json:"data"`  // what it was made of, or why it is unknown
	AsOf   *time.Time `json:"as_of"` // the age of that data
}

// TopicPage is a competitor's page that belongs to a Topic.
type TopicPage struct {
	ID          int64      `json:"id"`
	URL         string     `json:"url"`
	Title       string     `json:"title"`
	Competitor  string     `json:"competitor"`
	PublishedAt *time.Time `json:"published_at"`
	Near        int        `json:"near"` // pages that say nearly the same and were merged into this one
}
