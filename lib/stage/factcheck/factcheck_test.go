package factcheck_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/fault"
	"blogposter/lib/llm"
	"blogposter/lib/pipeline"
	"blogposter/lib/stage/factcheck"
)

// rooms are all the stage's rooms, in memory. Its model calls nothing a claim,
// and judges by the verdicts a test gave it.
type rooms struct {
	mu       sync.Mutex
	dossier  editorial.Dossier
	blobs    map[string][]byte
	verdicts map[string]string // answer for a claim, by a part of its text; %d is its number
	marks    string            // answer to "claims"; "" calls nothing a claim
	asked    []llm.Request
	err      error
}

const (
	code = "Rules\n\nDogs need not wear a vest in shops. Staff may ask two questions about a dog.\n\nA dog may be sent out only if:\n\nit is out of control."
	blog = "Notes\n\nA vest is never required in shops. People like dogs.\n\nStaff may ask two questions about a dog."
)

func newRooms(sentences ...editorial.Sentence) *rooms {
	m := &rooms{blobs: map[string][]byte{}, verdicts: map[string]string{}}
	m.dossier = editorial.Dossier{
		Site: editorial.Site{Name: "The Guide", Rules: editorial.Rules{
			LegalTerms: []string{"ADA", "need not"}, LegalMinSources: 2,
			Forbidden: []editorial.Forbidden{{Pattern: `dogs (must|have to) be registered`, Reason: "no law asks for it"}},
		}},
		Brief: editorial.Brief{Topic: "Vests"},
		Draft: &editorial.Draft{Version: 2, Title: "A plain guide", Body: editorial.Body{Sections: []editorial.Section{
			{Blocks: []editorial.Block{{Kind: editorial.BlockParagraph, Items: []editorial.Item{{Sentences: sentences}}}}},
		}}},
	}
	m.snapshot(11, "https://law.example/code", editorial.TierAuthoritative, code)
	m.snapshot(12, "https://blog.example/notes", editorial.TierSecondary, blog)
	return m
}

func (m *rooms) snapshot(id int64, url string, tier editorial.Tier, text string) {
	hash := evidence.Hash([]byte(text))
	m.blobs[hash] = []byte(text)
	m.dossier.Snapshots = append(m.dossier.Snapshots, editorial.Snapshot{ID: id, URL: url, Title: "T", Tier: tier, TextHash: hash})
}

func (m *rooms) Dossier(context.Context, pipeline.Lease) (editorial.Dossier, error) {
	return m.dossier, nil
}

func (m *rooms) Get(_ context.Context, hash string) ([]byte, error) {
	b, ok := m.blobs[hash]
	if !ok {
		return nil, errors.New("no such blob")
	}
	return b, nil
}

var claimTag = regexp.MustCompile(`<claim n="(\d+)" legal="[a-z]+">([^<\n]*)`)

func (m *rooms) JSON(_ context.Context, _ pipeline.Lease, r llm.Request, out any) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, r)
	if m.err != nil {
		return m.err
	}
	user := r.Messages[0].Text
	if strings.HasPrefix(user, "Task: claims") {
		if m.marks != "" {
			return json.Unmarshal([]byte(m.marks), out)
		}
		var list []string
		for i := range strings.Count(user, "<sentence ") {
			list = append(list, fmt.Sprintf(`{"n":%d,"claim":false,"legal":false}`, i+1))
		}
		return json.Unmarshal([]byte(`{"sentences":[`+strings.Join(list, ",")+`]}`), out)
	}
	var list []string
	for _, c := range claimTag.FindAllStringSubmatch(user, -1) {
		for part, answer := range m.verdicts {
			if strings.Contains(c[2], part) {
				list = append(list, strings.ReplaceAll(answer, "%d", c[1]))
			}
		}
	}
	return json.Unmarshal([]byte(`{"verdicts":[`+strings.Join(list, ",")+`]}`), out)
}

func (m *rooms) do(t *testing.T) (editorial.Work, pipeline.Outcome, error) {
	t.Helper()
	l := pipeline.Lease{RunID: 7, Stage: pipeline.StageFactCheck, Pins: pipeline.Pins{Prompts: "v1", Small: "small", Large: "large"}}
	return factcheck.New(m, m, m).Do(t.Context(), l)
}

func said(text string, n ...int) editorial.Sentence {
	return editorial.Sentence{Text: text, Evidence: n}
}

func TestStage_Do_letsADraftPassWhoseClaimsStandInTheirSources(t *testing.T) {
	t.Parallel()

	m := newRooms(said("Staff may ask two questions about a dog.", 1), said("More on this below."))
	work, out, err := m.do(t)
	require.NoError(t, err)
	require.True(t, work.Checked)
	require.Len(t, work.Claims, 1)
	c := work.Claims[0]
	require.Equal(t, editorial.VerdictSupported, c.Verdict)
	require.Equal(t, "0.0.0.0", c.Place)
	require.Len(t, c.Citations, 2, "cited from every page that says it")
	for _, cite := range c.Citations {
		require.NoError(t, evidence.Verify(m.blobs[cite.TextHash], cite))
	}
	require.Equal(t, editorial.TierAuthoritative, c.Citations[0].Tier)
	require.Contains(t, out.Detail, "1 claims, 0 of them legal: 1 supported")
	require.Len(t, m.asked, 1, "what stands there word for word is not asked about")
}

func TestStage_Do_rulesAddClaimsThatTheModelOverlooks(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		sentence     editorial.Sentence
		claim, legal bool
	}{
		"a marker":                    {said("People like dogs.", 1), true, false},
		"a number":                    {said("There are 40 kinds."), true, false},
		"a written-out number":        {said("Staff ask two things."), true, false},
		"a term of the site":          {said("The ADA is old."), true, true},
		"a term of several words":     {said("You need  not worry."), true, true},
		"a word of law":               {said("It is illegal."), true, true},
		"a term in another word":      {said("The canada goose flies."), false, false},
		"framing":                     {said("More on this below."), false, false},
		"a forbidden statement":       {said("Dogs have to be registered."), true, true},
		"a typographic contraction":   {said("Staff can’t do it."), true, true},
		"a word of law with a marker": {said("Dogs must sit.", 1), true, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := newRooms(tc.sentence)
			work, _, _ := m.do(t)
			require.True(t, work.Checked)
			if !tc.claim {
				require.Empty(t, work.Claims)
				return
			}
			require.Len(t, work.Claims, 1)
			require.Equal(t, tc.legal, work.Claims[0].Legal)
			require.Equal(t, 1, work.Claims[0].N)
		})
	}
}

func TestStage_Do_theModelCanAddClaimsAndItsSilenceAddsThemToo(t *testing.T) {
	t.Parallel()

	m := newRooms(said("People adore dogs."), said("More on this below."))
	m.marks = `{"sentences":[{"n":1,"claim":false,"legal":false},{"n":2,"claim":false,"legal":true}]}`
	work, _, err := m.do(t)
	require.Error(t, err)
	require.Len(t, work.Claims, 2)
	require.True(t, work.Claims[0].Legal)
	require.Equal(t, "More on this below.", work.Claims[1].Text, "a sentence left out of the answer is checked")
}

func TestStage_Do_checksWhatStandsAroundTheBody(t *testing.T) {
	t.Parallel()

	m := newRooms(said("Staff may ask two questions about a dog.", 1))
	m.dossier.Draft.Title = "Dogs must wear vests"
	m.dossier.Draft.MetaDescription = "Vests are required. More on this below."
	m.dossier.Draft.Excerpt = "Dogs need 3 vests."
	m.dossier.Draft.Body.Sections = append(m.dossier.Draft.Body.Sections,
		editorial.Section{Heading: "Dogs are always allowed"}, editorial.Section{Heading: "What the ADA says"}, editorial.Section{Heading: "ADA rules"}, editorial.Section{Heading: "Are vests required?"}, editorial.Section{Heading: "Two questions"}, editorial.Section{Heading: "Fees: what a handler may be charged"}, editorial.Section{Heading: "Fees: none may be charged"})
	work, _, err := m.do(t)
	require.ErrorIs(t, err, factcheck.ErrClaims)
	var places []string
	for _, c := range work.Claims {
		places = append(places, c.Place)
	}
	require.Equal(t, []string{"title", "meta", "excerpt", "0.0.0.0", "1", "5", "7"}, places)
}

func TestStage_Do_namesFiveFaultsAndCountsTheRest(t *testing.T) {
	t.Parallel()

	var list []editorial.Sentence
	for i := range 9 {
		list = append(list, said(fmt.Sprintf("Nobody ever said thing %d here.", i), 1))
	}
	work, _, err := newRooms(list...).do(t)
	require.ErrorContains(t, err, "claims do not hold: 9 of 9: unsupported: Nobody ever said thing 0 here.; ")
	require.ErrorContains(t, err, "thing 4 here.; and 4 more")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	require.Len(t, work.Claims, 9)
	require.True(t, work.Checked)
}

func TestStage_Do_anArticleWithoutClaimsIsForAPerson(t *testing.T) {
	t.Parallel()

	work, _, err := newRooms(said("More on this below.")).do(t)
	require.ErrorIs(t, err, factcheck.ErrClaims)
	require.True(t, work.Checked)
}

func TestStage_Do_showsTheModelTheEvidenceAndTheBestPassagesOfEveryPage(t *testing.T) {
	t.Parallel()

	m := newRooms(said("A badly behaved animal is out of control and leaves.", 1, 9))
	start := strings.Index(code, "Staff may")
	m.dossier.Evidence = []editorial.Evidence{{N: 1, SnapshotID: 11, Quote: "Staff may ask", Start: start, End: start + 13}}
	m.dossier.Draft.Body.Sections[0].Blocks[0].Items[0].Sentences = append(m.dossier.Draft.Body.Sections[0].Blocks[0].Items[0].Sentences, said("A vest is 2 pounds.", 1))
	_, _, err := m.do(t)
	require.Error(t, err)
	var user string
	for _, r := range m.asked {
		if strings.HasPrefix(r.Step, "verdicts:2:1") {
			user = r.Messages[0].Text
			require.Equal(t, "small", r.Model)
		}
	}
	require.Contains(t, user, `<passage page="1">Staff may ask two questions about a dog.`)
	require.Contains(t, user, "sent out only if:\n\nit is out of control.", "an item comes with the line that leads to it")
	require.Contains(t, user, `<passage page="2">`)
	require.Contains(t, user, `<page n="1" url="https://law.example/code" tier="authoritative">T</page>`)
}

func TestStage_Do_stopsOnWhatItCannotWorkWith(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		set  func(m *rooms)
		kind fault.Kind
		want string
	}{
		"no draft":         {func(m *rooms) { m.dossier.Draft = nil }, fault.KindPermanent, "run 7 has no draft"},
		"no page":          {func(m *rooms) { m.dossier.Snapshots = nil }, fault.KindNeedsHuman, "no stored page"},
		"a missing text":   {func(m *rooms) { m.blobs = nil }, fault.KindRetryable, "stored text of https://law.example/code: no such blob"},
		"a damaged text":   {func(m *rooms) { m.blobs[evidence.Hash([]byte(code))] = []byte(code + ".") }, fault.KindNeedsHuman, "the artifact store is damaged"},
		"a broken pattern": {func(m *rooms) { m.dossier.Site.Rules.Forbidden[0].Pattern = "(" }, fault.KindNeedsHuman, "pattern 1 of the site"},
		"a failing model":  {func(m *rooms) { m.err = fault.NeedsBudget(errors.New("budget spent")) }, fault.KindNeedsHuman, "find claims of draft 2: budget spent"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := newRooms(said("Staff may ask two questions about a dog.", 1))
			tc.set(m)
			work, _, err := m.do(t)
			require.ErrorContains(t, err, tc.want)
			require.Equal(t, tc.kind, fault.KindOf(err))
			require.False(t, work.Checked)
		})
	}
}

func TestStage_Do_leavesAnUnknownPromptSetToANewerProgram(t *testing.T) {
	t.Parallel()

	m := newRooms(said("Staff may ask two questions about a dog.", 1))
	l := pipeline.Lease{RunID: 7, Stage: pipeline.StageFactCheck, Pins: pipeline.Pins{Prompts: "v0", Small: "small"}}
	_, _, err := factcheck.New(m, m, m).Do(t.Context(), l)
	require.ErrorContains(t, err, `prompt set "v0" is not in this program`)
	require.True(t, fault.IsNotYet(err))
	require.Empty(t, m.asked)
}

func TestNew_panicsWithoutARoom(t *testing.T) {
	t.Parallel()

	require.Panics(t, func() { factcheck.New(nil, nil, nil) })
}
