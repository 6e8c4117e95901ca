package provider_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/config"
	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/journal/journaltest"
	"blogposter/lib/llm"
	"blogposter/lib/llm/provider"
	"blogposter/lib/pipeline"
	"blogposter/scripts/modelserver/wire"
)

type hello struct{}

func (hello) Compose(context.Context, wire.Request) (string, error) { return "Hello.", nil }

// offline is a server whose Anthropic side is overloaded.
func offline(t *testing.T) string {
	t.Helper()
	s := wire.New(wire.Config{Composer: hello{}, Script: func(r wire.Request) *wire.Fault {
		if strings.HasPrefix(r.Model, "claude") {
			return &wire.Fault{Status: 529}
		}
		return nil
	}})
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return srv.URL
}

func environ(vars ...string) *config.Env { return config.New(func() []string { return vars }) }

var (
	lease   = pipeline.Lease{RunID: 7}
	request = llm.Request{
		Step: "s", Model: "claude-haiku-5-5", MaxTokens: 100, Messages: []llm.Message{{Role: llm.RoleUser, Text: "Hi."}},
	}
)

func TestClient_fallsBackOnOpenAIWhereItsKeyIsSet(t *testing.T) {
	t.Parallel()

	url := offline(t)
	keys := []string{"ANTHROPIC_API_KEY=offline-a", "ANTHROPIC_BASE_URL=" + url, "OPENAI_BASE_URL=" + url + "/v1"}
	env := environ(append(keys, "OPENAI_API_KEY=offline-b")...)
	c := provider.Client(env, journal.New(&journaltest.Steps{}))
	require.NoError(t, env.Err())
	got, err := c.Text(t.Context(), lease, request)
	require.NoError(t, err)
	require.Equal(t, "Hello.", got)

	for name, key := range map[string]string{"none": "OPENAI_API_KEY=none", "empty": "OPENAI_API_KEY=", "not set": "X=y"} {
		env := environ(append(keys, key)...)
		c := provider.Client(env, journal.New(&journaltest.Steps{}))
		require.NoError(t, env.Err(), name)
		_, err := c.Text(t.Context(), lease, request)
		require.Equal(t, fault.KindRetryable, fault.KindOf(err), name)
		require.ErrorContains(t, err, "529", name)
		require.NotContains(t, err.Error(), "openai", name)
	}
}

func TestSettings_areReportedByName(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		vars []string
		want string
	}{
		"no key of Anthropic":     {[]string{"OPENAI_API_KEY=k"}, "ANTHROPIC_API_KEY is not set"},
		"an address that is none": {[]string{"ANTHROPIC_API_KEY=k", "ANTHROPIC_BASE_URL=k:s3cret"}, "ANTHROPIC_BASE_URL is not an absolute URL"},
		"the other one's":         {[]string{"ANTHROPIC_API_KEY=k", "OPENAI_API_KEY=k", "OPENAI_BASE_URL=s3cret"}, "OPENAI_BASE_URL is not an absolute URL"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			env := environ(tc.vars...)
			provider.Client(env, journal.New(&journaltest.Steps{}))
			require.ErrorContains(t, env.Err(), tc.want)
			require.NotContains(t, env.Err().Error(), "s3cret")
		})
	}
}
