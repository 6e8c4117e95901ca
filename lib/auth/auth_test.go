package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/auth"
)

func TestRole_Can_growsWithTheRole(t *testing.T) {
	t.Parallel()

	tests := map[auth.Action][]auth.Role{
		auth.ActRead:      {auth.RoleViewer, auth.RoleEditor, auth.RoleReviewer, auth.RoleAdmin},
		auth.ActStart:     {auth.RoleEditor, auth.RoleReviewer, auth.RoleAdmin},
		auth.ActDecide:    {auth.RoleReviewer, auth.RoleAdmin},
		auth.ActDismiss:   {auth.RoleEditor, auth.RoleReviewer, auth.RoleAdmin},
		auth.ActConfigure: {auth.RoleAdmin},
		"anything else":   {auth.RoleAdmin},
	}
	for action, may := range tests {
		t.Run(string(action), func(t *testing.T) {
			t.Parallel()

			for _, r := range []auth.Role{auth.RoleViewer, auth.RoleEditor, auth.RoleReviewer, auth.RoleAdmin, "", "root"} {
				require.Equal(t, contains(may, r), r.Can(action), "%q", r)
			}
		})
	}
}

func contains(list []auth.Role, r auth.Role) bool {
	for _, x := range list {
		if x == r {
			return true
		}
	}
	return false
}

func TestPrincipal_Site_isNeverOneOfSomebodyElse(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		sites []string
		named string
		want  string
		err   error
	}{
		"the only one is the default":       {sites: []string{"a"}, want: "a"},
		"the only one may be named":         {sites: []string{"a"}, named: "a", want: "a"},
		"one of several must be named":      {sites: []string{"a", "b"}, err: auth.ErrSiteNeeded},
		"one of several":                    {sites: []string{"a", "b"}, named: "b", want: "b"},
		"somebody else's is unknown":        {sites: []string{"a"}, named: "b", err: auth.ErrSiteUnknown},
		"without sites there is no default": {err: auth.ErrSiteUnknown},
		"an empty slug is no site":          {sites: []string{"a", ""}, err: auth.ErrSiteNeeded},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := auth.Principal{Sites: tc.sites}.Site(tc.named)
			require.ErrorIs(t, err, tc.err)
			require.Equal(t, tc.want, got)
		})
	}
}

// keys is a table of stored keys by hash.
type keys map[string]auth.Key

func (k keys) PrincipalKey(_ context.Context, hash string) (auth.Key, bool, error) {
	if k == nil {
		return auth.Key{}, false, errors.New("dial tcp: refused")
	}
	key, ok := k[hash]
	return key, ok, nil
}

// tokens lets the token "signed" in.
type tokens struct{}

func (tokens) Principal(token string) (auth.Principal, error) {
	if token != "signed" {
		return auth.Principal{}, auth.ErrRefused
	}
	return auth.Principal{Subject: "u1", Role: auth.RoleViewer}, nil
}

func TestVerifier_Verify_tellsWhoAsks(t *testing.T) {
	t.Parallel()

	key, hash := auth.NewKey()
	odd, oddHash := auth.NewKey()
	stranger, _ := auth.NewKey()
	stored := keys{
		hash:    {ID: 7, Name: "ci", Role: auth.RoleEditor, Site: "dogs"},
		oddHash: {ID: 8, Name: "old", Role: "owner", Site: "dogs"},
	}
	tests := map[string]struct {
		header []string
		want   auth.Principal
		err    error
	}{
		"an api key": {
			header: []string{"Bearer " + key},
			want:   auth.Principal{Subject: "key:7", Name: "ci", Role: auth.RoleEditor, Sites: []string{"dogs"}},
		},
		"a signed token; the scheme knows no case": {
			header: []string{"bEARER  signed "}, want: auth.Principal{Subject: "u1", Role: auth.RoleViewer},
		},
		"nothing":                        {err: auth.ErrMissing},
		"an empty header":                {header: []string{" "}, err: auth.ErrMissing},
		"another scheme":                 {header: []string{"Basic " + key}, err: auth.ErrMalformed},
		"a scheme alone":                 {header: []string{"Bearer"}, err: auth.ErrMalformed},
		"two headers":                    {header: []string{"Bearer signed", "Bearer signed"}, err: auth.ErrMalformed},
		"a token longer than any":        {header: []string{"Bearer " + strings.Repeat("x", 8<<10+1)}, err: auth.ErrMalformed},
		"a key cut short":                {header: []string{"Bearer " + key[:40]}, err: auth.ErrMalformed},
		"a key nobody holds":             {header: []string{"Bearer " + stranger}, err: auth.ErrRefused},
		"a key with a role that is none": {header: []string{"Bearer " + odd}, err: auth.ErrRefused},
		"a token that is not accepted":   {header: []string{"Bearer forged"}, err: auth.ErrRefused},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := auth.NewVerifier(tokens{}, stored).Verify(t.Context(), tc.header)
			require.ErrorIs(t, err, tc.err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestVerifier_Verify_isNotARefusalWhenTheStoreCannotAnswer(t *testing.T) {
	t.Parallel()

	key, _ := auth.NewKey()
	_, err := auth.NewVerifier(tokens{}, keys(nil)).Verify(t.Context(), []string{"Bearer " + key})
	require.ErrorContains(t, err, "look up api key")
	for _, refusal := range []error{auth.ErrMissing, auth.ErrMalformed, auth.ErrExpired, auth.ErrRefused} {
		require.NotErrorIs(t, err, refusal)
	}
	require.NotContains(t, err.Error(), key)
}

func TestNewKey_isNeverTheSameAndMatchesItsHash(t *testing.T) {
	t.Parallel()

	a, hash := auth.NewKey()
	b, _ := auth.NewKey()
	require.NotEqual(t, a, b)
	require.Regexp(t, `^bp_[0-9a-f]{10}_[0-9a-f]{64}$`, a)
	require.Regexp(t, `^[0-9a-f]{64}$`, hash, "what the table's CHECK asks for")
	require.Equal(t, hash, auth.HashKey(a))
}

func FuzzVerifier_Verify_neverLetsAStrangerIn(f *testing.F) {
	key, _ := auth.NewKey()
	for _, s := range []string{"Bearer " + key, "Bearer a.b.c", "bearer", "Bearer bp__", "\x00", "Bearer  "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		_, err := auth.NewVerifier(refuser{}, keys{}).Verify(t.Context(), []string{header})
		require.Error(t, err)
	})
}

type refuser struct{}

func (refuser) Principal(string) (auth.Principal, error) { return auth.Principal{}, auth.ErrRefused }
