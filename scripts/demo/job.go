package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/seal"
	"blogposter/lib/view"
	"blogposter/migrations"
	"blogposter/scripts/site/sitefile"
)

// authoritative are the endings of host names whose pages are the law itself
// or come from who enforces it, for pages that do not say so themselves.
var authoritative = []string{".gov", ".mil"}

// job is one trip of one topic, seen from outside: all of it goes through the
// API, as for any other user.
type job struct {
	options
	settings settings
	out      io.Writer
	http     *http.Client
}

func newJob(o options, s settings, out io.Writer) job {
	return job{options: o, settings: s, out: out, http: &http.Client{Timeout: 30 * time.Second}}
}

func (j job) do(ctx context.Context) error {
	if _, err := migrations.Up(ctx, j.settings["MIGRATE_DATABASE_URL"]); err != nil {
		return err
	}
	site, err := j.site(ctx)
	if err != nil {
		return err
	}
	keys, err := seal.Parse(j.settings[seal.Variable])
	if err != nil {
		return err
	}
	secrets := sitefile.Secrets{Keys: keys, Value: func(name string) string { return j.settings[name] }}
	if err := sitefile.Import(ctx, j.settings["MIGRATE_DATABASE_URL"], secrets, site); err != nil {
		return err
	}
	editor, err := j.client("editor@demo.example", "editor", site.Slug)
	if err != nil {
		return err
	}
	if j.topic == auto {
		if err := j.research(ctx, editor, site.Slug); err != nil {
			return err
		}
	}
	order, err := j.order(ctx, editor, site.Site)
	if err != nil {
		return err
	}
	for tries := 1; ; tries++ {
		began := time.Now()
		d, err := j.trip(ctx, editor, site.Site, order)
		if err == nil {
			return j.report(ctx, editor, site.Site, d, time.Since(began))
		}
		// What the demo's few pages can't carry waits for its editor, who would add sources. This one asks for the next.
		if j.topic != auto || d.Waiting != pipeline.WaitingPerson || tries == mostTries {
			return err
		}
		fmt.Fprintf(j.out, "           it waits for a person: %s\n           The editor leaves it there and asks for the next best.\n", d.Why)
	}
}

// mostTries is how many recommendations the demo tries; several are about what
// its pages don't say a word on.
const mostTries = 6

// trip starts a Run and follows it until it is published, or stops.
func (j job) trip(ctx context.Context, editor client, site editorial.Site, order map[string]any) (view.Detail, error) {
	made, err := editor.startRun(ctx, order)
	if err != nil {
		return view.Detail{}, err
	}
	about := strconv.Quote(made.Topic)
	if made.Topic == "" {
		about = "the best of them"
	}
	fmt.Fprintf(j.out, "\nRun %d: %s, reading %d pages\n", made.ID, about, max(len(site.Sources), 1))
	return j.follow(ctx, editor, site.Slug, made.ID)
}

func (j job) client(subject, role, site string) (client, error) {
	t, err := token(j.settings["JWT_SECRET"], subject, role, site)
	return client{base: "http://" + platformAddress + "/api/v1/web/local", token: t, http: j.http}, err
}

// site is the demo's site file with the sources of this call filled in. Pages
// of one's own get a site of their own, so that articles never mix sources.
func (j job) site(ctx context.Context) (sitefile.Site, error) {
	raw, err := os.ReadFile("scripts/demo/site.yml")
	if err != nil {
		return sitefile.Site{}, err
	}
	sources, err := j.sources(ctx)
	if err != nil {
		return sitefile.Site{}, err
	}
	s, err := sitefile.Read(raw)
	if err != nil {
		return sitefile.Site{}, err
	}
	s.Sources = sources
	s.URL, s.CMS.URL, s.CMS.User = j.settings["WP_URL"], j.settings["WP_URL"], j.settings["WP_USER"]
	switch {
	case j.options.sources != "":
		s.Slug = "demo-" + slug(filepath.Base(j.options.sources))
	case j.url != "":
		s.Slug = "demo-web"
	case j.topic == auto:
		return watching(s), nil
	}
	return s, nil
}

func (j job) sources(ctx context.Context) ([]editorial.Source, error) {
	if j.url != "" {
		u, err := url.Parse(j.url)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("URL=%s is not an address: use one such as https://www.ada.gov/topics/service-animals/", j.url)
		}
		return []editorial.Source{{Prefix: u.Scheme + "://" + u.Host + "/", Tier: tierOf(u.Hostname())}}, nil
	}
	folder := "scripts/demo/pages"
	if j.options.sources != "" {
		folder = j.options.sources
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+sourceAddress+"/index.json?dir="+url.QueryEscape(folder), nil)
	if err != nil {
		return nil, err
	}
	resp, err := j.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var pages []struct {
		URL  string         `json:"url"`
		Tier editorial.Tier `json:"tier"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&pages); err != nil {
		return nil, fmt.Errorf("read the list of pages in %s: %w", folder, err)
	}
	if len(pages) == 0 {
		return nil, fmt.Errorf("SOURCES=%s has no pages: put captured pages (*.md) there, with a URL Source line each", folder)
	}
	list := make([]editorial.Source, 0, len(pages))
	for _, p := range pages {
		if p.Tier == "" {
			u, _ := url.Parse(p.URL)
			p.Tier = tierOf(u.Hostname())
		}
		list = append(list, editorial.Source{Prefix: p.URL, Tier: p.Tier, Start: true})
	}
	return list, nil
}

func tierOf(host string) editorial.Tier {
	for _, end := range authoritative {
		if strings.HasSuffix(host, end) {
			return editorial.TierAuthoritative
		}
	}
	return editorial.TierSecondary
}

// order is the body of POST /runs.
func (j job) order(ctx context.Context, c client, site editorial.Site) (map[string]any, error) {
	order := map[string]any{"site": site.Slug}
	switch {
	case j.topic == auto:
		order["auto"] = true
		return order, nil
	case j.topic != "":
		order["topic"] = j.topic
		if j.url != "" {
			order["urls"] = []string{j.url}
		}
		return order, nil
	case j.url != "":
		order["url"] = j.url
		return order, nil
	}
	used, err := c.topics(ctx, site.Slug)
	if err != nil {
		return nil, err
	}
	file, err := os.Open("scripts/demo/topics.txt")
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		topic := strings.TrimSpace(lines.Text())
		if topic != "" && !strings.HasPrefix(topic, "#") && !used[topic] {
			order["topic"] = topic
			return order, nil
		}
	}
	return nil, errors.New(`every topic in scripts/demo/topics.txt has its article; say another, make demo TOPIC="…", or begin anew: make wipe demo`)
}

// follow shows each transition as it happens, approves when it is asked for,
// and returns when the Run has ended.
func (j job) follow(ctx context.Context, c client, site string, id int64) (view.Detail, error) {
	shown, approved := 0, false
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		d, err := c.run(ctx, site, id)
		if err != nil {
			return d, err
		}
		for _, e := range d.Events[shown:] {
			j.showEvent(d, e)
		}
		shown = len(d.Events)
		switch {
		case d.State == pipeline.StateDone:
			return d, nil
		case d.AwaitsApproval() && !approved:
			approved = true
			if err := j.approve(ctx, c, site, id); err != nil {
				return d, err
			}
		case d.AwaitsApproval():
		case d.State == pipeline.StateFailed, d.State == pipeline.StateCancelled, d.State == pipeline.StateWaiting:
			return d, fmt.Errorf("the run stopped at %s (%s). %s\n%s", d.Stage, d.State, d.Why, refusals(d))
		}
		select {
		case <-ctx.Done():
			return d, ctx.Err()
		case <-tick.C:
		}
	}
}

func (j job) showEvent(d view.Detail, e view.Event) {
	if e.Kind != "finished" && e.Kind != "decided" && e.Kind != "lost" && e.Kind != "parked" {
		return
	}
	fmt.Fprintf(j.out, "  %7.1fs  %s\n", e.At.Sub(d.CreatedAt).Seconds(), e.Detail)
}

// approve does what a reviewer does: looks at the draft and its claims, then
// sends back the digest of what was shown.
func (j job) approve(ctx context.Context, editor client, site string, id int64) error {
	r, err := editor.review(ctx, site, id)
	if err != nil {
		return err
	}
	supported := 0
	for _, c := range r.Claims {
		if c.Verdict == editorial.VerdictSupported {
			supported++
		}
	}
	fmt.Fprintf(j.out, "           waiting for approval: %q, %d of %d claims supported\n", r.Title, supported, len(r.Claims))
	for _, f := range r.Findings {
		fmt.Fprintf(j.out, "             %s: %s (%s)\n", f.Severity, f.Message, f.Rule)
	}
	reviewer, err := j.client("reviewer@demo.example", "reviewer", site)
	if err != nil {
		return err
	}
	return reviewer.approve(ctx, site, id, r.Digest)
}

func refusals(d view.Detail) string {
	var b strings.Builder
	for _, s := range d.Sources {
		if s.Refused != "" {
			fmt.Fprintf(&b, "  not cited: %s: %s\n", s.URL, s.Refused)
		}
	}
	return b.String()
}

func slug(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(s)), "-")
}
