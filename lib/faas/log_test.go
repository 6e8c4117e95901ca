package faas

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLogger_namesTheFunctionAndTheCall(t *testing.T) {
	t.Parallel()

	var out bytes.Buffer
	log := logger(&out, slog.LevelInfo).With("stage", "draft")
	ctx := WithActivation(t.Context(), Call{ID: "ab12", Name: "/local/pipeline/draft"})

	log.DebugContext(ctx, "not at this level")
	log.InfoContext(ctx, "drafted")

	line := decodeLine(t, out.Bytes())
	delete(line, slog.TimeKey)
	require.Equal(t, map[string]any{
		"level": "INFO", "msg": "drafted", "stage": "draft", "fn": "/local/pipeline/draft", "activation_id": "ab12",
	}, line)

	out.Reset()
	logger(&out, slog.LevelInfo).WithGroup("wiring").InfoContext(t.Context(), "before any call", "rooms", 2)
	require.NotContains(t, out.String(), "activation_id")
	require.Contains(t, out.String(), `"wiring":{"rooms":2}`)
}

func TestLogger_neverWritesALineThatHangsThePlatform(t *testing.T) {
	t.Parallel()

	tests := map[string]string{
		"plain text":             strings.Repeat("x", 200<<10),
		"text that grows quoted": strings.Repeat("\x01\"", 100<<10),
		"text cut within a rune": strings.Repeat("é", 100<<10) + "x",
	}
	for name, value := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var out bytes.Buffer
			ctx := WithActivation(t.Context(), Call{ID: "ab12", Name: "/local/pipeline/draft"})
			logger(&out, slog.LevelInfo).ErrorContext(ctx, "answer refused", "run_id", 7, "body", value)

			require.LessOrEqual(t, out.Len(), 64<<10)
			require.Equal(t, 1, strings.Count(out.String(), "\n"))
			line := decodeLine(t, out.Bytes())
			require.Equal(t, "answer refused", line["msg"])
			require.Equal(t, "ERROR", line["level"])
			require.Equal(t, "ab12", line["activation_id"])
			require.InDelta(t, 7, line["run_id"], 0)
			require.Contains(t, line, "cut_from")
			require.Contains(t, line, "head")
		})
	}
}

func TestLogger_reportsABrokenStream(t *testing.T) {
	t.Parallel()

	gone := errors.New("gone")
	_, err := lineCap{&failing{err: gone}}.Write(bytes.Repeat([]byte("x"), maxLine+1))
	require.ErrorIs(t, err, gone)
}

func decodeLine(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(line, &m), "%.200s", line)
	return m
}
