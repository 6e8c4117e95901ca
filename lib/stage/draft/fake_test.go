package draft_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/journal"
	"blogposter/lib/llm"
	"blogposter/lib/pipeline"
	"blogposter/lib/stage/draft"
)

// rooms are all the stage's rooms, in memory. What a test wants different it
// sets before Do.
type rooms struct {
	mu       sync.Mutex
	dossier  editorial.Dossier
	pages    map[string]editorial.Page
	failures map[string]error // of the reader, by address
	reads    []string
	blobs    map[string][]byte
	stored   map[string]json.RawMessage // answered steps
	intents  []journal.Intent
	receipts []journal.Receipt
	kept     []editorial.Snapshot
	answers  map[string]func(r llm.Request) (string, error) // by the step's first word
	asked    []llm.Request
}

const (
	one = "Dogs need not wear a vest in any shop, at any time of the day."
	two = "Staff may ask two questions about them, and no more than these two, when they come in."
)

const site = "https://law.example/"

func newRooms() *rooms {
	m := &rooms{
		pages: map[string]editorial.Page{}, failures: map[string]error{}, blobs: map[string][]byte{}, stored: map[string]json.RawMessage{},
		answers: map[string]func(llm.Request) (string, error){},
		dossier: editorial.Dossier{
			Site: editorial.Site{
				Name: "The Guide", Audience: "Handlers.", Voice: "Plain.", Language: "en-US", Categories: []string{"Access"}, Tags: []string{"Dogs", "Vests"},
				Sources: []editorial.Source{{Prefix: site, Tier: editorial.TierSecondary}, {Prefix: site + "code", Tier: editorial.TierAuthoritative, Start: true}},
				Rules:   editorial.Rules{MinWords: 60, MaxWords: 120, LegalTerms: []string{"must"}, LegalMinSources: 2},
			},
			Brief: editorial.Brief{RunID: 7, Topic: "Vests & tags"},
		},
	}
	m.page(site+"code", "Rules\n\n"+one+" "+two+"\n\nIt is so.")
	m.reply("digest", `{"points":[{"point":"vests","quote":"`+one+`"},{"point":"asking","quote":"`+two+`"}]}`)
	m.reply("outline", `{"keyphrase":"Dog  Vests","sections":[
		{"heading":"Intro","brief":"b","evidence":[1],"words":100},{"heading":"What counts.","brief":"b","evidence":[1],"words":100},
		{"heading":"","brief":"What staff may ask","evidence":[2,2,9],"words":100},{"heading":"More","brief":"b","evidence":[2],"words":100},{"heading":"None","brief":"b","evidence":[8],"words":100}]}`)
	m.reply("section", "Dogs need not wear a vest in any shop. [E1]\n\nStaff may ask two questions about them, and this sentence makes it longer. [E2]")
	m.reply("metadata", `{"title":"Dog vests","meta_description":"m","slug":"Dog Vests!","excerpt":"e","categories":["access","Cars"],"tags":["vests","Vests"]}`)
	return m
}

func (m *rooms) page(url, text string) {
	m.pages[url] = editorial.Page{URL: url, Title: "T", Raw: []byte("raw " + text), Text: text, Tokens: 1000}
}

func (m *rooms) reply(task, answer string) {
	m.answers[task] = func(llm.Request) (string, error) { return answer, nil }
}

func (m *rooms) stage() *draft.Stage {
	return draft.New(draft.Rooms{
		Store: m, Models: m, Reader: m, Artifacts: m, Steps: m, PageTokens: 40_000,
		Now: func() time.Time { return time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC) },
	})
}

var lease = pipeline.Lease{RunID: 7, Stage: pipeline.StageDraft, Attempt: 1, Pins: pipeline.Pins{Prompts: "v1", Small: "small", Large: "large"}}

func (m *rooms) do(t *testing.T) (editorial.Work, pipeline.Outcome, error) {
	t.Helper()
	return m.stage().Do(t.Context(), lease)
}

func (m *rooms) mustDo(t *testing.T) (editorial.Work, pipeline.Outcome) {
	t.Helper()
	work, out, err := m.do(t)
	require.NoError(t, err)
	return work, out
}

// requests are those of one task, in order.
func (m *rooms) requests(task string) []llm.Request {
	var out []llm.Request
	for _, r := range m.asked {
		if strings.HasPrefix(r.Step, task) {
			out = append(out, r)
		}
	}
	return out
}

func (m *rooms) Text(_ context.Context, _ pipeline.Lease, r llm.Request) (string, error) {
	m.mu.Lock()
	m.asked = append(m.asked, r)
	m.mu.Unlock()
	task, _, _ := strings.Cut(r.Step, ":")
	return m.answers[task](r)
}

func (m *rooms) JSON(ctx context.Context, l pipeline.Lease, r llm.Request, out any) error {
	if len(r.Schema) == 0 {
		return fmt.Errorf("%s has no schema", r.Step)
	}
	text, err := m.Text(ctx, l, r)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), out)
}

func (m *rooms) Dossier(context.Context, pipeline.Lease) (editorial.Dossier, error) {
	return m.dossier, nil
}

func (m *rooms) KeepSnapshot(_ context.Context, _ pipeline.Lease, s editorial.Snapshot) (int64, error) {
	m.kept = append(m.kept, s)
	return int64(40 + len(m.kept)), nil
}

func (m *rooms) Read(_ context.Context, url string) (editorial.Page, error) {
	m.reads = append(m.reads, url)
	if err := m.failures[url]; err != nil {
		return editorial.Page{}, err
	}
	return m.pages[url], nil
}

func (m *rooms) Put(_ context.Context, blob []byte) (string, error) {
	m.blobs[evidence.Hash(blob)] = blob
	return evidence.Hash(blob), nil
}

func (m *rooms) Get(_ context.Context, hash string) ([]byte, error) {
	blob, ok := m.blobs[hash]
	if !ok {
		return nil, errors.New("no such blob")
	}
	return blob, nil
}

func (m *rooms) Do(ctx context.Context, _ pipeline.Lease, in journal.Intent, call func(context.Context) (journal.Receipt, error)) (json.RawMessage, error) {
	m.intents = append(m.intents, in)
	if r, ok := m.stored[in.Name+string(in.Input)]; ok {
		return r, nil
	}
	r, err := call(ctx)
	if err != nil {
		return nil, err
	}
	m.receipts = append(m.receipts, r)
	m.stored[in.Name+string(in.Input)] = r.Result
	return r.Result, nil
}
