package network_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var allWell = said{Code: http.StatusOK, Status: "ok", Checks: map[string]string{"postgres": "ok", "s3": "ok", "redis": "ok"}}

// without is allWell but for one server.
func without(server string) said {
	s := said{Code: http.StatusServiceUnavailable, Status: "failed", Checks: map[string]string{"postgres": "ok", "s3": "ok", "redis": "ok"}}
	if server == "redis" { // nothing but hints and caches is lost
		s.Code, s.Status = http.StatusOK, "degraded"
	}
	s.Checks[server] = "failed"
	return s
}

// A connection that is cut, refused or silent is said, for the one server that
// it leads to, and forgotten when it is back.
func TestReady_saysWhichServerIsOutOfReach(t *testing.T) {
	t.Parallel()

	env := servers(t)
	addresses := map[string]string{"postgres": "DATABASE_URL", "redis": "REDIS_URL", "s3": "S3_ENDPOINT"}
	for server, name := range addresses {
		t.Run(server, func(t *testing.T) {
			t.Parallel()

			l := before(t, host(t, env[name]))
			r := startReady(t, with(env, map[string]string{name: l.of(env[name])}))
			require.Equal(t, allWell, r.ask())

			l.spoil("reset_peer", toClient, map[string]int{"timeout": 0})
			require.Equal(t, without(server), r.ask(), "cut")
			l.heal()
			require.Equal(t, allWell, r.ask(), "back after a cut")

			l.silence()
			require.Equal(t, without(server), r.ask(), "silent")
			l.heal()
			require.Equal(t, allWell, r.ask(), "back after a silence")

			l.proxy.Stop()
			require.Equal(t, without(server), r.ask(), "the connection it had is gone")
			require.Equal(t, without(server), r.ask(), "and it gets no other")
			require.NoError(t, l.proxy.Start())
			require.Equal(t, allWell, r.ask(), "back after a restart")
			require.NotContains(t, r.logged(), env["S3_SECRET_KEY"])
		})
	}
}

// What a deployed function needs to trust a private authority is one variable
// that Go itself reads.
func TestReady_trustsTheAuthorityThatSSLCertFileNames(t *testing.T) {
	t.Parallel()

	env := with(servers(t), map[string]string{"REDIS_URL": variable(t, "REDIS_TLS_URL"), "S3_ENDPOINT": variable(t, "S3_TLS_ENDPOINT")})
	authority := variable(t, "STACK_CA_FILE")
	require.FileExists(t, authority)

	r := startReady(t, with(env, map[string]string{"SSL_CERT_FILE": authority}))
	require.Equal(t, allWell, r.ask())

	r = startReady(t, env) // the machine's own authorities
	require.Equal(t, said{Code: http.StatusServiceUnavailable, Status: "failed", Checks: map[string]string{"postgres": "ok", "s3": "failed", "redis": "failed"}}, r.ask())
	lines := r.logged()
	for _, server := range []string{"redis", "s3"} {
		require.Contains(t, line(t, lines, `"check":"`+server+`"`), "certificate signed by unknown authority")
	}
	require.NotContains(t, lines, env["S3_SECRET_KEY"])
}

// Told to speak plainly where TLS is spoken, or the other way round: neither
// server gives a reason, so the log names both ways to set it.
func TestReady_saysThatRedisSpeaksTLSOrDoesNot(t *testing.T) {
	t.Parallel()

	env := servers(t)
	plain, secure := env["REDIS_URL"], variable(t, "REDIS_TLS_URL")
	tests := map[string]string{
		"redis:// where TLS is spoken": strings.Replace(secure, "rediss://", "redis://", 1),
		"rediss:// where it is not":    strings.Replace(plain, "redis://", "rediss://", 1),
	}
	for name, address := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			r := startReady(t, with(env, map[string]string{"REDIS_URL": address}))
			require.Equal(t, without("redis"), r.ask())
			require.Contains(t, line(t, r.logged(), `"check":"redis"`), "REDIS_URL (rediss:// over TLS, redis:// without)")
		})
	}
}

// line is the one line of logs that holds what.
func line(t *testing.T, logs, what string) string {
	t.Helper()
	for l := range strings.Lines(logs) {
		if strings.Contains(l, what) {
			return l
		}
	}
	t.Fatalf("no line of the log holds %s:\n%s", what, logs)
	return ""
}
