package artifact_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/artifact"
	"blogposter/lib/artifact/artifacttest"
	"blogposter/lib/config"
	"blogposter/lib/fault"
)

// spy notes what is sent, and may damage it.
type spy struct {
	http.RoundTripper
	damage func([]byte) []byte

	mu   sync.Mutex
	puts []http.Header
}

func (s *spy) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut {
		s.mu.Lock()
		s.puts = append(s.puts, r.Header.Clone())
		s.mu.Unlock()
		if s.damage != nil {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			r = r.Clone(r.Context())
			r.Body = io.NopCloser(bytes.NewReader(s.damage(body)))
		}
	}
	return s.RoundTripper.RoundTrip(r)
}

// overTLS is the test server's https address, trusted by the stack's own
// authority alone.
func overTLS(t *testing.T, checksums string, damage func([]byte) []byte) (*artifact.Store, *spy) {
	t.Helper()
	cfg := artifacttest.TLSConfig(t)
	pem, err := os.ReadFile(config.OS().Get("STACK_CA_FILE", ""))
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(pem))
	wire := &spy{RoundTripper: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}, damage: damage}
	t.Cleanup(wire.RoundTripper.(*http.Transport).CloseIdleConnections)
	cfg.HTTP, cfg.Checksums = &http.Client{Transport: wire}, checksums
	s, err := artifact.New(cfg)
	require.NoError(t, err)
	return s, wire
}

func TestStore_Put_sendsItsChecksumAfterTheBlobOverTLS(t *testing.T) {
	t.Parallel()

	s, wire := overTLS(t, "on", nil)
	data, hash := blob(t)
	got, err := s.Put(t.Context(), data)
	require.NoError(t, err)
	require.Equal(t, hash, got)

	require.Len(t, wire.puts, 1)
	require.Equal(t, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", wire.puts[0].Get("X-Amz-Content-Sha256"))
	require.Equal(t, "x-amz-checksum-crc32", wire.puts[0].Get("X-Amz-Trailer"))

	back, err := s.Get(t.Context(), hash)
	require.NoError(t, err)
	require.Equal(t, data, back)
	again, err := s.Put(t.Context(), data)
	require.NoError(t, err, "it is there")
	require.Equal(t, hash, again)
}

func TestStore_Put_sendsNoChecksumUnlessTold(t *testing.T) {
	t.Parallel()

	for _, off := range []string{"", "off"} {
		s, wire := overTLS(t, off, nil)
		data, hash := blob(t)
		_, err := s.Put(t.Context(), data)
		require.NoError(t, err)
		require.Equal(t, "UNSIGNED-PAYLOAD", wire.puts[0].Get("X-Amz-Content-Sha256"))
		back, err := s.Get(t.Context(), hash)
		require.NoError(t, err)
		require.Equal(t, data, back)
	}
}

// swap turns the first byte of every test's blob into another.
func swap(body []byte) []byte {
	return bytes.Replace(body, []byte("A dog"), []byte("B dog"), 1)
}

func TestStore_Put_letsTheServerRefuseWhatWasDamagedOnItsWay(t *testing.T) {
	t.Parallel()

	s, wire := overTLS(t, "on", swap)
	data, hash := blob(t)
	_, err := s.Put(t.Context(), data)
	require.ErrorContains(t, err, "BadDigest")
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), err)
	require.NotEmpty(t, wire.puts)

	_, err = s.Get(t.Context(), hash)
	require.ErrorIs(t, err, artifact.ErrMissing, "nothing is kept under that hash")

	// Without a checksum the damage is found by whoever gets the blob.
	s, _ = overTLS(t, "off", swap)
	_, err = s.Put(t.Context(), data)
	require.NoError(t, err)
	_, err = s.Get(t.Context(), hash)
	require.ErrorContains(t, err, "the stored bytes have the SHA-256")
}

func TestStore_Ping_distrustsACertificateOfAnUnknownAuthority(t *testing.T) {
	t.Parallel()

	cfg := artifacttest.TLSConfig(t)
	tests := map[string]*x509.CertPool{
		"no authority":           x509.NewCertPool(),
		"the machine's own ones": nil,
	}
	for name, roots := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			wire := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
			cfg := cfg
			cfg.HTTP = &http.Client{Transport: wire}
			s, err := artifact.New(cfg)
			require.NoError(t, err)
			_, putErr := s.Put(t.Context(), []byte("x"))
			for _, err := range []error{s.Ping(t.Context()), putErr} {
				require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err), err)
				require.ErrorContains(t, err, "certificate signed by unknown authority")
				require.ErrorContains(t, err, "SSL_CERT_FILE")
			}
		})
	}
}

func TestStore_Ping_saysThatAPlainServerIsNotOneOverTLS(t *testing.T) {
	t.Parallel()

	plain := artifacttest.Config(t)
	plain.Endpoint = "https" + plain.Endpoint[len("http"):]
	s, err := artifact.New(plain)
	require.NoError(t, err)
	require.ErrorContains(t, s.Ping(t.Context()), "server gave HTTP response to HTTPS client")
}

func TestNew_takesChecksumsOnOrOff(t *testing.T) {
	t.Parallel()

	cfg := artifact.Config{Endpoint: "https://s3.example", Region: "r", Bucket: "b", AccessKey: "k", SecretKey: "s", Checksums: "sha512"}
	_, err := artifact.New(cfg)
	require.EqualError(t, err, `artifact store: the S3 checksums are "sha512": use on or off`)
}
