// Package network_test puts a bad network between the product and the real
// servers: slow, narrow, cut in the middle, silent, or behind a certificate
// that nobody knows. Each fault ends in the state that the product promises.
package network_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"blogposter/lib/config"
)

// The two ways of a connection, as toxiproxy names them.
const (
	toServer = "upstream"
	toClient = "downstream"
)

// link is the network before one server. A test spoils and heals it at points
// of its choosing.
type link struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

// before starts a link to the server at address, host:port.
func before(t *testing.T, address string) *link {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	l := &link{t: t, proxy: toxiproxy.NewProxy(server, "link", "127.0.0.1:0", address)}
	require.NoError(t, l.proxy.Start())
	t.Cleanup(l.proxy.Stop)
	return l
}

// address is where the server is reached across the link.
func (l *link) address() string { return l.proxy.Listen }

// of is raw with the link in place of its host.
func (l *link) of(raw string) string {
	l.t.Helper()
	u, err := url.Parse(raw)
	require.NoError(l.t, err)
	u.Host = l.address()
	return u.String()
}

// spoil adds a toxic to every connection, also those that are open.
func (l *link) spoil(toxic, stream string, attributes map[string]int) {
	l.t.Helper()
	spec, err := json.Marshal(map[string]any{"type": toxic, "stream": stream, "attributes": attributes})
	require.NoError(l.t, err)
	_, err = l.proxy.Toxics.AddToxicJson(strings.NewReader(string(spec)))
	require.NoError(l.t, err)
}

// silence lets nothing of what the server says arrive, and keeps the
// connections open.
func (l *link) silence() { l.t.Helper(); l.spoil("timeout", toClient, map[string]int{"timeout": 0}) }

// cut ends each connection after so many bytes.
func (l *link) cut(stream string, bytes int) {
	l.t.Helper()
	l.spoil("limit_data", stream, map[string]int{"bytes": bytes})
}

// heal takes every toxic away.
func (l *link) heal() { l.proxy.Toxics.ResetToxics(l.t.Context()) }

// variable is a setting of the local stack. Without it the test is skipped,
// except in CI.
func variable(t *testing.T, name string) string {
	t.Helper()
	env := config.OS()
	value := env.Get(name, "")
	if value == "" && env.Get("CI", "") != "" {
		t.Fatalf("%s is not set: run scripts/stack/up.sh --all and load its stack.env", name)
	}
	if value == "" {
		t.Skipf("%s is not set: run scripts/stack/up.sh --all and load its stack.env", name)
	}
	return value
}

// host is the host:port of an address.
func host(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	return u.Host
}
