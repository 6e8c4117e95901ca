// Package view holds what the API shows of Runs, reviews and articles, and
// what it accepts for a new Run: nouns that the handlers and the store share,
// so that neither has to know the other. It does no I/O.
//
// The JSON field names are also those of lib/store's queries.
package view

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/ledger"
	"blogposter/lib/pipeline"
)

// ErrNotFound means that there is no such thing, or not on this site.
var ErrNotFound = errors.New("not found")

// ErrTopicTaken means that a Topic is written on already, dismissed, or no
// longer there.
var ErrTopicTaken = errors.New("topic can't be taken")

// Amount is money as the API shows it: exact, and readable.
type Amount ledger.Micros

type amount struct {
	Micros  int64  `json:"micro_dollars"`
	Dollars string `json:"dollars"`
}

// MarshalJSON shows the amount twice: to calculate with and to read.
func (a Amount) MarshalJSON() ([]byte, error) {
	text := ledger.Micros(a).String()
	sign := ""
	if a < 0 {
		sign, text = "-", text[1:]
	}
	return json.Marshal(amount{Micros: int64(a), Dollars: sign + text[1:]}) // without the currency sign
}

// UnmarshalJSON takes the shown form, and the bare number the store has.
func (a *Amount) UnmarshalJSON(raw []byte) error {
	var shown amount
	if len(raw) > 0 && raw[0] == '{' {
		err := json.Unmarshal(raw, &shown)
		*a = Amount(shown.Micros)
		return err
	}
	return json.Unmarshal(raw, (*int64)(a))
}

// Cost is what a Run has taken of its budget. Unknown is charged too: calls
// whose answer was lost, at their worst case.
type Cost struct {
	Spent    Amount `json:"spent"`
	Unknown  Amount `json:"unknown"`
	Reserved Amount `json:"reserved"` // by calls under way
	Limit    Amount `json:"limit"`
}

// Run is a Run in a list.
type Run struct {
	ID         int64             `json:"id"`
	Kind       pipeline.Kind     `json:"kind"`
	Topic      string            `json:"topic"`
	Stage      pipeline.Stage    `json:"stage"`
	State      pipeline.State    `json:"state"`
	Waiting    pipeline.Waiting  `json:"waiting_for,omitempty"`
	Attempt    int               `json:"attempt"` // begun at this stage
	Why        string            `json:"why,omitempty"`
	Next       string            `json:"next,omitempty"`
	NotBefore  time.Time         `json:"not_before"`
	PublishAt  *time.Time        `json:"publish_at,omitempty"`
	CreatedBy  string            `json:"created_by"`
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`
	FinishedAt *time.Time        `json:"finished_at,omitempty"`
	Links      map[string]string `json:"links,omitempty"`
}

// Detail is all there is to say about one Run.
type Detail struct {
	Run
	URLs        []string            `json:"urls"` // asked for; empty means the site's own start pages
	Cost        Cost                `json:"cost"`
	Sources     []Source            `json:"sources"`
	Drafts      []Version           `json:"drafts"`
	Attempts    []Attempt           `json:"attempts"`
	Events      []Event             `json:"events"` // oldest first
	Decision    *editorial.Decision `json:"decision,omitempty"`
	Publication *Publication        `json:"publication,omitempty"`
}

// Source is a page the Run read, or the reason why it was worthless.
type Source struct {
	URL       string         `json:"url"`
	Title     string         `json:"title,omitempty"`
	Tier      editorial.Tier `json:"tier,omitempty"`
	TextHash  string         `json:"text_hash,omitempty"`
	FetchedAt *time.Time     `json:"fetched_at,omitempty"`
	Refused   string         `json:"refused,omitempty"`
}

// Version is one Draft of the Run.
type Version struct {
	Version   int        `json:"version"`
	Title     string     `json:"title"`
	Digest    string     `json:"digest,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	CheckedAt *time.Time `json:"checked_at,omitempty"`
}

// Attempt is one lease of the Run and what came of it.
type Attempt struct {
	Stage      pipeline.Stage `json:"stage"`
	Attempt    int            `json:"attempt"`
	StartedAt  time.Time      `json:"started_at"`
	FinishedAt *time.Time     `json:"finished_at,omitempty"`
	Result     string         `json:"result,omitempty"` // done, retry, waiting, failed, lost
	Error      string         `json:"error,omitempty"`
	ErrorKind  string         `json:"error_kind,omitempty"`
}

// Event is one transition of the Run.
type Event struct {
	At      time.Time      `json:"at"`
	Kind    string         `json:"kind"`
	Stage   pipeline.Stage `json:"stage"`
	State   pipeline.State `json:"state"`
	Attempt int            `json:"attempt"`
	Detail  string         `json:"detail,omitempty"`
}

// Publication is how far the article got on its site.
type Publication struct {
	State       editorial.PublicationState `json:"state"`
	URL         string                     `json:"url,omitempty"`
	PublishedAt *time.Time                 `json:"published_at,omitempty"`
}

// Review is what a reviewer needs to judge a Draft. The Dossier's Draft is the
// latest version, nil before there is one.
type Review struct {
	Run     Run               `json:"run"`
	Cost    Cost              `json:"cost"`
	Dossier editorial.Dossier `json:"-"`
}

// Article is a Draft that is or was public on its site. Lists have only those
// that are.
type Article struct {
	ID          int64     `json:"id"`
	RunID       int64     `json:"run_id"`
	Title       string    `json:"title"`
	URL         string    `json:"url"`
	PublishedAt time.Time `json:"published_at"`
	Digest      string    `json:"digest"`
	Cost        Amount    `json:"cost"` // what is charged: spent and unknown
	// State is published, superseded or retracted; of the last two, the rest
	// says when and why, and which Article stands in its place.
	State      editorial.PublicationState `json:"state"`
	EndedAt    *time.Time                 `json:"ended_at,omitempty"`
	EndedWhy   string                     `json:"ended_why,omitempty"`
	ReplacedBy int64                      `json:"replaced_by,omitempty"`
	Links      map[string]string          `json:"links,omitempty"`
}

// CheckedArticle is an Article with everything it rests on.
type CheckedArticle struct {
	Article
	Claims []editorial.Claim `json:"claims"`
}

// Page is what part of a list is asked for.
type Page struct {
	Limit int
	After int64 // the last id of the page before; 0 begins at the start
	Stage pipeline.Stage
	State pipeline.State
	Kind  pipeline.Kind
}

// NewRun is a request for a Run that was found to be in order.
type NewRun struct {
	Topic     string // "" lets the topic stage choose one
	TopicID   int64  // the recommendation that Topic is the title of; 0 for none
	TargetID  int64  // the Publication that is to be updated; 0 for a new article
	URLs      []string
	PublishAt *time.Time
	Slot      bool          // PublishAt is a slot of the site's schedule: one Run alone may have it
	MaxCost   ledger.Micros // 0 leaves it to the site
	By        string
	Pins      pipeline.Pins
	Key       string // Idempotency-Key; "" for none
	Request   string // SHA-256 of the request, in lower-case hex; set with Key
}

// Earlier is the Run that an Idempotency-Key has made before.
type Earlier struct {
	Run     Run    `json:"run"`
	Request string `json:"request"`
}

// Intake is what a request for a Run is checked against.
type Intake struct {
	Site    editorial.Site `json:"site"`  // its sources, article budget, time zone and schedule
	Taken   []time.Time    `json:"taken"` // when live Runs are going to be published
	Earlier *Earlier       `json:"earlier"`
}

// Answer is a reviewer's Decision that is to be recorded.
type Answer struct {
	RunID    int64
	Verb     editorial.Verb
	Digest   string
	Comment  string
	Reviewer string
}

// Decided is what a Decision did to its Run.
type Decided struct {
	Run      Run                 `json:"run"`
	Decision *editorial.Decision `json:"decision"`
	Digest   string              `json:"digest"` // of the latest Draft
	New      bool                `json:"new"`    // false when the same answer was recorded before
}

// Conflict means that a Decision cannot be recorded: the Run doesn't wait for
// one, or what was shown has changed. Nothing was written.
type Conflict struct {
	Run    Run
	Digest string // of the latest Draft
}

func (c *Conflict) Error() string {
	return fmt.Sprintf("run %d is %s at %s", c.Run.ID, c.Run.State, c.Run.Stage)
}

// AwaitsApproval reports whether a Decision would be taken.
func (r Run) AwaitsApproval() bool {
	return r.State == pipeline.StateWaiting && r.Waiting == pipeline.WaitingApproval
}
