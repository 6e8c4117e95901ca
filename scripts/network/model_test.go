package network_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/llm"
	"blogposter/lib/llm/anthropic"
	"blogposter/lib/llm/openai"
	"blogposter/scripts/modelserver/wire"
)

const key = "offline-network"

// talker answers everything at length.
type talker struct{}

func (talker) Compose(context.Context, wire.Request) (string, error) {
	return strings.Repeat("Dogs may ride. ", 500), nil
}

// Cut off in the middle of its answer, a call was charged and its result is
// gone: only the journal may decide to pay again.
func TestModel_losesACallWhoseAnswerIsCutOff(t *testing.T) {
	t.Parallel()

	models := map[string]struct {
		name string
		open func(base string, hc *http.Client) llm.Model
	}{
		"Anthropic": {"claude-haiku-5-5", func(base string, hc *http.Client) llm.Model {
			return anthropic.New(anthropic.Config{BaseURL: base, APIKey: key, HTTP: hc})
		}},
		"OpenAI": {"gpt-6-luna", func(base string, hc *http.Client) llm.Model {
			return openai.New(openai.Config{BaseURL: base + "/v1", APIKey: key, HTTP: hc})
		}},
	}
	for name, m := range models {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			offline := wire.New(wire.Config{Composer: talker{}})
			srv := httptest.NewServer(offline)
			t.Cleanup(srv.Close)
			l := before(t, host(t, srv.URL))
			model := m.open(l.of(srv.URL), &http.Client{Transport: &http.Transport{}})
			request := llm.Request{Step: "section", Model: m.name, MaxTokens: 4000, Messages: []llm.Message{{Role: llm.RoleUser, Text: "May dogs ride?"}}}

			l.cut(toClient, 1_000)
			_, err := model.Call(t.Context(), request)
			require.True(t, fault.IsLost(err), err)
			require.Equal(t, fault.KindRetryable, fault.KindOf(err), err)
			require.Len(t, offline.Entries(), 1, "it was charged once, and not sent again")

			l.heal()
			resp, err := model.Call(t.Context(), request)
			require.NoError(t, err)
			require.Contains(t, resp.Text, "Dogs may ride.")

			l.proxy.Stop()
			_, err = model.Call(t.Context(), request)
			require.Equal(t, fault.KindRetryable, fault.KindOf(err), err)
			require.Len(t, offline.Entries(), 2, "what never arrived is not charged")
		})
	}
}
