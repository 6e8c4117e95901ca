package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/api"
	"blogposter/lib/editorial"
	"blogposter/lib/view"
)

// registry keeps the settings of dogs and cats, and says what was asked for.
type registry struct {
	asked []string
	err   error
}

func (g *registry) Sites(_ context.Context, slugs []string) ([]view.Site, error) {
	g.asked = append(g.asked, slugs...)
	var found []view.Site
	for _, s := range slugs {
		found = append(found, view.Site{Slug: s, Name: strings.ToUpper(s)})
	}
	return found, g.err
}

func (g *registry) Site(_ context.Context, slug string) (view.SiteSettings, error) {
	g.asked = append(g.asked, slug)
	return view.SiteSettings{
		Site:        editorial.Site{Slug: slug, CMS: editorial.CMS{User: "desk"}},
		Credentials: []view.Credential{{Name: editorial.CredentialPassword, SetAt: now, KeyID: "k1"}},
	}, g.err
}

func TestSites_list_showsTheCallersOwn(t *testing.T) {
	t.Parallel()

	for token, want := range map[string][]string{"viewer": {"dogs"}, "many": {"dogs", "cats"}} {
		g := &registry{}
		w := ask(api.Sites{Verifier: door{}, Store: g}.Handler(), token, http.MethodGet, "/", "")
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		require.Equal(t, want, g.asked)
		got := decode[page[view.Site]](t, w)
		require.Len(t, got.Items, len(want))
		require.Equal(t, "/api/v1/web/fn-7/api/sites/dogs", got.Items[0].Links["self"])
		require.Equal(t, "/api/v1/web/fn-7/api/topics?site=dogs", got.Items[0].Links["topics"])
	}
	refused(t, ask(api.Sites{Verifier: door{}, Store: &registry{}}.Handler(), "viewer", http.MethodGet, "/?site=dogs", ""), http.StatusBadRequest)
	refused(t, ask(api.Sites{Verifier: door{}, Store: &registry{err: view.ErrNotFound}}.Handler(), "viewer", http.MethodGet, "/", ""), http.StatusNotFound)
}

func TestSites_one_showsSettingsToAnAdminOfTheSite(t *testing.T) {
	t.Parallel()

	g := &registry{}
	h := api.Sites{Verifier: door{}, Store: g}.Handler()
	w := ask(h, "many", http.MethodGet, "/cats", "")
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, []string{"cats"}, g.asked)
	got := decode[view.SiteSettings](t, w)
	require.Equal(t, "desk", got.CMS.User)
	require.Equal(t, []view.Credential{{Name: "cms.password", SetAt: now, KeyID: "k1"}}, got.Credentials)
	require.Equal(t, "/api/v1/web/fn-7/api/sites/cats", got.Links["self"])

	for _, token := range []string{"viewer", "editor", "reviewer"} {
		require.Contains(t, refused(t, ask(h, token, http.MethodGet, "/dogs", ""), http.StatusForbidden).Detail, "takes the role admin")
	}
	for _, target := range []string{"/birds", "/CATS", "/cats%20"} {
		refused(t, ask(h, "many", http.MethodGet, target, ""), http.StatusNotFound)
	}
	refused(t, ask(h, "many", http.MethodGet, "/cats?secrets=1", ""), http.StatusBadRequest)
	require.Equal(t, []string{"cats"}, g.asked, "what is not the caller's is not even asked for")
	g.err = view.ErrNotFound
	refused(t, ask(h, "many", http.MethodGet, "/cats", ""), http.StatusNotFound)
}
