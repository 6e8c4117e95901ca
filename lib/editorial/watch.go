package editorial

import "time"

// PageState is how a competitor's page was found last.
type PageState string

// The states of a WatchedPage.
const (
	PageLive    PageState = "live"
	PageGone    PageState = "gone"    // no longer listed, or answered 404 or 410
	PageRefused PageState = "refused" // robots, an unreadable answer, nothing worth keeping
)

// WatchedPage is a competitor's page, as it was found last. It is looked at
// to learn what others write about and is never cited.
type WatchedPage struct {
	ID           int64      `json:"id"`
	CompetitorID int64      `json:"competitor_id"`
	URL          string     `json:"url"`
	Title        string     `json:"title"`
	State        PageState  `json:"state"`
	Refused      string     `json:"refused"` // why, in words for an editor
	TextHash     string     `json:"text_hash"`
	TextBytes    int        `json:"text_bytes"`
	Words        int        `json:"words"`
	Shingles     []byte     `json:"shingles"` // a sketch of its word shingles
	SameAs       int64      `json:"same_as"`  // the older page that says nearly the same; 0 for none
	Comments     *int       `json:"comments"` // nil: unknown
	ETag         string     `json:"etag"`
	LastModified string     `json:"last_modified"`
	ListedAt     *time.Time `json:"listed_at"`    // as its feed or sitemap dates it
	PublishedAt  *time.Time `json:"published_at"` // as the page says, when it says
	FirstSeenAt  time.Time  `json:"first_seen_at"`
	CheckedAt    time.Time  `json:"checked_at"`
	ChangedAt    time.Time  `json:"changed_at"`
}

// ChangeKind says what a look found otherwise than the one before.
type ChangeKind string

// The kinds of PageChange.
const (
	ChangeNew     ChangeKind = "new"
	ChangeChanged ChangeKind = "changed"
	ChangeGone    ChangeKind = "gone"
	ChangeBack    ChangeKind = "back"
)

// PageChange is what a look found otherwise than the one before.
type PageChange struct {
	PageID   int64      `json:"page_id"`
	URL      string     `json:"url"`
	Kind     ChangeKind `json:"kind"`
	At       time.Time  `json:"at"`
	TextHash string     `json:"text_hash"`
	Before   string     `json:"before"`
	Added    int        `json:"added"`   // sentences
	Removed  int        `json:"removed"` // sentences
	Summary  string     `json:"summary"`
}
