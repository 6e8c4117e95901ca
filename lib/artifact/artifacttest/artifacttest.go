// Package artifacttest opens the artifact store of a real S3 server in tests.
package artifacttest

import (
	"os"
	"testing"

	"blogposter/lib/artifact"
)

// Config returns the settings of the test server, from the variables that
// scripts/stack writes. Without S3_ENDPOINT the test is skipped; with CI set
// it fails, so that a broken set-up can't pass for a green run.
func Config(tb testing.TB) artifact.Config {
	tb.Helper()
	return config(tb, "S3_ENDPOINT")
}

// TLSConfig is Config for the same buckets over https. The certificate is of
// the authority in the file that STACK_CA_FILE names.
func TLSConfig(tb testing.TB) artifact.Config {
	tb.Helper()
	return config(tb, "S3_TLS_ENDPOINT")
}

func config(tb testing.TB, endpoint string) artifact.Config {
	tb.Helper()
	env := os.Getenv
	cfg := artifact.Config{
		Endpoint: env(endpoint), Region: env("S3_REGION"), Bucket: env("S3_BUCKET"),
		AccessKey: env("S3_ACCESS_KEY"), SecretKey: env("S3_SECRET_KEY"),
	}
	if cfg.Endpoint != "" {
		return cfg
	}
	if env("CI") != "" {
		tb.Fatal(endpoint + " is not set: start the servers with scripts/stack and load their settings")
	}
	tb.Skip(endpoint + " is not set")
	return cfg
}

// New returns a Store on the test server.
func New(tb testing.TB) *artifact.Store {
	tb.Helper()
	s, err := artifact.New(Config(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}
