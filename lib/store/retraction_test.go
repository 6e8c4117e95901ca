package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
	"blogposter/lib/view"
)

// articleOf is the publication of a Run.
func articleOf(t *testing.T, db storetest.DB, run int64) int64 {
	t.Helper()
	return scalar[int64](t, db.Owner, fmt.Sprintf(`SELECT id FROM blogposter.publications WHERE run_id = %d`, run))
}

// updating takes a Run that updates the article to where it is published.
func updating(t *testing.T, db storetest.DB, site, article int64) (pipeline.Lease, editorial.Publication) {
	t.Helper()
	run, snap := drafted(t, db, site)
	s := store.New(db.Functions)
	l := lease(t, s, pipeline.StageFactCheck, "w")
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{Checked: true, Claims: []editorial.Claim{supported(snap, false)}}))
	_, err := db.Owner.Exec(t.Context(), `
		WITH d AS (UPDATE blogposter.drafts SET markup = 'new', digest = repeat('e', 64), media = '[{"role": "featured", "alt": "A dog"}]' WHERE run_id = $1 RETURNING *),
		z AS (INSERT INTO blogposter.decisions (run_id, draft_id, site_id, verb, digest, reviewer) SELECT run_id, id, site_id, 'approve', digest, 'ann' FROM d)
		UPDATE blogposter.runs SET stage = 'publish', state = 'ready', waiting = NULL, target_id = $2 WHERE id = $1`, run, article)
	require.NoError(t, err)
	l = lease(t, s, pipeline.StagePublish, "w")
	d, err := s.Dossier(t.Context(), l)
	require.NoError(t, err)
	require.Equal(t, article, d.Brief.TargetID)
	require.Empty(t, d.Published, "an article does not link to what it replaces")
	return l, editorial.Publication{DraftID: d.Draft.ID, Digest: d.Draft.Digest, Marker: d.Brief.Marker, ReplacesID: article}
}

func TestStore_Supersede_putsOneVersionInThePlaceOfAnother(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	old := articleOf(t, db, published(t, db, site))
	s := store.New(db.Functions)
	l, p := updating(t, db, site, old)
	began, err := s.BeginPublication(t.Context(), l, p)
	require.NoError(t, err)
	require.Equal(t, editorial.PublicationIntent, began.State)
	require.Equal(t, old, began.ReplacesID)
	again, err := s.BeginPublication(t.Context(), l, p)
	require.NoError(t, err)
	require.Equal(t, began, again)

	st, err := s.Standing(t.Context(), l, old)
	require.NoError(t, err)
	require.Equal(t, old, st.Target.Publication.ID)
	require.Equal(t, "Dogs on trains", st.Target.Draft.Title)
	require.Equal(t, "<p>x</p>", st.Target.Draft.Markup)
	require.Equal(t, old, st.Current.Publication.ID)
	require.Nil(t, st.Before)
	require.Zero(t, st.Replacing, "the run itself is no rival")

	began.PostID, began.URL = st.Target.Publication.PostID, st.Target.Publication.URL
	require.NoError(t, s.Supersede(t.Context(), l, began))
	st, err = s.Standing(t.Context(), l, old)
	require.NoError(t, err)
	require.Equal(t, editorial.PublicationSuperseded, st.Target.Publication.State)
	require.NotNil(t, st.Target.Publication.EndedAt)
	require.Equal(t, began.ID, st.Current.Publication.ID)
	require.Equal(t, "A dog", st.Current.Draft.Media[0].Alt)
	require.Equal(t, old, st.Before.Publication.ID)

	all, err := s.Articles(t.Context(), "a", view.Page{Limit: 9})
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, began.ID, all[0].ID)
	require.Equal(t, editorial.PublicationPublished, all[0].State)
	shown, err := s.Article(t.Context(), "a", old)
	require.NoError(t, err)
	require.Equal(t, editorial.PublicationSuperseded, shown.State)
	require.Equal(t, began.ID, shown.ReplacedBy)
	require.NotNil(t, shown.EndedAt)

	err = s.Supersede(t.Context(), l, began)
	require.ErrorContains(t, err, "taken back or replaced meanwhile")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	require.ErrorIs(t, s.Supersede(t.Context(), stale(l), began), pipeline.ErrLeaseLost)
}

func stale(l pipeline.Lease) pipeline.Lease {
	l.Fence--
	return l
}

func TestStore_Supersede_changesNothingWhenTheArticleWasTakenBack(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	old := articleOf(t, db, published(t, db, site))
	s := store.New(db.Functions)
	l, p := updating(t, db, site, old)
	p, err := s.BeginPublication(t.Context(), l, p)
	require.NoError(t, err)
	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.publications SET state = 'retracted', ended_at = now() WHERE id = $1`, old)
	require.NoError(t, err)
	p.PostID, p.URL = scalar[int64](t, db.Owner, `SELECT max(post_id) FROM blogposter.publications`), "https://a.example/x"
	err = s.Supersede(t.Context(), l, p)
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	require.Equal(t, "intent", scalar[string](t, db.Owner, fmt.Sprintf(`SELECT state FROM blogposter.publications WHERE id = %d`, p.ID)))
	require.Equal(t, "retracted", scalar[string](t, db.Owner, fmt.Sprintf(`SELECT state FROM blogposter.publications WHERE id = %d`, old)))
}

func TestStore_BeginPublication_replacesOnlyWhatIsPublishedAndOneAtATime(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	old := articleOf(t, db, published(t, db, site))
	s := store.New(db.Functions)
	first, p := updating(t, db, site, old)
	_, err := s.BeginPublication(t.Context(), first, p)
	require.NoError(t, err)
	second, q := updating(t, db, site, old)
	_, err = s.BeginPublication(t.Context(), second, q)
	require.ErrorContains(t, err, "can't be replaced at the moment")
	require.Equal(t, fault.KindRetryable, fault.KindOf(err))
	st, err := s.Standing(t.Context(), second, old)
	require.NoError(t, err)
	require.Equal(t, first.RunID, st.Replacing)

	require.NoError(t, s.FinishAttempt(t.Context(), first, pipeline.Decide(first, pipeline.Outcome{}, fault.NeedsHuman(errors.New("stuck"))), editorial.Work{}))
	_, err = s.BeginPublication(t.Context(), second, q)
	require.NoError(t, err, "a run that waits for a person is in nobody's way")

	third, r := updating(t, db, site, old)
	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET state = 'waiting', waiting = 'person', lease_owner = NULL, lease_until = NULL WHERE id = $1`, second.RunID)
	require.NoError(t, err)
	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.publications SET state = 'retracted', ended_at = now() WHERE id = $1`, old)
	require.NoError(t, err)
	_, err = s.BeginPublication(t.Context(), third, r)
	require.ErrorContains(t, err, "can't be replaced at the moment")
}

func TestStore_Updatable_findsWhatIsPublishedOnTheSite(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run := published(t, db, storetest.AddSite(t, db.Owner, "a"))
	id := articleOf(t, db, run)
	storetest.AddSite(t, db.Owner, "b")
	s := store.New(db.Functions)
	got, err := s.Updatable(t.Context(), "a", id)
	require.NoError(t, err)
	require.Equal(t, "Dogs on trains", got.Title)
	require.Equal(t, run, got.RunID)
	require.Equal(t, "https://a.example/x", got.URL)
	for site, id := range map[string]int64{"b": id, "a": id + 1, "c": id} {
		_, err = s.Updatable(t.Context(), site, id)
		require.ErrorIs(t, err, view.ErrNotFound)
	}
	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.publications SET state = 'retracted', ended_at = now()`)
	require.NoError(t, err)
	_, err = s.Updatable(t.Context(), "a", id)
	require.ErrorIs(t, err, view.ErrNotFound)
}

func TestStore_Retract_addsOneRunHoweverOftenItIsAskedFor(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	id := articleOf(t, db, published(t, db, site))
	storetest.AddRun(t, db.Owner, site, "publish") // waits longer than the retraction
	s := store.New(db.Functions)
	ask := view.Retraction{ArticleID: id, Reason: "a claim is wrong", By: "ann"}

	got := make([]view.Retracting, 4)
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() {
			var err error
			if got[i], err = s.Retract(t.Context(), "a", ask); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	added := 0
	for _, g := range got {
		require.Equal(t, got[0].Run.ID, g.Run.ID)
		if g.New {
			added++
		}
	}
	require.Equal(t, 1, added)
	require.Equal(t, pipeline.KindRetraction, got[0].Run.Kind)
	require.Equal(t, pipeline.StateReady, got[0].Run.State)
	require.Equal(t, 1, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.events WHERE detail = 'asked for by ann: a claim is wrong'`))

	l := lease(t, s, pipeline.StagePublish, "w")
	require.Equal(t, got[0].Run.ID, l.RunID, "it goes before what waits to be published")
	d, err := s.Dossier(t.Context(), l)
	require.NoError(t, err)
	require.Equal(t, editorial.Brief{
		RunID: l.RunID, Topic: "Dogs on trains", Kind: "retraction", TargetID: id, Reason: "a claim is wrong", Marker: d.Brief.Marker, URLs: []string{},
	}, d.Brief)
	require.Nil(t, d.Draft)

	again, err := s.Retract(t.Context(), "a", ask)
	require.NoError(t, err)
	require.False(t, again.New)
	require.Equal(t, pipeline.StateRunning, again.Run.State)
	require.NoError(t, s.FinishAttempt(t.Context(), l, pipeline.Decide(l, pipeline.Outcome{}, fault.NeedsHuman(errors.New("401"))), editorial.Work{}))
	woken, err := s.Retract(t.Context(), "a", ask)
	require.NoError(t, err)
	require.Equal(t, l.RunID, woken.Run.ID)
	require.True(t, woken.Woken, "it waited for a person, who asks again")
	require.Equal(t, pipeline.StateReady, woken.Run.State)
	require.Empty(t, woken.Run.Why)
}

func TestStore_Retract_refusesWhatCanNotBeTakenBack(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	id := articleOf(t, db, published(t, db, site))
	storetest.AddSite(t, db.Owner, "b")
	s := store.New(db.Functions)
	var not *view.NotRetractable
	_, err := s.Retract(t.Context(), "a", view.Retraction{ArticleID: id, Reason: "x", By: "ann", Restore: true})
	require.ErrorAs(t, err, &not)
	require.Equal(t, view.NotRetractable{ArticleID: id, State: editorial.PublicationPublished, Current: id}, *not)
	_, err = s.Retract(t.Context(), "b", view.Retraction{ArticleID: id, Reason: "x", By: "ann"})
	require.ErrorIs(t, err, view.ErrNotFound)

	l, p := updating(t, db, site, id)
	p, err = s.BeginPublication(t.Context(), l, p)
	require.NoError(t, err)
	_, err = s.Retract(t.Context(), "a", view.Retraction{ArticleID: p.ID, Reason: "x", By: "ann"})
	require.ErrorAs(t, err, &not)
	require.Equal(t, editorial.PublicationIntent, not.State, "it was never public")
	p.PostID, p.URL = scalar[int64](t, db.Owner, `SELECT max(post_id) FROM blogposter.publications`), "https://a.example/x"
	require.NoError(t, s.Supersede(t.Context(), l, p))
	_, err = s.Retract(t.Context(), "a", view.Retraction{ArticleID: id, Reason: "x", By: "ann"})
	require.ErrorAs(t, err, &not)
	require.Equal(t, view.NotRetractable{ArticleID: id, State: editorial.PublicationSuperseded, Current: p.ID}, *not)
	require.Zero(t, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.runs WHERE kind = 'retraction'`))

	got, err := s.Retract(t.Context(), "a", view.Retraction{ArticleID: p.ID, Reason: "x", By: "ann", Restore: true})
	require.NoError(t, err)
	require.True(t, got.New)
	require.True(t, got.Restore)
}

// retracting is a leased retraction of an article that replaced another.
func retracting(t *testing.T, db storetest.DB, restore bool) (l pipeline.Lease, article, before int64) {
	t.Helper()
	site := storetest.AddSite(t, db.Owner, "a")
	before = articleOf(t, db, published(t, db, site))
	s := store.New(db.Functions)
	l, p := updating(t, db, site, before)
	p, err := s.BeginPublication(t.Context(), l, p)
	require.NoError(t, err)
	p.PostID, p.URL = scalar[int64](t, db.Owner, `SELECT max(post_id) FROM blogposter.publications`), "https://a.example/x"
	require.NoError(t, s.Supersede(t.Context(), l, p))
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{}))
	_, err = s.Retract(t.Context(), "a", view.Retraction{ArticleID: p.ID, Reason: "a claim is wrong", By: "ann", Restore: restore})
	require.NoError(t, err)
	return lease(t, s, pipeline.StagePublish, "w"), p.ID, before
}

func TestStore_MarkRetracted_measuresTheTimeAndSaysTheSameAgain(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	l, article, _ := retracting(t, db, false)
	s := store.New(db.Functions)
	_, err := db.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET created_at = clock_timestamp() - interval '90 seconds' WHERE id = $1`, l.RunID)
	require.NoError(t, err)
	// Taking back passes no gate, whatever has become of the claims.
	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.claims SET verdict = 'refuted'`)
	require.NoError(t, err)
	_, err = s.MarkRetracted(t.Context(), stale(l), article, 0, "x")
	require.ErrorIs(t, err, pipeline.ErrLeaseLost)
	took, err := s.MarkRetracted(t.Context(), l, article, 0, "a claim is wrong")
	require.NoError(t, err)
	require.InDelta(t, 90, took.Seconds(), 5)
	again, err := s.MarkRetracted(t.Context(), l, article, 0, "another reason")
	require.NoError(t, err)
	require.Equal(t, took, again)

	all, err := s.Articles(t.Context(), "a", view.Page{Limit: 9})
	require.NoError(t, err)
	require.Empty(t, all)
	shown, err := s.Article(t.Context(), "a", article)
	require.NoError(t, err)
	require.Equal(t, editorial.PublicationRetracted, shown.State)
	require.Equal(t, "a claim is wrong", shown.EndedWhy)
	require.WithinDuration(t, time.Now(), *shown.EndedAt, time.Minute)
	require.NotEmpty(t, shown.Claims, "its record is kept")
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{}))
}

func TestStore_MarkRetracted_restoresOnlyWhatPassesTheGate(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	l, article, before := retracting(t, db, true)
	s := store.New(db.Functions)
	state := func(id int64) string {
		return scalar[string](t, db.Owner, fmt.Sprintf(`SELECT state FROM blogposter.publications WHERE id = %d`, id))
	}
	_, err := db.Owner.Exec(t.Context(), `UPDATE blogposter.claims SET verdict = 'refuted' WHERE draft_id = (SELECT draft_id FROM blogposter.publications WHERE id = $1)`, before)
	require.NoError(t, err)
	err = s.CheckRestore(t.Context(), l, article, before)
	require.ErrorContains(t, err, "fails the gate")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	_, err = s.MarkRetracted(t.Context(), l, article, before, "x")
	require.ErrorContains(t, err, "fails the gate")
	require.Equal(t, "published", state(article), "both or neither")

	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.claims SET verdict = 'supported'`)
	require.NoError(t, err)
	require.NoError(t, s.CheckRestore(t.Context(), l, article, before))
	require.Equal(t, "published", state(article), "only rehearsed")
	require.Equal(t, "superseded", state(before))

	for range 2 {
		_, err = s.MarkRetracted(t.Context(), l, article, before, "a claim is wrong")
		require.NoError(t, err)
		require.Equal(t, "retracted", state(article))
		require.Equal(t, "published", state(before))
	}
	shown, err := s.Article(t.Context(), "a", before)
	require.NoError(t, err)
	require.Nil(t, shown.EndedAt)
	require.Empty(t, shown.EndedWhy)
	_, err = s.MarkRetracted(t.Context(), l, article, article, "x")
	require.ErrorContains(t, err, "is not what it was")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
}

func TestStore_MediaFile_isKnownByItsBytesOnItsSiteAlone(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	s := store.New(db.Functions)
	ours, theirs := storetest.AddSite(t, db.Owner, "a"), storetest.AddSite(t, db.Owner, "b")
	storetest.AddRun(t, db.Owner, ours, "publish")
	l := lease(t, s, pipeline.StagePublish, "w")
	hash := strings.Repeat("a", 64)
	_, known, err := s.MediaFile(t.Context(), l, hash)
	require.NoError(t, err)
	require.False(t, known)
	for id := int64(7); id < 9; id++ { // the file was deleted on the site, and sent again
		f := editorial.File{ID: id, URL: fmt.Sprintf("https://a.example/%d.png", id)}
		require.NoError(t, s.KeepMediaFile(t.Context(), l, hash, f))
		got, known, err := s.MediaFile(t.Context(), l, hash)
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, f, got)
	}
	other := l
	other.SiteID = theirs
	_, known, err = s.MediaFile(t.Context(), other, hash)
	require.NoError(t, err)
	require.False(t, known)
	require.ErrorIs(t, s.KeepMediaFile(t.Context(), stale(l), hash, editorial.File{ID: 9}), pipeline.ErrLeaseLost)
}
