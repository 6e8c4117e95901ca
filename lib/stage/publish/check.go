package publish

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
)

// approved says why the Dossier's Draft may not be published. The database
// refuses the same; here nothing has been sent yet, and the reason is told.
func approved(d editorial.Dossier) error {
	switch {
	case d.Draft == nil:
		return errors.New("it has no draft")
	case d.Decision == nil:
		return fmt.Errorf("nobody has decided on draft %d", d.Draft.ID)
	case d.Decision.Verb != editorial.VerbApprove || d.Decision.DraftID != d.Draft.ID:
		return fmt.Errorf("the decision is to %s draft %d, and the latest is draft %d", d.Decision.Verb, d.Decision.DraftID, d.Draft.ID)
	}
	digest := editorial.DocumentOf(d.Site, d.Brief, *d.Draft).Digest()
	if digest != d.Decision.Digest || digest != d.Draft.Digest {
		return fmt.Errorf("draft %d or the site's rules are not what was approved (approved %.12s, now %.12s): show it to a reviewer again", d.Draft.ID, d.Decision.Digest, digest)
	}
	if faults := d.Site.Rules.Judge(d.Claims); len(faults) > 0 {
		return fmt.Errorf("%d claims fail the gate: %s", len(faults), strings.Join(faults, "; "))
	}
	if d.Brief.Marker == "" || !strings.Contains(d.Draft.Markup, d.Brief.Marker) {
		return fmt.Errorf("the markup of draft %d doesn't carry its class, so its post could not be found again: send it through seo again", d.Draft.ID)
	}
	return nil
}

// differences names each way in which what is stored is not what was approved.
func differences(got, want editorial.Post) []error {
	var diff []error
	for _, f := range []struct{ name, got, want string }{
		{"content", got.Content, want.Content}, {"title", got.Title, want.Title}, {"excerpt", got.Excerpt, want.Excerpt},
	} {
		if f.got != f.want {
			diff = append(diff, textDiffers(f.name, f.got, f.want))
		}
	}
	if !sameSlug(got.Slug, want.Slug) {
		diff = append(diff, fmt.Errorf("slug is %q, not %q", got.Slug, want.Slug))
	}
	// A post without a category gets the site's default.
	if len(want.Categories) > 0 && !sameIDs(got.Categories, want.Categories) {
		diff = append(diff, fmt.Errorf("categories are %v, not %v", got.Categories, want.Categories))
	}
	if !sameIDs(got.Tags, want.Tags) {
		diff = append(diff, fmt.Errorf("tags are %v, not %v", got.Tags, want.Tags))
	}
	if got.Picture != want.Picture {
		diff = append(diff, fmt.Errorf("featured image is file %d, not %d", got.Picture, want.Picture))
	}
	for _, name := range slices.Sorted(maps.Keys(want.Meta)) {
		text, kept := got.Meta[name]
		switch {
		case !kept || text == "" && want.Meta[name] != "":
			diff = append(diff, fmt.Errorf("field %s for search engines was dropped: look for a plugin that filters it, or register it with show_in_rest", name))
		case text != want.Meta[name]:
			diff = append(diff, textDiffers("field "+name+" for search engines", text, want.Meta[name]))
		}
	}
	return diff
}

// sameTexts reports whether a post shows what the Draft says, whatever was done
// to the rest of it.
func sameTexts(got editorial.Post, d editorial.Draft) bool {
	want := texts(d)
	return got.Content == want.Content && got.Title == want.Title && got.Excerpt == want.Excerpt
}

func textDiffers(name, got, want string) error {
	n := 0
	for n < min(len(got), len(want)) && got[n] == want[n] {
		n++
	}
	return fmt.Errorf("%s differs from byte %d on: %.40q instead of %.40q", name, n, got[n:], want[n:])
}

// sameSlug allows for the number a site adds to an address that is taken.
func sameSlug(got, want string) bool {
	rest, ok := strings.CutPrefix(got, want)
	return ok && numbered.MatchString(rest)
}

var numbered = regexp.MustCompile(`^(-[0-9]+)?$`)

func sameIDs(a, b []int64) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// ownAddress reports whether address is one of the site's: nothing else is
// fetched, or recorded as where the article stands.
func ownAddress(s editorial.Site, address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	for _, own := range []string{s.URL, s.CMS.URL} {
		if o, err := url.Parse(own); err == nil && o.Host == u.Host {
			return true
		}
	}
	return false
}

// last reports whether err ends the Run, so that nothing comes after it to
// tidy up.
func last(l pipeline.Lease, err error) bool {
	switch fault.KindOf(err) {
	case fault.KindPermanent:
		return true
	case fault.KindRetryable:
		return l.Attempt >= pipeline.StagePublish.MaxAttempts() && !fault.IsNotYet(err)
	case fault.KindNeedsHuman: // it goes on when the person has answered
	}
	return false
}
