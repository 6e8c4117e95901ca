package sitefile

import "blogposter/lib/editorial"

// document is a site as YAML. Its parts have the fields of editorial's nouns,
// in the same order, so that they convert.
type document struct {
	Slug          string       `yaml:"slug"`
	Name          string       `yaml:"name"`
	URL           string       `yaml:"url"`
	TimeZone      string       `yaml:"time_zone"`
	Language      string       `yaml:"language"`
	Audience      string       `yaml:"audience,omitempty"`
	Voice         string       `yaml:"voice,omitempty"`
	Author        string       `yaml:"author"`
	Categories    []string     `yaml:"categories,omitempty,flow"`
	Tags          []string     `yaml:"tags,omitempty,flow"`
	ArticleBudget amount       `yaml:"article_budget"`
	CMS           content      `yaml:"cms"`
	Schedule      schedule     `yaml:"schedule,omitempty"`
	Research      *research    `yaml:"research,omitempty"`
	Sources       []source     `yaml:"sources"`
	Competitors   []competitor `yaml:"competitors,omitempty"`
	Rules         rules        `yaml:"rules"`
}

type content struct {
	Kind      string            `yaml:"kind"`
	URL       string            `yaml:"url"`
	User      string            `yaml:"user"`
	Password  reference         `yaml:"password,omitempty"`
	PostType  string            `yaml:"post_type,omitempty"`
	SEO       string            `yaml:"seo,omitempty"`
	Terms     string            `yaml:"terms,omitempty"`
	TermNames map[string]string `yaml:"term_names,omitempty"`
	Image     string            `yaml:"image,omitempty"`
}

type schedule struct {
	Days []string `yaml:"days,omitempty,flow"`
	Time string   `yaml:"time,omitempty"`
}

type research struct {
	Every  interval `yaml:"every"`
	Budget amount   `yaml:"budget"`
}

type source struct {
	Prefix string         `yaml:"prefix"`
	Tier   editorial.Tier `yaml:"tier"`
	Start  bool           `yaml:"start,omitempty"`
}

type competitor struct {
	Name string                   `yaml:"name"`
	Kind editorial.CompetitorKind `yaml:"kind"`
	URL  string                   `yaml:"url"`
	Via  editorial.Via            `yaml:"via,omitempty"`
	Most int                      `yaml:"most,omitempty"`
}

type rules struct {
	LegalTerms      []string    `yaml:"legal_terms,omitempty,flow"`
	LegalMinSources int         `yaml:"legal_min_sources"`
	Forbidden       []forbidden `yaml:"forbidden,omitempty"`
	Disclaimers     []string    `yaml:"disclaimers,omitempty"`
	AIDisclosure    string      `yaml:"ai_disclosure"`
	MinWords        int         `yaml:"min_words"`
	MaxWords        int         `yaml:"max_words"`
}

type forbidden struct {
	Pattern string `yaml:"pattern"`
	Reason  string `yaml:"reason"`
}

// What a competitor is without saying so; the database's defaults, too.
const (
	defaultVia  = editorial.ViaDirect
	defaultMost = 200
)

// site is the document as the site it describes.
func (d document) site() Site {
	s := editorial.Site{
		Slug: d.Slug, Name: d.Name, URL: d.URL, TimeZone: d.TimeZone, Language: d.Language, Audience: d.Audience, Voice: d.Voice,
		Author: d.Author, Categories: d.Categories, Tags: d.Tags, ArticleBudget: int64(d.ArticleBudget), Schedule: editorial.Schedule(d.Schedule),
		CMS: editorial.CMS{
			Kind: d.CMS.Kind, URL: d.CMS.URL, User: d.CMS.User, PostType: d.CMS.PostType, SEO: d.CMS.SEO, Terms: d.CMS.Terms,
			TermNames: d.CMS.TermNames, Image: d.CMS.Image,
		},
		Rules: editorial.Rules{
			LegalTerms: d.Rules.LegalTerms, LegalMinSources: d.Rules.LegalMinSources, Disclaimers: d.Rules.Disclaimers,
			AIDisclosure: d.Rules.AIDisclosure, MinWords: d.Rules.MinWords, MaxWords: d.Rules.MaxWords,
		},
	}
	if d.Research != nil {
		s.Research = &editorial.Research{EveryMinutes: int(d.Research.Every), Budget: int64(d.Research.Budget)}
	}
	for _, src := range d.Sources {
		s.Sources = append(s.Sources, editorial.Source(src))
	}
	for _, c := range d.Competitors {
		if c.Via == "" {
			c.Via = defaultVia
		}
		if c.Most == 0 {
			c.Most = defaultMost
		}
		s.Competitors = append(s.Competitors, editorial.Competitor{Name: c.Name, Kind: c.Kind, URL: c.URL, Via: c.Via, Most: c.Most})
	}
	for _, f := range d.Rules.Forbidden {
		s.Rules.Forbidden = append(s.Rules.Forbidden, editorial.Forbidden(f))
	}
	return Site{Site: s, PasswordFrom: string(d.CMS.Password)}
}

// documentOf is the document that describes s.
func documentOf(s Site) document {
	d := document{
		Slug: s.Slug, Name: s.Name, URL: s.URL, TimeZone: s.TimeZone, Language: s.Language, Audience: s.Audience, Voice: s.Voice,
		Author: s.Author, Categories: s.Categories, Tags: s.Tags, ArticleBudget: amount(s.ArticleBudget), Schedule: schedule(s.Schedule),
		CMS: content{
			Kind: s.CMS.Kind, URL: s.CMS.URL, User: s.CMS.User, Password: reference(s.PasswordFrom), PostType: s.CMS.PostType, SEO: s.CMS.SEO,
			Terms: s.CMS.Terms, TermNames: s.CMS.TermNames, Image: s.CMS.Image,
		},
		Rules: rules{
			LegalTerms: s.Rules.LegalTerms, LegalMinSources: s.Rules.LegalMinSources, Disclaimers: s.Rules.Disclaimers,
			AIDisclosure: s.Rules.AIDisclosure, MinWords: s.Rules.MinWords, MaxWords: s.Rules.MaxWords,
		},
	}
	if s.Research != nil {
		d.Research = &research{Every: interval(s.Research.EveryMinutes), Budget: amount(s.Research.Budget)}
	}
	for _, src := range s.Sources {
		d.Sources = append(d.Sources, source(src))
	}
	for _, c := range s.Competitors {
		d.Competitors = append(d.Competitors, competitor{Name: c.Name, Kind: c.Kind, URL: c.URL, Via: c.Via, Most: c.Most})
	}
	for _, f := range s.Rules.Forbidden {
		d.Rules.Forbidden = append(d.Rules.Forbidden, forbidden(f))
	}
	return d
}
