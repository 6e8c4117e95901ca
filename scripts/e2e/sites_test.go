package e2e_test

import (
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/seal"
	"blogposter/lib/view"
	"blogposter/scripts/site/sitefile"
)

// neighbour imports a second site, on the same WordPress, whose password comes
// from another variable.
func (s *session) neighbour(password string) (slug string, secrets sitefile.Secrets) {
	s.t.Helper()
	raw, err := os.ReadFile("../../scripts/demo/site.yml")
	require.NoError(s.t, err)
	site, err := sitefile.Read(raw)
	require.NoError(s.t, err)
	site.Slug, site.PasswordFrom, site.Sources = s.Site.Slug+"-b", "NEIGHBOUR", s.Site.Sources
	site.URL, site.CMS.URL, site.CMS.User = s.Site.URL, s.Site.CMS.URL, s.Site.CMS.User
	keys, err := seal.Parse(s.Settings[seal.Variable])
	require.NoError(s.t, err)
	secrets = sitefile.Secrets{Keys: keys, Value: func(string) string { return password }}
	require.NoError(s.t, sitefile.Import(s.t.Context(), s.DB.OwnerURL, secrets, site))
	return site.Slug, secrets
}

// TestSites_publishEachWithItsOwnCredential publishes for two sites by turns in
// one function process: the one that has a wrong password never gets through
// with the other's.
func TestSites_publishEachWithItsOwnCredential(t *testing.T) {
	t.Parallel()

	s := open(t, nil)
	other, secrets := s.neighbour("not the password")
	ours := s.Site.Slug
	turn := func(slug, topic string) view.Detail {
		s.Site.Slug = slug
		id := s.startRun(topic)
		s.await(id, "in review", view.Detail.AwaitsApproval, nil)
		status, body := s.decide(id, s.Token("reviewer", slug), s.sheet(id).Digest)
		require.Equal(t, http.StatusOK, status, string(body))
		return s.await(id, "at an end", func(d view.Detail) bool {
			return d.State == pipeline.StateDone || d.State == pipeline.StateWaiting && d.Stage == pipeline.StagePublish
		}, nil)
	}

	first := turn(ours, "Service dogs on buses, trains and ferries in Harborview")
	require.Equal(t, pipeline.StateDone, first.State, first.Why)
	require.Len(t, s.posts(first.ID), 1)

	refused := turn(other, "Service dogs in shops: what shop staff may ask")
	require.Equal(t, pipeline.StateWaiting, refused.State)
	require.Equal(t, pipeline.WaitingPerson, refused.Waiting)
	require.Contains(t, refused.Why, "401", "the other site's password would have opened the door")
	require.NotContains(t, refused.Why, "not the password")

	changed, err := sitefile.SetCredential(t.Context(), s.DB.OwnerURL, secrets.Keys, other, editorial.CredentialPassword, s.Settings["WP_APP_PASSWORD"])
	require.NoError(t, err)
	require.True(t, changed)
	mended := turn(other, "Assistance animals in apartments: requests, proof and fees")
	require.Equal(t, pipeline.StateDone, mended.State, mended.Why)
	require.Len(t, s.posts(mended.ID), 1)

	s.Site.Slug = ours
	status, body := s.call(http.MethodGet, "/api/sites/"+other, s.Token("admin", ours), nil)
	require.Equal(t, http.StatusNotFound, status, string(body))
	status, body = s.call(http.MethodGet, "/api/sites/"+ours, s.Token("admin", ours), nil)
	require.Equal(t, http.StatusOK, status, string(body))
	require.Contains(t, string(body), `"name":"cms.password"`)
	require.NotContains(t, string(body), s.Settings["WP_APP_PASSWORD"])
}
