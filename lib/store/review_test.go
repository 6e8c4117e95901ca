package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
	"blogposter/lib/view"
)

// inReview takes a Run of the site to where a reviewer decides.
func inReview(t *testing.T, db storetest.DB, site int64) (run int64, digest string) {
	t.Helper()
	run, snap := drafted(t, db, site)
	s := store.New(db.Functions)
	l := lease(t, s, pipeline.StageFactCheck, "w")
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{Checked: true, Claims: []editorial.Claim{supported(snap, false)}}))
	l = lease(t, s, pipeline.StageSEO, "w")
	rendered := draft()
	rendered.Markup, rendered.JSONLD, rendered.Digest = "<p>x</p>", "{}", strings.Repeat("d", 64)
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{
		Draft: rendered, Findings: []editorial.Finding{{Rule: "r", Severity: editorial.SeverityWarning, Message: "m"}},
	}))
	return run, rendered.Digest
}

func approve(run int64, digest string) view.Answer {
	return view.Answer{RunID: run, Verb: editorial.VerbApprove, Digest: digest, Reviewer: "ann", Comment: "fine"}
}

func TestStore_Review_showsTheDraftAndAllItRestsOn(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	run, digest := inReview(t, db, site)
	fresh := storetest.AddRun(t, db.Owner, site, "draft")
	s := store.New(db.Functions)

	v, err := s.Review(t.Context(), "a", run)
	require.NoError(t, err)
	require.True(t, v.Run.AwaitsApproval())
	require.Equal(t, view.Amount(150_000), v.Cost.Limit)
	d := v.Dossier
	require.Equal(t, digest, d.Draft.Digest)
	require.Equal(t, draft().Body, d.Draft.Body)
	require.Equal(t, "Guides", d.Draft.Categories[0])
	require.Equal(t, editorial.Citation{
		SnapshotID: d.Snapshots[0].ID, URL: "https://law.example/1", Title: "Law", Tier: editorial.TierAuthoritative,
		TextHash: strings.Repeat("a", 64), Quote: "Dögs may ride.", Start: 10, End: 25,
	}, d.Claims[0].Citations[0])
	require.Equal(t, editorial.SeverityWarning, d.Findings[0].Severity)
	require.Nil(t, d.Decision)

	reviews, err := s.Reviews(t.Context(), "a", view.Page{Limit: 9})
	require.NoError(t, err)
	require.Len(t, reviews, 1)
	require.Equal(t, v.Run, reviews[0])

	v, err = s.Review(t.Context(), "a", fresh)
	require.NoError(t, err)
	require.Nil(t, v.Dossier.Draft)
}

func TestStore_Decide_movesTheRunOn(t *testing.T) {
	t.Parallel()

	later := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	tests := map[string]struct {
		verb      editorial.Verb
		publishAt *time.Time
		stage     pipeline.Stage
		state     pipeline.State
		event     string
	}{
		"an approval publishes at once":    {editorial.VerbApprove, nil, pipeline.StagePublish, pipeline.StateReady, "approve by ann: fine"},
		"an approval publishes when asked": {editorial.VerbApprove, &later, pipeline.StagePublish, pipeline.StateReady, "approve by ann: fine"},
		"a rejection ends the run":         {editorial.VerbReject, &later, pipeline.StageReview, pipeline.StateCancelled, "reject by ann: fine"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := storetest.New(t)
			run, digest := inReview(t, db, storetest.AddSite(t, db.Owner, "a"))
			_, err := db.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET publish_at = $1`, tc.publishAt)
			require.NoError(t, err)
			s := store.New(db.Functions)
			a := approve(run, digest)
			a.Verb = tc.verb

			d, err := s.Decide(t.Context(), "a", a)
			require.NoError(t, err)
			require.True(t, d.New)
			require.Equal(t, tc.stage, d.Run.Stage)
			require.Equal(t, tc.state, d.Run.State)
			require.Equal(t, "ann", d.Decision.Reviewer)
			require.Equal(t, tc.state == pipeline.StateCancelled, d.Run.FinishedAt != nil)
			if tc.publishAt != nil {
				require.True(t, tc.publishAt.Equal(d.Run.NotBefore), "%s", d.Run.NotBefore)
			}
			if tc.state == pipeline.StateCancelled {
				require.Equal(t, "the draft was rejected: fine", d.Run.Why)
			}
			detail, err := s.Run(t.Context(), "a", run)
			require.NoError(t, err)
			require.Equal(t, tc.event, detail.Events[len(detail.Events)-1].Detail)

			again, err := s.Decide(t.Context(), "a", a)
			require.NoError(t, err, "the same answer again")
			require.False(t, again.New)
			require.Equal(t, d.Decision, again.Decision)
			require.Equal(t, d.Run, again.Run)

			for name, change := range map[string]func(*view.Answer){
				"another reviewer": func(a *view.Answer) { a.Reviewer = "bob" },
				"another digest":   func(a *view.Answer) { a.Digest = strings.Repeat("e", 64) },
				"the other verb": func(a *view.Answer) {
					a.Verb = map[editorial.Verb]editorial.Verb{"approve": "reject", "reject": "approve"}[a.Verb]
				},
			} {
				other := a
				change(&other)
				_, err = s.Decide(t.Context(), "a", other)
				var c *view.Conflict
				require.ErrorAs(t, err, &c, name)
				require.Equal(t, tc.state, c.Run.State)
			}
			require.Equal(t, 1, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.decisions`))
			require.Equal(t, 1, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.events WHERE kind = 'decided'`))
		})
	}
}

func TestStore_Decide_refusesWhatWasNotShown(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ sabotage, digest string }{
		"a digest of another draft":                 {``, strings.Repeat("e", 64)},
		"no digest for a draft that has none":       {`UPDATE blogposter.drafts SET digest = ''`, ""},
		"an older version":                          {`INSERT INTO blogposter.drafts (run_id, site_id, version, title, slug, excerpt, meta_description, keyphrase, categories, tags, body) SELECT run_id, site_id, 2, title, slug, excerpt, meta_description, keyphrase, categories, tags, body FROM blogposter.drafts`, strings.Repeat("d", 64)},
		"a run that waits for something else":       {`UPDATE blogposter.runs SET stage = 'publish', waiting = 'person'`, strings.Repeat("d", 64)},
		"a run that was ended in the meantime":      {`UPDATE blogposter.runs SET state = 'cancelled', waiting = NULL, finished_at = now()`, strings.Repeat("d", 64)},
		"a draft of a run that is not there at all": {`UPDATE blogposter.runs SET stage = 'draft', state = 'ready', waiting = NULL`, strings.Repeat("d", 64)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := storetest.New(t)
			run, _ := inReview(t, db, storetest.AddSite(t, db.Owner, "a"))
			if tc.sabotage != "" {
				_, err := db.Owner.Exec(t.Context(), tc.sabotage)
				require.NoError(t, err)
			}
			before := scalar[string](t, db.Owner, `SELECT stage || state FROM blogposter.runs`)
			_, err := store.New(db.Functions).Decide(t.Context(), "a", approve(run, tc.digest))
			var c *view.Conflict
			require.ErrorAs(t, err, &c)
			require.Zero(t, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.decisions`))
			require.Equal(t, before, scalar[string](t, db.Owner, `SELECT stage || state FROM blogposter.runs`))
		})
	}
}

func TestStore_Decide_takesOneOfTwoReviewersAtOnce(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run, digest := inReview(t, db, storetest.AddSite(t, db.Owner, "a"))
	done := make(chan error, 1)

	// Ann's answer stays uncommitted until Bob's waits for it.
	err := pgx.BeginFunc(t.Context(), db.Functions, func(tx pgx.Tx) error {
		_, err := store.New(tx).Decide(t.Context(), "a", approve(run, digest))
		require.NoError(t, err)
		go func() {
			bob := approve(run, digest)
			bob.Reviewer, bob.Verb = "bob", editorial.VerbReject
			_, err := store.New(db.Functions).Decide(t.Context(), "a", bob)
			done <- err
		}()
		untilBlocked(t, db)
		return nil
	})
	require.NoError(t, err)
	var c *view.Conflict
	require.ErrorAs(t, <-done, &c)
	require.Equal(t, pipeline.StagePublish, c.Run.Stage)
	require.Equal(t, "ann", scalar[string](t, db.Owner, `SELECT string_agg(reviewer, ',') FROM blogposter.decisions`))
	require.Equal(t, "publish/ready", scalar[string](t, db.Owner, `SELECT stage || '/' || state FROM blogposter.runs`))
}

func TestStore_Decide_waitsForWhoeverIsEndingTheRun(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run, digest := inReview(t, db, storetest.AddSite(t, db.Owner, "a"))
	done := make(chan error, 1)

	err := pgx.BeginFunc(t.Context(), db.Owner, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE blogposter.runs SET state = 'cancelled', waiting = NULL, finished_at = now()`)
		require.NoError(t, err)
		go func() {
			_, err := store.New(db.Functions).Decide(t.Context(), "a", approve(run, digest))
			done <- err
		}()
		untilBlocked(t, db)
		return nil
	})
	require.NoError(t, err)
	var c *view.Conflict
	require.ErrorAs(t, <-done, &c)
	require.Equal(t, pipeline.StateCancelled, c.Run.State)
	require.Zero(t, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.decisions`))
}

func TestStore_Decide_keepsTheAnswerOfADraftThatCameBack(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run, digest := inReview(t, db, storetest.AddSite(t, db.Owner, "a"))
	s := store.New(db.Functions)
	a := approve(run, digest)
	a.Verb = editorial.VerbReject
	_, err := s.Decide(t.Context(), "a", a)
	require.NoError(t, err)
	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET state = 'waiting', waiting = 'approval', finished_at = NULL`)
	require.NoError(t, err)

	_, err = s.Decide(t.Context(), "a", approve(run, digest))
	var c *view.Conflict
	require.ErrorAs(t, err, &c, "one draft has one answer; a person's change of mind takes a new version")
	require.Equal(t, "reject", scalar[string](t, db.Owner, `SELECT string_agg(verb, ',') FROM blogposter.decisions`))
}
