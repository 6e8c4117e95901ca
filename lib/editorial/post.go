package editorial

import "time"

// PostStatus is what a site does with a Post. The words are WordPress's; it
// has more of them, which are kept as they come.
type PostStatus string

// The statuses a Post is given.
const (
	PostDraft  PostStatus = "draft"   // not public
	PostPublic PostStatus = "publish" // public
	PostTrash  PostStatus = "trash"   // thrown away by a person, who may want it back
)

// Post is what a site's content system stores for an article. Its texts are
// raw: HTML as stored, not as shown.
type Post struct {
	ID         int64
	Status     PostStatus // "" in a change leaves it as it is
	Slug       string
	URL        string // public address; of a draft, the one it is to have
	Title      string
	Content    string
	Excerpt    string
	Categories []int64
	Tags       []int64
	Picture    int64             // the featured image's File; 0 for none
	Meta       map[string]string // what search engines are told, under the names of SearchFields
	DatedAt    time.Time         // when it became public, as the site says; zero before
}

// Taxonomy is a way a site sorts its Posts.
type Taxonomy string

// The taxonomies of a Post.
const (
	TaxonomyCategory Taxonomy = "categories"
	TaxonomyTag      Taxonomy = "tags"
)

// SearchFields are the names under which a site keeps what search engines are
// told of a Post, "" for what it doesn't keep.
type SearchFields struct {
	Plugin      string // "yoast", "rankmath", or "" for none
	Title       string
	Description string
	Keyphrase   string
	Canonical   string
	// Notes say what the site has and doesn't let us write, why, and the remedy.
	Notes []string
}

// Only is f without the names that are not kept.
func (f SearchFields) Only(kept map[string]bool) SearchFields {
	for _, name := range []*string{&f.Title, &f.Description, &f.Keyphrase, &f.Canonical} {
		if !kept[*name] {
			*name = ""
		}
	}
	return f
}

// File is a picture in a site's library.
type File struct {
	ID  int64
	URL string
	Alt string
}

// BlogClock is what a site's content system says of its own time.
type BlogClock struct {
	Zone   string  // IANA name, or "" where only an offset is set
	Offset float64 // hours east of UTC
}
