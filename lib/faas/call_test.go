package faas

import (
	"context"
	"encoding/json"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEnter_keepsTimeBackFromTheHandler(t *testing.T) {
	t.Parallel()

	now := time.UnixMilli(1_700_000_000_000)
	tests := map[string]struct {
		deadline string
		want     time.Duration // after now; zero for none
	}{
		"a long timeout keeps back 2 s":            {deadline: ms(now, time.Minute), want: 58 * time.Second},
		"a short timeout keeps back a tenth":       {deadline: ms(now, 3*time.Second), want: 2700 * time.Millisecond},
		"a deadline already past is not moved":     {deadline: ms(now, -time.Second), want: -time.Second},
		"a deadline given as a number is read too": {deadline: `1700000060000`, want: 58 * time.Second},
		"without a deadline there is none":         {deadline: `"soon"`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			ctx, cancel := enter(context.Background(), map[string]json.RawMessage{"deadline": json.RawMessage(tc.deadline)}, now)
			defer cancel()
			got, ok := ctx.Deadline()
			require.Equal(t, tc.want != 0, ok)
			if ok {
				require.Equal(t, tc.want, got.Sub(now))
			}
		})
	}
}

func ms(now time.Time, d time.Duration) string {
	return `"` + strconv.FormatInt(now.Add(d).UnixMilli(), 10) + `"`
}

func TestActivation_tellsTheHandlerWhichCallItIs(t *testing.T) {
	t.Parallel()

	var got Call
	var env string
	h := func(ctx context.Context, _ json.RawMessage) (any, error) {
		got, env = Activation(ctx), os.Getenv("__OW_TRANSACTION_ID") //nolint:forbidigo // what libraries see is what is tested
		return nil, nil
	}
	line := `{"value":{},"activation_id":"ab12","action_name":"/local/pipeline/draft","namespace":"local",
		"api_host":"http://127.0.0.1:3233","transaction_id":"tx9","deadline":"1700000000000"}`

	require.Equal(t, "{}\n", string(answer(h, []byte(line))))

	require.Equal(t, Call{
		ID: "ab12", Name: "/local/pipeline/draft", Namespace: "local", APIHost: "http://127.0.0.1:3233",
		Deadline: time.UnixMilli(1_700_000_000_000),
	}, got)
	require.Equal(t, "tx9", env)
	require.Equal(t, Call{}, Activation(t.Context()), "outside an invocation there is none")
}
