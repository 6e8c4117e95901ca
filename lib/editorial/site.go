// Package editorial holds the nouns every stage shares: a Site and its rules,
// Snapshots and Evidence, Drafts, Claims with their Citations, Decisions and
// Publications. It imports nothing from this module and does no I/O.
//
// The JSON field names are also the column names of lib/store's queries.
package editorial

// Tier says how much weight a source carries.
type Tier string

// The tiers of a source.
const (
	TierAuthoritative Tier = "authoritative" // the law itself or the body that enforces it
	TierSecondary     Tier = "secondary"     // everything else a site allows
)

// Site is one blog: who reads it, how it sounds, what may be fetched for it,
// what must and must not stand in its articles, where they are published.
type Site struct {
	ID         int64    `json:"id"`
	Slug       string   `json:"slug"`
	Name       string   `json:"name"`
	URL        string   `json:"url"`       // public address, without a trailing slash
	TimeZone   string   `json:"time_zone"` // IANA name
	Language   string   `json:"language"`  // BCP 47, such as en-US
	Audience   string   `json:"audience"`  // one sentence for the writer's prompt
	Voice      string   `json:"voice"`     // one or two sentences for the writer's prompt
	Author     string   `json:"author"`    // byline in the structured data
	Categories []string `json:"categories"`
	Tags       []string `json:"tags"`
	Sources    []Source `json:"sources"`
	Rules      Rules    `json:"rules"`
	CMS        CMS      `json:"cms"`
	// ArticleBudget is the most one article may cost, in micro-dollars.
	ArticleBudget int64 `json:"article_budget"`
	// Competitors are whose pages are watched; Research says how often, and is
	// nil for a site that watches nobody.
	Competitors []Competitor `json:"competitors,omitempty"`
	Research    *Research    `json:"research,omitempty"`
	Schedule    Schedule     `json:"schedule,omitzero"`
}

// CompetitorKind says what a Competitor's address leads to.
type CompetitorKind string

// The kinds of address that lead to a competitor's pages.
const (
	CompetitorFeed    CompetitorKind = "feed"    // RSS, Atom or JSON Feed
	CompetitorSitemap CompetitorKind = "sitemap" // a sitemap or an index of them
	CompetitorPage    CompetitorKind = "page"    // a page whose links are followed, one step, on its own host
)

// Via says how pages are fetched.
type Via string

// The ways to fetch a competitor's pages.
const (
	ViaDirect Via = "direct" // by ourselves, for nothing
	ViaReader Via = "reader" // by the reader, which runs a page's scripts and charges for its text
)

// Competitor is where a site looks for what others write.
type Competitor struct {
	ID   int64          `json:"id,omitempty"`
	Name string         `json:"name"`
	Kind CompetitorKind `json:"kind"`
	URL  string         `json:"url"`
	Via  Via            `json:"via"`
	Most int            `json:"most"` // pages that are kept in view, the newest first
}

// Research says how often a site looks at its competitors and what one look,
// with the Topics made of it, may cost.
type Research struct {
	EveryMinutes int   `json:"every_minutes"`
	Budget       int64 `json:"budget"` // micro-dollars
}

// Schedule says when a site publishes: at Time on Days, in the site's zone.
// Without days it has no slots, and articles go out when they are approved.
type Schedule struct {
	Days []string `json:"days,omitempty"` // "mon" to "sun"
	Time string   `json:"time,omitempty"` // "10:00"
}

// Source is a rule: pages whose URL begins with Prefix may be fetched and
// cited, and weigh Tier. The longest matching prefix wins. With Start set the
// prefix is itself a page to read for every article that names no pages.
type Source struct {
	Prefix string `json:"prefix"`
	Tier   Tier   `json:"tier"`
	Start  bool   `json:"start"`
}

// Rules are what an article of the site must and must not say.
type Rules struct {
	LegalTerms      []string    `json:"legal_terms"`       // a sentence with one of them is a legal claim
	LegalMinSources int         `json:"legal_min_sources"` // distinct pages behind a legal claim, one of them authoritative
	Forbidden       []Forbidden `json:"forbidden"`
	Disclaimers     []string    `json:"disclaimers"` // stand in every article, word for word
	AIDisclosure    string      `json:"ai_disclosure"`
	MinWords        int         `json:"min_words"`
	MaxWords        int         `json:"max_words"`
}

// Forbidden is a statement that must never be published.
type Forbidden struct {
	Pattern string `json:"pattern"` // RE2, matched without regard to case
	Reason  string `json:"reason"`
}

// CMS is where the site's articles are published, and how. The password is
// kept sealed, apart from the site.
type CMS struct {
	Kind string `json:"kind"` // "wordpress"
	URL  string `json:"url"`  // without a trailing slash
	User string `json:"user"`
	// PostType is "post" or "page"; "" means post.
	PostType string `json:"post_type,omitempty"`
	// SEO is whose fields take title, description, canonical address and
	// keyphrase: "yoast", "rankmath", "none", or "auto", what the site has; ""
	// means auto.
	SEO string `json:"seo,omitempty"`
	// Terms says what becomes of a category or tag the site lacks: "create" or
	// "refuse"; "" means create.
	Terms string `json:"terms,omitempty"`
	// TermNames maps our categories and tags to the site's own names.
	TermNames map[string]string `json:"term_names,omitempty"`
	// Image is where featured images come from: "card" or "none"; "" means card.
	Image string `json:"image,omitempty"`
}

// SourceFor returns the rule that allows url, or false: the page must not be
// fetched. A prefix only matches at a border, so https://a.example never
// allows https://a.example.evil.
func (s Site) SourceFor(url string) (Source, bool) {
	var best Source
	found := false
	for _, rule := range s.Sources {
		if covers(rule.Prefix, url) && (!found || len(rule.Prefix) > len(best.Prefix)) {
			best, found = rule, true
		}
	}
	return best, found
}
