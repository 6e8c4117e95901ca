package faas

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"strings"
)

// maxLine keeps a log line below the 64 KiB at which the platform's log
// reader stops reading, and with it the whole invocation.
const maxLine = 60 << 10

// Logger writes JSON lines to stderr, none longer than the platform can read.
// Lines logged with an invocation's context carry its function and id. A
// function's main makes it slog's default.
func Logger(level slog.Leveler) *slog.Logger { return logger(os.Stderr, level) }

func logger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(callHandler{slog.NewJSONHandler(lineCap{w}, &slog.HandlerOptions{Level: level})})
}

// callHandler adds the invocation to each record.
type callHandler struct{ slog.Handler }

func (h callHandler) Handle(ctx context.Context, r slog.Record) error {
	if c := Activation(ctx); c.ID != "" {
		r.AddAttrs(slog.String("fn", c.Name), slog.String("activation_id", c.ID))
	}
	return h.Handler.Handle(ctx, r)
}

func (h callHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return callHandler{h.Handler.WithAttrs(attrs)}
}

func (h callHandler) WithGroup(name string) slog.Handler {
	return callHandler{h.Handler.WithGroup(name)}
}

// lineCap replaces a line that is too long by a valid one that keeps what
// lines are searched by and the beginning of the rest. slog writes each
// record in one Write.
type lineCap struct{ w io.Writer }

// keptKeys are the members a cut line keeps whole.
var keptKeys = []string{slog.TimeKey, slog.LevelKey, slog.MessageKey, "fn", "activation_id", "run_id", "stage", "attempt", "kind"}

func (c lineCap) Write(line []byte) (int, error) {
	if len(line) <= maxLine {
		return c.w.Write(line)
	}
	if _, err := c.w.Write(cut(line)); err != nil {
		return 0, err
	}
	return len(line), nil // slog must not take the cut for a short write
}

func cut(line []byte) []byte {
	const head = 8 << 10 // at worst six bytes each once quoted again
	var full map[string]json.RawMessage
	_ = json.Unmarshal(line, &full)
	short := map[string]any{
		"cut_from": len(line),
		"head":     strings.ToValidUTF8(string(line[:head]), ""),
	}
	for _, k := range keptKeys {
		if v, ok := full[k]; ok && len(v) <= 512 {
			short[k] = v
		}
	}
	b, _ := marshal(short)
	return b
}
