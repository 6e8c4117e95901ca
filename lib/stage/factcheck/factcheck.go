// Package factcheck checks a Draft against the stored texts of the pages it
// was written from. Models propose; plain rules decide: which sentences are
// claims can only grow by a rule, a verdict can only sink by one, and no
// quote counts that does not stand word for word in a page whose hash is
// right.
//
// It has no view of why the Draft says what it says: the passages a claim is
// judged by are searched anew in every page of the Run.
package factcheck

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/fault"
	"blogposter/lib/llm"
	"blogposter/lib/pipeline"
)

// Store is what this stage needs from the database, and no more.
type Store interface {
	Dossier(ctx context.Context, l pipeline.Lease) (editorial.Dossier, error)
}

// Models asks a model for JSON that fits the request's schema.
type Models interface {
	JSON(ctx context.Context, l pipeline.Lease, r llm.Request, out any) error
}

// Artifacts holds the texts of the Snapshots by their SHA-256.
type Artifacts interface {
	Get(ctx context.Context, hash string) ([]byte, error)
}

// Stage is the factcheck stage.
type Stage struct {
	store     Store
	models    Models
	artifacts Artifacts
}

// New returns the Stage. It panics when something is missing.
func New(store Store, models Models, artifacts Artifacts) *Stage {
	if store == nil || models == nil || artifacts == nil {
		panic("factcheck: a Stage needs a store, models and artifacts")
	}
	return &Stage{store: store, models: models, artifacts: artifacts}
}

// ErrClaims means that the Draft holds claims that must not be published.
var ErrClaims = errors.New("claims do not hold")

// Do checks the Run's latest Draft. The Work holds every claim with its
// verdict, also when the Draft is stopped; a Draft that may not go on is
// fault.KindNeedsHuman. It is safe to repeat.
func (s *Stage) Do(ctx context.Context, l pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
	var work editorial.Work
	d, err := s.store.Dossier(ctx, l)
	if err != nil {
		return work, pipeline.Outcome{}, err
	}
	if d.Draft == nil {
		return work, pipeline.Outcome{}, fault.Permanent(fmt.Errorf("run %d has no draft to check: replay it from the draft stage", l.RunID))
	}
	j, err := s.job(ctx, l, d)
	if err != nil {
		return work, pipeline.Outcome{}, err
	}
	claims, err := j.claims(ctx)
	if err != nil {
		return work, pipeline.Outcome{}, fmt.Errorf("find claims of draft %d: %w", d.Draft.Version, err)
	}
	if err := j.check(ctx, claims); err != nil {
		return work, pipeline.Outcome{}, fmt.Errorf("check draft %d: %w", d.Draft.Version, err)
	}
	for _, c := range claims {
		work.Claims = append(work.Claims, c.Claim)
	}
	work.Checked = true
	out := pipeline.Outcome{Detail: summary(work.Claims, j.dropped)}
	return work, out, judge(d.Site.Rules, work.Claims)
}

// judge stops a Draft with any claim that fails the site's rules.
func judge(rules editorial.Rules, claims []editorial.Claim) error {
	if len(claims) == 0 {
		return fault.NeedsHuman(fmt.Errorf("%w: none was found, which no article can be: read the draft", ErrClaims))
	}
	faults := rules.Judge(claims)
	if len(faults) == 0 {
		return nil
	}
	const shown = 5
	named := strings.Join(faults[:min(shown, len(faults))], "; ")
	if more := len(faults) - shown; more > 0 {
		named += fmt.Sprintf("; and %d more", more)
	}
	return fault.NeedsHuman(fmt.Errorf("%w: %d of %d: %s", ErrClaims, len(faults), len(claims), named))
}

func summary(claims []editorial.Claim, dropped int) string {
	count := map[editorial.Verdict]int{}
	legal := 0
	for _, c := range claims {
		count[c.Verdict]++
		if c.Legal {
			legal++
		}
	}
	s := fmt.Sprintf("%d claims, %d of them legal: %d supported, %d refuted, %d unsupported", len(claims), legal,
		count[editorial.VerdictSupported], count[editorial.VerdictRefuted], count[editorial.VerdictUnsupported])
	if dropped > 0 {
		s += fmt.Sprintf("; %d quotes not in their page and dropped", dropped)
	}
	return s
}

// job is one attempt.
type job struct {
	models  Models
	lease   pipeline.Lease
	dossier editorial.Dossier
	pages   []page
	index   *evidence.Index // over every sentence of every page
	where   []place         // of what the index counts
	terms   *terms
	bans    *evidence.Bans
	dropped int // quotes that were not found
}

// page is a Snapshot with its text, whose hash was checked.
type page struct {
	snapshot  editorial.Snapshot
	text      string
	sentences []evidence.Sentence
	normal    map[string]int // normalised sentence -> its place in sentences
}

// place is a sentence of a page.
type place struct{ page, sentence int }

func (s *Stage) job(ctx context.Context, l pipeline.Lease, d editorial.Dossier) (*job, error) {
	j := &job{models: s.models, lease: l, dossier: d, terms: newTerms(d.Site.Rules.LegalTerms)}
	var err error
	if j.bans, err = evidence.NewBans(d.Site.Rules.Forbidden); err != nil {
		return nil, fault.NeedsHuman(err)
	}
	var texts []string
	for i, snap := range d.Snapshots {
		p, err := s.page(ctx, snap)
		if err != nil {
			return nil, err
		}
		for k, sen := range p.sentences {
			texts = append(texts, sen.In(p.text))
			j.where = append(j.where, place{i, k})
		}
		j.pages = append(j.pages, p)
	}
	if len(j.pages) == 0 {
		return nil, fault.NeedsHuman(fmt.Errorf("run %d has no stored page to check its draft against: replay it from the draft stage", l.RunID))
	}
	j.index = evidence.NewIndex(texts)
	return j, nil
}

func (s *Stage) page(ctx context.Context, snap editorial.Snapshot) (page, error) {
	text, err := s.artifacts.Get(ctx, snap.TextHash)
	if err != nil {
		return page{}, fmt.Errorf("stored text of %s: %w", snap.URL, err)
	}
	if got := evidence.Hash(text); got != snap.TextHash {
		return page{}, fault.NeedsHuman(fmt.Errorf("stored text of %s has SHA-256 %s, not %s: the artifact store is damaged", snap.URL, got, snap.TextHash))
	}
	p := page{snapshot: snap, text: string(text), normal: map[string]int{}}
	p.sentences = evidence.Sentences(p.text)
	for k, sen := range p.sentences {
		n := evidence.Normal(sen.In(p.text))
		if _, ok := p.normal[n]; !ok {
			p.normal[n] = k
		}
	}
	return p, nil
}
