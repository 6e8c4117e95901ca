package draft_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/fault"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
	"blogposter/lib/stage/draft"
)

func TestStage_Do_writesADraftWhoseSentencesNameTheirEvidence(t *testing.T) {
	t.Parallel()

	m := newRooms()
	work, out := m.mustDo(t)

	require.Equal(t, []editorial.SourceUse{{URL: site + "code", SnapshotID: 41}}, work.Sources)
	text := m.pages[site+"code"].Text
	for i, e := range work.Evidence {
		require.Equal(t, i+1, e.N)
		require.Equal(t, text[e.Start:e.End], e.Quote)
		require.Equal(t, int64(41), e.SnapshotID)
	}
	d := *work.Draft
	require.Equal(t, 1, d.Version)
	require.Equal(t, "dog-vests", d.Slug)
	require.Equal(t, "dog vests", d.Keyphrase)
	require.Equal(t, []string{"Access"}, d.Categories)
	require.Equal(t, []string{"Vests"}, d.Tags)
	require.Len(t, d.Body.Sections, 4)
	require.Equal(t, []string{"", "What counts", "What staff may ask", "More"}, []string{d.Body.Sections[0].Heading, d.Body.Sections[1].Heading, d.Body.Sections[2].Heading, d.Body.Sections[3].Heading})
	require.Equal(t, []int{1}, d.Body.Sections[1].Blocks[0].Items[0].Sentences[0].Evidence)
	require.Contains(t, out.Detail, "2 passages from 2 quotes")
	require.Contains(t, out.Detail, `categories: the site has no "Cars"`)
	require.Contains(t, out.Detail, "4 markers without evidence") // each section was given one number only
}

func TestStage_Do_givesTheNextVersion(t *testing.T) {
	t.Parallel()

	m := newRooms()
	m.dossier.Draft = &editorial.Draft{Version: 3}
	work, _ := m.mustDo(t)
	require.Equal(t, 4, work.Draft.Version)
}

func TestStage_Do_readsWithTheSmallModelAndWritesWithTheLarge(t *testing.T) {
	t.Parallel()

	m := newRooms()
	m.mustDo(t)
	steps := map[string]bool{}
	for _, r := range m.asked {
		want := "small"
		if strings.HasPrefix(r.Step, "section") {
			want = "large"
		}
		require.Equal(t, want, r.Model, r.Step)
		require.False(t, steps[r.Step], "step %s is asked twice", r.Step)
		steps[r.Step] = true
		require.Positive(t, r.MaxTokens)
	}
	require.Contains(t, m.requests("digest")[0].Messages[0].Text, "<topic>Vests &amp; tags</topic>")
	section := m.requests("section")[2].Messages[0].Text
	require.Contains(t, section, `<evidence n="2" page="1" under="Rules">`+two+`</evidence>`)
	require.NotContains(t, section, "need not wear")
}

// The worst case of a section is held from the article's budget while the call
// is out, beside what six sections have cost by then (about a cent each). With
// a dozen passages of 200 bytes more than here it must stay under 5 cents.
func TestStage_Do_keepsTheWorstCaseOfASectionSmall(t *testing.T) {
	t.Parallel()

	m := newRooms()
	m.dossier.Site.Rules.MinWords, m.dossier.Site.Rules.MaxWords = 1500, 2500
	_, _, err := m.do(t)
	require.Error(t, err) // far too short: what was asked is what counts
	for _, r := range m.requests("section") {
		bytes := len(r.System) + len(r.Messages[0].Text)
		worst, err := ledger.Prices.Worst("anthropic", "claude-sonnet-5-5", time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), int64(bytes), r.MaxTokens)
		require.NoError(t, err)
		require.Less(t, worst, 4*ledger.Dollar/100, "%s: %d bytes, %d tokens", r.Step, bytes, r.MaxTokens)
	}
}

func TestStage_Do_needsATopic(t *testing.T) {
	t.Parallel()

	m := newRooms()
	m.dossier.Brief.Topic = " "
	_, _, err := m.do(t)
	require.ErrorContains(t, err, "run 7 has no topic")
	require.Equal(t, fault.KindPermanent, fault.KindOf(err))
}

func TestStage_Do_leavesAnUnknownPromptSetToANewerProgram(t *testing.T) {
	t.Parallel()

	m := newRooms()
	l := lease
	l.Pins.Prompts = "v0"
	_, _, err := m.stage().Do(t.Context(), l)
	require.ErrorContains(t, err, `prompt set "v0" is not in this program`)
	require.True(t, fault.IsNotYet(err))
}

func TestNew_panicsWithoutARoom(t *testing.T) {
	t.Parallel()

	require.Panics(t, func() { draft.New(draft.Rooms{}) })
}

func TestStage_Do_readsOnlyWhatTheSiteAllowsAndSaysWhyNot(t *testing.T) {
	t.Parallel()

	m := newRooms()
	m.page(site+"empty", "x")
	empty := m.pages[site+"empty"]
	empty.Worthless = "The page is empty."
	m.pages[site+"empty"] = empty
	m.failures[site+"gone"] = fault.Permanent(errors.New("the reader answered 422: no such page"))
	m.dossier.Brief.URLs = []string{"https://law.example.evil/code", site + "gone", site + "empty", site + "code", site + "code"}

	work, out := m.mustDo(t)
	require.Equal(t, []editorial.SourceUse{
		{URL: "https://law.example.evil/code", Refused: "The site's source rules do not cover this address: add a source that does, or leave the page out."},
		{URL: site + "gone", Refused: "the reader answered 422: no such page"},
		{URL: site + "empty", Refused: "The page is empty."},
		{URL: site + "code", SnapshotID: 41},
	}, work.Sources)
	require.Equal(t, []string{site + "gone", site + "empty", site + "code"}, m.reads)
	require.Contains(t, out.Detail, "1 of 4 pages used")
	require.Len(t, m.kept, 1)
	require.Equal(t, editorial.TierAuthoritative, m.kept[0].Tier)
	require.Equal(t, evidence.Hash([]byte(m.pages[site+"code"].Text)), m.kept[0].TextHash)
	require.Equal(t, "raw "+m.pages[site+"code"].Text, string(m.blobs[m.kept[0].RawHash]))
}

func TestStage_Do_paysForAPageOnceAndReservesItsWorstCase(t *testing.T) {
	t.Parallel()

	m := newRooms()
	m.mustDo(t)
	first := m.intents[0]
	require.Equal(t, ledger.Micros(2000), first.Worst) // 40,000 tokens at 5 cents a million
	require.Equal(t, ledger.Micros(50), m.receipts[0].Cost)
	require.Equal(t, ledger.Usage{Output: 1000}, m.receipts[0].Usage)
	require.NotContains(t, string(m.receipts[0].Result), "need not wear", "the text belongs in the artifact store")

	m.mustDo(t)
	require.Len(t, m.reads, 1)
	require.Equal(t, first, m.intents[1])
}

func TestStage_Do_stopsWhenReadingFails(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		set  func(m *rooms)
		kind fault.Kind
		want string
	}{
		"what may pass is tried again": {
			func(m *rooms) { m.failures[site+"code"] = fault.Retryable(errors.New("no answer"), time.Minute) }, fault.KindRetryable, "read https://law.example/code: no answer",
		},
		"a refused key needs a person": {
			func(m *rooms) { m.failures[site+"code"] = fault.NeedsHuman(errors.New("check the key")) }, fault.KindNeedsHuman, "check the key",
		},
		"no page left lists every page": {
			func(m *rooms) {
				m.dossier.Brief.URLs = []string{site + "a", "https://other.example/"}
				m.failures[site+"a"] = fault.Permanent(errors.New("gone"))
			}, fault.KindNeedsHuman, "none of the pages can be used: https://law.example/a (gone); https://other.example/ (The site's source rules",
		},
		"no page to begin with": {
			func(m *rooms) { m.dossier.Site.Sources[1].Start = false }, fault.KindNeedsHuman, "no source with start set",
		},
		"a damaged text is not quoted": {
			func(m *rooms) { m.blobs = damaged{}.of(m) }, fault.KindNeedsHuman, "the artifact store is damaged",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := newRooms()
			tc.set(m)
			work, _, err := m.do(t)
			require.ErrorContains(t, err, tc.want)
			require.Equal(t, tc.kind, fault.KindOf(err))
			require.Nil(t, work.Draft)
			require.Empty(t, m.asked)
		})
	}
}

// damaged answers the page's step from the journal, with a blob that changed
// since.
type damaged struct{}

func (damaged) of(m *rooms) map[string][]byte {
	hash := evidence.Hash([]byte(m.pages[site+"code"].Text))
	m.stored["read:1"+site+"code"] = []byte(`{"snapshot":{"url":"` + site + `code","text_hash":"` + hash + `"},"tokens":1}`)
	return map[string][]byte{hash: []byte("something else")}
}

func TestStage_Do_keepsOnlyQuotesThatStandInTheirPage(t *testing.T) {
	t.Parallel()

	m := newRooms()
	m.page(site+"code", "Cats\n\nDogs & “cats” need no vest here. They rest. Staff may not ask about it at all, and that is that.")
	m.reply("digest", `{"points":[
		{"point":"escaped","quote":"Dogs &amp; \"cats\" need no vest here."},
		{"point":"a part hides its not","quote":"may not ask about it"},
		{"point":"the same again","quote":"Staff may not ask"},
		{"point":"overlaps and is longer","quote":"They rest. Staff may not ask about it at all, and that is that."},
		{"point":"invented","quote":"Dogs must be registered by law everywhere."},
		{"point":"changed","quote":"Staff may ask about it at all"},
		{"point":"too short","quote":"They rest."}]}`)
	m.dossier.Site.Rules.MinWords = 40

	work, out, _ := m.do(t)
	var quotes []string
	for _, e := range work.Evidence {
		quotes = append(quotes, e.Quote)
	}
	require.Equal(t, []string{"Dogs & “cats” need no vest here.", "They rest. Staff may not ask about it at all, and that is that."}, quotes)
	require.Contains(t, out.Detail, "2 passages from 7 quotes, 3 of them not word for word and dropped")
}

func TestStage_Do_asksAPersonWhenThereIsTooLittleEvidence(t *testing.T) {
	t.Parallel()

	m := newRooms()
	m.dossier.Site.Rules.MinWords = 100
	work, _, err := m.do(t)
	require.ErrorContains(t, err, "2 passages with 32 words from 1 pages (0 quotes dropped), where 100 words of article need about 50")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	require.Len(t, work.Evidence, 2)
}

func TestStage_Do_digestsALongPageInParts(t *testing.T) {
	t.Parallel()

	m := newRooms()
	block := strings.Repeat("Dogs need not wear a vest in any shop at all. ", 100)
	m.page(site+"code", "First part\n\n"+block+"\n\nSecond part\n\n"+block+"\n\nThird part\n\n"+strings.Repeat("Word after word without an end ", 500))
	m.answers["digest"] = func(r llm.Request) (string, error) {
		_, page, _ := strings.Cut(r.Messages[0].Text, "<page ")
		require.Less(t, len(page), 12_400)
		return `{"points":[]}`, nil
	}
	_, _, err := m.do(t)
	require.ErrorContains(t, err, "0 passages")
	parts := m.requests("digest")
	require.GreaterOrEqual(t, len(parts), 3)
	all := ""
	for _, r := range parts {
		all += r.Messages[0].Text
	}
	for _, s := range []string{"First part", "Second part", "Third part"} {
		require.Equal(t, 1, strings.Count(all, s))
	}
	require.Equal(t, 200, strings.Count(all, "in any shop at all."), "no sentence is cut")
}

func TestStage_Do_startsNoFurtherDigestAfterAnError(t *testing.T) {
	t.Parallel()

	m := newRooms()
	m.page(site+"code", strings.Repeat(strings.Repeat("Dogs need not wear a vest in any shop at all. ", 240)+"\n\n", 20))
	boom := errors.New("boom")
	m.answers["digest"] = func(llm.Request) (string, error) { return "", boom }
	_, _, err := m.do(t)
	require.ErrorIs(t, err, boom)
	require.LessOrEqual(t, len(m.requests("digest")), 8)
}
