package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
)

// withTimeout leases a draft Run, or fails within two seconds instead of
// waiting for a lock.
func withTimeout(t *testing.T, s *store.Store) (pipeline.Lease, bool, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	return s.LeaseRun(ctx, pipeline.StageDraft, "b", ttl)
}

// draft is the first version of an article of one sentence.
func draft() *editorial.Draft {
	return &editorial.Draft{
		Version: 1, Title: "Dogs on trains", Slug: "dogs-on-trains", Excerpt: "E", MetaDescription: "M", Keyphrase: "dogs on trains",
		Categories: []string{"Guides"},
		Body: editorial.Body{Sections: []editorial.Section{{Heading: "H", Blocks: []editorial.Block{{
			Kind: editorial.BlockParagraph, Items: []editorial.Item{{Sentences: []editorial.Sentence{{Text: "Dogs may ride.", Evidence: []int{1}}}}},
		}}}}},
	}
}

// next is the Transition of a successful attempt.
func next(l pipeline.Lease) pipeline.Transition { return pipeline.Decide(l, pipeline.Outcome{}, nil) }

// drafted takes a Run through the draft stage: one page read, one refused.
func drafted(t *testing.T, db storetest.DB, site int64) (runID, snapshotID int64) {
	t.Helper()
	runID = storetest.AddRun(t, db.Owner, site, "draft")
	s := store.New(db.Functions)
	l := lease(t, s, pipeline.StageDraft, "w")
	snap := editorial.Snapshot{
		URL: "https://law.example/1", Title: "Law", Tier: editorial.TierAuthoritative,
		TextHash: strings.Repeat("a", 64), RawHash: strings.Repeat("b", 64), TextBytes: 99,
	}
	snapshotID, err := s.KeepSnapshot(t.Context(), l, snap)
	require.NoError(t, err)
	again, err := s.KeepSnapshot(t.Context(), l, snap)
	require.NoError(t, err)
	require.Equal(t, snapshotID, again, "the same text of the same page is one row")
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{
		Sources:  []editorial.SourceUse{{URL: snap.URL, SnapshotID: snapshotID}, {URL: "https://law.example/2", Refused: "an error page"}},
		Evidence: []editorial.Evidence{{N: 1, SnapshotID: snapshotID, Point: "p", Quote: "Dögs may ride.", Start: 10, End: 25}},
		Draft:    draft(),
	}))
	return runID, snapshotID
}

func supported(snapshotID int64, legal bool) editorial.Claim {
	return editorial.Claim{
		N: 1, Place: "0.0.0.0", Text: "Dogs may ride.", Legal: legal, Verdict: editorial.VerdictSupported, Reason: "as quoted",
		Citations: []editorial.Citation{{SnapshotID: snapshotID, Quote: "Dögs may ride.", Start: 10, End: 25}},
	}
}

func TestStore_Dossier_showsEachStageWhatTheOnesBeforeItMade(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run, snap := drafted(t, db, storetest.AddSite(t, db.Owner, "a"))
	s := store.New(db.Functions)
	l := lease(t, s, pipeline.StageFactCheck, "w")
	d, err := s.Dossier(t.Context(), l)
	require.NoError(t, err)
	require.Equal(t, run, d.Brief.RunID)
	require.Equal(t, "https://a.example", d.Site.URL)
	require.Equal(t, int64(150000), d.Site.ArticleBudget)
	require.Equal(t, []editorial.Source{{Prefix: "https://law.example/", Tier: editorial.TierAuthoritative, Start: true}}, d.Site.Sources)
	require.Equal(t, []editorial.SourceUse{{URL: "https://law.example/1", SnapshotID: snap}, {URL: "https://law.example/2", Refused: "an error page"}}, d.Sources)
	require.Equal(t, "Law", d.Snapshots[0].Title)
	require.Equal(t, editorial.Evidence{N: 1, SnapshotID: snap, Point: "p", Quote: "Dögs may ride.", Start: 10, End: 25}, d.Evidence[0])
	require.Equal(t, draft().Body, d.Draft.Body)
	require.Empty(t, d.Claims)
	require.Nil(t, d.Decision)
	require.Nil(t, d.Publication)

	claim := supported(snap, false)
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{Checked: true, Claims: []editorial.Claim{claim}}))
	l = lease(t, s, pipeline.StageSEO, "w")
	rendered := *d.Draft
	rendered.Markup, rendered.JSONLD, rendered.Digest = "<p>Dogs may ride.</p>", "{}", strings.Repeat("d", 64)
	finding := editorial.Finding{Rule: "title-length", Severity: editorial.SeverityWarning, Message: "short"}
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{Draft: &rendered, Findings: []editorial.Finding{finding}}))

	d, err = s.RunDossier(t.Context(), l.SiteID, run)
	require.NoError(t, err)
	require.Equal(t, rendered.Digest, d.Draft.Digest)
	require.Equal(t, []editorial.Finding{finding}, d.Findings)
	require.Equal(t, "https://law.example/1", d.Claims[0].Citations[0].URL)
	require.Equal(t, editorial.TierAuthoritative, d.Claims[0].Citations[0].Tier)
	require.Equal(t, strings.Repeat("a", 64), d.Claims[0].Citations[0].TextHash)

	_, err = s.RunDossier(t.Context(), l.SiteID+1, run)
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestStore_FinishAttempt_clearsTheFindingsThatACleanLintNoLongerHas(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run, snap := drafted(t, db, storetest.AddSite(t, db.Owner, "a"))
	s := store.New(db.Functions)
	l := lease(t, s, pipeline.StageFactCheck, "w")
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{Checked: true, Claims: []editorial.Claim{supported(snap, false)}}))
	l = lease(t, s, pipeline.StageSEO, "w")
	again := pipeline.Transition{Stage: pipeline.StageSEO, State: pipeline.StateReady, Result: "retry"}
	stale := []editorial.Finding{{Rule: "r", Severity: editorial.SeverityError, Message: "stale"}}
	require.NoError(t, s.FinishAttempt(t.Context(), l, again, editorial.Work{Findings: stale}))
	l = lease(t, s, pipeline.StageSEO, "w")
	rendered := draft()
	rendered.Markup, rendered.JSONLD, rendered.Digest = "<p>x</p>", "{}", strings.Repeat("d", 64)
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{Draft: rendered}))

	d, err := s.RunDossier(t.Context(), l.SiteID, run)
	require.NoError(t, err)
	require.Empty(t, d.Findings)
}

func TestStore_FinishAttempt_givesChangedTextNoDigestUnderTheSameVersion(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run, snap := drafted(t, db, storetest.AddSite(t, db.Owner, "a"))
	s := store.New(db.Functions)
	l := lease(t, s, pipeline.StageFactCheck, "w")
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{Checked: true, Claims: []editorial.Claim{supported(snap, false)}}))
	l = lease(t, s, pipeline.StageSEO, "w")

	smuggled := draft()
	smuggled.Body.Sections[0].Blocks[0].Items[0].Sentences[0].Text = "Dogs must be registered."
	smuggled.Markup, smuggled.JSONLD, smuggled.Digest = "<p>Dogs must be registered.</p>", "{}", strings.Repeat("d", 64)
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{Draft: smuggled}))

	d, err := s.RunDossier(t.Context(), l.SiteID, run)
	require.NoError(t, err)
	require.Empty(t, d.Draft.Digest)
	require.Equal(t, draft().Body, d.Draft.Body)

	_, err = db.Functions.Exec(t.Context(), `UPDATE blogposter.drafts SET title = 'x'`)
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(store.Translate(err)), "the functions' role may not change text: %v", err)
}

func TestStore_FinishAttempt_refusesAQuoteThatDoesNotFillItsRange(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run, snap := drafted(t, db, storetest.AddSite(t, db.Owner, "a"))
	s := store.New(db.Functions)
	l := lease(t, s, pipeline.StageFactCheck, "w")
	claim := supported(snap, false)
	claim.Citations[0].End++
	err := s.FinishAttempt(t.Context(), l, next(l), editorial.Work{Checked: true, Claims: []editorial.Claim{claim}})

	require.ErrorContains(t, err, "citations_range_is_quote")
	require.Equal(t, fault.KindPermanent, fault.KindOf(err))
	require.Equal(t, "running", scalar[string](t, db.Owner, `SELECT state FROM blogposter.runs WHERE id = $1`, run), "the whole outcome is rolled back")
}

func TestStore_KeepSnapshot_needsTheLease(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	storetest.AddRun(t, db.Owner, site, "draft")
	s := store.New(db.Functions)
	l := lease(t, s, pipeline.StageDraft, "w")
	_, err := s.KeepSnapshot(t.Context(), stale(l), editorial.Snapshot{
		URL: "https://law.example/1", Title: "Law", Tier: editorial.TierAuthoritative,
		TextHash: strings.Repeat("a", 64), RawHash: strings.Repeat("b", 64), TextBytes: 99,
	})
	require.ErrorIs(t, err, pipeline.ErrLeaseLost)
	var kept int
	require.NoError(t, db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM blogposter.snapshots`).Scan(&kept))
	require.Zero(t, kept)
}
