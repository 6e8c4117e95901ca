// Package seo lints a checked Draft, has its title and descriptions mended,
// and renders it for approval.
//
// Rules are plain functions. A text that is too long or too short is mended by
// a model, at most twice in a Run; since it is then another text, it goes back
// to the fact check as a new Draft. What can't be mended here and breaks a
// rule that must hold stops for a person.
package seo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/llm"
	"blogposter/lib/markup"
	"blogposter/lib/pipeline"
)

// maxVersion is the last Draft that is mended: the first has version 1, and
// two patches a Run are worth their money.
const maxVersion = 2

// linkPatience is the longest that all links of a Draft may take together: no
// step extends the lease meanwhile.
const linkPatience = 30 * time.Second

// Store is what this stage needs from the store.
type Store interface {
	Dossier(ctx context.Context, l pipeline.Lease) (editorial.Dossier, error)
}

// Models asks a model for JSON.
type Models interface {
	JSON(ctx context.Context, l pipeline.Lease, r llm.Request, out any) error
}

// Links reports whether a reader gets a page at an address of the site, which
// it doesn't when ctx ends before.
type Links interface {
	Resolves(ctx context.Context, url string) bool
}

// Pictures makes the featured image of a Dossier's Draft and keeps its bytes.
// The same Draft gets the same picture.
type Pictures interface {
	Featured(ctx context.Context, l pipeline.Lease, d editorial.Dossier) (editorial.Media, error)
}

// Stage lints and renders.
type Stage struct {
	store    Store
	models   Models
	links    Links
	pictures Pictures
}

// New returns a Stage.
func New(store Store, models Models, links Links, pictures Pictures) *Stage {
	return &Stage{store: store, models: models, links: links, pictures: pictures}
}

// Do returns the latest Draft rendered, with its digest and what a reviewer
// should know, or a mended new version on its way back to the fact check. It
// is safe to repeat: it writes nothing, and the model's answer is journaled.
func (s *Stage) Do(ctx context.Context, l pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
	d, err := s.store.Dossier(ctx, l)
	if err != nil {
		return editorial.Work{}, pipeline.Outcome{}, err
	}
	if d.Draft == nil {
		return editorial.Work{}, pipeline.Outcome{}, fault.Permanent(fmt.Errorf("run %d has no draft: replay it from the draft stage", l.RunID))
	}
	if err := d.Draft.Validate(); err != nil {
		return editorial.Work{}, pipeline.Outcome{}, fault.Permanent(fmt.Errorf("draft %d: %w", d.Draft.ID, err))
	}
	dead, unchecked := s.dropDead(ctx, &d)
	rendered, err := markup.Render(d)
	if err != nil {
		return editorial.Work{}, pipeline.Outcome{}, fault.Permanent(err)
	}
	media, err := s.media(ctx, l, d)
	if err != nil {
		return editorial.Work{}, pipeline.Outcome{}, err
	}
	findings := Lint(Subject{Dossier: d, Rendered: rendered, Media: media, Dead: dead, Unchecked: unchecked})
	if broken := mendable(findings); len(broken) > 0 && d.Draft.Version <= maxVersion {
		next, err := s.mend(ctx, l, d, broken)
		if err != nil {
			return editorial.Work{Findings: findings}, pipeline.Outcome{}, err
		}
		if next != nil {
			detail := fmt.Sprintf("version %d mends %s", next.Version, listed(broken))
			return editorial.Work{Draft: next}, pipeline.Outcome{Back: pipeline.StageFactCheck, Detail: detail}, nil
		}
	}
	findings = settle(findings)
	if err := stopping(d.Draft.ID, findings); err != nil {
		return editorial.Work{Findings: findings}, pipeline.Outcome{}, err
	}
	done := *d.Draft
	done.Markup, done.JSONLD, done.Media = rendered.Markup, rendered.JSONLD, media
	done.Digest = editorial.DocumentOf(d.Site, d.Brief, done).Digest()
	detail := fmt.Sprintf("version %d rendered, %d warnings", done.Version, len(findings))
	return editorial.Work{Draft: &done, Findings: findings}, pipeline.Outcome{Detail: detail}, nil
}

// media is the pictures of the Draft, as the site wants them.
func (s *Stage) media(ctx context.Context, l pipeline.Lease, d editorial.Dossier) ([]editorial.Media, error) {
	switch image := d.Site.CMS.Image; image {
	case "none":
		return nil, nil
	case "", "card":
		m, err := s.pictures.Featured(ctx, l, d)
		if err != nil {
			return nil, err
		}
		return []editorial.Media{m}, nil
	default:
		return nil, fault.NeedsHuman(fmt.Errorf("cms.image is %q, which nothing here makes: set it to card or none", image))
	}
}

// dropDead takes what doesn't resolve out of the articles to link to, and
// lists what would have been linked: the dead, and those nothing is known of
// because the time was up or the whole site seems to be down.
func (s *Stage) dropDead(ctx context.Context, d *editorial.Dossier) (dead, unchecked []string) {
	ctx, cancel := context.WithTimeout(ctx, linkPatience)
	defer cancel()
	alive := map[string]bool{}
	for {
		open := slices.DeleteFunc(markup.Related(*d), func(l editorial.Link) bool { return alive[l.URL] })
		if len(open) == 0 {
			return dead, nil
		}
		url := open[0].URL
		switch {
		case len(dead) < markup.MaxRelated && s.links.Resolves(ctx, url):
			alive[url] = true
		case len(dead) == markup.MaxRelated, ctx.Err() != nil:
			for _, l := range open {
				unchecked = append(unchecked, l.URL)
			}
			d.Published = slices.DeleteFunc(slices.Clone(d.Published), func(l editorial.Link) bool { return !alive[l.URL] })
			return dead, unchecked
		default:
			dead = append(dead, url)
			d.Published = slices.DeleteFunc(slices.Clone(d.Published), func(l editorial.Link) bool { return l.URL == url })
		}
	}
}

// mendable are the rules a patch can satisfy.
func mendable(findings []editorial.Finding) []string {
	var broken []string
	for _, f := range findings {
		if _, ok := place[f.Rule]; ok && f.Severity == editorial.SeverityError {
			broken = append(broken, f.Rule)
		}
	}
	return broken
}

// settle makes what could not be mended in time a warning, where it is a
// matter of length alone: the reviewer sees it and decides.
func settle(findings []editorial.Finding) []editorial.Finding {
	out := slices.Clone(findings)
	for i, f := range out {
		if f.Rule == RuleTitleLength || f.Rule == RuleMetaLength || f.Rule == RuleExcerpt {
			out[i].Severity = editorial.SeverityWarning
		}
	}
	return out
}

// stopping is the error of the findings that no reviewer may overrule.
func stopping(draftID int64, findings []editorial.Finding) error {
	var errs []error
	for _, f := range findings {
		if f.Severity == editorial.SeverityError {
			errs = append(errs, fmt.Errorf("%s: %s", f.Rule, f.Message))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return fault.NeedsHuman(fmt.Errorf("draft %d breaks %d rules: %w", draftID, len(errs), errors.Join(errs...)))
}
