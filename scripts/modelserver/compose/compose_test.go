package compose_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/prompt"
	"blogposter/scripts/modelserver/compose"
)

func say(t *testing.T, schema json.RawMessage, messages ...string) string {
	t.Helper()
	text, err := compose.New().Compose(t.Context(), "", messages, schema)
	require.NoError(t, err)
	return text
}

func schema(tb testing.TB, name string) json.RawMessage {
	tb.Helper()
	p, err := prompt.Load(prompt.Current, name)
	require.NoError(tb, err)
	return p.Schema
}

func TestComposer_Compose_admitsThatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()

	for name, messages := range map[string][]string{
		"small talk":               {"How are you?"},
		"another task":             {"Task: haiku\n\n<topic>x</topic>"},
		"a task in mid-line":       {"My Task: digest"},
		"small talk, going on":     {"How are you?", "Fine", "Go on"},
		"a section wanted as JSON": {"Task: section\n\n<section n=\"1\" words=\"80\">x</section>"},
	} {
		text := say(t, schema(t, "digest"), messages...)
		require.Contains(t, text, "offline model", name)
		require.False(t, json.Valid([]byte(text)), name)
	}
	require.Contains(t, say(t, nil, "Task: digest\n<topic>x</topic>"), "offline model", "JSON without a schema")

	_, err := compose.New().Compose(t.Context(), "", nil, nil)
	require.ErrorContains(t, err, "no message")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = compose.New().Compose(ctx, "", []string{"x"}, nil)
	require.ErrorIs(t, err, context.Canceled)
}

const sectionTask = `Task: section

<topic>Dogs at work</topic>
<evidence n="4" page="1" under="Rest">Working dogs need rest after each shift of the day.</evidence>
<evidence n="7" page="1" under="Rest">A rested dog learns faster than a tired one, as trainers know.</evidence>
<evidence n="9" page="2" under="Pay">A rested dog learns faster than a tired one, as trainers know.</evidence>
<written></written>
<section n="3" of="5" heading="Rest" words="200">Say it.</section>`

func TestComposer_Compose_marksEverySentenceWithAllThatSayIt(t *testing.T) {
	t.Parallel()

	require.Equal(t, "Working dogs need rest after each shift of the day. [E4] A rested dog learns faster than a tired one, as trainers know. [E7,E9]", say(t, nil, sectionTask))
}

func TestComposer_Compose_writesOnlyWhatIsNotWritten(t *testing.T) {
	t.Parallel()

	more := strings.Replace(sectionTask, "<written></written>", "<written>Working dogs need rest after each shift of the day. [E4]</written>", 1)
	require.Equal(t, "A rested dog learns faster than a tired one, as trainers know. [E7,E9]", say(t, nil, more))
}

func TestComposer_Compose_goesOnExactlyWhereItWasCutOff(t *testing.T) {
	t.Parallel()

	whole := say(t, nil, sectionTask)
	for _, at := range []int{1, 20, len(whole) - 2} {
		require.Equal(t, whole[at:], say(t, nil, sectionTask, whole[:at], "Your answer was cut off by its length limit. Go on."))
	}
	require.Equal(t, whole, say(t, nil, sectionTask, "Something else", "Go on."))
}

func TestComposer_Compose_answersAgainWhenItDidNotFit(t *testing.T) {
	t.Parallel()

	task := "Task: claims\n\n<sentence n=\"1\">Dogs must work.</sentence>"
	answer := say(t, schema(t, "claims"), task)
	require.JSONEq(t, `{"sentences":[{"n":1,"claim":true,"legal":true}]}`, answer)
	require.Equal(t, answer, say(t, schema(t, "claims"), task, answer[:10], "That answer does not fit the required schema: x"))
}

func TestComposer_Compose_picksWholeStatementsFromAPage(t *testing.T) {
	t.Parallel()

	page := `Working dogs &amp; rest

See our newsletter for more about working dogs and rest.

Do working dogs rest?

Yes. Working dogs must rest for two hours after each shift of work. However, a working dog may rest longer if it is ill.

However, working dogs that rest badly work badly on the next day.

Working dogs rest best when:

Their beds stand in a quiet room away from the work of others.

Notes: Working dogs rest in many ways, and all of them are good.`
	var got struct {
		Points []struct{ Point, Quote string }
	}
	require.NoError(t, json.Unmarshal([]byte(say(t, schema(t, "digest"), "Task: digest\n\n<topic>Working dogs and rest</topic>\n<page n=\"1\" title=\"Rest\">"+page+"</page>")), &got))
	require.Len(t, got.Points, 1)
	require.Equal(t, "Working dogs must rest for two hours after each shift of work. However, a working dog may rest longer if it is ill.", got.Points[0].Quote)

	require.JSONEq(t, `{"points":[]}`, say(t, schema(t, "digest"), "Task: digest\n\n<topic>x</topic>"))
}

func TestComposer_Compose_judgesByTheWordsOfThePassages(t *testing.T) {
	t.Parallel()

	task := func(claim string) string {
		return `Task: verdicts

<claim n="5" legal="yes">` + claim + `
<passage page="2">Staff may ask two questions about the dog. Dogs must not wear a vest in shops.</passage>
<passage page="3">Staff may ask two questions about the dog.</passage>
</claim>`
	}
	var got struct {
		Verdicts []struct {
			N         int
			Verdict   string
			Citations []struct {
				Page  int
				Quote string
			}
		}
	}
	for claim, want := range map[string]string{
		"Staff may ask two questions about the dog.":   "supported",
		"Staff may ask 2 questions about the dog.":     "supported",
		"Staff may ask three questions about the dog.": "refuted",
		"Dogs must wear a vest in shops.":              "refuted",
		"Dogs like cats.":                              "unsupported",
	} {
		require.NoError(t, json.Unmarshal([]byte(say(t, schema(t, "verdicts"), task(claim))), &got))
		require.Equal(t, 5, got.Verdicts[0].N)
		require.Equal(t, want, got.Verdicts[0].Verdict, claim)
		require.Equal(t, want != "unsupported", len(got.Verdicts[0].Citations) > 0)
	}
	require.NoError(t, json.Unmarshal([]byte(say(t, schema(t, "verdicts"), task("Staff may ask two questions about the dog."))), &got))
	require.Len(t, got.Verdicts[0].Citations, 2, "quoted from every page that says it")
}

func TestComposer_Compose_callsItsOwnFramingNoClaim(t *testing.T) {
	t.Parallel()

	answer := say(t, schema(t, "claims"), `Task: claims

<sentence n="1">This article is about dogs at work, from rest to pay.</sentence>
<sentence n="2">May dogs enter?</sentence>
<sentence n="3" kind="heading">Fees: what a handler may pay</sentence>
<sentence n="4" kind="heading">Dogs are allowed</sentence>
<sentence n="x">Odd.</sentence>
<sentence n="5">Dogs sleep.</sentence>`)
	require.JSONEq(t, `{"sentences":[{"n":1,"claim":false,"legal":false},{"n":2,"claim":false,"legal":false},{"n":3,"claim":false,"legal":false},
		{"n":4,"claim":true,"legal":true},{"n":5,"claim":true,"legal":false}]}`, answer)
}

func TestComposer_Compose_repairsWhatHasALength(t *testing.T) {
	t.Parallel()

	answer := say(t, schema(t, "repair"), `Task: repair

<topic>Rest for working dogs</topic>
<keyphrase>rest for working dogs</keyphrase>
<text place="title">Rest</text>
<text place="meta">Short.</text>
<text place="2.0.0.1">A sentence.</text>
<article>
Working dogs must rest for two hours after each shift of work in the city, or longer.
</article>`)
	var got struct {
		Patches []struct{ Place, Text string }
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &got))
	require.Len(t, got.Patches, 2)
	require.Equal(t, "Rest for working dogs: What to Know, With Sources", got.Patches[0].Text)
	require.InDelta(t, 150, len(got.Patches[1].Text), 10)
}

func TestComposer_Compose_namesTheArticleByItsTopic(t *testing.T) {
	t.Parallel()

	for topic, want := range map[string][2]string{
		"What the ADA says about service dogs in restaurants": {"service dogs in restaurants", "What the ADA says about service dogs in restaurants"},
		"Vests":                         {"vests", ""},
		"When to rest":                  {"rest", ""},
		"Is it so?":                     {"is it so", ""},
		"Hotels and flights with a dog": {"hotels and flights", "Hotels and flights with a dog: A Guide for Readers"},
		"Service dogs on city buses, trains and ferries": {"service dogs on city buses", "Service dogs on city buses, trains and ferries"},
		"Dogs in shops: what clerks may ask":             {"dogs in shops", "Dogs in Shops: A Plain-Language Guide With Sources"},
	} {
		var plan struct {
			Keyphrase string
		}
		evidence := ""
		for i := range 12 {
			evidence += fmt.Sprintf("<evidence n=\"%d\" page=\"1\" under=\"Part %d\">%s of dogs number %d rest and eat at restaurants with vests.</evidence>\n", i+1, i, topic, i)
		}
		require.NoError(t, json.Unmarshal([]byte(say(t, schema(t, "outline"), "Task: outline\n\n<topic>"+topic+"</topic>\n"+evidence)), &plan))
		require.Equal(t, want[0], plan.Keyphrase)
		if want[1] == "" {
			continue
		}
		var meta struct{ Title string }
		require.NoError(t, json.Unmarshal([]byte(say(t, schema(t, "metadata"), "Task: metadata\n\n<topic>"+topic+"</topic>\n<keyphrase>"+plan.Keyphrase+"</keyphrase>\n<article>x</article>")), &meta))
		require.Equal(t, want[1], meta.Title)
	}
}

// Whatever stands in a task's material, the answer fits its schema.
func FuzzComposer_Compose(f *testing.F) {
	for _, s := range []string{
		"", "<page n=\"1\">Dogs work. They rest.</page>", "<evidence n=\"1\" page=\"1\" under=\"A\">Dogs must work all day long here.</evidence><evidence n=\"2\">x</evidence>",
		"<section n=\"0\" of=\"1\" words=\"-3\">", "<claim n=\"1\">a<passage page=\"1\">b", "<topic>é ✓ \xff</topic><keyphrase>", "<text place=\"title\">x</text>", "<evidence", "<sentence n=\"99999999999999999999\">x</sentence>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, name := range []string{"digest", "outline", "section", "metadata", "claims", "verdicts", "repair"} {
			text, err := compose.New().Compose(t.Context(), s, []string{"Task: " + name + "\n\n<topic>Dogs at work</topic>" + s}, schema(t, name))
			require.NoError(t, err)
			if sch := schema(t, name); sch != nil {
				require.NoError(t, fits(sch, text), text)
			}
		}
	})
}
