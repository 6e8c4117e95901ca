package factcheck_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/fault"
	"blogposter/lib/stage/factcheck"
)

func TestStage_Do_countsNoQuoteThatIsNotInItsPage(t *testing.T) {
	t.Parallel()

	const vest = "A vest is not needed in any shop."
	tests := map[string]struct {
		answer  string
		verdict editorial.Verdict
		quotes  []string
	}{
		"found, in other quotes and spaces": {`{"n":%d,"verdict":"supported","reason":"r","citations":[{"page":1,"quote":"Dogs need not  wear a vest in shops."}]}`, editorial.VerdictSupported, []string{"Dogs need not wear a vest in shops."}},
		"a part is grown to its sentence":   {`{"n":%d,"verdict":"supported","reason":"r","citations":[{"page":1,"quote":"wear a vest in shops"}]}`, editorial.VerdictSupported, []string{"Dogs need not wear a vest in shops."}},
		"two pages":                         {`{"n":%d,"verdict":"supported","reason":"r","citations":[{"page":1,"quote":"Dogs need not wear a vest in shops."},{"page":2,"quote":"A vest is never required in shops."},{"page":2,"quote":"vest is never required in shops."}]}`, editorial.VerdictSupported, []string{"Dogs need not wear a vest in shops.", "A vest is never required in shops."}},
		"invented":                          {`{"n":%d,"verdict":"supported","reason":"r","citations":[{"page":1,"quote":"A vest is not needed in any shop."}]}`, editorial.VerdictUnsupported, nil},
		"from another page":                 {`{"n":%d,"verdict":"supported","reason":"r","citations":[{"page":2,"quote":"Dogs need not wear a vest in shops."}]}`, editorial.VerdictUnsupported, nil},
		"from no page":                      {`{"n":%d,"verdict":"supported","reason":"r","citations":[{"page":0,"quote":"Dogs need not wear a vest in shops."},{"page":3,"quote":"Dogs need not wear a vest in shops."}]}`, editorial.VerdictUnsupported, nil},
		"too short to decide":               {`{"n":%d,"verdict":"supported","reason":"r","citations":[{"page":1,"quote":"a vest"}]}`, editorial.VerdictUnsupported, nil},
		"about something else":              {`{"n":%d,"verdict":"supported","reason":"r","citations":[{"page":1,"quote":"Staff may ask two questions about a dog."}]}`, editorial.VerdictUnsupported, nil},
		"none":                              {`{"n":%d,"verdict":"supported","reason":"r","citations":[]}`, editorial.VerdictUnsupported, nil},
		"refuted with a quote":              {`{"n":%d,"verdict":"refuted","reason":"r","citations":[{"page":1,"quote":"Staff may ask two questions about a dog."}]}`, editorial.VerdictRefuted, []string{"Staff may ask two questions about a dog."}},
		"refuted without one":               {`{"n":%d,"verdict":"refuted","reason":"r","citations":[{"page":1,"quote":"Never mind what this says."}]}`, editorial.VerdictUnsupported, nil},
		"unsupported with a quote":          {`{"n":%d,"verdict":"unsupported","reason":"r","citations":[{"page":1,"quote":"Dogs need not wear a vest in shops."}]}`, editorial.VerdictUnsupported, nil},
		"no answer":                         {`{"n":0,"verdict":"supported","reason":"r","citations":[]}`, editorial.VerdictUnsupported, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := newRooms(said(vest, 1))
			m.verdicts["vest"] = tc.answer
			work, _, err := m.do(t)
			require.Len(t, work.Claims, 1)
			c := work.Claims[0]
			require.Equal(t, tc.verdict, c.Verdict, c.Reason)
			var quotes []string
			for _, cite := range c.Citations {
				require.NoError(t, evidence.Verify(m.blobs[cite.TextHash], cite))
				quotes = append(quotes, cite.Quote)
			}
			require.Equal(t, tc.quotes, quotes)
			require.Equal(t, tc.verdict != editorial.VerdictSupported, err != nil)
		})
	}
}

func TestStage_Do_aSupportedClaimSinksByItsOwnWords(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ text, quote, want string }{
		"turned round":      {"Dogs need to wear a vest in shops.", "Dogs need not wear a vest in shops.", "No quote that bears it out"},
		"a number from air": {"Staff may ask 3 polite questions about a dog.", "Staff may ask two questions about a dog.", "The number 3 is in none of its quotes"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			m := newRooms(said(tc.text, 1))
			m.verdicts["dog"], m.verdicts["Dog"] = "", ""
			m.verdicts = map[string]string{tc.text[:5]: `{"n":%d,"verdict":"supported","reason":"r","citations":[{"page":1,"quote":"` + tc.quote + `"}]}`}
			work, _, err := m.do(t)
			require.Error(t, err)
			require.Equal(t, editorial.VerdictUnsupported, work.Claims[0].Verdict)
			require.Contains(t, work.Claims[0].Reason, tc.want)
		})
	}
}

func TestStage_Do_aLegalClaimNeedsMorePagesThanOneThatSaysItWordForWord(t *testing.T) {
	t.Parallel()

	legal := said("Dogs need not wear a vest in shops.", 1)
	m := newRooms(legal)
	work, _, err := m.do(t)
	require.ErrorContains(t, err, "too few sources for a legal claim: Dogs need not")
	require.Equal(t, editorial.VerdictSupported, work.Claims[0].Verdict)
	require.Len(t, work.Claims[0].Citations, 1)

	m = newRooms(legal)
	m.verdicts["vest"] = `{"n":%d,"verdict":"supported","reason":"r","citations":[{"page":2,"quote":"A vest is never required in shops."},{"page":1,"quote":"Dogs need not wear a vest in shops."}]}`
	work, _, err = m.do(t)
	require.NoError(t, err)
	require.Len(t, work.Claims[0].Citations, 2)

	m = newRooms(legal)
	m.verdicts["vest"] = `{"n":%d,"verdict":"refuted","reason":"r","citations":[{"page":2,"quote":"A vest is never required in shops."}]}`
	work, _, err = m.do(t)
	require.ErrorContains(t, err, "refuted: Dogs need not")
	require.Equal(t, "A vest is never required in shops.", work.Claims[0].Citations[0].Quote)
}

func TestStage_Do_refutesWhatTheSiteForbidsWhateverAModelSays(t *testing.T) {
	t.Parallel()

	m := newRooms(said("Dogs must be registered."), said("Dogs do not have to be registered."))
	m.snapshot(13, "https://law.example/2", editorial.TierAuthoritative, "Dogs must be registered.")
	m.dossier.Draft.Body.Sections[0].Heading = "Why dogs have to be registered"
	work, _, err := m.do(t)
	require.ErrorIs(t, err, factcheck.ErrClaims)
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	byPlace := map[string]editorial.Claim{}
	for _, c := range work.Claims {
		byPlace[c.Place] = c
	}
	require.Equal(t, editorial.VerdictRefuted, byPlace["0"].Verdict)
	require.Equal(t, editorial.VerdictRefuted, byPlace["0.0.0.0"].Verdict)
	require.Equal(t, "The site forbids this statement: no law asks for it", byPlace["0.0.0.0"].Reason)
	require.Equal(t, editorial.VerdictUnsupported, byPlace["0.0.0.1"].Verdict, "its denial is not forbidden, only not in the sources")
}
