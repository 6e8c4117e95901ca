package view

import (
	"time"

	"blogposter/lib/editorial"
)

// Topic is a recommendation in a list: what to write on, and why.
type Topic struct {
	ID          int64                 `json:"id"`
	Title       string                `json:"title"`
	Keyphrase   string                `json:"keyphrase"`
	State       string                `json:"state"` // open, taken, dismissed, stale
	Kind        editorial.TopicKind   `json:"kind"`
	Score       float64               `json:"score"`        // 0 to 1, over the weights that are known
	KnownWeight float64               `json:"known_weight"` // how much of the five weights that is
	Terms       []editorial.ScoreTerm `json:"terms"`
	Similarity  *float64              `json:"similarity"` // to the nearest own article; null when there is none
	NearestURL  string                `json:"nearest_url,omitempty"`
	Model       string                `json:"model"` // whose vectors the figures come from
	Why         string                `json:"why"`
	PageCount   int                   `json:"page_count"`
	TakenBy     int64                 `json:"taken_by,omitempty"` // the Run that writes on it
	ScoredAt    time.Time             `json:"scored_at"`
	CreatedAt   time.Time             `json:"created_at"`
	Links       map[string]string     `json:"links,omitempty"`
}

// TopicDetail is a Topic with the competitors' pages that it was made of.
type TopicDetail struct {
	Topic
	Pages []editorial.TopicPage `json:"pages"`
}

// TopicFilter is what part of the list of Topics is asked for. The list has
// the best score first.
type TopicFilter struct {
	Limit int
	After int64               // the last id of the page before; 0 begins at the start
	State string              // "" for any
	Kind  editorial.TopicKind // "" for any
}

// TopicStates lists what State of a Topic can be.
func TopicStates() []string { return []string{"open", "taken", "dismissed", "stale"} }

// TopicKinds lists what Kind of a Topic can be.
func TopicKinds() []editorial.TopicKind {
	return []editorial.TopicKind{editorial.TopicGap, editorial.TopicAngle, editorial.TopicDuplicate}
}
