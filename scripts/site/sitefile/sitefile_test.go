package sitefile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/scripts/site/sitefile"
)

func demoSite(t *testing.T) sitefile.Site {
	t.Helper()
	raw, err := os.ReadFile("../../demo/site.yml")
	require.NoError(t, err)
	s, err := sitefile.Read(raw)
	require.NoError(t, err)
	s.Sources = []editorial.Source{{Prefix: "https://www.ada.gov/", Tier: editorial.TierAuthoritative, Start: true}}
	return s
}

func parse(t *testing.T, file string) sitefile.Site {
	t.Helper()
	sites, err := sitefile.Parse([]byte(file))
	require.NoError(t, err)
	require.Len(t, sites, 1)
	return sites[0]
}

func TestParse_readsEveryFieldOfASite(t *testing.T) {
	t.Parallel()

	s := parse(t, full)
	require.Equal(t, "DOGS_PASSWORD", s.PasswordFrom)
	require.Equal(t, int64(150_000), s.ArticleBudget)
	require.Equal(t, &editorial.Research{EveryMinutes: 360, Budget: 20_000}, s.Research)
	require.Equal(t, editorial.Schedule{Days: []string{"mon", "wed", "fri"}, Time: "10:00"}, s.Schedule)
	require.Equal(t, map[string]string{"Travel": "On the road", "law": "Legal"}, s.CMS.TermNames)
	require.Equal(t, []editorial.Competitor{
		{Name: "Rival", Kind: editorial.CompetitorFeed, URL: "https://rival.example/feed/", Via: editorial.ViaReader, Most: 50},
		{Name: "Other", Kind: editorial.CompetitorSitemap, URL: "https://other.example/sitemap.xml", Via: editorial.ViaDirect, Most: 200},
	}, s.Competitors)
	require.Equal(t, "dogs? must be registered", s.Rules.Forbidden[0].Pattern)
	requireFilled(t, reflect.ValueOf(s.Site), "site")
}

// requireFilled fails on a field that the fixture leaves empty: a new one that
// files don't know yet.
func requireFilled(t *testing.T, v reflect.Value, name string) {
	t.Helper()
	switch v.Kind() { //nolint:exhaustive // what a site is made of
	case reflect.Pointer:
		require.False(t, v.IsNil(), name)
		requireFilled(t, v.Elem(), name)
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i).Name; field != "ID" {
				requireFilled(t, v.Field(i), name+"."+field)
			}
		}
	case reflect.Slice:
		require.NotZero(t, v.Len(), name)
		requireFilled(t, v.Index(0), name+"[0]")
	default:
		require.False(t, v.IsZero(), name)
	}
}

func TestFormat_writesAFileThatReadsAsTheSame(t *testing.T) {
	t.Parallel()

	rich, demo := parse(t, full), demoSite(t)
	odd := demoSite(t)
	odd.Slug, odd.ArticleBudget, odd.PasswordFrom = "odd", 1_234_567, ""
	odd.Research = &editorial.Research{EveryMinutes: 24*60 + 90, Budget: 1_000}
	odd.Competitors = []editorial.Competitor{{Name: "a: b", Kind: "page", URL: "https://c.example/?q=1#x", Via: "direct", Most: 1}}
	odd.Voice, odd.Audience = "on", "- \"quoted\" & 'so on': é\nand a line"
	odd.Author, odd.Categories = "123", []string{"true", "2026-01-01", "null"}
	file, err := sitefile.Format(rich, demo, odd)
	require.NoError(t, err)
	require.Contains(t, string(file), "password: ${DOGS_PASSWORD}")
	require.Contains(t, string(file), "every: 6h\n")
	require.Contains(t, string(file), "article_budget: $0.15\n")
	require.Contains(t, string(file), "article_budget: $1.234567\n")
	require.Contains(t, string(file), "every: 1d1h30m\n")
	again, err := sitefile.Parse(file)
	require.NoError(t, err, string(file))
	require.Equal(t, []sitefile.Site{rich, demo, odd}, again)
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
budgt: 5
cms: {kind: drupal, url: nowhere, user: "", pasword: x}
sources:
  - {prefix: "https://ok.example/", tier: secondary}
  - {prefix: "https://ok.example/", tier: gospel}
  - {prefix: "https://no-path.example", tier: secondary}
research: {every: soon, budget: 0.15}
rules:
  legal_min_sources: 0
  min_words: 2000
  max_words: 1000
  disclaimers: [""]
  forbidden: [{pattern: "(", reason: ""}]
`
	_, err := sitefile.Parse([]byte(bad))

	for _, want := range []string{
		`slug "Not A Slug"`, "name is empty", "url ", `time_zone "Mars/Olympus"`, `language "english!"`, "author is empty", "article_budget -1 (-$0.000001)",
		"budgt is not a key of a site file: use one of slug", "cms.pasword is not a key of a site file: did you mean password?",
		`cms.kind "drupal"`, `cms.url "nowhere"`, "cms.user is empty", `sources[1].tier "gospel"`, "sources[1].prefix", "stands twice",
		`sources[2].prefix "https://no-path.example"`, `research.every "soon" is no time`, `research.budget "0.15" is no amount`,
		"competitors is empty", "legal_min_sources 0", "rules.min_words 2000", "disclaimers[0] is empty",
		`forbidden[0].pattern "("`, "forbidden[0].reason is empty", "ai_disclosure is empty",
	} {
		require.ErrorContains(t, err, want)
	}
	require.Len(t, strings.Split(err.Error(), "\n"), 24, "one line a fault, and nothing told twice:\n%s", err)
}

// changed is full with one piece of it replaced.
func changed(t *testing.T, old, now string) []byte {
	t.Helper()
	require.Contains(t, full, old)
	return []byte(strings.Replace(full, old, now, 1))
}

func TestParse_namesTheFieldAndTheFix(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ old, now, says string }{
		"a slash at the end of url":           {"url: https://dogs.example\n", "url: https://dogs.example/\n", `url "https://dogs.example/": use the public address such as https://example.com, without a slash`},
		"a url with a query":                  {"url: https://dogs.example\n", "url: https://dogs.example?a=b\n", "url "},
		"a url of nobody's":                   {"url: https://dogs.example\n", "url: dogs.example\n", `url "dogs.example"`},
		"a host in capitals":                  {"https://law.example/acts/", "https://Law.example/acts/", "sources[0].prefix"},
		"a user name in a prefix":             {"https://law.example/acts/", "https://me@law.example/acts/", "sources[0].prefix"},
		"a prefix with a query":               {"https://law.example/acts/", "https://law.example/acts/?x=1", "sources[0].prefix"},
		"the machine's own time zone":         {"America/New_York", "Local", `time_zone "Local": use an IANA name`},
		"no time zone":                        {"time_zone: America/New_York", "time_zone:", `time_zone "": use an IANA name`},
		"a key that is misspelt":              {"time_zone:", "timezone:", "timezone is not a key of a site file: did you mean time_zone?"},
		"a key of another section":            {"  seo: rankmath", "  budget: rankmath", "cms.budget is not a key of a site file: use one of kind, url"},
		"a key twice":                         {"author: Dog Desk", "author: Dog Desk\nauthor: Cat Desk", "author stands twice: keep one of them"},
		"a list where a value belongs":        {"author: Dog Desk", "author: [Dog, Desk]", "author must be a single value"},
		"a value where a list belongs":        {"categories: [Access, Travel]", "categories: Access", "categories must be a list"},
		"a value where a section belongs":     {"schedule:\n  days: [mon, wed, fri]\n  time: \"10:00\"", "schedule: daily", "schedule must be a section"},
		"a value where names belong":          {"{Travel: On the road, law: Legal}", "none", "cms.term_names must be a section"},
		"a list where an amount belongs":      {`article_budget: "$0.15"`, "article_budget: [1]", "article_budget must be a single value"},
		"text where a number belongs":         {"legal_min_sources: 2", "legal_min_sources: two", `rules.legal_min_sources "two": write a whole number`},
		"a fraction where a number belongs":   {"min_words: 1500", "min_words: 1500.5", `rules.min_words "1500.5": write a whole number`},
		"text where yes or no belongs":        {"start: true", "start: maybe", `sources[0].start "maybe": write true or false`},
		"a zero byte":                         {"voice: Plain and exact.", `voice: "Plain\0"`, "voice holds a character that nobody sees"},
		"text turned around":                  {"name: Working Dogs", `name: "Working \u202esgoD"`, "name holds a character that nobody sees"},
		"a zero byte in a term":               {"law: Legal", `"law\0": Legal`, "cms.term_names has a key with a character that nobody sees"},
		"an alias":                            {"author: Dog Desk", "author: &a Dog Desk", "author uses an anchor or alias"},
		"a budget without its unit":           {`article_budget: "$0.15"`, "article_budget: 0.15", `article_budget "0.15" is no amount: write dollars as "$0.15"`},
		"a budget in cents":                   {`article_budget: "$0.15"`, "article_budget: 15", `article_budget 15 ($0.000015): use from "$0.001" to "$10.00"`},
		"a budget below zero":                 {`article_budget: "$0.15"`, `article_budget: "-$0.15"`, "article_budget -150000 (-$0.15)"},
		"a budget below zero, the other way":  {`article_budget: "$0.15"`, `article_budget: "$-0.15"`, "article_budget -150000 (-$0.15)"},
		"a budget of nothing":                 {`article_budget: "$0.15"`, `article_budget: "$0"`, "article_budget 0 ($0.00)"},
		"a budget that is no number":          {`article_budget: "$0.15"`, "article_budget: .nan", `article_budget ".nan" is no amount`},
		"a budget that is no number, as text": {`article_budget: "$0.15"`, "article_budget: NaN", `article_budget "NaN" is no amount`},
		"a budget without end":                {`article_budget: "$0.15"`, "article_budget: .inf", "is no amount"},
		"a budget beyond all counting":        {`article_budget: "$0.15"`, "article_budget: 99999999999999999999", "is no amount"},
		"a budget beyond reason":              {`article_budget: "$0.15"`, `article_budget: "$150"`, "article_budget 150000000 ($150.00)"},
		"another money":                       {`article_budget: "$0.15"`, `article_budget: "€0.15"`, "is no amount"},
		"a look that costs too much":          {`budget: "$0.02"`, `budget: "$20"`, "research.budget 20000000 ($20.00)"},
		"looks too often":                     {"every: 6h", "every: 14m", "research.every is 14 minutes: use from 15m to 7d"},
		"looks too seldom":                    {"every: 6h", "every: 7d1m", "research.every is 10081 minutes"},
		"looks without a unit":                {"every: 6h", "every: 6", `research.every "6" is no time: write a number with its unit`},
		"looks at nobody":                     {"competitors:", "competitors: []\nignored:", "competitors is empty"},
		"competitors nobody looks at":         {"research:\n  every: 6h\n  budget: \"$0.02\"\n", "", "research is missing"},
		"a password in the file":              {"${DOGS_PASSWORD}", "abcd efgh ijkl", "cms.password is not a reference: write ${WP_APP_PASSWORD}"},
		"a password behind a dollar":          {"${DOGS_PASSWORD}", "$DOGS_PASSWORD", "cms.password is not a reference"},
		"a password around a reference":       {"${DOGS_PASSWORD}", "x${DOGS_PASSWORD}", "cms.password is not a reference"},
		"a password over an open line":        {"url: https://dogs.example/blog", "url: http://dogs.example/blog", "use https: the password would travel"},
		"another content system":              {"kind: wordpress", "kind: drupal", `cms.kind "drupal": only wordpress is known`},
		"another kind of post":                {"post_type: page", "post_type: product", `cms.post_type "product": use one of post, page`},
		"another plugin":                      {"seo: rankmath", "seo: aioseo", `cms.seo "aioseo": use one of auto, yoast, rankmath, none`},
		"another way with terms":              {"terms: refuse", "terms: ignore", `cms.terms "ignore": use one of create, refuse`},
		"another image":                       {"image: none", "image: generated", `cms.image "generated": use one of card, none`},
		"a name for a category it lacks":      {"{Travel: On", "{Housing: On", "cms.term_names.Housing is none of the site's categories and tags"},
		"a name that is empty":                {"{Travel: On the road", `{Travel: ""`, "cms.term_names.Travel is empty"},
		"a category twice":                    {"[Access, Travel]", "[Access, Travel, access]", `categories[2] "access" stands twice`},
		"a tag that is empty":                 {"[law, trains]", `[law, trains, " "]`, `tags[2] " ": write a name`},
		"a day there is not":                  {"[mon, wed, fri]", "[mon, Wed, fri]", `schedule.days[1] "Wed": use sun, mon, tue`},
		"a day twice":                         {"[mon, wed, fri]", "[mon, mon]", `schedule.days[1] "mon" stands twice`},
		"an hour there is not":                {`"10:00"`, `"24:00"`, `schedule.time "24:00": use hours and minutes`},
		"an hour of twelve":                   {`"10:00"`, `"9am"`, `schedule.time "9am"`},
		"days without a time":                 {"  time: \"10:00\"\n", "", "schedule has days or a time alone"},
		"a time without days":                 {"  days: [mon, wed, fri]\n", "", "schedule has days or a time alone"},
		"a competitor without a name":         {"name: Rival", `name: ""`, "competitors[0].name is empty"},
		"a competitor of another kind":        {"kind: feed", "kind: rss", `competitors[0].kind "rss": use feed, sitemap or page`},
		"a competitor by other ways":          {"via: reader", "via: proxy", `competitors[0].via "proxy": use direct or reader`},
		"a competitor with too many pages":    {"most: 50", "most: 5001", "competitors[0].most 5001: use from 1 to 5000 pages"},
		"a competitor with less than none":    {"most: 50", "most: -1", "competitors[0].most -1"},
		"a competitor without an address":     {"https://rival.example/feed/", "rival.example/feed", `competitors[0].url "rival.example/feed": use an http or https address`},
		"a competitor twice":                  {"https://other.example/sitemap.xml", "http://rival.example/feed/", `competitors[1].url "http://rival.example/feed/" stands twice`},
		"a competitor that is the site":       {"https://rival.example/feed/", "http://dogs.example/feed", "competitors[0].url \"http://dogs.example/feed\" is the site itself"},
		"a competitor that is a source":       {"https://rival.example/feed/", "http://law.example/acts/feed", "competitors[0].url \"http://law.example/acts/feed\" lies in the site's own source https://law.example/acts/"},
		"a ban of a disclaimer":               {"dogs? must be registered", "legal advice", `rules.forbidden[0].pattern "legal advice" matches rules.disclaimers[0], "This is general information, not legal advice."`},
		"a ban of the disclosure":             {"dogs? must be registered", "an ai system", "matches rules.ai_disclosure"},
		"a disclaimer under a ban":            {"This is general information, not legal advice.", "Information only. Some dogs must be registered.", `matches rules.disclaimers[0], "Some dogs must be registered."`},
		"a ban of everything":                 {"dogs? must be registered", "(x)*", `rules.forbidden[0].pattern "(x)*" matches every sentence`},
		"a legal term that is none":           {"[must, law]", `[must, ""]`, "rules.legal_terms[1] is empty"},
		"articles beyond reading":             {"max_words: 2500", "max_words: 250000", "rules.min_words 1500 and max_words 250000"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := sitefile.Parse(changed(t, tc.old, tc.now))
			require.ErrorContains(t, err, tc.says)
			require.NotContains(t, err.Error(), "abcd efgh")
		})
	}
}

func TestParse_saysNothingOfWhatAFaultHides(t *testing.T) {
	t.Parallel()

	for section, fault := range map[string]string{"rules:": "rules must be a section of its own", "sources:": "sources must be a list"} {
		file := strings.Replace(full, section, section+" none\nignored:", 1)
		_, err := sitefile.Parse([]byte(file))
		require.ErrorContains(t, err, fault)
		require.Len(t, strings.Split(err.Error(), "\n"), 2, "the section, and the key that was made up:\n%s", err)
	}
}

func TestParse_takesWhatIsOnlyWrittenOtherwise(t *testing.T) {
	t.Parallel()

	want := parse(t, full)
	for old, now := range map[string]string{
		`article_budget: "$0.15"`:     "article_budget: 150_000",
		"every: 6h":                   "every: 360m",
		`budget: "$0.02"`:             "budget: $0.020000",
		"voice: Plain and exact.":     "voice: >-\n  Plain\n  and exact.",
		`time: "10:00"`:               "time: 10:00",
		"url: https://dogs.example\n": "url: https://dogs.example # the shop window\n",
	} {
		require.Equal(t, want, parse(t, string(changed(t, old, now))), now)
	}
}

func TestParse_readsSeveralSites(t *testing.T) {
	t.Parallel()

	cats := strings.Replace(full, "slug: dogs", "slug: cats", 1)
	sites, err := sitefile.Parse([]byte("---\n" + full + "\n---\n" + cats + "\n---\n"))
	require.NoError(t, err)
	require.Len(t, sites, 2)
	require.Equal(t, "cats", sites[1].Slug)

	_, err = sitefile.Parse([]byte(full + "\n---\n" + strings.Replace(full, "author: Dog Desk", "author:", 1)))
	require.ErrorContains(t, err, "site 2 of the file (dogs):\nauthor is empty")
	require.ErrorContains(t, err, `slug "dogs" stands twice in this file`)
	_, err = sitefile.Read([]byte(full + "\n---\n" + cats))
	require.ErrorContains(t, err, "has 2 sites, not one")
	for _, none := range []string{"", "---\n---\n", "# nothing\n"} {
		_, err = sitefile.Parse([]byte(none))
		require.ErrorContains(t, err, "there is no site in it")
	}
	_, err = sitefile.Parse([]byte("\t- broken"))
	require.ErrorContains(t, err, "not YAML")
	_, err = sitefile.Parse([]byte("- a list"))
	require.ErrorContains(t, err, "the file must be a section")
	require.ErrorContains(t, sitefile.Validate(sitefile.Site{}), "sources is empty")
}

func TestLoad_readsFilesAndFoldersAndNamesTheFileOfAFault(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	put("sites/a.yml", full)
	put("sites/b.yaml", strings.Replace(full, "slug: dogs", "slug: cats", 1))
	put("sites/notes.txt", "not a site")
	sites, err := sitefile.Load(filepath.Join(dir, "sites"))
	require.NoError(t, err)
	require.Equal(t, []string{"dogs", "cats"}, []string{sites[0].Slug, sites[1].Slug})

	again := put("again.yml", full)
	broken := put("broken.yml", "slug: x\n")
	_, err = sitefile.Load(filepath.Join(dir, "sites"), again, broken)
	require.ErrorContains(t, err, fmt.Sprintf("%s: slug %q stands in %s", again, "dogs", filepath.Join(dir, "sites", "a.yml")))
	require.ErrorContains(t, err, broken+":\nname is empty")
	_, err = sitefile.Load(put("long.yml", strings.Repeat("#", 1<<20+1)))
	require.ErrorContains(t, err, "is over 1048576 bytes")
	_, err = sitefile.Load(filepath.Join(dir, "none.yml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "empty"), 0o700))
	_, err = sitefile.Load(filepath.Join(dir, "empty"))
	require.ErrorContains(t, err, "has no site files")
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
