package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"blogposter/lib/editorial"
	"blogposter/lib/faas"
	"blogposter/lib/ledger"
	"blogposter/lib/view"
)

const (
	minTopic = 3
	maxTopic = 200
	maxURLs  = 20
	maxURL   = 2000

	furthestYears = 2 // beyond it a typing error is likelier than a plan
)

// order is the body of POST /runs as it comes.
type order struct {
	Site      string   `json:"site"`
	Topic     string   `json:"topic"`
	URL       string   `json:"url"`
	URLs      []string `json:"urls"`
	MaxCost   string   `json:"max_cost"`
	Publish   string   `json:"publish"`
	PublishAt string   `json:"publish_at"`
	TopicID   int64    `json:"topic_id,omitempty"`
	Auto      bool     `json:"auto,omitempty"`
	Article   int64    `json:"article,omitempty"`
}

// The ways to publish.
const (
	publishReview   = "review"   // when a person has approved it, at publish_at if that is later
	publishSchedule = "schedule" // the same, at the next free slot of the site's schedule
)

// slotLead is how long before a slot a Run must be ordered: it has to be
// written and reviewed.
const slotLead = 2 * time.Hour

// fingerprint tells two orders apart, whatever their spacing and the order of
// their members. site is the one that was chosen.
func (o order) fingerprint(site string) string {
	o.Site = site
	raw, _ := json.Marshal(o) // such fields always encode
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// checked turns the order into a Run to add, or names every fault at once.
func (o order) checked(in view.Intake, now time.Time) (view.NewRun, error) {
	c := checker{site: in.Site}
	run := view.NewRun{
		Topic:    c.topic(o),
		TopicID:  c.id("topic_id", o.TopicID),
		TargetID: c.id("article", o.Article),
		URLs:     c.urls(o),
		MaxCost:  c.maxCost(o.MaxCost),
		Slot:     o.Publish == publishSchedule,
	}
	switch o.Publish {
	case "", publishReview:
		run.PublishAt = c.publishAt(o.PublishAt, now)
	case publishSchedule:
		run.PublishAt = c.slot(o, in.Taken, now)
	default:
		c.fault("publish", "is not a way to publish", `send "review" or "schedule", or leave it out: a person approves each article`)
	}
	if len(c.errs) > 0 {
		return view.NewRun{}, invalid(c.errs...)
	}
	return run, nil
}

// checker collects what is wrong with an order for its site.
type checker struct {
	site editorial.Site
	errs []faas.FieldError
}

func (c *checker) fault(field, detail, fix string) {
	c.errs = append(c.errs, faas.FieldError{Field: field, Detail: detail, Fix: fix})
}

// subject says which one of its ways the order takes to name what to write
// about, or "" when it takes none or several.
func (c *checker) subject(o order) string {
	var sent []string
	for _, way := range []struct {
		name string
		is   bool
	}{{"topic", o.Topic != ""}, {"url", o.URL != ""}, {"topic_id", o.TopicID != 0}, {"auto", o.Auto}} {
		if way.is {
			sent = append(sent, way.name)
		}
	}
	switch len(sent) {
	case 0:
		c.fault("topic", "is missing", "send topic, what to write about, url, a page to write about, topic_id, a recommendation, or auto: true, the best of them")
		return ""
	case 1:
		return sent[0]
	}
	for _, name := range sent[1:] {
		c.fault(name, "is sent together with "+sent[0], "send one of the two; further pages to read go into urls")
	}
	return ""
}

// topic is the one that was sent, or the words in the path of url; "" when it
// is chosen otherwise.
func (c *checker) topic(o order) string {
	switch c.subject(o) {
	case "auto":
		if o.Article != 0 {
			c.fault("article", "is sent together with auto", "send topic, what the article is about now: auto chooses what the site has no article on")
		}
		if len(o.URLs) > 0 {
			c.fault("urls", "is sent together with auto", "leave it out: what to read is not known before the topic is")
		}
		return ""
	case "", "topic_id":
		return ""
	case "url":
		topic := topicOf(o.URL)
		if utf8.RuneCountInString(topic) < minTopic {
			c.fault("url", "has no words in its path to take a topic from", "send topic, and the page in urls")
		}
		return topic
	}
	topic := strings.TrimSpace(o.Topic)
	if n := utf8.RuneCountInString(topic); n < minTopic || n > maxTopic {
		c.fault("topic", fmt.Sprintf("is %d characters long", n), fmt.Sprintf("send %d to %d characters", minTopic, maxTopic))
	} else if !isLine(topic) {
		c.fault("topic", "is not a line of text", "send words, without line breaks or control characters")
	}
	return topic
}

// id is one of a row; 0 for none.
func (c *checker) id(field string, id int64) int64 {
	if id < 0 {
		c.fault(field, "is not an id", "send a whole number above 0, such as 7")
	}
	return id
}

// isLine reports whether s is text on one line: something to read, nothing
// that steers a terminal or turns the direction of writing.
func isLine(s string) bool {
	return strings.ContainsFunc(s, unicode.IsLetter) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
	})
}

var wordBorder = regexp.MustCompile(`[^\p{L}\p{N}']+`)

// topicOf makes a readable topic of the last part of a path that has words:
// https://a.example/2024/05/service-animals.html is about "Service animals".
func topicOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	for _, part := range slices.Backward(parts) {
		part = strings.TrimSuffix(part, path.Ext(part))
		if !strings.ContainsFunc(part, unicode.IsLetter) {
			continue
		}
		words := []rune(strings.TrimSpace(wordBorder.ReplaceAllString(part, " ")))
		words[0] = unicode.ToUpper(words[0])
		return strings.TrimSpace(string(words[:min(len(words), maxTopic)]))
	}
	return ""
}

// urls are the pages to read, url first, each one once.
func (c *checker) urls(o order) []string {
	if len(o.URLs) > maxURLs {
		c.fault("urls", fmt.Sprintf("has %d pages", len(o.URLs)), fmt.Sprintf("send at most %d", maxURLs))
		return nil
	}
	var pages []string
	add := func(field, raw string) {
		page, fix := c.page(raw)
		if fix != "" {
			c.fault(field, "is not a page this site may read", fix)
		} else if !slices.Contains(pages, page) {
			pages = append(pages, page)
		}
	}
	if o.URL != "" {
		add("url", o.URL)
	}
	for i, raw := range o.URLs {
		add("urls["+strconv.Itoa(i)+"]", raw)
	}
	return pages
}

// page returns a URL in the form that source rules are compared with, or what
// to send instead.
func (c *checker) page(raw string) (page, fix string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil, len(raw) > maxURL, u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.Opaque != "":
		return "", fmt.Sprintf("send an absolute http or https URL of at most %d bytes", maxURL)
	case u.User != nil:
		return "", "send it without a user name or password"
	case climbs(u):
		return "", "send it without . and .. in its path"
	}
	// Hosts know no case, prefixes do; a fragment is never sent to a server.
	u.Host, u.Fragment, u.RawFragment = strings.ToLower(u.Host), "", ""
	if u.Path == "" {
		u.Path = "/"
	}
	if _, ok := c.site.SourceFor(u.String()); !ok {
		return "", "send one that begins with " + c.prefixes()
	}
	return u.String(), ""
}

// climbs reports whether the path has a part that a server may resolve to an
// address outside the prefix it seems to be under.
func climbs(u *url.URL) bool {
	for _, part := range strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}

func (c *checker) prefixes() string {
	if len(c.site.Sources) == 0 {
		return "a source of the site; it has none yet"
	}
	list := make([]string, len(c.site.Sources))
	for i, s := range c.site.Sources {
		list[i] = s.Prefix
	}
	return strings.Join(list, " or ")
}

var dollars = regexp.MustCompile(`^([0-9]{1,6})(?:\.([0-9]{1,6}))?$`)

// maxCost reads dollars without floating point; 0 leaves it to the site.
func (c *checker) maxCost(text string) ledger.Micros {
	if text == "" {
		return 0
	}
	limit := ledger.Micros(c.site.ArticleBudget)
	fix := fmt.Sprintf(`send dollars as a string such as "0.12", above 0 and at most %s, the site's article budget`, strings.TrimPrefix(limit.String(), "$"))
	m := dollars.FindStringSubmatch(text)
	if m == nil {
		c.fault("max_cost", "is not an amount of dollars", fix)
		return 0
	}
	micros, _ := strconv.ParseInt(m[1]+(m[2] + "000000")[:6], 10, 64) // at most 12 digits
	if micros == 0 || ledger.Micros(micros) > limit {
		c.fault("max_cost", "is out of range", fix)
	}
	return ledger.Micros(micros)
}

// slot is the next one of the site's schedule that no live Run has.
func (c *checker) slot(o order, taken []time.Time, now time.Time) *time.Time {
	if o.PublishAt != "" {
		c.fault("publish_at", "is sent together with the schedule", `leave it out, or send publish "review"`)
		return nil
	}
	plan := c.site.Schedule
	if len(plan.Days) == 0 {
		c.fault("publish", "names a schedule, and the site has none", "send publish_at, or give the site's file a schedule: days and time")
		return nil
	}
	zone, err := time.LoadLocation(c.site.TimeZone)
	if err != nil {
		c.fault("publish", "names a schedule in the time zone "+c.site.TimeZone+", which is not known", "send publish_at, or mend time_zone in the site's file")
		return nil
	}
	at, ok := plan.NextSlot(zone, now.Add(slotLead), taken)
	if !ok {
		c.fault("publish", "finds every slot of the schedule taken", "send publish_at, or give the site's schedule more days")
		return nil
	}
	at = at.UTC()
	return &at
}

func (c *checker) publishAt(text string, now time.Time) *time.Time {
	if text == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		c.fault("publish_at", "is not a time", "send RFC 3339 with an offset, such as 2026-11-30T10:00:00-05:00")
		return nil
	}
	if !at.After(now) {
		c.fault("publish_at", "is not in the future", "send a later time, or leave it out to publish on approval")
	}
	if at.After(now.AddDate(furthestYears, 0, 0)) {
		c.fault("publish_at", "is too far away", fmt.Sprintf("send a time within %d years, or leave it out to publish on approval", furthestYears))
	}
	// Postgres keeps microseconds; what is approved must equal what is kept.
	at = at.UTC().Truncate(time.Microsecond)
	return &at
}
