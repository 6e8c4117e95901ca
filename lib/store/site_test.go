package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
)

// published takes one Run of the site all the way, so that every table has a row.
func published(t *testing.T, db storetest.DB, site int64) int64 {
	t.Helper()
	run, snap := drafted(t, db, site)
	s := store.New(db.Functions)
	l := lease(t, s, pipeline.StageFactCheck, "w")
	_, err := s.BeginStep(t.Context(), l, intent("claims:1", 900))
	require.NoError(t, err)
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{Checked: true, Claims: []editorial.Claim{supported(snap, false)}}))
	l = lease(t, s, pipeline.StageSEO, "w")
	rendered := draft()
	rendered.Markup, rendered.JSONLD, rendered.Digest = "<p>x</p>", "{}", strings.Repeat("d", 64)
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{
		Draft: rendered, Findings: []editorial.Finding{{Rule: "r", Severity: editorial.SeverityWarning, Message: "m"}},
	}))
	_, err = db.Owner.Exec(t.Context(), `
		WITH d AS (INSERT INTO blogposter.decisions (run_id, draft_id, site_id, verb, digest, reviewer)
			SELECT run_id, id, site_id, 'approve', digest, 'ann' FROM blogposter.drafts WHERE run_id = $1)
		UPDATE blogposter.runs SET stage = 'publish', state = 'ready', waiting = NULL WHERE id = $1`, run)
	require.NoError(t, err)
	l = lease(t, s, pipeline.StagePublish, "w")
	dossier, err := s.Dossier(t.Context(), l)
	require.NoError(t, err)
	p, err := s.BeginPublication(t.Context(), l, editorial.Publication{DraftID: dossier.Draft.ID, Digest: dossier.Draft.Digest, Marker: marker(run)})
	require.NoError(t, err)
	p.State, p.PostID, p.URL = editorial.PublicationPublished, run, "https://a.example/x"
	require.NoError(t, s.MarkPublication(t.Context(), l, p))
	require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{}))
	return run
}

// surroundings adds what no Run makes by itself.
func surroundings(t *testing.T, db storetest.DB, site, run int64) {
	t.Helper()
	_, err := db.Owner.Exec(t.Context(), `
		WITH k AS (INSERT INTO blogposter.competitors (site_id, name, kind, url) VALUES ($1::bigint, 'Rival', 'feed', 'https://rival.example/feed') RETURNING id),
		p AS (INSERT INTO blogposter.watched_pages (site_id, competitor_id, url, state, text_hash)
			SELECT $1, id, 'https://rival.example/1', 'live', repeat('a', 64) FROM k RETURNING id),
		c AS (INSERT INTO blogposter.page_changes (page_id, site_id, run_id, kind) SELECT id, $1, $2::bigint, 'new' FROM p),
		v AS (INSERT INTO blogposter.vectors (site_id, model, text_hash, embedding) VALUES ($1, 'm', repeat('a', 64), '[1,2]')),
		o AS (INSERT INTO blogposter.topics (site_id, key, title, kind, score, known_weight, terms, pages, model, why)
			VALUES ($1, 'k', 'A topic', 'gap', 0.5, 1, '[]', '[]', 'm', 'because')),
		s AS (INSERT INTO blogposter.credentials (site_id, name, key_id, sealed) VALUES ($1, 'cms.password', 'k1', 'x'))
		INSERT INTO blogposter.media (site_id, hash, media_id, url) VALUES ($1, repeat('b', 64), 7, 'https://a.example/x.png')`, site, run)
	require.NoError(t, err)
}

func marker(run int64) string { return fmt.Sprintf("bp-%032x", run) }

// tables lists every table of the schema that functions may read.
func tables(t *testing.T, db storetest.DB) []string {
	t.Helper()
	rows, err := db.Owner.Query(t.Context(), `
		SELECT c.relname FROM pg_class c
		WHERE c.relnamespace = 'blogposter'::regnamespace AND c.relkind = 'r' AND c.relname NOT IN ('migrations', 'api_keys') ORDER BY 1`)
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return names
}

func TestRowSecurity_aSiteSeesOnlyItself(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	mine, other := storetest.AddSite(t, db.Owner, "mine"), storetest.AddSite(t, db.Owner, "other")
	surroundings(t, db, mine, published(t, db, mine))
	surroundings(t, db, other, published(t, db, other))
	names := tables(t, db)
	require.GreaterOrEqual(t, len(names), 24, "a table that is not listed is not tested")

	for _, name := range names {
		all := scalar[int](t, db.Owner, fmt.Sprintf(`SELECT count(*) FROM blogposter.%s`, name))
		require.GreaterOrEqual(t, all, 2, "%s has no row of both sites, so nothing is shown", name)
		require.Zero(t, count(t, db, "", name), "%s without a site", name)
		require.Zero(t, count(t, db, "999", name), "%s as an unknown site", name)
		seen := count(t, db, fmt.Sprint(mine), name)
		require.Positive(t, seen, "%s as its own site", name)
		require.Less(t, seen, all, "%s shows another site's rows", name)
	}
	_, err := db.Functions.Exec(t.Context(), `SELECT count(*) FROM blogposter.api_keys`)
	require.ErrorContains(t, err, "permission denied")
}

func count(t *testing.T, db storetest.DB, site, table string) (n int) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), db.Functions, func(tx pgx.Tx) error {
		if site != "" {
			if _, err := tx.Exec(t.Context(), `SELECT set_config('app.site_id', $1, true)`, site); err != nil {
				return err
			}
		}
		return tx.QueryRow(t.Context(), fmt.Sprintf(`SELECT count(*) FROM blogposter.%s`, table)).Scan(&n)
	})
	require.NoError(t, err, table)
	return n
}

func TestRowSecurity_aRowOfAnotherSiteCannotBeWritten(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	mine, other := storetest.AddSite(t, db.Owner, "mine"), storetest.AddSite(t, db.Owner, "other")
	run := storetest.AddRun(t, db.Owner, other, "draft")
	err := pgx.BeginFunc(t.Context(), db.Functions, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SELECT set_config('app.site_id', $1, true)`, fmt.Sprint(mine)); err != nil {
			return err
		}
		tag, err := tx.Exec(t.Context(), `UPDATE blogposter.runs SET state = 'cancelled', finished_at = now() WHERE id = $1`, run)
		require.NoError(t, err)
		require.Zero(t, tag.RowsAffected())
		_, err = tx.Exec(t.Context(), `INSERT INTO blogposter.events (run_id, site_id, kind, stage, state, attempt) VALUES ($1, $2, 'created', 'draft', 'ready', 0)`, run, other)
		return err
	})
	require.ErrorContains(t, err, "row-level security")
}

func TestRowSecurity_theFunctionsRoleOwnsNothingAndCannotBypass(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	require.False(t, scalar[bool](t, db.Functions, `SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user`))
	require.Zero(t, scalar[int](t, db.Functions, `SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user`))
	require.Zero(t, scalar[int](t, db.Owner, `
		SELECT count(*) FROM pg_class WHERE relnamespace = 'blogposter'::regnamespace AND relkind = 'r' AND NOT relrowsecurity AND relname <> 'migrations'`))
	_, err := db.Functions.Exec(t.Context(), `SET ROLE blogposter_owner`)
	require.Error(t, err)
}

func TestStore_publicationNeedsTheApprovedDigestAndSupportedClaims(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		legal    bool
		sabotage string // run as the owner before the publication begins
		want     string
	}{
		"no approval":                             {sabotage: `DELETE FROM blogposter.decisions`, want: "publications_draft_id_digest_verb_site_id_fkey"},
		"a rejection":                             {sabotage: `UPDATE blogposter.decisions SET verb = 'reject'`, want: "publications_draft_id_digest_verb_site_id_fkey"},
		"another digest than the one approved":    {sabotage: `UPDATE blogposter.drafts SET digest = repeat('e', 64)`, want: "is not the approved one"},
		"a draft that was never checked":          {sabotage: `UPDATE blogposter.drafts SET digest = '', checked_at = NULL`, want: "was not fact-checked"},
		"an unsupported claim":                    {sabotage: `UPDATE blogposter.claims SET verdict = 'unsupported'`, want: "fails the gate: Dogs may ride."},
		"a draft without any claim":               {sabotage: `DELETE FROM blogposter.claims`, want: "has no claims"},
		"a claim that lost its citation":          {sabotage: `DELETE FROM blogposter.citations`, want: "fails the gate"},
		"a legal claim with one page":             {legal: true, want: "fails the gate"},
		"a legal claim that is enough for a site": {legal: true, sabotage: `UPDATE blogposter.sites SET rules = '{"legal_min_sources": 1}'`},
		"everything in order":                     {},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := storetest.New(t)
			run, snap := drafted(t, db, storetest.AddSite(t, db.Owner, "a"))
			s := store.New(db.Functions)
			l := lease(t, s, pipeline.StageFactCheck, "w")
			require.NoError(t, s.FinishAttempt(t.Context(), l, next(l), editorial.Work{Checked: true, Claims: []editorial.Claim{supported(snap, tc.legal)}}))
			_, err := db.Owner.Exec(t.Context(), `UPDATE blogposter.drafts SET markup = 'm', digest = repeat('d', 64)`)
			require.NoError(t, err)
			_, err = db.Owner.Exec(t.Context(), `INSERT INTO blogposter.decisions (run_id, draft_id, site_id, verb, digest, reviewer)
				SELECT run_id, id, site_id, 'approve', digest, 'ann' FROM blogposter.drafts`)
			require.NoError(t, err)
			_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET stage = 'publish', state = 'ready', waiting = NULL`)
			require.NoError(t, err)
			if tc.sabotage != "" {
				_, err = db.Owner.Exec(t.Context(), tc.sabotage)
				require.NoError(t, err)
			}
			l = lease(t, s, pipeline.StagePublish, "w")
			id := scalar[int64](t, db.Owner, `SELECT id FROM blogposter.drafts`)
			_, err = s.BeginPublication(t.Context(), l, editorial.Publication{DraftID: id, Digest: strings.Repeat("d", 64), Marker: marker(run)})
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
			require.Zero(t, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.publications`))
		})
	}
}

func TestStore_whatWasDecidedOnStaysAsItWas(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	published(t, db, site)
	as := func(q string) (int64, error) {
		var rows int64
		err := pgx.BeginFunc(t.Context(), db.Functions, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `SELECT set_config('app.site_id', $1, true)`, fmt.Sprint(site)); err != nil {
				return err
			}
			tag, err := tx.Exec(t.Context(), q)
			rows = tag.RowsAffected()
			return err
		})
		return rows, err
	}
	for _, q := range []string{
		`DELETE FROM blogposter.citations`, `DELETE FROM blogposter.claims`, `UPDATE blogposter.drafts SET markup = 'other'`,
		`UPDATE blogposter.steps SET result = '{}' WHERE state = 'done'`,
	} {
		rows, err := as(q)
		require.NoError(t, err, q)
		require.Zero(t, rows, q)
	}
	for _, q := range []string{
		`INSERT INTO blogposter.claims (draft_id, n, run_id, site_id, place, text, legal, verdict, reason) SELECT id, 99, run_id, site_id, 'title', 'made up', false, 'supported', '' FROM blogposter.drafts`,
		`INSERT INTO blogposter.citations (draft_id, claim_n, n, site_id, snapshot_id, quote, byte_start, byte_end)
			SELECT draft_id, claim_n, 99, site_id, snapshot_id, 'made up quote', 0, 13 FROM blogposter.citations`,
		`INSERT INTO blogposter.entries (site_id, run_id, epoch, stage, step, input_hash, send, attempt, kind, provider, model, micros)
			SELECT site_id, id, 1, 'draft', 'x', '', 1, 1, 'correction', 'p', 'm', -99 FROM blogposter.runs`,
	} {
		_, err := as(q)
		require.ErrorContains(t, err, "row-level security", q)
	}
}

func TestStore_BeginPublication_returnsWhatIsKnownTheSecondTime(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run := published(t, db, storetest.AddSite(t, db.Owner, "a"))
	_, err := db.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET state = 'ready', finished_at = NULL WHERE id = $1`, run)
	require.NoError(t, err)
	s := store.New(db.Functions)
	l := lease(t, s, pipeline.StagePublish, "w")
	d, err := s.Dossier(t.Context(), l)
	require.NoError(t, err)
	p, err := s.BeginPublication(t.Context(), l, editorial.Publication{DraftID: d.Draft.ID, Digest: d.Draft.Digest, Marker: marker(run)})
	require.NoError(t, err)
	require.Equal(t, editorial.PublicationPublished, p.State)
	require.Equal(t, run, p.PostID)
	require.NotNil(t, p.PublishedAt)
}
