package compose_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/llm"
	"blogposter/lib/pipeline"
	"blogposter/lib/prompt"
	"blogposter/lib/stage/draft"
	"blogposter/lib/stage/factcheck"
	"blogposter/scripts/modelserver/compose"
)

// model is the offline model without a wire.
type model struct{}

func (model) Text(ctx context.Context, _ pipeline.Lease, r llm.Request) (string, error) {
	return compose.New().Compose(ctx, r.System, turns(r), nil)
}

func (model) JSON(ctx context.Context, _ pipeline.Lease, r llm.Request, out any) error {
	text, err := compose.New().Compose(ctx, r.System, turns(r), r.Schema)
	if err != nil {
		return err
	}
	if err := fits(r.Schema, text); err != nil {
		return fmt.Errorf("%s: %w in %s", r.Step, err, text)
	}
	return json.Unmarshal([]byte(text), out)
}

func turns(r llm.Request) []string {
	var out []string
	for _, m := range r.Messages {
		out = append(out, m.Text)
	}
	return out
}

func fits(schema json.RawMessage, text string) error {
	var s jsonschema.Schema
	if err := json.Unmarshal(schema, &s); err != nil {
		return err
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		return err
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return err
	}
	return resolved.Validate(v)
}

// memory is every room the stages need, in memory.
type memory struct {
	mu      sync.Mutex
	dossier editorial.Dossier
	pages   map[string]editorial.Page
	blobs   map[string][]byte
	steps   map[string]json.RawMessage
}

func (m *memory) Dossier(context.Context, pipeline.Lease) (editorial.Dossier, error) {
	return m.dossier, nil
}

func (m *memory) KeepSnapshot(_ context.Context, _ pipeline.Lease, s editorial.Snapshot) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.ID = int64(len(m.dossier.Snapshots) + 1)
	m.dossier.Snapshots = append(m.dossier.Snapshots, s)
	return s.ID, nil
}

func (m *memory) Read(_ context.Context, url string) (editorial.Page, error) {
	p, ok := m.pages[url]
	if !ok {
		return p, fault.Permanent(errors.New("no such page"))
	}
	return p, nil
}

func (m *memory) Put(_ context.Context, blob []byte) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blobs[evidence.Hash(blob)] = blob
	return evidence.Hash(blob), nil
}

func (m *memory) Get(_ context.Context, hash string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.blobs[hash], nil
}

func (m *memory) Do(ctx context.Context, _ pipeline.Lease, in journal.Intent, call func(context.Context) (journal.Receipt, error)) (json.RawMessage, error) {
	if r, ok := m.steps[in.Name]; ok {
		return r, nil
	}
	r, err := call(ctx)
	if err == nil {
		m.steps[in.Name] = r.Result
	}
	return r.Result, err
}

const base = "https://sources.example/"

func newMemory(t *testing.T, topic string, files ...string) *memory {
	t.Helper()
	m := &memory{pages: map[string]editorial.Page{}, blobs: map[string][]byte{}, steps: map[string]json.RawMessage{}}
	for _, f := range files {
		text, err := os.ReadFile("testdata/" + f + ".txt")
		require.NoError(t, err)
		m.pages[base+f] = editorial.Page{URL: base + f, Title: f, Raw: text, Text: strings.TrimSpace(string(text)), Tokens: int64(len(text) / 3)}
		m.dossier.Brief.URLs = append(m.dossier.Brief.URLs, base+f)
	}
	m.dossier.Brief.Topic = topic
	m.dossier.Site = editorial.Site{
		Name: "The Guide", Language: "en-US", Audience: "People who use service dogs.", Voice: "Plain and calm.",
		Categories: []string{"Housing", "Access", "Restaurants"}, Tags: []string{"service dogs", "air travel", "training", "fees"},
		Sources: []editorial.Source{{Prefix: base, Tier: editorial.TierAuthoritative}},
		Rules: editorial.Rules{
			MinWords: 1500, MaxWords: 2500, LegalTerms: []string{"ADA", "law", "must", "required"}, LegalMinSources: 1,
			Forbidden: []editorial.Forbidden{{Pattern: `service (dog|animal)s? (must|have to|need to) be registered`, Reason: "no federal law asks for it"}},
		},
	}
	return m
}

func write(t *testing.T, m *memory) (editorial.Work, pipeline.Outcome) {
	t.Helper()
	l := pipeline.Lease{RunID: 1, SiteID: 1, Stage: pipeline.StageDraft, Attempt: 1, Pins: pipeline.Pins{Prompts: prompt.Current, Small: "small", Large: "large"}}
	stage := draft.New(draft.Rooms{
		Store: m, Models: model{}, Reader: m, Artifacts: m, Steps: m, PageTokens: 50_000,
		Now: func() time.Time { return time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC) },
	})
	work, out, err := stage.Do(t.Context(), l)
	require.NoError(t, err, out.Detail)
	m.dossier.Evidence, m.dossier.Draft = work.Evidence, work.Draft
	return work, out
}

func show(d editorial.Draft) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n# %s  (%d)\nmeta (%d): %s\nexcerpt: %s\nslug: %s  keyphrase: %s  %v %v\n", d.Title, len(d.Title), len(d.MetaDescription), d.MetaDescription, d.Excerpt, d.Slug, d.Keyphrase, d.Categories, d.Tags)
	for _, s := range d.Body.Sections {
		fmt.Fprintf(&b, "\n## %s\n\n", s.Heading)
		for _, blk := range s.Blocks {
			for _, it := range blk.Items {
				if blk.Kind == editorial.BlockList {
					b.WriteString("- ")
				}
				for _, sen := range it.Sentences {
					fmt.Fprintf(&b, "%s %v ", sen.Text, sen.Evidence)
				}
				b.WriteString("\n")
			}
			b.WriteString("\n")
		}
	}
	fmt.Fprintf(&b, "\n%d words\n", d.Body.Words())
	return b.String()
}

// An article is read by strangers: it has the length asked for, says nothing
// twice, begins no paragraph in mid-thought, and every sentence that states
// anything is found in its sources by the stage that checks it.
func TestComposer_Compose_writesArticlesThatReadAndCheck(t *testing.T) {
	t.Parallel()

	for _, topic := range []string{
		"What the ADA says about service dogs in restaurants", "Service animals at hotels: fees, rooms and rules",
		"Does a service dog have to be registered or certified?", "What staff may ask about a service animal",
	} {
		t.Run(topic, func(t *testing.T) {
			t.Parallel()

			m := newMemory(t, topic, "requirements", "faq", "regulation", "primer")
			work, out := write(t, m)
			t.Log(out.Detail, show(*work.Draft)) // with -v: read it
			require.Contains(t, out.Detail, " 0 of them not word for word")
			requireReadable(t, *work.Draft)
			requireChecked(t, m)
		})
	}
}

var midThought = regexp.MustCompile(`^(?:However|But|And|Or|So|Also|It|Its|They|Their|This|That|These|Those|Such|He|She|In that case|For example|Yes|No|Similarly|Nor)\b`)

func requireReadable(t *testing.T, d editorial.Draft) {
	t.Helper()
	require.NoError(t, d.Validate())
	require.GreaterOrEqual(t, d.Body.Words(), 1500)
	require.LessOrEqual(t, d.Body.Words(), 2500)
	require.GreaterOrEqual(t, len(d.Body.Sections), 5)
	require.LessOrEqual(t, len(d.Body.Sections), 8)
	said, headings := map[string]bool{}, map[string]bool{}
	for i, s := range d.Body.Sections {
		require.Equal(t, i == 0, s.Heading == "", "only the introduction has no heading")
		require.False(t, headings[strings.ToLower(s.Heading)], s.Heading)
		headings[strings.ToLower(s.Heading)] = true
		for _, b := range s.Blocks {
			first := b.Items[0].Sentences[0].Text
			require.NotRegexp(t, midThought, first)
			for _, item := range b.Items {
				for _, sen := range item.Sentences {
					require.False(t, said[evidence.Normal(sen.Text)], "twice: %s", sen.Text)
					said[evidence.Normal(sen.Text)] = true
				}
			}
		}
	}
	for name, n := range map[string][3]int{"title": {len([]rune(d.Title)), 45, 60}, "meta": {len([]rune(d.MetaDescription)), 140, 160}, "excerpt": {len(d.Excerpt), 40, 300}} {
		require.True(t, n[1] <= n[0] && n[0] <= n[2], "%s has %d characters: %+v", name, n[0], d)
	}
	require.Contains(t, strings.ToLower(d.Title), d.Keyphrase)
	require.NotEmpty(t, d.Categories)
}

func requireChecked(t *testing.T, m *memory) {
	t.Helper()
	checked, out, err := factcheck.New(m, model{}, m).Do(t.Context(), pipeline.Lease{RunID: 1, Pins: pipeline.Pins{Prompts: prompt.Current, Small: "small"}})
	require.NoError(t, err, out.Detail)
	require.Greater(t, len(checked.Claims), 60)
	for _, c := range checked.Claims {
		for _, cite := range c.Citations {
			require.NoError(t, evidence.Verify(m.blobs[cite.TextHash], cite))
		}
	}
}

func TestComposer_Compose_saysTheSameTwice(t *testing.T) {
	t.Parallel()

	topic := "What the ADA says about service dogs in restaurants"
	one, _ := write(t, newMemory(t, topic, "requirements", "faq", "regulation", "primer"))
	two, _ := write(t, newMemory(t, topic, "requirements", "faq", "regulation", "primer"))
	require.Equal(t, one, two)
}
