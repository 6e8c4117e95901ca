package editorial

import (
	"strings"
	"time"
)

// Snapshot is a page as it was read once. Its text lies in the artifact store
// under TextHash, byte for byte what citations point into; RawHash is the
// answer of the reader it was made from.
type Snapshot struct {
	ID          int64      `json:"id"`
	URL         string     `json:"url"`
	Title       string     `json:"title"`
	Tier        Tier       `json:"tier"`
	TextHash    string     `json:"text_hash"` // SHA-256 of the text, lower-case hex
	RawHash     string     `json:"raw_hash"`
	TextBytes   int        `json:"text_bytes"`
	PublishedAt *time.Time `json:"published_at,omitempty"` // as the page says, when it says
	FetchedAt   time.Time  `json:"fetched_at"`
}

// SourceUse says what became of one page a Run was to read: a Snapshot, or
// the reason why it is worthless.
type SourceUse struct {
	URL        string `json:"url"`
	SnapshotID int64  `json:"snapshot_id,omitempty"`
	Refused    string `json:"refused,omitempty"`
}

// Evidence is a passage the writer may rely on, numbered from 1 within its Run.
type Evidence struct {
	N          int    `json:"n"`
	SnapshotID int64  `json:"snapshot_id"`
	Point      string `json:"point"` // what it says, in a few words
	Quote      string `json:"quote"` // the Snapshot's text[Start:End]
	Start      int    `json:"start"` // byte offsets into the Snapshot's text
	End        int    `json:"end"`
}

// Verdict is the fact checker's answer for one Claim.
type Verdict string

// The verdicts a Claim can have.
const (
	VerdictSupported   Verdict = "supported"
	VerdictRefuted     Verdict = "refuted"
	VerdictUnsupported Verdict = "unsupported" // no source found either way
)

// Claim is one checkable statement of a Draft.
type Claim struct {
	N         int        `json:"n"`     // from 1 within its Draft
	Place     string     `json:"place"` // where it stands: "title", "meta", "excerpt", "2" (a section's heading) or "2.1.0.3" (section, block, item, sentence, each from 0)
	Text      string     `json:"text"`
	Legal     bool       `json:"legal"`
	Verdict   Verdict    `json:"verdict"`
	Reason    string     `json:"reason"` // why, for the reviewer
	Citations []Citation `json:"citations"`
}

// Citation ties a Claim to the passage that supports or refutes it. Anyone
// who has the Snapshot's text can check it: SHA-256(text) is TextHash and
// text[Start:End] is Quote.
type Citation struct {
	SnapshotID int64  `json:"snapshot_id"`
	URL        string `json:"url"`
	Title      string `json:"title"`
	Tier       Tier   `json:"tier"`
	TextHash   string `json:"text_hash"`
	Quote      string `json:"quote"`
	Start      int    `json:"start"`
	End        int    `json:"end"`
}

func covers(prefix, url string) bool {
	rest, ok := strings.CutPrefix(url, prefix)
	if !ok {
		return false
	}
	return rest == "" || strings.HasSuffix(prefix, "/") || strings.ContainsRune("/?#", rune(rest[0]))
}
