package invoke_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/invoke"
)

func client(t *testing.T, h http.HandlerFunc) *invoke.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	host, err := url.Parse(srv.URL)
	require.NoError(t, err)
	return invoke.New(host, "dof_v1_a:s3cret", &http.Client{Timeout: time.Second})
}

func TestClient_Wake_sendsTheRequestThePlatformExpects(t *testing.T) {
	t.Parallel()

	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		user, secret, ok := r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.RequestURI() != "/api/v1/namespaces/_/actions/pipeline/seo?blocking=false" ||
			!ok || user != "dof_v1_a" || secret != "s3cret" || string(body) != "{}" {
			t.Errorf("got %s %s auth %q body %q", r.Method, r.URL, user, body)
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(`{"activationId":"a1"}`))
	})

	require.NoError(t, c.Wake(t.Context(), "pipeline/seo"))
}

func TestClient_Wake_namesWhatIsWrong(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		status int
		want   string
	}{
		"a refused key names the setting":   {status: 401, want: "FUNCTIONS_ACCESS_KEY"},
		"a full namespace shows the answer": {status: 429, want: "status 429: too many"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c := client(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte("too many"))
			})
			err := c.Wake(t.Context(), "pipeline/seo")
			require.ErrorContains(t, err, tc.want)
			require.ErrorContains(t, err, "pipeline/seo")
			require.NotContains(t, err.Error(), "s3cret")
		})
	}
}
