package artifact_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/artifact"
)

// settings are variables by name.
type settings map[string]string

func (s settings) Need(name, _ string) string { return s[name] }

func (s settings) Get(name, def string) string {
	if v, ok := s[name]; ok {
		return v
	}
	return def
}

func TestFromEnv_readsTheBucketsSettings(t *testing.T) {
	t.Parallel()

	env := settings{"S3_ENDPOINT": "https://s3.example", "S3_BUCKET": "pages", "S3_ACCESS_KEY": "k", "S3_SECRET_KEY": "s"}
	want := artifact.Config{Endpoint: "https://s3.example", Region: "us-east-1", Bucket: "pages", AccessKey: "k", SecretKey: "s", Checksums: "off"}
	require.Equal(t, want, artifact.FromEnv(env))

	env["S3_REGION"], env["S3_CHECKSUMS"] = "nyc3", "on"
	want.Region, want.Checksums = "nyc3", "on"
	require.Equal(t, want, artifact.FromEnv(env))
}
