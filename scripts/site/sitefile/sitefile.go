// Package sitefile reads a site from a YAML file, says everything that is
// wrong with it, and writes it to the database as the schema's owner:
// functions may read sites, never change them.
package sitefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"blogposter/lib/editorial"
)

// mostBudget is the most an article may be allowed to cost: beyond it a typing
// error is likelier than a wish.
const mostBudget = 10_000_000

var (
	slugForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	langForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
)

// Parse decodes and validates a site: each fault of Validate is reported at once.
func Parse(file []byte) (editorial.Site, error) {
	s, err := Read(file)
	if err != nil {
		return s, err
	}
	return s, Validate(s)
}

// Read decodes a site without validating it, for callers who still complete
// it. A key it doesn't know is an error.
func Read(file []byte) (editorial.Site, error) {
	var tree any
	if err := yaml.Unmarshal(file, &tree); err != nil {
		return editorial.Site{}, fmt.Errorf("not YAML: %w", err)
	}
	raw, err := json.Marshal(tree)
	if err != nil {
		return editorial.Site{}, fmt.Errorf("not a site: every key must be text: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	var s editorial.Site
	if err := dec.Decode(&s); err != nil {
		return editorial.Site{}, fmt.Errorf("not a site: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return s, nil
}

// Validate reports every fault, naming the field and what it must be.
func Validate(s editorial.Site) error {
	var errs []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	need(slugForm.MatchString(s.Slug), "slug %q: use lower-case letters, digits and hyphens, at most 63", s.Slug)
	need(strings.TrimSpace(s.Name) != "", "name is empty")
	need(isPage(s.URL) && !strings.HasSuffix(s.URL, "/"), "url %q: use the public address such as https://example.com, without a slash at the end", s.URL)
	_, err := time.LoadLocation(s.TimeZone)
	need(s.TimeZone != "" && err == nil, "time_zone %q: use an IANA name such as America/New_York", s.TimeZone)
	need(langForm.MatchString(s.Language), "language %q: use a BCP 47 tag such as en-US", s.Language)
	need(strings.TrimSpace(s.Author) != "", "author is empty: articles carry a byline")
	need(s.ArticleBudget > 0 && s.ArticleBudget <= mostBudget, "article_budget %d: use micro-dollars from 1 to %d, such as 150000 for $0.15", s.ArticleBudget, mostBudget)
	need(s.CMS.Kind == "wordpress", "cms.kind %q: only wordpress is known", s.CMS.Kind)
	need(isPage(s.CMS.URL) && !strings.HasSuffix(s.CMS.URL, "/"), "cms.url %q: use WordPress's address, without a slash at the end", s.CMS.URL)
	need(s.CMS.User != "", "cms.user is empty: name the user whose application password is used")
	return errors.Join(append(append(errs, sources(s.Sources)...), rules(s.Rules)...)...)
}

func sources(list []editorial.Source) []error {
	var errs []error
	if len(list) == 0 {
		errs = append(errs, errors.New("sources is empty: nothing could be read or cited"))
	}
	seen := map[string]bool{}
	for i, src := range list {
		if u, err := url.Parse(src.Prefix); !isPage(src.Prefix) || err != nil || u.Path == "" || u.User != nil {
			errs = append(errs, fmt.Errorf("sources[%d].prefix %q: use scheme, host and at least a slash, such as https://www.ada.gov/", i, src.Prefix))
		}
		if !slices.Contains([]editorial.Tier{editorial.TierAuthoritative, editorial.TierSecondary}, src.Tier) {
			errs = append(errs, fmt.Errorf("sources[%d].tier %q: use authoritative or secondary", i, src.Tier))
		}
		if seen[src.Prefix] {
			errs = append(errs, fmt.Errorf("sources[%d].prefix %q stands twice", i, src.Prefix))
		}
		seen[src.Prefix] = true
	}
	return errs
}

func rules(r editorial.Rules) []error {
	var errs []error
	if r.LegalMinSources < 1 {
		errs = append(errs, fmt.Errorf("rules.legal_min_sources %d: at least 1, 2 for legal topics", r.LegalMinSources))
	}
	if r.MinWords < 1 || r.MaxWords < r.MinWords {
		errs = append(errs, fmt.Errorf("rules.min_words %d, max_words %d: use a range such as 1500 and 2500", r.MinWords, r.MaxWords))
	}
	if strings.TrimSpace(r.AIDisclosure) == "" {
		errs = append(errs, errors.New("rules.ai_disclosure is empty: readers must be told"))
	}
	for i, d := range r.Disclaimers {
		if strings.TrimSpace(d) == "" {
			errs = append(errs, fmt.Errorf("rules.disclaimers[%d] is empty", i))
		}
	}
	for i, f := range r.Forbidden {
		if _, err := regexp.Compile(f.Pattern); f.Pattern == "" || err != nil {
			errs = append(errs, fmt.Errorf("rules.forbidden[%d].pattern %q: not a regular expression (RE2)", i, f.Pattern))
		}
		if f.Reason == "" {
			errs = append(errs, fmt.Errorf("rules.forbidden[%d].reason is empty: the reviewer reads it", i))
		}
	}
	return errs
}

func isPage(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
