package direct

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/publicsuffix"

	"blogposter/lib/crawl"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

// maxListed is the most pages that one competitor's list may name; what comes
// after is left out.
const maxListed = 20_000

const listTypes = "application/rss+xml,application/atom+xml,application/feed+json,application/xml,text/xml,text/html;q=0.9,*/*;q=0.5"

// List reads what c's address names. An error means that nothing could be
// read of it; what was only cut or damaged in part is in LeftOut.
func (f *Fetcher) List(ctx context.Context, c editorial.Competitor, since editorial.Validators) (editorial.Listing, error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.ListTime)
	defer cancel()
	l := &lister{f: f, home: siteOf(c.URL), seen: map[string]bool{}, read: map[string]bool{}}
	a, err := l.get(ctx, c.URL, since)
	if err != nil {
		return editorial.Listing{}, fmt.Errorf("list %s: %w", c.URL, err)
	}
	if a.status == http.StatusNotModified {
		return editorial.Listing{Unchanged: true, Validators: since}, nil
	}
	l.out.Validators = a.validators()
	switch c.Kind {
	case editorial.CompetitorFeed:
		err = l.feed(a)
	case editorial.CompetitorSitemap:
		err = l.sitemap(ctx, a, 0)
	case editorial.CompetitorPage:
		err = l.links(a)
	default:
		err = fault.Permanent(fmt.Errorf("its kind is %q: use feed, sitemap or page", c.Kind))
	}
	if err != nil {
		return editorial.Listing{}, fmt.Errorf("list %s: %w", c.URL, err)
	}
	return l.out, nil
}

// lister collects one competitor's list.
type lister struct {
	f    *Fetcher
	home string // the site whose pages are taken
	out  editorial.Listing
	seen map[string]bool // addresses of pages that are in out
	read map[string]bool // addresses of sitemaps that were asked for
	more int             // pages over maxListed
}

// get fetches a list, or a part of one, after its host's robots.txt.
func (l *lister) get(ctx context.Context, address string, since editorial.Validators) (answer, error) {
	u, err := crawl.Address(address, l.f.cfg.AllowPrivate)
	if err != nil {
		return answer{}, err
	}
	ok, err := l.f.allowed(ctx, u)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return answer{}, fault.Permanent(errors.New("the site's robots.txt does not allow us to fetch it"))
	}
	a, err := l.f.ask(ctx, u, since, listTypes, l.f.cfg.ListBytes)
	if err != nil {
		return a, err
	}
	media := a.media()
	text := media == "" || strings.HasPrefix(media, "text/") || strings.Contains(media, "xml") || strings.Contains(media, "json") ||
		strings.Contains(media, "gzip") || media == "application/octet-stream"
	switch {
	case a.status != http.StatusOK && a.status != http.StatusNotModified:
		return a, fault.Retryable(fmt.Errorf("the server answered %d", a.status), 0)
	case a.status == http.StatusOK && !text:
		return a, fault.Permanent(fmt.Errorf("it is %.60s, where a feed, a sitemap or a page belongs", media))
	}
	return a, nil
}

func (l *lister) leaveOut(format string, args ...any) {
	l.out.LeftOut = append(l.out.LeftOut, fmt.Sprintf(format, args...))
}

// add takes one page. The same page listed twice is one.
func (l *lister) add(base *url.URL, p editorial.ListedPage) {
	ref, err := base.Parse(strings.TrimSpace(p.URL))
	if err != nil || ref.Scheme != "http" && ref.Scheme != "https" || ref.Host == "" || ref.User != nil || len(ref.String()) > 2000 {
		return
	}
	p.URL = plainAddress(ref)
	if l.seen[p.URL] {
		return
	}
	if siteOf(p.URL) != l.home {
		l.seen[p.URL] = true
		l.out.Elsewhere++
		return
	}
	if len(l.out.Pages) >= maxListed {
		l.more++
		return
	}
	l.seen[p.URL] = true
	p.Title = crawl.Tidy(p.Title)
	p.ChangedAt, p.PublishedAt = sane(p.ChangedAt), sane(p.PublishedAt)
	l.out.Pages = append(l.out.Pages, p)
}

// siteOf is what the addresses of one site share: the name that was registered,
// so that feeds.a.example and www.a.example are one site; of an address without
// such a name its host.
func siteOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	if site, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return site
	}
	return host
}

// plainAddress is u without what doesn't change the page: a fragment, the
// marks of a campaign.
func plainAddress(u *url.URL) string {
	plain := *u
	plain.Fragment, plain.RawFragment = "", ""
	plain.Host = strings.ToLower(plain.Host)
	if plain.Path == "" {
		plain.Path = "/"
	}
	if strings.Contains(plain.RawQuery, "utm_") {
		kept := slices.DeleteFunc(strings.Split(plain.RawQuery, "&"), func(s string) bool { return strings.HasPrefix(s, "utm_") })
		plain.RawQuery = strings.Join(kept, "&")
	}
	return plain.String()
}

// files are links that lead to no page.
var files = []string{
	".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg", ".ico", ".css", ".js", ".pdf", ".zip", ".gz", ".mp3", ".mp4",
	".xml", ".json", ".rss", ".atom", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".woff", ".woff2",
}

// links takes the links of a page that stay on its host, one step, without
// those of its navigation and its foot.
func (l *lister) links(a answer) error {
	if media := a.media(); media != "" && media != "text/html" && media != "application/xhtml+xml" {
		return fault.Permanent(fmt.Errorf("it is %.60s, where a page of links belongs", media))
	}
	r, err := a.html()
	if err != nil {
		return fault.Permanent(err)
	}
	doc, err := html.Parse(r)
	if err != nil {
		return fault.Permanent(fmt.Errorf("its HTML can't be read: %w", err))
	}
	self := plainAddress(a.final)
	l.walk(doc, func(n *html.Node) {
		ref, err := a.final.Parse(strings.TrimSpace(attribute(n, "href")))
		if err != nil || !strings.EqualFold(ref.Host, a.final.Host) || plainAddress(ref) == self || isFile(ref.Path) {
			return
		}
		l.add(a.final, editorial.ListedPage{URL: ref.String()})
	})
	if a.cut != "" {
		l.leaveOut("the links after the first %s of the page: %s", size(len(a.body)), a.cut)
	}
	l.count("links")
	return nil
}

// walk calls take for each link below n that may lead to an article.
func (l *lister) walk(n *html.Node, take func(*html.Node)) {
	for c := n.FirstChild; c != nil; c = c.NextSibling { // html.Parse bounds the nesting
		if c.Type == html.ElementNode && (c.Data == "nav" || c.Data == "footer" || c.Data == "aside") {
			continue
		}
		if c.Type == html.ElementNode && c.Data == "a" && attribute(c, "href") != "" {
			take(c)
		}
		l.walk(c, take)
	}
}

func isFile(path string) bool {
	path = strings.ToLower(path)
	return slices.ContainsFunc(files, func(ext string) bool { return strings.HasSuffix(path, ext) })
}

// count says how many pages were over the cap.
func (l *lister) count(what string) {
	if l.more > 0 {
		l.leaveOut("%d %s after the first %d", l.more, what, maxListed)
		l.more = 0
	}
}

// isJSON reports whether a body is JSON rather than XML.
func isJSON(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf")), []byte("{"))
}
