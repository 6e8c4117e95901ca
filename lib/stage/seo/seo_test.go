package seo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/llm/llmtest"
	"blogposter/lib/markup"
	"blogposter/lib/markup/markuptest"
	"blogposter/lib/pipeline"
	"blogposter/lib/stage/seo"
)

var lease = pipeline.Lease{RunID: 41, SiteID: 3, Stage: pipeline.StageSEO, Attempt: 1, Pins: pipeline.Pins{Prompts: "v1", Small: "claude-haiku-5-5"}}

type store struct{ d editorial.Dossier }

func (s store) Dossier(context.Context, pipeline.Lease) (editorial.Dossier, error) {
	if s.d.Brief.RunID == 0 {
		return s.d, errors.New("store is down")
	}
	return s.d, nil
}

type links struct {
	dead  map[string]bool
	asked []string
}

func (l *links) Resolves(_ context.Context, url string) bool {
	l.asked = append(l.asked, url)
	return !l.dead[url]
}

// picture is what pictures makes of any Draft.
var picture = editorial.Media{
	Role: "featured", Hash: strings.Repeat("c", 64), Type: "image/png", Width: 1200, Height: 630, Alt: "Title card: a dog", Name: "a-dog-cccccccccccccccc.png", Origin: "card",
}

// pictures makes picture, or what it is told to.
type pictures struct {
	other *editorial.Media
	err   error
}

func (p pictures) Featured(context.Context, pipeline.Lease, editorial.Dossier) (editorial.Media, error) {
	if p.other != nil {
		return *p.other, p.err
	}
	return picture, p.err
}

type run struct {
	d     editorial.Dossier
	pics  pictures
	model *llmtest.Model
	links links
	work  editorial.Work
	out   pipeline.Outcome
}

func newRun() *run { return &run{d: markuptest.Dossier(), model: llmtest.New()} }

func (r *run) do(t *testing.T) error {
	t.Helper()
	client, _ := llmtest.NewClient(r.model)
	var err error
	r.work, r.out, err = seo.New(store{r.d}, client, &r.links, r.pics).Do(t.Context(), lease)
	return err
}

// next applies what Do returned, as the store and the fact check would.
func (r *run) next() {
	d := *r.work.Draft
	d.ID = r.d.Draft.ID + 1
	r.d.Draft = &d
}

// answer scripts a patch for the draft of that version.
func (r *run) answer(version string, placesAndTexts ...string) {
	type patch struct {
		Place string `json:"place"`
		Text  string `json:"text"`
	}
	list := []patch{}
	for p := range slices.Chunk(placesAndTexts, 2) {
		list = append(list, patch{p[0], p[1]})
	}
	raw, err := json.Marshal(map[string]any{"patches": list})
	if err != nil {
		panic(err)
	}
	r.model.Text("repair:"+version, string(raw))
}

func rules(findings []editorial.Finding) (out []string) {
	for _, f := range findings {
		out = append(out, f.Rule+" "+string(f.Severity))
	}
	return out
}

func TestStage_Do_rendersACleanDraftAndDigestsWhatIsApproved(t *testing.T) {
	t.Parallel()

	r := newRun()
	require.NoError(t, r.do(t))
	require.Empty(t, r.model.Steps(), "nothing to mend, nothing to pay")
	require.Empty(t, r.out.Back)
	got := r.work.Draft
	require.Equal(t, 1, got.Version)
	require.Contains(t, got.Markup, got.JSONLD)
	require.Equal(t, editorial.DocumentOf(r.d.Site, r.d.Brief, *got).Digest(), got.Digest)
	require.Equal(t, []editorial.Media{picture}, got.Media)
	require.Empty(t, r.d.Draft.Markup, "the loaded draft is left alone")
	for _, f := range r.work.Findings {
		require.Equal(t, editorial.SeverityWarning, f.Severity, f.Message)
	}
}

const (
	fitTitle = "Service Dog Questions: What a Business May Ask You Now"
	longMeta = "Staff may ask only two service dog questions under the ADA, and this sentence goes on and on until it is far longer than what any search engine would ever show whole."
	fitMeta  = "Staff may ask only two service dog questions under the ADA. Learn what they are and what stays private before you meet the next person at a door."
)

func TestStage_Do_sendsMendedTextBackToTheFactCheckAsANewDraft(t *testing.T) {
	t.Parallel()

	r := newRun()
	r.d.Draft.Title, r.d.Draft.MetaDescription, r.d.Draft.Slug = "Too short", longMeta, "Not A Slug!"
	r.d.Draft.Markup, r.d.Draft.JSONLD, r.d.Draft.Digest = "old", "old", "old"
	r.answer("1", "title", fitTitle, "meta", fitMeta, "2.0.0.0", "A sentence nobody asked for.", "excerpt", "Nor this.")
	require.NoError(t, r.do(t))
	require.Equal(t, pipeline.StageFactCheck, r.out.Back)
	require.Equal(t, "version 2 mends title-length, meta-length, slug", r.out.Detail)
	require.Equal(t, 2, r.work.Draft.Version)
	require.Zero(t, r.work.Draft.ID)
	require.Equal(t, fitTitle, r.work.Draft.Title)
	require.Equal(t, fitMeta, r.work.Draft.MetaDescription)
	require.Equal(t, "service-dog-questions-what-a-business-may-ask-you-now", r.work.Draft.Slug)
	require.Equal(t, r.d.Draft.Body, r.work.Draft.Body)
	require.Equal(t, r.d.Draft.Excerpt, r.work.Draft.Excerpt)
	require.Empty(t, r.work.Draft.Markup+r.work.Draft.JSONLD+r.work.Draft.Digest, "it can't be approved before it was checked")
	require.Empty(t, r.work.Findings)

	require.Equal(t, []string{"repair:1"}, r.model.Steps())
	asked := r.model.Requests()[0]
	require.Equal(t, "claude-haiku-5-5", asked.Model)
	require.Contains(t, asked.Messages[0].Text, `<text place="title">Too short</text>`)
	require.Contains(t, asked.Messages[0].Text, `<finding place="meta">It has 166 characters`)
	require.Contains(t, asked.Messages[0].Text, "## What staff may ask\n\nWhen the need is not plain")
	require.Contains(t, asked.Messages[0].Text, "- Is the dog a service animal")

	r.next()
	require.NoError(t, r.do(t))
	require.Empty(t, r.out.Back)
	require.NotEmpty(t, r.work.Draft.Digest)
}

func TestStage_Do_mendsTwiceAtMostAndThenWarns(t *testing.T) {
	t.Parallel()

	r := newRun()
	r.d.Draft.MetaDescription = longMeta + " " + longMeta
	r.answer("1", "meta", longMeta+" And more.")
	r.answer("2", "meta", longMeta)
	for version := 2; version <= 3; version++ {
		require.NoError(t, r.do(t))
		require.Equal(t, pipeline.StageFactCheck, r.out.Back)
		require.Equal(t, version, r.work.Draft.Version)
		r.next()
	}
	require.NoError(t, r.do(t))
	require.Empty(t, r.out.Back)
	require.Equal(t, []string{"repair:1", "repair:2"}, r.model.Steps())
	require.NotEmpty(t, r.work.Draft.Digest)
	require.Contains(t, rules(r.work.Findings), "meta-length warning")
}

func TestStage_Do_takesNoPatchThatIsNoBetter(t *testing.T) {
	t.Parallel()

	for name, patch := range map[string]string{
		"longer still": longMeta + " More.", "as it was": longMeta, "nothing": "", "forbidden": "Your dog must be registered. " + fitMeta[:115],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			r := newRun()
			r.d.Draft.MetaDescription = longMeta
			r.answer("1", "meta", patch)
			require.NoError(t, r.do(t))
			require.Empty(t, r.out.Back, "no new text, no new check")
			require.Equal(t, longMeta, r.work.Draft.MetaDescription)
			require.Contains(t, rules(r.work.Findings), "meta-length warning")
		})
	}
}

func TestStage_Do_mendsAnAddressWithoutAModel(t *testing.T) {
	t.Parallel()

	r := newRun()
	r.d.Draft.Slug = strings.Repeat("long-", 20) + "x"
	require.NoError(t, r.do(t))
	require.Empty(t, r.model.Steps())
	require.Equal(t, "two-service-dog-questions-a-business-may-ask-you", r.work.Draft.Slug)
	require.Equal(t, pipeline.StageFactCheck, r.out.Back)

	r.d.Draft.Title = "犬"
	r.answer("1")
	require.ErrorContains(t, r.do(t), "slug: the address", "nothing in the title makes an address: a person must")
	require.LessOrEqual(t, utf8.RuneCountInString(seo.Slug(strings.Repeat("word ", 40))), 60)
}

func TestStage_Do_stopsForAPersonWhereARuleMustHold(t *testing.T) {
	t.Parallel()

	r := newRun()
	r.d.Draft.Body.Sections[2].Heading = "Dogs must  be\u00a0reg\u00adistered"
	err := r.do(t)
	require.ErrorContains(t, err, "draft 12 breaks 1 rules: forbidden: must never be published")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	require.Nil(t, r.work.Draft, "what may not be approved gets no digest")
	require.Contains(t, rules(r.work.Findings), "forbidden error", "the reviewer sees why")
}

func TestStage_Do_linksOnlyToWhatResolves(t *testing.T) {
	t.Parallel()

	r := newRun()
	r.links.dead = map[string]bool{"https://dogs.example/air-travel/": true}
	require.NoError(t, r.do(t))
	require.NotContains(t, r.work.Draft.Markup, "air-travel")
	require.Contains(t, r.work.Draft.Markup, "pet-policy", "another takes its place")
	require.Contains(t, rules(r.work.Findings), "internal-links warning")
	require.Len(t, r.links.asked, 3, "each once")

	for _, l := range r.d.Published {
		r.links.dead[l.URL] = true
	}
	require.NoError(t, r.do(t))
	require.NotContains(t, r.work.Draft.Markup, markup.HeadingRelated)
	require.Equal(t, 4, strings.Count(strings.Join(rules(r.work.Findings), "\n"), "internal-links warning"), "three dead ones, and too few")
}

// hanging answers for the first page, and then never before the caller ends.
type hanging struct{ asked int }

func (h *hanging) Resolves(ctx context.Context, _ string) bool {
	h.asked++
	if h.asked == 1 {
		return true
	}
	<-ctx.Done()
	return false
}

func TestStage_Do_leavesOutLinksItCanNotCheckInTime(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		r, slow, start := newRun(), &hanging{}, time.Now()
		client, _ := llmtest.NewClient(r.model)
		work, _, err := seo.New(store{r.d}, client, slow, pictures{}).Do(t.Context(), lease)
		require.NoError(t, err)
		require.Equal(t, 30*time.Second, time.Since(start), "for all of them together")
		require.Equal(t, 2, slow.asked)
		related := markup.Related(r.d)
		require.Contains(t, work.Draft.Markup, related[0].URL)
		require.NotContains(t, work.Draft.Markup, related[1].URL)
		require.Contains(t, messages(work.Findings), related[1].URL+" could not be checked")
		require.Contains(t, rules(work.Findings), "internal-links warning")
	})
}

func TestStage_Do_linksNothingUncheckedWhenTheSiteIsDown(t *testing.T) {
	t.Parallel()

	r := newRun()
	r.links.dead = map[string]bool{}
	r.d.Published = nil
	for i := range markup.MaxRelated + 2 {
		url := fmt.Sprintf("https://dogs.example/service-dog-%d/", i)
		r.d.Published = append(r.d.Published, editorial.Link{URL: url, Title: "Service dog"})
		r.links.dead[url] = true
	}
	require.NoError(t, r.do(t))
	require.Len(t, r.links.asked, markup.MaxRelated, "no use to ask for all")
	require.NotContains(t, r.work.Draft.Markup, markup.HeadingRelated)
	require.Contains(t, messages(r.work.Findings), "service-dog-7/ could not be checked")
}

func messages(findings []editorial.Finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, f.Message)
	}
	return strings.Join(all, "\n")
}

func TestStage_Do_saysWhatIsMissing(t *testing.T) {
	t.Parallel()

	r := newRun()
	r.d = editorial.Dossier{}
	require.EqualError(t, r.do(t), "store is down")

	r = newRun()
	r.d.Draft = nil
	require.Equal(t, fault.KindPermanent, fault.KindOf(r.do(t)))

	r = newRun()
	r.d.Draft.Body = editorial.Body{}
	require.ErrorContains(t, r.do(t), "draft body is empty")

	r = newRun()
	r.d.Draft.Title = "Too short"
	err := r.do(t)
	require.ErrorContains(t, err, "mend draft 12", "the model's error is passed on as it is")
	require.NotEmpty(t, r.work.Findings)
}

func TestStage_Do_bindsThePictureIntoTheDigest(t *testing.T) {
	t.Parallel()

	r := newRun()
	require.NoError(t, r.do(t))
	with := r.work.Draft.Digest
	other := picture
	other.Hash = strings.Repeat("e", 64)
	r.pics.other = &other
	require.NoError(t, r.do(t))
	require.NotEqual(t, with, r.work.Draft.Digest)

	r.d.Site.CMS.Image = "none"
	r.pics.err = errors.New("nobody asked for one")
	require.NoError(t, r.do(t))
	require.Empty(t, r.work.Draft.Media)
	require.NotEqual(t, with, r.work.Draft.Digest)

	r.d.Site.CMS.Image = "card"
	require.ErrorIs(t, r.do(t), r.pics.err)
	require.Nil(t, r.work.Draft)

	r.d.Site.CMS.Image = "generated"
	err := r.do(t)
	require.ErrorContains(t, err, `cms.image is "generated", which nothing here makes: set it to card or none`)
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
}

func TestStage_Do_stopsForAPictureThatNobodyCanReadOut(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		change func(m *editorial.Media)
		says   string
	}{
		"no alternative text":   {func(m *editorial.Media) { m.Alt = "  " }, "alternative text has 0 characters, 5 to 250"},
		"one without an end":    {func(m *editorial.Media) { m.Alt = strings.Repeat("dog ", 63) + "x" }, "alternative text has 253 characters"},
		"signs nobody can read": {func(m *editorial.Media) { m.Alt = "a dog\u202e and a cat" }, "has signs that nobody reads"},
		"a path as a file name": {func(m *editorial.Media) { m.Name = "../dog.png" }, "is not lower-case letters, digits and hyphens"},
		"a script as a picture": {func(m *editorial.Media) { m.Name = "dog.php" }, "is not lower-case letters, digits and hyphens"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			r := newRun()
			m := picture
			tc.change(&m)
			r.pics.other = &m
			err := r.do(t)
			require.ErrorContains(t, err, tc.says)
			require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
		})
	}
}

func TestStage_Do_tellsThatAnUpdateKeepsItsAddress(t *testing.T) {
	t.Parallel()

	r := newRun()
	r.d.Brief.TargetID = 9
	require.NoError(t, r.do(t))
	require.Contains(t, rules(r.work.Findings), seo.RuleCanonical+" warning")
	require.Equal(t, editorial.DocumentOf(r.d.Site, r.d.Brief, *r.work.Draft).Digest(), r.work.Draft.Digest)
}
