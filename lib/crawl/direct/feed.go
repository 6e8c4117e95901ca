package direct

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"
	ext "github.com/mmcdole/gofeed/extensions"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

const (
	// maxEntries is the most entries of one feed that are read: feeds begin
	// with the newest.
	maxEntries = 2_000
	// maxNesting is deeper than any feed or sitemap goes.
	maxNesting = 64
)

// feed reads RSS, Atom or JSON Feed. It is cut to what is whole and within the
// caps first, in a stream that keeps nothing, because the parser takes all
// that it is given.
func (l *lister) feed(a answer) error {
	body, why, err := whole(a)
	var parsed *gofeed.Feed
	if err == nil {
		parsed, err = parseFeed(body)
	}
	if err != nil {
		return fault.Permanent(fmt.Errorf("it is no feed that can be read: %w%s", err, because(a.cut)))
	}
	for _, item := range parsed.Items {
		l.add(a.final, listed(item))
	}
	if a.cut != "" {
		why = a.cut
	}
	if why != "" {
		l.leaveOut("the entries of the feed after the first %d: %s", len(parsed.Items), why)
	}
	return nil
}

// whole is the part of a feed that is whole and within the caps, and why the
// rest is left out.
func whole(a answer) (body []byte, why string, err error) {
	if isJSON(a.body) {
		return wholeJSON(bytes.TrimPrefix(bytes.TrimSpace(a.body), []byte("\xef\xbb\xbf")))
	}
	if body, err = a.xml(); err != nil {
		return nil, "", err
	}
	return wholeXML(body)
}

// parseFeed shields a look from what breaks the parser.
func parseFeed(body []byte) (f *gofeed.Feed, err error) {
	defer func() {
		if r := recover(); r != nil {
			f, err = nil, fmt.Errorf("it breaks the parser: %.80v", r)
		}
	}()
	return gofeed.NewParser().Parse(bytes.NewReader(body))
}

// listed takes from an entry what a look needs. RSS only says when an entry
// was published, which doesn't move when its text does.
func listed(item *gofeed.Item) editorial.ListedPage {
	p := editorial.ListedPage{URL: item.Link, Title: item.Title, PublishedAt: item.PublishedParsed, ChangedAt: changed(item)}
	if p.URL == "" && strings.HasPrefix(item.GUID, "http") {
		p.URL = item.GUID
	}
	if p.PublishedAt == nil {
		p.PublishedAt = p.ChangedAt
	}
	p.Comments = slashComments(item.Extensions)
	return p
}

func changed(item *gofeed.Item) *time.Time {
	if item.UpdatedParsed == nil || item.Updated == "" {
		return nil
	}
	return item.UpdatedParsed
}

func slashComments(all ext.Extensions) *int {
	for _, e := range all["slash"]["comments"] {
		if n := number(e.Value); n != nil {
			return n
		}
	}
	return nil
}

// wholeXML returns the part of an XML feed that ends with a whole entry within
// the caps, its elements closed, and why the rest is left out.
func wholeXML(body []byte) (whole []byte, why string, err error) {
	d := lenient(body)
	var open []string
	entries, end, stack := 0, 0, []string(nil)
	for why == "" {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) && len(open) == 0 {
			return body, "", nil
		}
		if err != nil {
			why = "it is damaged there"
			break
		}
		switch t := tok.(type) {
		case xml.StartElement:
			open = append(open, name(t.Name))
			if len(open) > maxNesting {
				why = fmt.Sprintf("it is nested deeper than %d elements", maxNesting)
			}
		case xml.EndElement:
			if len(open) == 0 {
				why = "it is damaged there"
				break
			}
			closed := open[len(open)-1]
			open = open[:len(open)-1]
			if closed != "item" && closed != "entry" {
				continue
			}
			entries, end, stack = entries+1, int(d.InputOffset()), append(stack[:0], open...)
			if entries == maxEntries {
				why = fmt.Sprintf("it has more than %d", maxEntries)
			}
		}
	}
	if entries == 0 {
		return nil, "", fmt.Errorf("it has no entry that can be read: %s", why)
	}
	whole = append([]byte(nil), body[:end]...)
	for i := len(stack) - 1; i >= 0; i-- {
		whole = append(whole, "</"+stack[i]+">"...)
	}
	return whole, why, nil
}

func name(n xml.Name) string {
	if n.Space != "" {
		return n.Space + ":" + n.Local
	}
	return n.Local
}

// lenient reads XML as the world writes it. It expands no entities but the
// characters that HTML names.
func lenient(body []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	return d
}

// wholeJSON is wholeXML for a JSON Feed.
func wholeJSON(body []byte) (whole []byte, why string, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if _, err := d.Token(); err != nil {
		return nil, "", fmt.Errorf("it is no JSON: %w", err)
	}
	for {
		key, err := d.Token()
		if err != nil || key == json.Delim('}') {
			return nil, "", errors.New("it has no list of items that can be read")
		}
		if key == "items" {
			break
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return nil, "", fmt.Errorf("it is damaged JSON: %w", err)
		}
	}
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, "", errors.New("its items are no list")
	}
	var items []json.RawMessage
	for d.More() {
		if len(items) == maxEntries {
			why = fmt.Sprintf("it has more than %d", maxEntries)
			break
		}
		var item json.RawMessage
		if err := d.Decode(&item); err != nil {
			why = "it is damaged there"
			break
		}
		items = append(items, item)
	}
	if len(items) == 0 && why != "" {
		return nil, "", errors.New("it has no entry that can be read: " + why)
	}
	whole, err = json.Marshal(map[string]any{"version": "https://jsonfeed.org/version/1.1", "items": items})
	return whole, why, err
}
