package evidence_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
)

func TestCompare_judgesByWordsNegationsAndNumbers(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		claim, passage string
		want           evidence.Relation
	}{
		"the same":                        {"Staff may ask two questions.", "Staff may ask two questions", evidence.Entails},
		"the same in other quotes":        {`It is a "direct threat".`, "It is a “direct threat”.", evidence.Entails},
		"the passage says more":           {"Staff may ask two questions about the dog.", "When it is not obvious, well, staff may ask two questions about the dog.", evidence.Unrelated},
		"the passage says more, as plain": {"Staff may ask two questions about the dog.", "In a restaurant staff may ask two questions about the dog and its work.", evidence.Entails},
		"a number written out":            {"Staff may ask 2 questions about the dog.", "Staff may ask two questions about the dog.", evidence.Entails},
		"turned round":                    {"Service animals must wear a vest.", "Service animals must not wear a vest.", evidence.Contradicts},
		"turned round by a verb":          {"Staff can't ask about the person's disability.", "Staff can ask about the person's disability.", evidence.Contradicts},
		"another number":                  {"A complaint may be filed within 90 days.", "A complaint may be filed within 180 days.", evidence.Contradicts},
		"a number out of nowhere":         {"Restaurants may seat 40 service dogs at tables.", "Restaurants may seat service dogs at tables.", evidence.Unrelated},
		"the roles changed":               {"Dogs exclude restaurant staff handlers.", "Handlers, staff and the restaurant exclude dogs.", evidence.Unrelated},
		"a weaker verb":                   {"Staff must ask about the dog's work.", "Staff may ask about the dog's work.", evidence.Unrelated},
		"a condition left out":            {"A service dog may be asked to leave the premises.", "A service dog may be asked to leave the premises unless housebroken.", evidence.Unrelated},
		"something else":                  {"Dogs must be vaccinated.", "Horses are tall.", evidence.Unrelated},
		"too short to tell":               {"Dogs work.", "Dogs work hard here.", evidence.Unrelated},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tc.want, evidence.Compare(tc.claim, tc.passage))
		})
	}
}

func TestStem_bringsFormsOfAWordTogetherAndKeepsOthersApart(t *testing.T) {
	t.Parallel()

	for _, same := range [][]string{
		{"require", "requires", "required", "requiring"},
		{"animal", "animals"},
		{"policy", "policies"},
		{"permit", "permitted", "permitting"},
		{"dish", "dishes"},
		{"box", "boxes"},
		{"class", "classes"},
		{"carry", "carried", "carries"},
		{"general", "generally"},
		{"allow", "allowed"},
		{"call", "called"},
	} {
		for _, w := range same {
			require.Equal(t, evidence.Stem(same[0]), evidence.Stem(w), w)
		}
	}
	for _, w := range []string{"bus", "this", "35.136", "sing", "red", "gas", "us"} {
		require.Equal(t, w, evidence.Stem(w))
	}
	require.NotEqual(t, evidence.Stem("service"), evidence.Stem("serve"))
}

func TestWords_keepsNumbersAndJoinedWordsWhole(t *testing.T) {
	t.Parallel()

	require.Equal(t, []string{"don't", "pay", "1,500", "under", "35.136", "b", "non-profit", "café"}, evidence.Words("Don’t pay $1,500 under § 35.136(b): non-profit “café”."))
	require.Equal(t, []string{"1500", "2", "180"}, evidence.Numbers("1,500 for two, one in 180 days"))
	require.Equal(t, []string{"non", "profit", "handler", "dog"}, evidence.Terms("The non-profit handler's dogs are not here"))
	require.Equal(t, 3, evidence.Negations("They can't, cannot, do not"))
}

func TestNormal_dropsOnlyWhatDoesNotMatter(t *testing.T) {
	t.Parallel()

	require.Equal(t, evidence.Normal(" Staff may\task “two” questions. "), evidence.Normal(`Staff may ask "two" questions`))
	require.NotEqual(t, evidence.Normal("Staff may ask."), evidence.Normal("Staff may not ask."))
	require.NotEqual(t, evidence.Normal("It costs $5."), evidence.Normal("It costs 5."))
}

func TestOverlap_countsEachWordOnce(t *testing.T) {
	t.Parallel()

	require.InDelta(t, 1.0, evidence.Overlap("trained dogs", "A dog is trained"), 1e-9)
	require.InDelta(t, 0.5, evidence.Overlap("dogs and dogs", "dog"), 1e-9)
	require.Zero(t, evidence.Overlap("it is", "it is"))
}

func TestIndex_Rank_putsTheTellingWordFirstAndBreaksTiesByPlace(t *testing.T) {
	t.Parallel()

	x := evidence.NewIndex([]string{
		"Service dogs work.", "Service dogs may enter restaurants.", "Service is slow.", "Service dogs work.",
		"A very long remark on the many services of the city, its parks, pools, restaurants and libraries.",
	})
	hits := x.Rank("Which restaurants let service dogs in?", 10)
	require.Len(t, hits, 5)
	require.Equal(t, 1, hits[0].Passage)
	require.Less(t, place(hits, 0), place(hits, 3), "equal passages come in order")
	require.Equal(t, hits, x.Rank("Which restaurants let service dogs in?", 10))
	require.Equal(t, hits[:2], x.Rank("Which restaurants let service dogs in?", 2))
	require.Empty(t, x.Rank("the of and", 3))
	require.Empty(t, evidence.NewIndex(nil).Rank("dogs", 3))
}

func place(hits []evidence.Hit, passage int) int {
	for i, h := range hits {
		if h.Passage == passage {
			return i
		}
	}
	return -1
}

func TestBans_Hit_matchesTheStatementNotItsDenial(t *testing.T) {
	t.Parallel()

	bans, err := evidence.NewBans([]editorial.Forbidden{
		{Pattern: `(service (dog|animal)s?|they) (must|have to|has to|need to|needs to|are required to|is required to) be (\w+ )?(registered|certified)`, Reason: "no federal law asks for it"},
		{Pattern: `emotional support (dog|animal)s? (are|is) (a )?service (dog|animal)s?\b`, Reason: "they are not"},
	})
	require.NoError(t, err)

	for _, s := range []string{
		"Service dogs must be registered.", "By law, SERVICE ANIMALS have\u00a0to be\n registered", "A service dog needs to be federally certified.",
		"If they are required to be registered, ask.", "Did you know that service dogs must be registered?", "Is it true? Service dogs must be registered?", "An emotional support dog is a service dog.",
	} {
		reason, hit := bans.Hit(s)
		require.True(t, hit, s)
		require.NotEmpty(t, reason)
	}
	for _, s := range []string{
		"Service dogs do not have to be registered.", "Service animals are not required to be registered.", "A service dog need not be registered.",
		"Does a service dog have to be registered?", "Service dogs must not be registered by staff.", "Mandatory registration of service animals is not permissible.", "Emotional support dogs are not service dogs.",
	} {
		_, hit := bans.Hit(s)
		require.False(t, hit, s)
	}
}

func TestNewBans_namesTheBrokenPattern(t *testing.T) {
	t.Parallel()

	_, err := evidence.NewBans([]editorial.Forbidden{{Pattern: "ok"}, {Pattern: "a(?!b)"}})
	require.ErrorContains(t, err, `pattern 2 of the site, "a(?!b)"`)
}
