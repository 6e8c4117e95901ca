package artifact_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"blogposter/lib/artifact"
	"blogposter/lib/artifact/artifacttest"
	"blogposter/lib/fault"
)

// blob is data that no other test puts.
func blob(tb testing.TB) ([]byte, string) {
	tb.Helper()
	data := append([]byte("A dog’s page: "), make([]byte, 32)...)
	_, err := rand.Read(data[len(data)-32:])
	require.NoError(tb, err)
	sum := sha256.Sum256(data)
	return data, hex.EncodeToString(sum[:])
}

// raw is the bucket without the Store's guards.
func raw(tb testing.TB) (*s3.Client, *string) {
	tb.Helper()
	cfg := artifacttest.Config(tb)
	return s3.New(s3.Options{
		BaseEndpoint: &cfg.Endpoint, Region: cfg.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(cfg.AccessKey, cfg.SecretKey, ""),
	}), &cfg.Bucket
}

func keyOf(hash string) *string { return aws.String("sha256/" + hash[:2] + "/" + hash) }

func TestStore_Put_keepsABlobUnderItsHash(t *testing.T) {
	t.Parallel()

	s := artifacttest.New(t)
	data, want := blob(t)

	hash, err := s.Put(t.Context(), data)
	require.NoError(t, err)
	require.Equal(t, want, hash)

	got, err := s.Get(t.Context(), hash)
	require.NoError(t, err)
	require.Equal(t, data, got)

	client, bucket := raw(t)
	head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: keyOf(hash)})
	require.NoError(t, err)
	require.Equal(t, "text/plain; charset=utf-8", *head.ContentType)
}

func TestStore_Put_keepsNothingAsWell(t *testing.T) {
	t.Parallel()

	s := artifacttest.New(t)
	hash, err := s.Put(t.Context(), nil)
	require.NoError(t, err)
	got, err := s.Get(t.Context(), hash)
	require.NoError(t, err)
	require.Empty(t, got)
}

// The second put must not write: what is there stays, whatever it is.
func TestStore_Put_leavesABlobThatIsThereAlone(t *testing.T) {
	t.Parallel()

	s := artifacttest.New(t)
	data, hash := blob(t)
	client, bucket := raw(t)
	_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: keyOf(hash), Body: strings.NewReader("tampered")})
	require.NoError(t, err)

	again, err := s.Put(t.Context(), data)
	require.NoError(t, err)
	require.Equal(t, hash, again)

	_, err = s.Get(t.Context(), hash)
	require.Equal(t, fault.KindPermanent, fault.KindOf(err))
	require.ErrorContains(t, err, "get artifact "+hash+": the stored bytes have the SHA-256 ")
	require.NotErrorIs(t, err, artifact.ErrMissing)
}

func TestStore_Put_canBeRaced(t *testing.T) {
	t.Parallel()

	s := artifacttest.New(t)
	data, hash := blob(t)
	g, ctx := errgroup.WithContext(t.Context())
	for range 16 {
		g.Go(func() error {
			got, err := s.Put(ctx, data)
			if err == nil && got != hash {
				err = fmt.Errorf("hash %s", got)
			}
			return err
		})
	}
	require.NoError(t, g.Wait())
	got, err := s.Get(t.Context(), hash)
	require.NoError(t, err)
	require.Equal(t, data, got)
}

func TestStore_Get_saysThatABlobIsMissing(t *testing.T) {
	t.Parallel()

	_, hash := blob(t)
	_, err := artifacttest.New(t).Get(t.Context(), hash)
	require.ErrorIs(t, err, artifact.ErrMissing)
	require.Equal(t, fault.KindPermanent, fault.KindOf(err))
	require.ErrorContains(t, err, hash)
}

func TestStore_Get_asksForHashesOnly(t *testing.T) {
	t.Parallel()

	s := fake(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked for %s", r.URL) })
	for _, hash := range []string{"", "abc", strings.Repeat("A", 64), strings.Repeat("g", 64), "../" + strings.Repeat("a", 61), strings.Repeat("a", 66)} {
		_, err := s.Get(t.Context(), hash)
		require.Equal(t, fault.KindPermanent, fault.KindOf(err), hash)
	}
}

func TestStore_Ping_reachesTheBucketOrSaysWhatToFix(t *testing.T) {
	t.Parallel()

	require.NoError(t, artifacttest.New(t).Ping(t.Context()))

	tests := map[string]struct {
		change func(*artifact.Config)
		says   string
	}{
		"a wrong secret":   {func(c *artifact.Config) { c.SecretKey = "hunter2-hunter2-hunter2" }, "check the S3 access key"},
		"an unknown key":   {func(c *artifact.Config) { c.AccessKey = "nobody" }, "check the S3 access key"},
		"a missing bucket": {func(c *artifact.Config) { c.Bucket = "no-such-bucket-here" }, "reach bucket no-such-bucket-here: "},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			cfg := artifacttest.Config(t)
			tc.change(&cfg)
			s, err := artifact.New(cfg)
			require.NoError(t, err)

			err = s.Ping(t.Context())
			require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err), err)
			require.ErrorContains(t, err, tc.says)
			require.NotContains(t, err.Error(), "hunter2")

			_, err = s.Put(t.Context(), []byte("x"))
			require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err), err)
			_, err = s.Get(t.Context(), strings.Repeat("0", 64))
			require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err), err)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestNew_namesEverySettingThatIsMissing(t *testing.T) {
	t.Parallel()

	_, err := artifact.New(artifact.Config{Endpoint: "http://127.0.0.1:1"})
	for _, name := range []string{"region", "bucket", "access key", "secret key"} {
		require.ErrorContains(t, err, "the S3 "+name+" is not set")
	}
	require.NotContains(t, err.Error(), "endpoint")
}

// fake is a Store on a server that answers what real ones rarely do.
func fake(t *testing.T, h http.HandlerFunc) *artifact.Store {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	s, err := artifact.New(artifact.Config{Endpoint: srv.URL, Region: "r", Bucket: "b", AccessKey: "k", SecretKey: "s", HTTP: srv.Client()})
	require.NoError(t, err)
	return s
}

func TestStore_Put_writesAnywayWhereConditionsAreUnknownOrContested(t *testing.T) {
	t.Parallel()

	for _, code := range []int{http.StatusNotImplemented, http.StatusConflict} {
		var plain atomic.Bool
		s := fake(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(code)
				return
			}
			plain.Store(true)
		})
		_, err := s.Put(t.Context(), []byte("x"))
		require.NoError(t, err, code)
		require.True(t, plain.Load())
	}
}

func TestStore_Put_triesThriceAtMost(t *testing.T) {
	t.Parallel()

	var calls atomic.Int32
	s := fake(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	_, err := s.Put(t.Context(), []byte("x"))
	require.Equal(t, fault.KindRetryable, fault.KindOf(err))
	require.EqualValues(t, 3, calls.Load())
}

func TestStore_sortsOtherFaults(t *testing.T) {
	t.Parallel()

	s := fake(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) })
	_, err := s.Put(t.Context(), []byte("x"))
	require.Equal(t, fault.KindPermanent, fault.KindOf(err), err)

	_, err = s.Put(t.Context(), make([]byte, artifact.MaxBytes+1))
	require.ErrorContains(t, err, "over the limit of 20971520")
	require.Equal(t, fault.KindPermanent, fault.KindOf(err))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Get(ctx, strings.Repeat("0", 64))
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), err)
	require.True(t, fault.IsTimeout(err), err)

	long := fake(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, artifact.MaxBytes+1)) })
	_, err = long.Get(t.Context(), strings.Repeat("0", 64))
	require.ErrorContains(t, err, "the stored object is over the limit")

	cut := fake(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write(bytes.Repeat([]byte("x"), 10))
	})
	_, err = cut.Get(t.Context(), strings.Repeat("0", 64))
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), err)
}

func ExampleStore() {
	s, err := artifact.New(artifact.Config{Endpoint: "https://s3.example", Region: "nyc3", Bucket: "pages", AccessKey: "k"})
	fmt.Println(s != nil, err)
	// Output: false artifact store: the S3 secret key is not set
}
