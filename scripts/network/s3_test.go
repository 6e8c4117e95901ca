package network_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/artifact"
	"blogposter/lib/artifact/artifacttest"
	"blogposter/lib/fault"
)

// page is a blob of 1 MB that no other test puts, and its hash.
func page(t *testing.T) ([]byte, string) {
	t.Helper()
	data := bytes.Repeat([]byte("A page about dogs. "), 1<<20/19)
	_, err := rand.Read(data[:32])
	require.NoError(t, err)
	sum := sha256.Sum256(data)
	return data, hex.EncodeToString(sum[:])
}

// s3Across is the artifact store across a link, and as it is.
func s3Across(t *testing.T) (far, near *artifact.Store, l *link) {
	t.Helper()
	cfg := artifacttest.Config(t)
	near = artifacttest.New(t)
	l = before(t, host(t, cfg.Endpoint))
	cfg.Endpoint = l.of(cfg.Endpoint)
	far, err := artifact.New(cfg)
	require.NoError(t, err)
	return far, near, l
}

func TestS3_keepsNothingOfABlobThatWasCutOff(t *testing.T) {
	t.Parallel()

	far, near, l := s3Across(t)
	data, hash := page(t)
	l.cut(toServer, 200_000)
	_, err := far.Put(t.Context(), data)
	require.Error(t, err)
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), err)
	_, err = near.Get(t.Context(), hash)
	require.ErrorIs(t, err, artifact.ErrMissing)

	l.heal()
	got, err := far.Put(t.Context(), data)
	require.NoError(t, err)
	require.Equal(t, hash, got)
	back, err := near.Get(t.Context(), hash)
	require.NoError(t, err)
	require.Equal(t, data, back)
}

func TestS3_givesNothingOfABlobThatWasCutOff(t *testing.T) {
	t.Parallel()

	far, near, l := s3Across(t)
	data, hash := page(t)
	_, err := near.Put(t.Context(), data)
	require.NoError(t, err)
	l.cut(toClient, 200_000)
	got, err := far.Get(t.Context(), hash)
	require.Error(t, err)
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), err)
	require.Empty(t, got)

	l.heal()
	got, err = far.Get(t.Context(), hash)
	require.NoError(t, err)
	require.Equal(t, data, got)
}

// The blob was kept and nobody was told: putting it again is harmless.
func TestS3_keepsABlobWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()

	far, near, l := s3Across(t)
	data, hash := page(t)
	l.spoil("reset_peer", toClient, map[string]int{"timeout": 0})
	_, err := far.Put(t.Context(), data)
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), err)
	back, err := near.Get(t.Context(), hash)
	require.NoError(t, err)
	require.Equal(t, data, back)

	l.heal()
	again, err := far.Put(t.Context(), data)
	require.NoError(t, err)
	require.Equal(t, hash, again)
}
