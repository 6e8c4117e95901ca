package view

import (
	"time"

	"blogposter/lib/editorial"
)

// PageChange is what a look at the competitors found otherwise than the one
// before.
type PageChange struct {
	ID         int64                `json:"id"`
	RunID      int64                `json:"run_id"`
	PageID     int64                `json:"page_id"`
	URL        string               `json:"url"`
	Title      string               `json:"title"`
	Competitor string               `json:"competitor"`
	Kind       editorial.ChangeKind `json:"kind"`
	At         time.Time            `json:"at"`
	TextHash   string               `json:"text_hash,omitempty"`
	Before     string               `json:"before,omitempty"` // hash of the text before
	Added      int                  `json:"added"`            // sentences
	Removed    int                  `json:"removed"`          // sentences
	Summary    string               `json:"summary"`
}

// Competitor is whom a site watches, and how the last look went.
type Competitor struct {
	ID        int64                    `json:"id"`
	Name      string                   `json:"name"`
	Kind      editorial.CompetitorKind `json:"kind"`
	URL       string                   `json:"url"`
	Via       editorial.Via            `json:"via"`
	Most      int                      `json:"most"`
	Active    bool                     `json:"active"`
	CheckedAt *time.Time               `json:"checked_at"` // nil before the first look that came to its end
	Report    string                   `json:"report"`     // what the last look left out or could not read
	Live      int                      `json:"live"`       // pages
	Copies    int                      `json:"copies"`     // live pages that say nearly the same as an older one
	Refused   int                      `json:"refused"`    // pages
	Gone      int                      `json:"gone"`       // pages
}
