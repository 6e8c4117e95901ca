package sitefile

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"blogposter/lib/editorial"
)

// Bounds beyond which a typing error is likelier than a wish.
const (
	leastBudget   = 1_000      // $0.001, for an article or a look at the competitors
	mostBudget    = 10_000_000 // $10
	mostWords     = 10_000
	leastMinutes  = 15
	mostMinutes   = 7 * 24 * 60
	mostPages     = 5_000
	mostTermBytes = 100
)

var (
	slugForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	langForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	timeForm = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
)

// Validate reports every fault, naming the field and what it must be.
func Validate(s Site) error { return joined(validate(s, nil)) }

// checker collects what is wrong with a site. What couldn't be decoded is
// known already, and what it holds says nothing.
type checker struct {
	site   editorial.Site
	broken []Fault
	faults []Fault
}

func validate(s Site, broken []Fault) []Fault {
	c := &checker{site: s.Site, broken: broken}
	c.identity()
	c.content()
	c.terms()
	c.plan()
	c.sources()
	c.competitors()
	c.rules()
	c.bans()
	return c.faults
}

// need is a fault of field unless ok. Of a field that is named twice only the
// first fault is told.
func (c *checker) need(ok bool, field, format string, args ...any) {
	if ok {
		return
	}
	for _, b := range c.broken {
		if b.Field == field || strings.HasPrefix(field, b.Field+".") || strings.HasPrefix(field, b.Field+"[") {
			return
		}
	}
	c.faults = append(c.faults, Fault{field, fmt.Sprintf(format, args...)})
}

func (c *checker) identity() {
	s := c.site
	c.need(slugForm.MatchString(s.Slug), "slug", "%q: use lower-case letters, digits and hyphens, at most 63", s.Slug)
	c.need(filled(s.Name), "name", "is empty: readers and the structured data see it")
	c.need(isBase(s.URL), "url", "%q: use the public address such as https://example.com, without a slash at the end", s.URL)
	_, err := time.LoadLocation(s.TimeZone)
	c.need(s.TimeZone != "" && s.TimeZone != "Local" && err == nil, "time_zone", "%q: use an IANA name such as America/New_York", s.TimeZone)
	c.need(langForm.MatchString(s.Language), "language", "%q: use a BCP 47 tag such as en-US", s.Language)
	c.need(filled(s.Author), "author", "is empty: articles carry a byline")
	c.budget("article_budget", s.ArticleBudget)
}

func (c *checker) budget(field string, micros int64) {
	c.need(micros >= leastBudget && micros <= mostBudget, field, `%d (%s): use from "%s" to "%s", such as "$0.15"`,
		micros, amount(micros), amount(leastBudget), amount(mostBudget))
}

func (c *checker) content() {
	cms := c.site.CMS
	c.need(cms.Kind == "wordpress", "cms.kind", "%q: only wordpress is known", cms.Kind)
	c.need(isBase(cms.URL), "cms.url", "%q: use WordPress's address such as https://example.com, without a slash at the end", cms.URL)
	if isBase(cms.URL) {
		c.need(isPrivate(cms.URL), "cms.url", "%q: use https: the password would travel where everybody can read it", cms.URL)
	}
	c.need(filled(cms.User), "cms.user", "is empty: name the user whose application password is used")
	c.choice("cms.post_type", cms.PostType, "", "post", "page")
	c.choice("cms.seo", cms.SEO, "", "auto", "yoast", "rankmath", "none")
	c.choice("cms.terms", cms.Terms, "", "create", "refuse")
	c.choice("cms.image", cms.Image, "", "card", "none")
	for _, name := range slices.Sorted(maps.Keys(cms.TermNames)) {
		c.need(slices.Contains(c.site.Categories, name) || slices.Contains(c.site.Tags, name), "cms.term_names."+name,
			"is none of the site's categories and tags: add it there, or leave it out")
		c.need(filled(cms.TermNames[name]), "cms.term_names."+name, "is empty: write what WordPress calls it")
	}
}

// choice is one of allowed, of which the first may be "", for the default.
func (c *checker) choice(field, got string, allowed ...string) {
	c.need(slices.Contains(allowed, got), field, "%q: use one of %s", got, strings.TrimPrefix(strings.Join(allowed, ", "), ", "))
}

func (c *checker) terms() {
	c.names("categories", c.site.Categories)
	c.names("tags", c.site.Tags)
}

func (c *checker) names(field string, list []string) {
	for i, name := range list {
		at := fmt.Sprintf("%s[%d]", field, i)
		c.need(filled(name) && len(name) <= mostTermBytes, at, "%q: write a name of at most %d bytes", name, mostTermBytes)
		same := func(other string) bool { return strings.EqualFold(strings.TrimSpace(other), strings.TrimSpace(name)) }
		c.need(!slices.ContainsFunc(list[:i], same), at, "%q stands twice: keep one of them", name)
	}
}

// plan is when the site publishes and looks around.
func (c *checker) plan() {
	p := c.site.Schedule
	c.need((len(p.Days) == 0) == (p.Time == ""), "schedule", "has days or a time alone: give it both, such as days: [mon, wed, fri] and time: \"10:00\", or neither")
	for i, d := range p.Days {
		at := fmt.Sprintf("schedule.days[%d]", i)
		c.need(slices.Contains(editorial.Days, d), at, "%q: use %s", d, strings.Join(editorial.Days, ", "))
		c.need(!slices.Contains(p.Days[:i], d), at, "%q stands twice: keep one of them", d)
	}
	c.need(p.Time == "" || timeForm.MatchString(p.Time), "schedule.time", "%q: use hours and minutes of the site's own clock, such as 10:00", p.Time)
	r := c.site.Research
	if r == nil {
		c.need(len(c.site.Competitors) == 0, "research", "is missing: say how often the competitors are looked at, such as every: 6h and budget: \"$0.02\"")
		return
	}
	c.need(len(c.site.Competitors) > 0, "competitors", "is empty: research has nobody to look at; name one, or leave research out")
	c.need(r.EveryMinutes >= leastMinutes && r.EveryMinutes <= mostMinutes, "research.every", "is %d minutes: use from 15m to 7d, such as 6h", r.EveryMinutes)
	c.budget("research.budget", r.Budget)
}

func (c *checker) sources() {
	c.need(len(c.site.Sources) > 0, "sources", "is empty: nothing could be read or cited")
	seen := map[string]bool{}
	for i, src := range c.site.Sources {
		at := fmt.Sprintf("sources[%d]", i)
		u, ok := address(src.Prefix)
		c.need(ok && u.Path != "" && u.RawQuery == "" && u.Fragment == "", at+".prefix",
			"%q: use scheme, host in lower case and at least a slash, such as https://www.ada.gov/", src.Prefix)
		tiers := []editorial.Tier{editorial.TierAuthoritative, editorial.TierSecondary}
		c.need(slices.Contains(tiers, src.Tier), at+".tier", "%q: use authoritative or secondary", src.Tier)
		c.need(!seen[src.Prefix], at+".prefix", "%q stands twice: keep one of them", src.Prefix)
		seen[src.Prefix] = true
	}
}

func (c *checker) competitors() {
	seen := map[string]bool{}
	for i, k := range c.site.Competitors {
		at := fmt.Sprintf("competitors[%d]", i)
		c.need(filled(k.Name), at+".name", "is empty: an editor reads it")
		_, ok := address(k.URL)
		c.need(ok, at+".url", "%q: use an http or https address with its host in lower case, such as https://rival.example/feed/", k.URL)
		kinds := []editorial.CompetitorKind{editorial.CompetitorFeed, editorial.CompetitorSitemap, editorial.CompetitorPage}
		c.need(slices.Contains(kinds, k.Kind), at+".kind", "%q: use feed, sitemap or page", k.Kind)
		c.need(slices.Contains([]editorial.Via{editorial.ViaDirect, editorial.ViaReader}, k.Via), at+".via", "%q: use direct or reader", k.Via)
		c.need(k.Most >= 1 && k.Most <= mostPages, at+".most", "%d: use from 1 to %d pages", k.Most, mostPages)
		c.need(!seen[bare(k.URL)], at+".url", "%q stands twice: keep one of them", k.URL)
		seen[bare(k.URL)] = true
		c.need(!c.isOwn(k.URL), at+".url", "%q is the site itself: a competitor is somebody else", k.URL)
		if src, is := c.sourceOf(k.URL); is {
			c.need(false, at+".url", "%q lies in the site's own source %s: a page is cited or watched, never both", k.URL, src)
		}
	}
}

func (c *checker) isOwn(page string) bool {
	own := editorial.Site{Sources: []editorial.Source{{Prefix: bare(c.site.URL)}, {Prefix: bare(c.site.CMS.URL)}}}
	own.Sources = slices.DeleteFunc(own.Sources, func(s editorial.Source) bool { return s.Prefix == "" })
	_, is := own.SourceFor(bare(page))
	return is
}

func (c *checker) sourceOf(page string) (string, bool) {
	for _, src := range c.site.Sources {
		if _, is := (editorial.Site{Sources: []editorial.Source{{Prefix: bare(src.Prefix)}}}).SourceFor(bare(page)); is && src.Prefix != "" {
			return src.Prefix, true
		}
	}
	return "", false
}

// bare is an address without what makes no other page of it: its scheme, and
// the case of its host.
func bare(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.Scheme, u.Host = "", strings.ToLower(u.Host)
	return strings.TrimPrefix(u.String(), "//")
}

func filled(s string) bool { return strings.TrimSpace(s) != "" }

// address takes an absolute http or https URL that names nobody.
func address(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return nil, false
	}
	return u, u.Host == strings.ToLower(u.Host)
}

// isBase reports whether s is an address that paths can be put behind.
func isBase(s string) bool {
	u, ok := address(s)
	return ok && u.RawQuery == "" && u.Fragment == "" && !strings.HasSuffix(s, "/")
}

// isPrivate reports whether what is sent to s can't be read on the way: over
// TLS, or to a server that no stranger's network lies before.
func isPrivate(s string) bool {
	u, _ := address(s)
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsPrivate())
}
