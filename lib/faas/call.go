package faas

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"time"
)

// Call is what the platform says about the invocation being served.
type Call struct {
	ID        string    // activation id
	Name      string    // /namespace/package/function
	Namespace string    //
	APIHost   string    // scheme and host of the platform's own API
	Deadline  time.Time // the platform ends the process here; zero when it gave none
}

// maxReserve is the most time kept back from a handler for recording its
// outcome. Functions with a short timeout keep back a tenth of it instead.
const maxReserve = 2 * time.Second

type callKey struct{}

// Activation reports the invocation that ctx belongs to, so that no other room
// reads __OW_* variables. Outside an invocation it is the zero Call.
func Activation(ctx context.Context) Call {
	c, _ := ctx.Value(callKey{}).(Call)
	return c
}

// WithActivation gives tests and tools an invocation to run under.
func WithActivation(ctx context.Context, c Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// enter publishes the activation's own fields as __OW_* variables, as the
// platform promises to libraries, and turns its deadline into a context that
// ends early enough to write down what was done.
func enter(ctx context.Context, activation map[string]json.RawMessage, now time.Time) (context.Context, context.CancelFunc) {
	fields := map[string]string{}
	for k, raw := range activation {
		if k == "value" {
			continue
		}
		fields[k] = text(raw)
		_ = os.Setenv("__OW_"+strings.ToUpper(k), fields[k])
	}
	c := Call{
		ID:        fields["activation_id"],
		Name:      fields["action_name"],
		Namespace: fields["namespace"],
		APIHost:   fields["api_host"],
	}
	ms, err := strconv.ParseInt(fields["deadline"], 10, 64)
	if err != nil {
		return context.WithCancel(WithActivation(ctx, c))
	}
	c.Deadline = time.UnixMilli(ms)
	return context.WithDeadline(WithActivation(ctx, c), c.Deadline.Add(-reserve(c.Deadline.Sub(now))))
}

func reserve(left time.Duration) time.Duration {
	return min(maxReserve, max(left, 0)/10)
}

// text reads a field that may be a string or, in older hosts, a bare number.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(bytes.TrimSpace(raw))
}
