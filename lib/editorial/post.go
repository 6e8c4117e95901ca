package editorial

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
	ID          int64
	Status      PostStatus
	Slug        string
	URL         string // public address; of a draft, where it may be previewed
	Title       string
	Content     string
	Excerpt     string
	Categories  []int64
	Tags        []int64
	Description string // for search engines; "" where the site has no field for it
}

// Taxonomy is a way a site sorts its Posts.
type Taxonomy string

// The taxonomies of a Post.
const (
	TaxonomyCategory Taxonomy = "categories"
	TaxonomyTag      Taxonomy = "tags"
)
