package view

import (
	"errors"
	"time"

	"blogposter/lib/editorial"
)

// Why a request for a Run can't be carried out.
var (
	// ErrSlotTaken means that another Run took the slot of the schedule first.
	ErrSlotTaken = errors.New("the slot is taken")
	// ErrNoResearch means that the site watches nobody.
	ErrNoResearch = errors.New("the site has no research settings")
)

// Site is a site in a list.
type Site struct {
	Slug      string             `json:"slug"`
	Name      string             `json:"name"`
	URL       string             `json:"url"`
	Language  string             `json:"language"`
	TimeZone  string             `json:"time_zone"`
	Schedule  editorial.Schedule `json:"schedule"`
	UpdatedAt time.Time          `json:"updated_at"`
	Links     map[string]string  `json:"links,omitempty"`
}

// Credential says that a secret is set, and never what it is.
type Credential struct {
	Name  string    `json:"name"`
	SetAt time.Time `json:"set_at"`
	KeyID string    `json:"key_id"` // which key sealed it
}

// SiteSettings are all that a site is made of, without its secrets.
type SiteSettings struct {
	editorial.Site
	Credentials []Credential      `json:"credentials"`
	UpdatedAt   time.Time         `json:"updated_at"`
	Links       map[string]string `json:"links,omitempty"`
}
