package store_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
)

func TestStore_Vectors_areKeptByModelAndSite(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	storetest.AddSite(t, db.Owner, "a")
	storetest.AddSite(t, db.Owner, "b")
	s := store.New(db.Functions)
	l, other := choosing(t, s, "a", "w"), choosing(t, s, "b", "w")
	first, second := strings.Repeat("a", 64), strings.Repeat("b", 64)
	kept := map[string][]float32{first: {0.1, -2.5e-7, 1}, second: {0, 1, 0}}
	require.NoError(t, s.SaveVectors(t.Context(), l, "m", kept))
	require.NoError(t, s.SaveVectors(t.Context(), l, "other", map[string][]float32{first: {3, 4}}))
	require.NoError(t, s.SaveVectors(t.Context(), l, "m", map[string][]float32{first: {9, 9, 9}}), "the first one stays")

	got, err := s.Vectors(t.Context(), l, "m", []string{first, second, strings.Repeat("c", 64)})
	require.NoError(t, err)
	require.Equal(t, kept, got, "to the last bit")
	got, err = s.Vectors(t.Context(), l, "other", []string{first, second})
	require.NoError(t, err)
	require.Equal(t, map[string][]float32{first: {3, 4}}, got)
	got, err = s.Vectors(t.Context(), other, "m", []string{first})
	require.NoError(t, err)
	require.Empty(t, got)
	got, err = s.Vectors(t.Context(), l, "m", nil)
	require.NoError(t, err)
	require.Empty(t, got)
}
