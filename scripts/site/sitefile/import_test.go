package sitefile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/seal"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
	"blogposter/scripts/site/sitefile"
)

// secrets are those of a test's environment.
func secrets(t *testing.T, values map[string]string) sitefile.Secrets {
	t.Helper()
	keys, err := seal.Parse(seal.NewKey("k1"))
	require.NoError(t, err)
	return sitefile.Secrets{Keys: keys, Value: func(name string) string { return values[name] }}
}

// dump is every row that an import may write.
func dump(t *testing.T, db storetest.DB) string {
	t.Helper()
	var all string
	require.NoError(t, db.Owner.QueryRow(t.Context(), `SELECT jsonb_build_object(
		'sites', (SELECT jsonb_agg(s ORDER BY s.id) FROM blogposter.sites s),
		'sources', (SELECT jsonb_agg(o ORDER BY o.site_id, o.prefix) FROM blogposter.sources o),
		'competitors', (SELECT jsonb_agg(k ORDER BY k.id) FROM blogposter.competitors k),
		'credentials', (SELECT jsonb_agg(c ORDER BY c.site_id, c.name) FROM blogposter.credentials c))::text`).Scan(&all))
	return all
}

func ask[T any](t *testing.T, db storetest.DB, q string) T {
	t.Helper()
	rows, err := db.Owner.Query(t.Context(), q)
	require.NoError(t, err)
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	require.NoError(t, err, q)
	return v
}

func TestExport_isTheFileThatMakesTheSite(t *testing.T) {
	t.Parallel()

	db, other := storetest.New(t), storetest.New(t)
	sec := secrets(t, map[string]string{"DOGS_PASSWORD": "hunter2", "WP_APP_PASSWORD": "swordfish"})
	rich, plain := parse(t, full), demoSite(t)
	plain.Slug = "zebras"
	require.NoError(t, sitefile.Import(t.Context(), db.OwnerURL, sec, rich, plain))
	file, err := sitefile.Export(t.Context(), db.OwnerURL)
	require.NoError(t, err)
	require.NotContains(t, string(file), "hunter2")
	require.Contains(t, string(file), "${DOGS_PASSWORD}")

	again, err := sitefile.Parse(file)
	require.NoError(t, err, string(file))
	require.Equal(t, []sitefile.Site{rich, plain}, again)
	require.NoError(t, sitefile.Import(t.Context(), other.OwnerURL, sec, again...))
	twice, err := sitefile.Export(t.Context(), other.OwnerURL)
	require.NoError(t, err)
	require.Equal(t, string(file), string(twice))

	one, err := sitefile.Export(t.Context(), db.OwnerURL, "dogs")
	require.NoError(t, err)
	require.Equal(t, rich, parse(t, string(one)))
	_, err = sitefile.Export(t.Context(), db.OwnerURL, "dogs", "nowhere")
	require.ErrorIs(t, err, sitefile.ErrNoSite)
	require.ErrorContains(t, err, "nowhere")
}

func TestImport_isWhatFunctionsRead(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	s := parse(t, full)
	require.NoError(t, sitefile.Import(t.Context(), db.OwnerURL, secrets(t, map[string]string{"DOGS_PASSWORD": "hunter2"}), s))
	got, err := store.New(db.Functions).Site(t.Context(), "dogs")
	require.NoError(t, err)
	want := s.Site
	want.ID = got.ID
	for i := range got.Competitors {
		require.Positive(t, got.Competitors[i].ID)
		got.Competitors[i].ID = 0
	}
	require.Equal(t, want, got.Site)
	require.Equal(t, "cms.password", got.Credentials[0].Name)
}

func TestImport_changesNothingTheSecondTimeAndSetsAsideWhatIsGone(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	values := map[string]string{"DOGS_PASSWORD": "hunter2"}
	sec := secrets(t, values)
	s := parse(t, full)
	load := func(s sitefile.Site) { require.NoError(t, sitefile.Import(t.Context(), db.OwnerURL, sec, s)) }
	load(s)
	_, err := db.Owner.Exec(t.Context(), `INSERT INTO blogposter.watched_pages (site_id, competitor_id, url, state, refused)
		SELECT site_id, id, 'https://rival.example/1', 'refused', 'robots' FROM blogposter.competitors WHERE name = 'Rival'`)
	require.NoError(t, err)
	const stable = `SELECT jsonb_agg(c)::text || (SELECT jsonb_agg(k ORDER BY k.id)::text FROM blogposter.competitors k) FROM blogposter.credentials c`
	before := ask[string](t, db, stable)
	load(s)
	require.Equal(t, before, ask[string](t, db, stable), "the same secret stays sealed as it is: since when it is set stays true")

	s.Name, s.Competitors, s.Sources = "Renamed", s.Competitors[1:], s.Sources[:1]
	s.Sources[0].Tier = editorial.TierSecondary
	load(s)
	require.Equal(t, "Renamed", ask[string](t, db, `SELECT name FROM blogposter.sites`))
	require.Equal(t, "secondary", ask[string](t, db, `SELECT tier FROM blogposter.sources`))
	require.False(t, ask[bool](t, db, `SELECT active FROM blogposter.competitors WHERE name = 'Rival'`))
	require.Equal(t, 1, ask[int](t, db, `SELECT count(*) FROM blogposter.watched_pages`), "what was seen of it is kept")
	file, err := sitefile.Export(t.Context(), db.OwnerURL)
	require.NoError(t, err)
	require.Equal(t, s, parse(t, string(file)), "and it does not come back with the next file")

	load(parse(t, full))
	require.True(t, ask[bool](t, db, `SELECT active FROM blogposter.competitors WHERE name = 'Rival'`))
	require.Equal(t, 2, ask[int](t, db, `SELECT count(*) FROM blogposter.competitors`))

	values["DOGS_PASSWORD"] = "hunter3"
	load(parse(t, full))
	require.NotContains(t, before, ask[string](t, db, `SELECT encode(sealed, 'hex') FROM blogposter.credentials`))
	s.Research, s.Competitors, s.PasswordFrom = nil, nil, ""
	load(s)
	require.Equal(t, 1, ask[int](t, db, `SELECT count(*) FROM blogposter.credentials`), "a file that refers to no password leaves it as it is")
	require.True(t, ask[bool](t, db, `SELECT research IS NULL FROM blogposter.sites`))
}

func TestImport_writesNothingWhenAnythingIsWrong(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	sec := secrets(t, map[string]string{"DOGS_PASSWORD": "hunter2"})
	require.NoError(t, sitefile.Import(t.Context(), db.OwnerURL, sec, parse(t, full)))
	before := dump(t, db)
	good, other := parse(t, full), parse(t, full)
	good.Name, other.Slug = "Renamed", "cats"
	tests := map[string]struct {
		change  func(*sitefile.Site)
		secrets sitefile.Secrets
		says    string
	}{
		"a fault of the second site":        {func(s *sitefile.Site) { s.Author = "" }, sec, "site cats:\nauthor is empty"},
		"a password that is not set":        {func(s *sitefile.Site) { s.PasswordFrom = "CATS_PASSWORD" }, sec, "cms.password ${CATS_PASSWORD} is not set"},
		"no key to seal with":               {func(*sitefile.Site) {}, sitefile.Secrets{Value: sec.Value}, "cms.password can't be sealed: FIELD_ENCRYPTION_KEY is not set"},
		"no environment":                    {func(*sitefile.Site) {}, sitefile.Secrets{Keys: sec.Keys}, "cms.password ${DOGS_PASSWORD} is not set"},
		"what only the database can refuse": {func(s *sitefile.Site) { s.Name = "nul\x00" }, sec, "import site cats"},
	}
	for name, tc := range tests { // one after the other: they share the rows
		broken := other
		tc.change(&broken)
		err := sitefile.Import(t.Context(), db.OwnerURL, tc.secrets, good, broken)
		require.ErrorContains(t, err, tc.says, name)
		require.NotContains(t, err.Error(), "hunter2")
		require.Equal(t, before, dump(t, db), name)
	}
	require.ErrorContains(t, sitefile.Import(t.Context(), "postgres://nobody@127.0.0.1:1/x", sec, good), "connect to the database")
}

func TestSetCredential_belongsToOneSite(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	sec := secrets(t, map[string]string{"DOGS_PASSWORD": "bark"})
	dogs, cats := parse(t, full), parse(t, full)
	cats.Slug, cats.PasswordFrom = "cats", ""
	require.NoError(t, sitefile.Import(t.Context(), db.OwnerURL, sec, dogs, cats))
	set := func(site, name, secret string) (bool, error) {
		return sitefile.SetCredential(t.Context(), db.OwnerURL, sec.Keys, site, name, secret)
	}
	changed, err := set("cats", editorial.CredentialPassword, "meow")
	require.NoError(t, err)
	require.True(t, changed)
	changed, err = set("cats", editorial.CredentialPassword, "meow")
	require.NoError(t, err)
	require.False(t, changed)

	s := store.New(db.Functions)
	vault := seal.NewVault(sec.Keys, s)
	for range 2 { // one process, one Run after the other
		for slug, want := range map[string]string{"dogs": "bark", "cats": "meow"} {
			site, err := s.Site(t.Context(), slug)
			require.NoError(t, err)
			got, err := vault.Open(t.Context(), site.Site, editorial.CredentialPassword)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	list, err := sitefile.Credentials(t.Context(), db.OwnerURL, "")
	require.NoError(t, err)
	require.Equal(t, []string{"cats cms.password k1", "dogs cms.password k1"},
		[]string{strings.Join([]string{list[0].Site, list[0].Name, list[0].KeyID}, " "), strings.Join([]string{list[1].Site, list[1].Name, list[1].KeyID}, " ")})
	require.WithinDuration(t, time.Now(), list[0].SetAt, time.Hour)
	list, err = sitefile.Credentials(t.Context(), db.OwnerURL, "dogs")
	require.NoError(t, err)
	require.Len(t, list, 1)

	_, err = set("nowhere", editorial.CredentialPassword, "x")
	require.ErrorIs(t, err, sitefile.ErrNoSite)
	_, err = set("cats", "CMS password", "x")
	require.ErrorContains(t, err, `credential name "CMS password"`)
	_, err = set("cats", editorial.CredentialPassword, "")
	require.ErrorContains(t, err, "the value is empty")
}

func TestRotate_sealsEverythingWithTheFirstKeyOrNothing(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	older, newer := seal.NewKey("k1"), seal.NewKey("k2")
	keys := func(list ...string) *seal.Keys {
		k, err := seal.Parse(strings.Join(list, ","))
		require.NoError(t, err)
		return k
	}
	dogs, cats := parse(t, full), parse(t, full)
	cats.Slug = "cats"
	value := func(string) string { return "hunter2" }
	require.NoError(t, sitefile.Import(t.Context(), db.OwnerURL, sitefile.Secrets{Keys: keys(older), Value: value}, dogs, cats))
	before := dump(t, db)

	_, err := sitefile.Rotate(t.Context(), db.OwnerURL, keys(newer))
	require.ErrorIs(t, err, seal.ErrKey)
	require.ErrorContains(t, err, `cms.password of cats`)
	require.ErrorContains(t, err, `cms.password of dogs`)
	require.Equal(t, before, dump(t, db))

	const since = `SELECT max(updated_at)::text FROM blogposter.credentials`
	was := ask[string](t, db, since)
	n, err := sitefile.Rotate(t.Context(), db.OwnerURL, keys(newer, older))
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, was, ask[string](t, db, since), "the secret is as old as it was")
	n, err = sitefile.Rotate(t.Context(), db.OwnerURL, keys(newer, older))
	require.NoError(t, err)
	require.Zero(t, n)

	s := store.New(db.Functions)
	site, err := s.Site(t.Context(), "cats")
	require.NoError(t, err)
	require.Equal(t, "k2", site.Credentials[0].KeyID)
	got, err := seal.NewVault(keys(newer), s).Open(t.Context(), site.Site, editorial.CredentialPassword)
	require.NoError(t, err)
	require.Equal(t, "hunter2", got)
}

func TestKeys_areAddedListedAndRevokedOnTheirSite(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	hash := strings.Repeat("0", 64)
	_, err := sitefile.AddKey(t.Context(), db.OwnerURL, "nowhere", "x", "editor", hash, time.Time{})
	require.ErrorIs(t, err, sitefile.ErrNoSite)
	sec := secrets(t, map[string]string{"DOGS_PASSWORD": "x"})
	dogs, cats := parse(t, full), parse(t, full)
	cats.Slug = "cats"
	require.NoError(t, sitefile.Import(t.Context(), db.OwnerURL, sec, dogs, cats))
	id, err := sitefile.AddKey(t.Context(), db.OwnerURL, "dogs", "ann", "editor", hash, time.Time{})
	require.NoError(t, err)
	_, err = sitefile.AddKey(t.Context(), db.OwnerURL, "dogs", "x", "king", strings.Repeat("1", 64), time.Time{})
	require.ErrorContains(t, err, "api_keys_role_check")
	late, err := sitefile.AddKey(t.Context(), db.OwnerURL, "dogs", "bob", "viewer", strings.Repeat("2", 64), time.Now().Add(time.Hour))
	require.NoError(t, err)

	s := store.New(db.Functions)
	_, ok, err := s.PrincipalKey(t.Context(), hash)
	require.NoError(t, err)
	require.True(t, ok)
	require.ErrorContains(t, sitefile.RevokeKey(t.Context(), db.OwnerURL, "cats", id), `site "cats" has no such key`)
	require.NoError(t, sitefile.RevokeKey(t.Context(), db.OwnerURL, "dogs", id))
	require.NoError(t, sitefile.RevokeKey(t.Context(), db.OwnerURL, "dogs", id))
	_, ok, err = s.PrincipalKey(t.Context(), hash)
	require.NoError(t, err)
	require.False(t, ok)

	keys, err := sitefile.Keys(t.Context(), db.OwnerURL, "dogs")
	require.NoError(t, err)
	require.Len(t, keys, 2)
	require.Equal(t, "ann", keys[0].Name)
	require.Equal(t, "revoked", keys[0].State(time.Now()))
	require.Equal(t, late, keys[1].ID)
	require.Equal(t, "live", keys[1].State(time.Now()))
	require.Equal(t, "expired", keys[1].State(time.Now().Add(2*time.Hour)))
	keys, err = sitefile.Keys(t.Context(), db.OwnerURL, "cats")
	require.NoError(t, err)
	require.Empty(t, keys)
}
