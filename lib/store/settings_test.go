package store_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
	"blogposter/lib/view"
)

// settled gives a site of its own settings, competitors and a credential.
func settled(t *testing.T, db storetest.DB, slug string) int64 {
	t.Helper()
	site := watching(t, db, slug)
	_, err := db.Owner.Exec(t.Context(), `
		WITH s AS (UPDATE blogposter.sites SET time_zone = 'America/New_York', schedule = '{"days": ["mon"], "time": "10:00"}',
			cms = cms || jsonb_build_object('user', $2::text, 'password_from', 'SECRET_OF_' || $2) WHERE id = $1),
		k AS (INSERT INTO blogposter.competitors (site_id, name, kind, url, active) VALUES
			($1, 'Rival of ' || $2, 'feed', 'https://rival.example/feed', true), ($1, 'Old rival of ' || $2, 'feed', 'https://old.example/feed', false))
		INSERT INTO blogposter.credentials (site_id, name, key_id, sealed) VALUES ($1, 'cms.password', 'k1', convert_to('sealed for ' || $2, 'UTF8'))`, site, slug)
	require.NoError(t, err)
	return site
}

// logins are those that must be shown one site alone: the owner bypasses
// row-level security, so there it is the queries that hide the other one.
var logins = map[string]func(storetest.DB) *pgxpool.Pool{
	"the functions' role": func(db storetest.DB) *pgxpool.Pool { return db.Functions },
	"the owner":           func(db storetest.DB) *pgxpool.Pool { return db.Owner },
}

func TestStore_Site_showsSettingsOfOneSiteAndNoSecret(t *testing.T) {
	t.Parallel()

	for name, login := range logins {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := storetest.New(t)
			for _, slug := range []string{"a", "b"} {
				settled(t, db, slug)
			}
			s := store.New(login(db))
			for _, slug := range []string{"a", "b", "a"} {
				got, err := s.Site(t.Context(), slug)
				require.NoError(t, err)
				require.Equal(t, slug, got.Slug)
				require.Equal(t, slug, got.CMS.User)
				require.Len(t, got.Competitors, 1, "one that the file no longer names is not shown")
				require.Equal(t, "Rival of "+slug, got.Competitors[0].Name)
				require.Equal(t, editorial.Schedule{Days: []string{"mon"}, Time: "10:00"}, got.Schedule)
				require.Equal(t, &editorial.Research{EveryMinutes: 360, Budget: 20_000}, got.Research)
				require.Len(t, got.Credentials, 1)
				require.Equal(t, "cms.password", got.Credentials[0].Name)
				require.WithinDuration(t, time.Now(), got.Credentials[0].SetAt, time.Hour)
				require.WithinDuration(t, time.Now(), got.UpdatedAt, time.Hour)
			}
			for _, slug := range []string{"nobody", "", "A"} {
				_, err := s.Site(t.Context(), slug)
				require.ErrorIs(t, err, view.ErrNotFound, slug)
			}
		})
	}
}

func TestStore_Sites_listsTheNamedOnesAlone(t *testing.T) {
	t.Parallel()

	for name, login := range logins {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := storetest.New(t)
			for _, slug := range []string{"a", "b", "c"} {
				settled(t, db, slug)
			}
			s := store.New(login(db))
			for want, slugs := range map[string][]string{"ca": {"c", "a"}, "b": {"nobody", "b", ""}, "": nil} {
				found, err := s.Sites(t.Context(), slugs)
				require.NoError(t, err)
				got := ""
				for _, site := range found {
					got += site.Slug
					require.Equal(t, "America/New_York", site.TimeZone)
				}
				require.Equal(t, want, got)
			}
		})
	}
}

func TestStore_Credential_isTheSitesOwn(t *testing.T) {
	t.Parallel()

	for name, login := range logins {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := storetest.New(t)
			a, b := settled(t, db, "a"), settled(t, db, "b")
			bare := storetest.AddSite(t, db.Owner, "bare")
			s := store.New(login(db))
			for _, id := range []int64{a, b, a, b} { // one process serves one site after the other
				got, ok, err := s.Credential(t.Context(), id, "cms.password")
				require.NoError(t, err)
				require.True(t, ok)
				require.Equal(t, editorial.Sealed{KeyID: "k1", Bytes: []byte("sealed for " + map[int64]string{a: "a", b: "b"}[id])}, got)
			}
			for id, name := range map[int64]string{bare: "cms.password", a: "feed.token", 999: "cms.password", 0: "cms.password"} {
				got, ok, err := s.Credential(t.Context(), id, name)
				require.NoError(t, err)
				require.False(t, ok)
				require.Empty(t, got)
			}
		})
	}
}

func TestStore_BeginResearch_beginsOneLookForTheSite(t *testing.T) {
	t.Parallel()

	for name, login := range logins {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := storetest.New(t)
			watching(t, db, "a")
			watching(t, db, "b")
			storetest.AddSite(t, db.Owner, "blind")
			s := store.New(login(db))
			first, begun, err := s.BeginResearch(t.Context(), "a", "ann", lookPins)
			require.NoError(t, err)
			require.True(t, begun)
			require.Equal(t, pipeline.KindResearch, first.Kind)
			require.Equal(t, pipeline.StageMonitor, first.Stage)
			again, begun, err := s.BeginResearch(t.Context(), "a", "bob", lookPins)
			require.NoError(t, err)
			require.False(t, begun)
			require.Equal(t, first, again)

			other, begun, err := s.BeginResearch(t.Context(), "b", "ann", lookPins)
			require.NoError(t, err)
			require.True(t, begun, "another site's look is no reason to wait")
			require.NotEqual(t, first.ID, other.ID)
			d, err := s.Run(t.Context(), "a", first.ID)
			require.NoError(t, err)
			require.Equal(t, view.Cost{Limit: 20_000}, d.Cost)
			require.Equal(t, "created", d.Events[0].Kind)
			require.Equal(t, "ann", d.CreatedBy)

			_, _, err = s.BeginResearch(t.Context(), "blind", "ann", lookPins)
			require.ErrorIs(t, err, view.ErrNoResearch)
			_, _, err = s.BeginResearch(t.Context(), "nobody", "ann", lookPins)
			require.ErrorIs(t, err, view.ErrNotFound)

			_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET state = 'failed', finished_at = now() WHERE id = $1`, first.ID)
			require.NoError(t, err)
			next, begun, err := s.BeginResearch(t.Context(), "a", "ann", lookPins)
			require.NoError(t, err)
			require.True(t, begun)
			require.NotEqual(t, first.ID, next.ID)
		})
	}
}

func slotted(key string, at time.Time) view.NewRun {
	r := asked(key, "1")
	r.PublishAt, r.Slot = &at, true
	return r
}

func TestStore_AddRun_givesASlotToOneRun(t *testing.T) {
	t.Parallel()

	for name, login := range logins {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := storetest.New(t)
			settled(t, db, "a")
			settled(t, db, "b")
			s := store.New(login(db))
			at := time.Now().Add(72 * time.Hour).UTC().Truncate(time.Minute)
			made, added, err := s.AddRun(t.Context(), "a", slotted("k", at))
			require.NoError(t, err)
			require.True(t, added)
			_, added, err = s.AddRun(t.Context(), "a", slotted("k", at))
			require.NoError(t, err)
			require.False(t, added, "the same request again has its slot")
			_, _, err = s.AddRun(t.Context(), "a", slotted("other", at))
			require.ErrorIs(t, err, view.ErrSlotTaken)
			_, added, err = s.AddRun(t.Context(), "b", slotted("k", at))
			require.NoError(t, err)
			require.True(t, added, "another site's slots are its own")
			chosen := slotted("by hand", at)
			chosen.Slot = false
			_, added, err = s.AddRun(t.Context(), "a", chosen)
			require.NoError(t, err)
			require.True(t, added, "a person may choose a time that is taken")

			for slug, want := range map[string]int{"a": 2, "b": 1} {
				in, err := s.Intake(t.Context(), slug, "")
				require.NoError(t, err)
				require.Len(t, in.Taken, want)
				require.True(t, at.Equal(in.Taken[0]), in.Taken)
				require.Equal(t, "America/New_York", in.Site.TimeZone)
				require.Equal(t, "10:00", in.Site.Schedule.Time)
			}
			_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET state = 'failed', finished_at = now() WHERE id = $1 OR idempotency_key = 'by hand'`, made.Run.ID)
			require.NoError(t, err)
			_, added, err = s.AddRun(t.Context(), "a", slotted("other", at))
			require.NoError(t, err)
			require.True(t, added, "a run that has ended gives its slot back")
		})
	}
}

func TestStore_AddRun_givesASlotToOneOfTwoAtOnce(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	storetest.AddSite(t, db.Owner, "a")
	at := time.Now().Add(72 * time.Hour).UTC().Truncate(time.Minute)
	done := make(chan error, 1)

	// The first stays uncommitted until the second waits for it.
	err := pgx.BeginFunc(t.Context(), db.Functions, func(tx pgx.Tx) error {
		_, added, err := store.New(tx).AddRun(t.Context(), "a", slotted("", at))
		require.NoError(t, err)
		require.True(t, added)
		go func() {
			_, _, err := store.New(db.Functions).AddRun(t.Context(), "a", slotted("", at))
			done <- err
		}()
		untilBlocked(t, db)
		return nil
	})
	require.NoError(t, err)
	require.ErrorIs(t, <-done, view.ErrSlotTaken)
}
