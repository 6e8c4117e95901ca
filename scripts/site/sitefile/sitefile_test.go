package sitefile_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/store/storetest"
	"blogposter/scripts/site/sitefile"
)

func demoSite(t *testing.T) editorial.Site {
	t.Helper()
	raw, err := os.ReadFile("../../demo/site.yml")
	require.NoError(t, err)
	s, err := sitefile.Read(raw)
	require.NoError(t, err)
	s.Sources = []editorial.Source{{Prefix: "https://www.ada.gov/", Tier: editorial.TierAuthoritative, Start: true}}
	return s
}

func TestParse_reportsEveryFaultAtOnce(t *testing.T) {
	t.Parallel()

	const bad = `
slug: Not A Slug
name: " "
url: https://example.com/
time_zone: Mars/Olympus
language: english!
author: ""
article_budget: -1
cms: {kind: drupal, url: nowhere, user: ""}
sources:
  - {prefix: "https://ok.example/", tier: secondary}
  - {prefix: "https://ok.example/", tier: gospel}
  - {prefix: "https://no-path.example", tier: secondary}
rules:
  legal_min_sources: 0
  min_words: 2000
  max_words: 1000
  disclaimers: [""]
  forbidden: [{pattern: "(", reason: ""}]
`
	_, err := sitefile.Parse([]byte(bad))

	for _, want := range []string{
		`slug "Not A Slug"`, "name is empty", "url ", `time_zone "Mars/Olympus"`, `language "english!"`, "author is empty", "article_budget -1",
		`cms.kind "drupal"`, `cms.url "nowhere"`, "cms.user is empty", `sources[1].tier "gospel"`, "sources[1].prefix", "stands twice",
		`sources[2].prefix "https://no-path.example"`, "legal_min_sources 0", "min_words 2000", "disclaimers[0] is empty",
		`forbidden[0].pattern "("`, "forbidden[0].reason is empty", "ai_disclosure is empty",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestParse_refusesAKeyItDoesNotKnow(t *testing.T) {
	t.Parallel()

	_, err := sitefile.Parse([]byte("slug: a\nbudgt: 5\n"))
	require.ErrorContains(t, err, `unknown field "budgt"`)
	_, err = sitefile.Parse([]byte("\t- broken"))
	require.ErrorContains(t, err, "not YAML")
	require.ErrorContains(t, sitefile.Validate(editorial.Site{}), "sources is empty")
}

func TestImport_writesTheSiteAndBringsItUpToDate(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	s := demoSite(t)
	require.NoError(t, sitefile.Import(t.Context(), db.OwnerURL, s))
	s.Name, s.Sources = "Renamed", append(s.Sources, editorial.Source{Prefix: "https://b.example/", Tier: editorial.TierSecondary})
	require.NoError(t, sitefile.Import(t.Context(), db.OwnerURL, s))

	var sites, sources int
	var name string
	require.NoError(t, db.Owner.QueryRow(t.Context(), `SELECT count(*), max(name) FROM blogposter.sites`).Scan(&sites, &name))
	require.NoError(t, db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM blogposter.sources`).Scan(&sources))
	require.Equal(t, 1, sites)
	require.Equal(t, "Renamed", name)
	require.Equal(t, 2, sources)

	s.Sources[0].Tier = "gospel"
	require.ErrorContains(t, sitefile.Import(t.Context(), db.OwnerURL, s), "gospel")
}

func TestAddKey_needsASite(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	const hash = "0000000000000000000000000000000000000000000000000000000000000000"
	require.ErrorContains(t, sitefile.AddKey(t.Context(), db.OwnerURL, "nowhere", "x", "editor", hash), `no site "nowhere"`)
	require.NoError(t, sitefile.Import(t.Context(), db.OwnerURL, demoSite(t)))
	require.NoError(t, sitefile.AddKey(t.Context(), db.OwnerURL, "harborview", "x", "editor", hash))
	require.ErrorContains(t, sitefile.AddKey(t.Context(), db.OwnerURL, "harborview", "x", "king", hash), "api_keys_role_check")
}

func TestDemoSite_bansTheClaimThatAServiceDogMustBeRegistered(t *testing.T) {
	t.Parallel()

	bans, err := evidence.NewBans(demoSite(t).Rules.Forbidden)
	require.NoError(t, err)
	for _, wrong := range []string{
		"Service dogs must be registered.",
		"Service dogs must first be registered before they ride a bus or ferry.",
		"In most states a service dog is legally required to be certified.",
		"Service animals have to be officially registered with the county.",
		"Handlers must carry a registration for the dog.",
		"A service dog needs a certificate to enter a shop.",
		"Service dogs need registration.",
		"Registration is required for every service dog.",
		"The code requires that every service dog be registered.",
		"State law requires registration.",
		"Owners must register a service dog within 30 days.",
	} {
		_, hit := bans.Hit(wrong)
		require.True(t, hit, wrong)
	}
	for _, right := range []string{
		"A service dog does not have to be registered.",
		"Service dogs are not required to be registered or certified.",
		"The ADA does not require service animals to be registered or certified.",
		"Registration is not required.",
		"A service dog does not need a certificate.",
		"A certificate bought online gives a dog no rights in Harborview.",
		"The city keeps no registry of service dogs.",
		"A service dog needs the same city dog license and the same rabies vaccination as any other dog.",
		"Does a service dog have to be registered?",
		"Covered entities may not require documentation, such as proof that the animal has been certified.",
		"A service dog must be under the control of its handler.",
	} {
		reason, hit := bans.Hit(right)
		require.False(t, hit, "%s: %s", right, reason)
	}
}
