package view

import (
	"fmt"
	"time"

	"blogposter/lib/editorial"
)

// Retraction is a request to take an article off its site that was found to
// be in order.
type Retraction struct {
	ArticleID int64
	Reason    string
	Restore   bool // set the post back to the version before
	By        string
}

// Retracting is the Run that takes an article back.
type Retracting struct {
	Run     Run  `json:"run"`
	Restore bool `json:"restore"` // as the first request asked
	New     bool `json:"new"`
	Woken   bool `json:"woken"` // it waited for a person, and is tried again
}

// NotRetractable means that an article can't be taken back, and why.
type NotRetractable struct {
	ArticleID int64                      `json:"article_id"`
	State     editorial.PublicationState `json:"state"`
	Current   int64                      `json:"current"` // the article that stands in its place; 0 for none
	HasBefore bool                       `json:"has_before"`
}

func (n *NotRetractable) Error() string {
	return fmt.Sprintf("article %d is %s, with a version before: %t", n.ArticleID, n.State, n.HasBefore)
}

// Updatable is a published article that a new Run may take the post of.
type Updatable struct {
	ID          int64     `json:"id"`
	RunID       int64     `json:"run_id"`
	Title       string    `json:"title"`
	URL         string    `json:"url"`
	PublishedAt time.Time `json:"published_at"`
}
