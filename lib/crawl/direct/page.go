package direct

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	readability "codeberg.org/readeck/go-readability/v2"
	"golang.org/x/net/html"

	"blogposter/lib/crawl"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

// maxElements is how many elements of a page are looked at for its main text.
const maxElements = 50_000

// Page fetches one page and its main text. What is wrong with the page itself
// is in the answer; an error is of the way to it, such as an end of ctx.
func (f *Fetcher) Page(ctx context.Context, address string, since editorial.Validators) (editorial.FoundPage, error) {
	u, refusal, err := f.may(ctx, address)
	if err != nil || refusal.Refused != "" {
		return refusal, err
	}
	one, cancel := context.WithTimeout(ctx, f.cfg.PageTime)
	defer cancel()
	a, err := f.ask(one, u, since, "text/html,application/xhtml+xml", f.cfg.PageBytes)
	switch {
	case ctx.Err() != nil:
		return editorial.FoundPage{}, ctx.Err()
	case err != nil:
		return editorial.FoundPage{Refused: sentence(err), Passing: passing(err)}, nil
	}
	return f.judge(a, u), nil
}

// Allowed is the refusal of a page that its site's robots.txt, or its address,
// keeps us from: one without Refused may be fetched, by whatever way.
func (f *Fetcher) Allowed(ctx context.Context, address string) (editorial.FoundPage, error) {
	_, refusal, err := f.may(ctx, address)
	return refusal, err
}

func (f *Fetcher) may(ctx context.Context, address string) (*url.URL, editorial.FoundPage, error) {
	u, err := crawl.Address(address, f.cfg.AllowPrivate)
	if err != nil {
		return nil, editorial.FoundPage{Refused: sentence(err)}, nil
	}
	ok, err := f.allowed(ctx, u)
	switch {
	case ctx.Err() != nil:
		return nil, editorial.FoundPage{}, ctx.Err()
	case err != nil:
		return nil, editorial.FoundPage{Refused: sentence(err), Passing: passing(err)}, nil
	case !ok:
		return nil, editorial.FoundPage{Refused: "The site's robots.txt does not allow us to fetch this page."}, nil
	}
	return u, editorial.FoundPage{}, nil
}

func passing(err error) bool { return fault.KindOf(err) == fault.KindRetryable }

func (f *Fetcher) judge(a answer, asked *url.URL) editorial.FoundPage {
	media := a.media()
	switch {
	case a.status == http.StatusNotModified:
		return editorial.FoundPage{Unchanged: true}
	case a.status == http.StatusNotFound, a.status == http.StatusGone:
		return editorial.FoundPage{Gone: true}
	case a.status != http.StatusOK:
		passes := a.status >= http.StatusInternalServerError || a.status == http.StatusTooManyRequests || a.status == http.StatusRequestTimeout
		return editorial.FoundPage{Refused: fmt.Sprintf("The site answered %d instead of the page.", a.status), Passing: passes}
	case media != "" && media != "text/html" && media != "application/xhtml+xml":
		return editorial.FoundPage{Refused: fmt.Sprintf("It is no page of text but %.60s.", media)}
	case a.cut != "":
		return editorial.FoundPage{Refused: "The page can't be read as a whole: " + a.cut + ".", Passing: !strings.HasPrefix(a.cut, "it is over")}
	}
	p, err := extract(a)
	if err != nil {
		return editorial.FoundPage{Refused: "The page can't be read: " + err.Error() + "."}
	}
	p.Refused = crawl.Worthless(crawl.Page{URL: asked.String(), Final: a.final.String(), Title: p.Title, Text: p.Text})
	if p.Refused != "" {
		p.Text = ""
	}
	p.Validators = a.validators()
	return p
}

// extract finds title, main text, date and comments of a page. A page that
// breaks the parser is worth no more than its error.
func extract(a answer) (p editorial.FoundPage, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = editorial.FoundPage{}, fmt.Errorf("its HTML breaks the parser: %.80v", r)
		}
	}()
	r, err := a.html()
	if err != nil {
		return p, err
	}
	doc, err := html.Parse(r)
	if err != nil {
		return p, err
	}
	p.Comments = comments(doc)
	parser := readability.NewParser()
	parser.MaxElemsToParse = maxElements
	article, err := parser.ParseAndMutate(doc, a.final)
	if err != nil {
		return p, err
	}
	p.Title = crawl.Tidy(article.Title())
	if at, err := article.PublishedTime(); err == nil {
		p.PublishedAt = sane(&at)
	}
	if article.Node == nil {
		return p, nil
	}
	var text strings.Builder
	if err := article.RenderText(&text); err != nil {
		return p, err
	}
	p.Text = blocks(text.String())
	return p, nil
}

// blocks gives each block of a text its line, parted by blank lines, without
// the notices that sites wrap around their pages.
func blocks(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if line = crawl.Tidy(line); line != "" && !crawl.Notice(line) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n\n")
}

// comments is the number of comments that the page's structured data states.
func comments(doc *html.Node) *int {
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "script" || n.FirstChild == nil || !strings.Contains(attribute(n, "type"), "ld+json") {
			continue
		}
		var data any
		if json.Unmarshal([]byte(n.FirstChild.Data), &data) != nil {
			continue
		}
		if found := count(data, 0); found != nil {
			return found
		}
	}
	return nil
}

// count looks for commentCount, or a count of comments among the page's
// interactions, in schema.org data.
func count(data any, depth int) *int {
	if depth > 20 {
		return nil
	}
	switch v := data.(type) {
	case []any:
		for _, item := range v {
			if n := count(item, depth+1); n != nil {
				return n
			}
		}
	case map[string]any:
		if n := number(v["commentCount"]); n != nil {
			return n
		}
		if strings.Contains(fmt.Sprint(v["interactionType"]), "CommentAction") {
			return number(v["userInteractionCount"])
		}
		for _, key := range []string{"interactionStatistic", "@graph", "mainEntity"} {
			if n := count(v[key], depth+1); n != nil {
				return n
			}
		}
	}
	return nil
}

func number(v any) *int {
	var n int
	switch v := v.(type) {
	case float64:
		n = int(v)
	case string:
		parsed, err := strconv.Atoi(strings.TrimSpace(v))
		if err != nil {
			return nil
		}
		n = parsed
	default:
		return nil
	}
	if n < 0 || n > 1<<30 {
		return nil
	}
	return &n
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// sentence is an error as an editor reads it.
func sentence(err error) string {
	s := err.Error()
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}

// declared finds the encoding in an XML declaration.
var declared = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[^>]{0,80}encoding=["']([A-Za-z0-9._-]+)["']`) })

// timeOf parses a date of a list, nil when it is none or not of our time.
func timeOf(s string) *time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05", time.DateOnly, "2006-01"} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return sane(&t)
		}
	}
	return nil
}

// sane is nil for a time that can't be one of a page.
func sane(t *time.Time) *time.Time {
	if t == nil || t.Year() < 1991 || t.After(time.Now().Add(48*time.Hour)) {
		return nil
	}
	u := t.UTC()
	return &u
}
