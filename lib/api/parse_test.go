package api

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCursor_comesBackAsItWentOut(t *testing.T) {
	t.Parallel()

	for _, id := range []int64{1, 63, 64, 1 << 40, math.MaxInt64} {
		got, ok := parseCursor(formatCursor(id))
		require.True(t, ok, "%d", id)
		require.Equal(t, id, got)
	}
	for _, s := range []string{formatCursor(0), formatCursor(-1), "AQ", "Ag4", "AQ4=", "AQ4A", "AYIA", "!"} {
		_, ok := parseCursor(s)
		require.False(t, ok, s)
	}
}

func FuzzParseCursor_takesOnlyWhatWasHandedOut(f *testing.F) {
	f.Add(formatCursor(7))
	f.Add("AYIA")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := parseCursor(s)
		if !ok {
			require.Zero(t, id)
			return
		}
		require.Positive(t, id)
		require.Equal(t, formatCursor(id), s)
	})
}

func FuzzDecodeObject_takesOnlyOneWholeObject(f *testing.F) {
	for _, body := range []string{`{"topic":"Dogs","urls":["x"]}`, `{"topic":null}`, `{"a":{"b":[1]}}`, `{"topic":"x"}}`, `[`, `{"topic":1`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var o order
		if decodeObject(body, &o) != nil {
			return
		}
		var plain map[string]any
		require.NoError(t, json.Unmarshal(body, &plain), "what is taken is JSON, to its end")
		for name := range plain {
			require.Contains(t, []string{"site", "topic", "url", "urls", "max_cost", "publish", "publish_at"}, name)
		}
	})
}
