package view_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/view"
)

func TestAmount_isShownTwiceAndReadBothWays(t *testing.T) {
	t.Parallel()

	for amount, want := range map[view.Amount]string{
		14_250:    `{"micro_dollars":14250,"dollars":"0.014250"}`,
		2_000_001: `{"micro_dollars":2000001,"dollars":"2.000001"}`,
		-5:        `{"micro_dollars":-5,"dollars":"-0.000005"}`,
	} {
		raw, err := json.Marshal(amount)
		require.NoError(t, err)
		require.JSONEq(t, want, string(raw))
		var back view.Amount
		require.NoError(t, json.Unmarshal(raw, &back))
		require.Equal(t, amount, back)
	}
	var stored view.Cost
	require.NoError(t, json.Unmarshal([]byte(`{"spent":7,"limit":9}`), &stored))
	require.Equal(t, view.Cost{Spent: 7, Limit: 9}, stored)
	require.Error(t, json.Unmarshal([]byte(`{"spent":"7"}`), &stored))
}

func TestConflict_saysWhereTheRunStands(t *testing.T) {
	t.Parallel()

	err := error(&view.Conflict{Run: view.Run{ID: 7, Stage: "review", State: "cancelled"}})
	require.EqualError(t, err, "run 7 is cancelled at review")
}
