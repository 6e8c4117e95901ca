package editorial

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Draft is one version of an article. Changed text is a new Draft.
type Draft struct {
	ID              int64    `json:"id"`
	Version         int      `json:"version"` // from 1 within its Run
	Title           string   `json:"title"`
	Slug            string   `json:"slug"`
	Excerpt         string   `json:"excerpt"`
	MetaDescription string   `json:"meta_description"`
	Keyphrase       string   `json:"keyphrase"`
	Categories      []string `json:"categories"`
	Tags            []string `json:"tags"`
	Body            Body     `json:"body"`
	Markup          string   `json:"markup"`  // Gutenberg blocks; empty until the seo stage renders it
	JSONLD          string   `json:"json_ld"` // empty until the seo stage renders it
	Digest          string   `json:"digest"`  // of the Document to approve; empty until the seo stage makes it
	Media           []Media  `json:"media"`   // empty until the seo stage makes it
}

// Media is a picture of a Draft. Its bytes lie in the artifact store.
type Media struct {
	Role   string `json:"role"` // "featured"
	Hash   string `json:"hash"` // SHA-256 of the bytes, in lower-case hex
	Type   string `json:"type"` // such as "image/png"
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Alt    string `json:"alt"`
	Name   string `json:"name"`   // file name on the site
	Origin string `json:"origin"` // who made it: "card"
}

// Body is the article's text: what a reader reads, with every sentence tied
// to the evidence it rests on.
type Body struct {
	Sections []Section `json:"sections"`
}

// Section is a heading and what stands below it. The first Section of a Body
// may have no heading: it is the introduction.
type Section struct {
	Heading string  `json:"heading"`
	Blocks  []Block `json:"blocks"`
}

// BlockKind is the form of a Block.
type BlockKind string

// The forms a Block can have.
const (
	BlockParagraph BlockKind = "paragraph" // one Item
	BlockList      BlockKind = "list"      // an Item a bullet
)

// Block is a paragraph or a list.
type Block struct {
	Kind  BlockKind `json:"kind"`
	Items []Item    `json:"items"`
}

// Item is a paragraph's text or one bullet.
type Item struct {
	Sentences []Sentence `json:"sentences"`
}

// Sentence is plain text, and the numbers of the Evidence it rests on.
type Sentence struct {
	Text     string `json:"text"`
	Evidence []int  `json:"evidence,omitempty"`
}

// PlacedSentence is a Sentence and where it stands, as Claim.Place says it.
type PlacedSentence struct {
	Place string
	Sentence
}

// Sentences lists every sentence of the body in reading order.
func (b Body) Sentences() []PlacedSentence {
	var out []PlacedSentence
	for s, sec := range b.Sections {
		for k, blk := range sec.Blocks {
			for i, item := range blk.Items {
				for n, sen := range item.Sentences {
					out = append(out, PlacedSentence{Place: fmt.Sprintf("%d.%d.%d.%d", s, k, i, n), Sentence: sen})
				}
			}
		}
	}
	return out
}

// Words counts the words of the body, headings included.
func (b Body) Words() int {
	n := 0
	for _, s := range b.Sections {
		n += len(strings.Fields(s.Heading))
	}
	for _, s := range b.Sentences() {
		n += len(strings.Fields(s.Text))
	}
	return n
}

// Validate reports every broken rule at once.
func (d Draft) Validate() error {
	var errs []error
	if strings.TrimSpace(d.Title) == "" {
		errs = append(errs, errors.New("draft title is empty"))
	}
	if len(d.Body.Sentences()) == 0 {
		errs = append(errs, errors.New("draft body is empty"))
	}
	for _, s := range d.Body.Sentences() {
		if strings.TrimSpace(s.Text) == "" {
			errs = append(errs, fmt.Errorf("draft sentence %s is empty", s.Place))
		}
	}
	return errors.Join(errs...)
}

// Severity is how much a Finding weighs.
type Severity string

// The severities. An error stops the Draft, a warning is shown to the reviewer.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Finding is one thing a lint says about a Draft.
type Finding struct {
	Rule     string   `json:"rule"` // such as "title-length"
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
}

// Brief is what was asked for: the input of a Run.
type Brief struct {
	RunID     int64      `json:"run_id"`
	Topic     string     `json:"topic"`
	URLs      []string   `json:"urls"` // pages to read; all covered by the site's sources
	PublishAt *time.Time `json:"publish_at,omitempty"`
	// Kind is the Run's: "article", "research" or "retraction".
	Kind string `json:"kind,omitempty"`
	// TargetID is the Publication that is updated or retracted; 0 for a new article.
	TargetID int64  `json:"target_id,omitempty"`
	Reason   string `json:"reason,omitempty"`  // of a retraction
	Restore  bool   `json:"restore,omitempty"` // a retraction brings back the version before
	// Marker stands in the published markup and finds the post again. It is
	// random: ids begin anew in another database that publishes to the same site.
	Marker string `json:"marker"`
}

// Link is a published article of the same site.
type Link struct {
	Title     string `json:"title"`
	URL       string `json:"url"`
	Keyphrase string `json:"keyphrase"`
}

// Dossier is all a stage may need to know of its Run, loaded in one query.
// Fields a stage has not reached yet are empty.
type Dossier struct {
	Site      Site        `json:"site"`
	Brief     Brief       `json:"brief"`
	Sources   []SourceUse `json:"sources"`
	Snapshots []Snapshot  `json:"snapshots"` // of this Run
	Evidence  []Evidence  `json:"evidence"`
	Draft     *Draft      `json:"draft"` // the latest version
	Claims    []Claim     `json:"claims"`
	Findings  []Finding   `json:"findings"`
	Decision  *Decision   `json:"decision"` // on the latest Draft
	Published []Link      `json:"published"`
	// Publication is what is known of the article on the site, if anything.
	Publication *Publication `json:"publication"`
}

// Snapshot returns the Dossier's Snapshot with that id.
func (d Dossier) Snapshot(id int64) (Snapshot, bool) {
	for _, s := range d.Snapshots {
		if s.ID == id {
			return s, true
		}
	}
	return Snapshot{}, false
}

// Work is what one attempt made. It is saved with the attempt's outcome in
// one transaction, or not at all; a failed attempt's Work is kept too, so
// that a stopped Draft leaves its evidence behind.
type Work struct {
	Sources  []SourceUse // draft
	Evidence []Evidence  // draft
	Draft    *Draft      // draft, seo: a new version when Version is new, else the rendered one
	Claims   []Claim     // factcheck, for the latest Draft
	Checked  bool        // factcheck: Claims replace what was known, even when empty
	Findings []Finding   // seo, for the latest Draft
	TopicID  int64       // topic: what an article's Run that had none writes on
}
