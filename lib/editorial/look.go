package editorial

import "time"

// Validators are what a server said to ask with the next time, so that it can
// answer "not modified".
type Validators struct {
	ETag         string `json:"etag"`
	LastModified string `json:"last_modified"`
}

// Watch is what a look at the competitors begins with.
type Watch struct {
	StartedAt   time.Time           `json:"started_at"` // when the Run began: what was checked since then is done
	Now         time.Time           `json:"now"`        // the store's clock
	Competitors []WatchedCompetitor `json:"competitors"`
	Pages       []WatchedPage       `json:"pages"` // of all states
}

// WatchedCompetitor is a Competitor and what its last look was answered.
type WatchedCompetitor struct {
	Competitor
	Validators
	CheckedAt *time.Time `json:"checked_at"` // nil before the first complete look
}

// Listing is what a competitor's feed, sitemap or page of links names.
type Listing struct {
	Pages      []ListedPage
	Unchanged  bool // not modified since the Validators it was asked with
	Validators Validators
	// LeftOut says what of it was not read, in words for an editor. Only a
	// Listing without any shows, by what it lacks, that a page may be gone.
	LeftOut []string
	// Elsewhere counts the pages it names on other sites than its own. They
	// are not taken: a list does not choose whom we ask, or pay the reader for.
	Elsewhere int
}

// ListedPage is a page as a Listing names it.
type ListedPage struct {
	URL   string
	Title string
	// ChangedAt is when its text last changed, as the Listing says; nil when
	// it doesn't say.
	ChangedAt   *time.Time
	PublishedAt *time.Time
	Comments    *int
}

// FoundPage is what fetching a page came to: one of Unchanged, Gone, Refused
// or a Text.
type FoundPage struct {
	Unchanged   bool   // not modified since the Validators it was asked with
	Gone        bool   // 404 or 410
	Refused     string // why its text is of no use, in words for an editor
	Passing     bool   // Refused for what may pass by itself, such as a 503
	Title       string
	Text        string
	PublishedAt *time.Time
	Comments    *int
	Validators  Validators
}

// PageFinding is a page as a look found it, and what of that is new.
type PageFinding struct {
	Page    WatchedPage `json:"page"`
	Change  *PageChange `json:"change"`  // nil when there is nothing to say
	Checked bool        `json:"checked"` // its server was asked; else only the Listing said something
}
