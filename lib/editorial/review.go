package editorial

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"
	"time"
)

// Verb is a reviewer's answer.
type Verb string

// The answers a reviewer can give.
const (
	VerbApprove Verb = "approve"
	VerbReject  Verb = "reject"
)

// Decision is a reviewer's answer for one Draft, bound to the digest of what
// was shown.
type Decision struct {
	ID        int64     `json:"id"`
	DraftID   int64     `json:"draft_id"`
	Verb      Verb      `json:"verb"`
	Digest    string    `json:"digest"`
	Reviewer  string    `json:"reviewer"`
	Comment   string    `json:"comment"`
	DecidedAt time.Time `json:"decided_at"`
}

// PublicationState is how far a Publication got.
type PublicationState string

// The states of a Publication.
const (
	PublicationIntent    PublicationState = "intent"    // about to be created; may already exist on the site
	PublicationDraft     PublicationState = "draft"     // created on the site, not public
	PublicationPublished PublicationState = "published" // public, read back and equal

	PublicationSuperseded PublicationState = "superseded" // a newer version stands in its place
	PublicationRetracted  PublicationState = "retracted"  // taken back
)

// Publication is a Draft on its site.
type Publication struct {
	ID          int64            `json:"id"`
	DraftID     int64            `json:"draft_id"`
	Digest      string           `json:"digest"`
	Marker      string           `json:"marker"` // stands in the markup; finds the post again
	State       PublicationState `json:"state"`
	PostID      int64            `json:"post_id"` // the site's id; 0 until known
	URL         string           `json:"url"`
	PublishedAt *time.Time       `json:"published_at,omitempty"`
	ReplacesID  int64            `json:"replaces_id,omitempty"` // the Publication whose post this one takes over
	EndedAt     *time.Time       `json:"ended_at,omitempty"`    // when it was superseded or retracted
	EndedWhy    string           `json:"ended_why,omitempty"`
}

// Edition is a Publication with the Draft it shows.
type Edition struct {
	Publication Publication `json:"publication"`
	Draft       Draft       `json:"draft"`
}

// Standing is how things stand with an article on its site.
type Standing struct {
	Target Edition `json:"target"` // the one that was asked for
	// Current is what stands on the Target's post now, nil when nothing does;
	// Before is the version that it replaced there, nil when there is none.
	Current *Edition `json:"current"`
	Before  *Edition `json:"before"`
	// Replacing and Retracting are other Runs that are at work on the Target; 0
	// for none.
	Replacing  int64 `json:"replacing"`
	Retracting int64 `json:"retracting"`
}

// Document is everything a reviewer approves, in one canonical form. What is
// not in it can't be published under the approval.
type Document struct {
	Site            string
	RunID           int64
	Version         int
	Action          string // "publish", or "update" of the Publication with TargetID
	TargetID        int64
	Title           string
	Slug            string
	Excerpt         string
	Markup          string
	JSONLD          string
	Categories      []string
	Tags            []string
	Author          string
	MetaDescription string
	Keyphrase       string
	Disclaimers     []string
	PublishAt       *time.Time
	Media           []Media // each file's hash stands for its bytes
}

// DocumentOf is the Document a Draft stands for on its Site.
func DocumentOf(site Site, brief Brief, d Draft) Document {
	action := "publish"
	if brief.TargetID != 0 {
		action = "update"
	}
	return Document{
		Site: site.Slug, RunID: brief.RunID, Version: d.Version, Action: action, TargetID: brief.TargetID,
		Title: d.Title, Slug: d.Slug, Excerpt: d.Excerpt, Markup: d.Markup, JSONLD: d.JSONLD,
		Categories: d.Categories, Tags: d.Tags, Author: site.Author,
		MetaDescription: d.MetaDescription, Keyphrase: d.Keyphrase,
		Disclaimers: append(append([]string{}, site.Rules.Disclaimers...), site.Rules.AIDisclosure),
		PublishAt:   brief.PublishAt, Media: d.Media,
	}
}

// Digest is the SHA-256, in lower-case hex, of the fields in order, each
// preceded by its length, so that no two Documents share one.
func (d Document) Digest() string {
	h := sha256.New()
	text(h, "blogposter-document-1")
	text(h, d.Site)
	number(h, d.RunID)
	number(h, int64(d.Version))
	for _, s := range []string{d.Action, d.Title, d.Slug, d.Excerpt, d.Markup, d.JSONLD} {
		text(h, s)
	}
	texts(h, d.Categories)
	texts(h, d.Tags)
	for _, s := range []string{d.Author, d.MetaDescription, d.Keyphrase} {
		text(h, s)
	}
	texts(h, d.Disclaimers)
	at := ""
	if d.PublishAt != nil {
		at = d.PublishAt.UTC().Format(time.RFC3339Nano)
	}
	text(h, at)
	number(h, int64(len(d.Media)))
	for _, m := range d.Media {
		texts(h, []string{m.Role, m.Hash, m.Type, m.Alt, m.Name, m.Origin})
		number(h, int64(m.Width))
		number(h, int64(m.Height))
	}
	if d.TargetID != 0 { // a new article has the digest it had before there were updates
		number(h, d.TargetID)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func number(h hash.Hash, n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n)) //nolint:gosec // a length or an id: the bit pattern is what is hashed
	h.Write(b[:])
}

func text(h hash.Hash, s string) {
	number(h, int64(len(s)))
	h.Write([]byte(s))
}

func texts(h hash.Hash, list []string) {
	number(h, int64(len(list)))
	for _, s := range list {
		text(h, s)
	}
}

// Judge says whether claims may be published under the rules: every claim
// supported, every legal one by enough pages of which one is authoritative.
// It returns one line for each claim that fails, in order.
func (r Rules) Judge(claims []Claim) []string {
	var faults []string
	for _, c := range claims {
		switch {
		case c.Verdict != VerdictSupported:
			faults = append(faults, string(c.Verdict)+": "+c.Text)
		case len(c.Citations) == 0:
			faults = append(faults, "no citation: "+c.Text)
		case c.Legal && !r.enough(c.Citations):
			faults = append(faults, "too few sources for a legal claim: "+c.Text)
		}
	}
	return faults
}

func (r Rules) enough(cs []Citation) bool {
	pages, law := map[string]bool{}, false
	for _, c := range cs {
		pages[strings.TrimSuffix(c.URL, "/")] = true
		law = law || c.Tier == TierAuthoritative
	}
	return law && len(pages) >= max(1, r.LegalMinSources)
}
