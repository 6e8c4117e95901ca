package draft_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/llm"
)

func TestStage_Do_asksAPersonAboutAnOutlineWithoutSections(t *testing.T) {
	t.Parallel()

	m := newRooms()
	m.reply("outline", `{"keyphrase":"k","sections":[{"heading":"A","brief":"b","evidence":[1],"words":1},{"heading":"B","brief":"b","evidence":[5,0,-1],"words":1}]}`)
	_, out, err := m.do(t)
	require.ErrorContains(t, err, "outline has 1 sections with evidence, not 4 to 9: start a new run")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err), "another attempt would be given the same stored answer")
	require.Contains(t, out.Detail, "3 numbers of the outline stand for no evidence")
}

func TestStage_Do_scalesSectionsToTheSitesLength(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct{ planned, least, most int }{
		"too long": {600, 75, 105}, "too short": {1, 75, 105}, "fitting": {20, 75, 105},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := newRooms()
			part := fmt.Sprintf(`{"heading":"H","brief":"b","evidence":[1,2],"words":%d}`, tc.planned)
			m.reply("outline", `{"keyphrase":"k","sections":[`+strings.Repeat(part+",", 3)+part+`]}`)
			m.mustDo(t)
			sum := 0
			for _, r := range m.requests("section") {
				_, rest, _ := strings.Cut(r.Messages[0].Text, `words="`)
				var n int
				_, err := fmt.Sscanf(rest, "%d", &n)
				require.NoError(t, err)
				sum += n
			}
			require.GreaterOrEqual(t, sum, tc.least-4)
			require.LessOrEqual(t, sum, tc.most)
		})
	}
}

func TestStage_Do_extendsAShortArticleOnceWithUnusedEvidence(t *testing.T) {
	t.Parallel()

	m := newRooms()
	m.reply("outline", `{"keyphrase":"k","sections":[{"heading":"A","brief":"b","evidence":[1],"words":60},{"heading":"B","brief":"b","evidence":[1],"words":60},
		{"heading":"C","brief":"b","evidence":[1],"words":60},{"heading":"D","brief":"b","evidence":[1],"words":60}]}`)
	m.answers["section"] = func(r llm.Request) (string, error) {
		if strings.HasSuffix(r.Step, ":more") {
			return strings.Repeat("Staff may ask two questions about them indeed. [E2] ", 6), nil
		}
		return "Dogs need not wear a vest. [E1]", nil
	}
	work, out := m.mustDo(t)
	require.Contains(t, out.Detail, "section 2 extended")
	require.GreaterOrEqual(t, work.Draft.Body.Words(), 60)
	more := m.requests("section:2:more")
	require.Len(t, more, 1)
	require.Contains(t, more[0].Messages[0].Text, "<written>Dogs need not wear a vest. [E1]</written>")
	require.Contains(t, more[0].Messages[0].Text, `<evidence n="2"`)
	require.NotContains(t, more[0].Messages[0].Text, `<evidence n="1"`)
	require.Len(t, work.Draft.Body.Sections[1].Blocks, 2)
}

func TestStage_Do_neverDeliversAShortArticle(t *testing.T) {
	t.Parallel()

	m := newRooms()
	m.reply("section", "Dogs need not wear a vest. [E1]")
	work, _, err := m.do(t)
	require.ErrorContains(t, err, "the article is too short")
	require.ErrorContains(t, err, "60 are the minimum")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err), "another attempt would be given the same stored answers")
	require.Nil(t, work.Draft)
	require.NotEmpty(t, work.Evidence)
}

func TestStage_Do_cutsALongArticleByWholeBlocks(t *testing.T) {
	t.Parallel()

	m := newRooms()
	m.reply("section", strings.Repeat("Dogs need not wear a vest in any shop of the town. [E1]\n\n", 5))
	work, out := m.mustDo(t)
	require.LessOrEqual(t, work.Draft.Body.Words(), 120)
	require.Greater(t, work.Draft.Body.Words(), 100)
	require.Contains(t, out.Detail, "blocks cut to keep the length")
	for _, s := range work.Draft.Body.Sentences() {
		require.Equal(t, "Dogs need not wear a vest in any shop of the town.", s.Text)
	}
}

func TestStage_Do_passesOnWhatAModelFailsWith(t *testing.T) {
	t.Parallel()

	for _, task := range []string{"outline", "section", "metadata"} {
		m := newRooms()
		boom := fault.NeedsBudget(errors.New("budget spent"))
		m.answers[task] = func(llm.Request) (string, error) { return "", boom }
		work, _, err := m.do(t)
		require.ErrorIs(t, err, boom, task)
		require.True(t, fault.IsBudget(err), task)
		require.NotEmpty(t, work.Evidence, task)
	}
}

func TestStage_Do_needsATitleAndMakesASlug(t *testing.T) {
	t.Parallel()

	m := newRooms()
	m.reply("metadata", `{"title":" ","meta_description":"","slug":"","excerpt":"","categories":[],"tags":[]}`)
	_, _, err := m.do(t)
	require.ErrorContains(t, err, "no title: start a new run")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err), "another attempt would be given the same stored answer")

	m = newRooms()
	m.reply("metadata", `{"title":"**Vests** for dogs [E1] of a very long and winding name that goes on and on","meta_description":"A\nb","slug":"--","excerpt":"","categories":[],"tags":[]}`)
	work, _ := m.mustDo(t)
	require.Equal(t, "Vests for dogs of a very long and winding name that goes on and on", work.Draft.Title)
	require.Equal(t, "vests-for-dogs-of-a-very-long-and-winding-name-that-goes-on", work.Draft.Slug)
	require.Equal(t, "A b", work.Draft.MetaDescription)
}
