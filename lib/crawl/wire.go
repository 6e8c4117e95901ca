package crawl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"blogposter/lib/fault"
)

// envelope is the reader's JSON answer, good or bad.
type envelope struct {
	Code     int    `json:"code"`
	Name     string `json:"name"`
	Message  string `json:"message"`
	Readable string `json:"readableMessage"`
	Data     *struct {
		Title         string `json:"title"`
		URL           string `json:"url"`
		Content       string `json:"content"`
		PublishedTime string `json:"publishedTime"`
		Warning       string `json:"warning"`
		Usage         usage  `json:"usage"`
	} `json:"data"`
	Meta struct {
		Usage usage `json:"usage"`
	} `json:"meta"`
}

type usage struct {
	Tokens int64 `json:"tokens"`
}

func (e envelope) explain() string {
	if e.Readable != "" {
		return e.Readable
	}
	return strings.TrimPrefix(e.Name+": "+e.Message, ": ")
}

// envelopeOf reports whether body is the reader's envelope: an object that
// has a code.
func envelopeOf(body []byte) (envelope, bool) {
	var e envelope
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) || json.Unmarshal(body, &e) != nil {
		return envelope{}, false
	}
	return e, e.Code != 0
}

// decode makes a Page of a good answer in either form of the reader.
func decode(h http.Header, body []byte, asked string) (Page, error) {
	media, _, _ := mime.ParseMediaType(h.Get("Content-Type")) // absent: the body decides
	p := Page{URL: asked, Raw: body}
	var content string
	e, isJSON := envelopeOf(body)
	switch {
	case isJSON && e.Data != nil:
		p.Title, p.Final, p.Warning = e.Data.Title, e.Data.URL, e.Data.Warning
		p.PublishedAt = published(e.Data.PublishedTime)
		p.Tokens = max(e.Data.Usage.Tokens, e.Meta.Usage.Tokens)
		content = e.Data.Content
	case isJSON || media == "application/json":
		// The page was read and may have been charged, but what it says is lost.
		return Page{}, fault.Lost(fault.Retryable(errors.New("the reader's JSON answer can't be decoded"), 0))
	case media == "" || strings.HasPrefix(media, "text/"):
		content = p.header(string(body))
	default:
		return Page{}, fault.Lost(fault.Permanent(fmt.Errorf("the reader answered with %s, which is not text: name a page of text", media)))
	}
	if n, err := strconv.ParseInt(h.Get("X-Usage-Tokens"), 10, 64); err == nil {
		p.Tokens = max(p.Tokens, n)
	}
	if p.Tokens <= 0 {
		p.Tokens = int64(len(content)+2) / 3
	}
	p.Title, p.Warning = tidy(p.Title), tidy(p.Warning)
	if r := []rune(p.Title); len(r) > mostTitle {
		p.Title = string(r[:mostTitle]) + "…"
	}
	p.Text = Plain(content)
	return p, nil
}

// mostTitle is how much of a title is kept, in letters: the page decides how
// long it is, and a step that keeps it has a limit of its own.
const mostTitle = 300

// header takes the lines above "Markdown Content:" from the text form, and
// returns what stands below. Without that line everything is content.
func (p *Page) header(body string) string {
	body = strings.ReplaceAll(body, "\r\n", "\n")
	head, content, ok := strings.Cut(body, "\nMarkdown Content:")
	if !ok {
		return body
	}
	for line := range strings.SplitSeq(head, "\n") {
		key, value, _ := strings.Cut(line, ": ")
		switch value = strings.TrimSpace(value); key {
		case "Title":
			p.Title = value
		case "URL Source":
			p.Final = value
		case "Published Time":
			p.PublishedAt = published(value)
		case "Warning":
			p.Warning = strings.TrimSpace(p.Warning + " " + value)
		}
	}
	return strings.TrimPrefix(content, "\n")
}

// layouts are the forms in which pages and servers write a time.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly,
	time.RFC1123, time.RFC1123Z, "January 2, 2006", "2 January 2006",
}

// published is nil for a time that can't be read: a wrong date is worse than
// none.
func published(s string) *time.Time {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil && t.Year() > 1990 {
			t = t.UTC()
			return &t
		}
	}
	return nil
}
