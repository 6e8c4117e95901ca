package seal_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/seal"
)

const secret = "abcd efgh ijkl mnop"

// key is a key of its own for each letter.
func key(id, letter string) string {
	return id + ":" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte(letter), 32))
}

func keys(t *testing.T, list ...string) *seal.Keys {
	t.Helper()
	k, err := seal.Parse(strings.Join(list, ","))
	require.NoError(t, err)
	return k
}

func TestKeys_Open_givesBackWhatWasSealed(t *testing.T) {
	t.Parallel()

	k := keys(t, key("k1", "a"))
	for _, text := range []string{secret, "", "pässwörd", strings.Repeat("x", 10_000)} {
		s := k.Seal("dogs", "cms.password", text)
		require.Equal(t, "k1", s.KeyID)
		got, err := k.Open("dogs", "cms.password", s)
		require.NoError(t, err)
		require.Equal(t, text, got)
	}
	a, b := k.Seal("dogs", "cms.password", secret), k.Seal("dogs", "cms.password", secret)
	require.NotEqual(t, a.Bytes, b.Bytes, "two sealed alike would show that two sites have one password")
	require.NotContains(t, string(a.Bytes), secret)
}

func TestKeys_Open_refusesWhatIsNotInItsPlace(t *testing.T) {
	t.Parallel()

	k := keys(t, key("k1", "a"), key("k2", "b"))
	good := k.Seal("dogs", "cms.password", secret)
	tests := map[string]struct {
		site, name string
		sealed     func(editorial.Sealed) editorial.Sealed
		err        error
	}{
		"on another site":         {"cats", "cms.password", nil, seal.ErrRefused},
		"under another name":      {"dogs", "feed.token", nil, seal.ErrRefused},
		"with the border moved":   {"dogsc", "ms.password", nil, seal.ErrRefused},
		"with another of ours":    {"dogs", "cms.password", func(s editorial.Sealed) editorial.Sealed { s.KeyID = "k2"; return s }, seal.ErrRefused},
		"with a key that is gone": {"dogs", "cms.password", func(s editorial.Sealed) editorial.Sealed { s.KeyID = "k0"; return s }, seal.ErrKey},
		"with nothing in it":      {"dogs", "cms.password", func(s editorial.Sealed) editorial.Sealed { s.Bytes = nil; return s }, seal.ErrRefused},
		"cut short":               {"dogs", "cms.password", func(s editorial.Sealed) editorial.Sealed { s.Bytes = s.Bytes[:28]; return s }, seal.ErrRefused},
		"in another form": {"dogs", "cms.password", func(s editorial.Sealed) editorial.Sealed {
			s.Bytes = append([]byte{2}, s.Bytes[1:]...)
			return s
		}, seal.ErrRefused},
	}
	for i := range good.Bytes {
		tests["with another byte "+string(rune('A'+i))] = struct {
			site, name string
			sealed     func(editorial.Sealed) editorial.Sealed
			err        error
		}{"dogs", "cms.password", func(s editorial.Sealed) editorial.Sealed {
			s.Bytes = bytes.Clone(s.Bytes)
			s.Bytes[i] ^= 1
			return s
		}, seal.ErrRefused}
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := good
			if tc.sealed != nil {
				s = tc.sealed(good)
			}
			got, err := k.Open(tc.site, tc.name, s)
			require.ErrorIs(t, err, tc.err)
			require.Empty(t, got)
			require.NotContains(t, err.Error(), secret)
		})
	}
}

func TestKeys_theFirstSealsAndAllOpen(t *testing.T) {
	t.Parallel()

	old := keys(t, key("k1", "a"))
	both := keys(t, key("k2", "b"), key("k1", "a"))
	s := old.Seal("dogs", "cms.password", secret)
	got, err := both.Open("dogs", "cms.password", s)
	require.NoError(t, err)
	require.Equal(t, secret, got)
	require.Equal(t, "k2", both.First())
	require.Equal(t, "k2", both.Seal("dogs", "cms.password", secret).KeyID)
	_, err = keys(t, key("k1", "c")).Open("dogs", "cms.password", s)
	require.ErrorIs(t, err, seal.ErrRefused, "the key was replaced under the same id")
}

func TestParse_saysWhatIsWrongAndHowToMendIt(t *testing.T) {
	t.Parallel()

	bare := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("q"), 32))
	tests := map[string]struct {
		list string
		want []string
	}{
		"nothing":                {"", []string{"FIELD_ENCRYPTION_KEY is not set", "openssl rand -base64 32"}},
		"white space":            {" \n", []string{"FIELD_ENCRYPTION_KEY is not set"}},
		"a key without an id":    {bare, []string{"entry 1 is not id:key", "k1:KEY"}},
		"a key as the id":        {bare + ":k1", []string{"entry 1 is not id:key"}},
		"an id alone":            {"k1:", []string{`key "k1" has 0 bytes, not 32`, "openssl rand -base64 32"}},
		"a key that is short":    {"k1:" + base64.StdEncoding.EncodeToString([]byte("short")), []string{`key "k1" has 5 bytes, not 32`, "openssl rand -base64 32"}},
		"a key that is hex":      {"k1:" + strings.Repeat("ab", 32), []string{`key "k1" has 48 bytes, not 32`}},
		"what is no base64":      {"k1:" + strings.Repeat("?", 44), []string{`key "k1" is not base64`}},
		"an id twice":            {key("k1", "a") + "," + key("k1", "b"), []string{`the id "k1" stands twice`}},
		"a comma at the end":     {key("k1", "a") + ",", []string{"entry 2 is not id:key"}},
		"several faults at once": {"k1:xx," + bare, []string{`key "k1"`, "entry 2"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			k, err := seal.Parse(tc.list)
			require.Nil(t, k)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), bare)
			require.NotContains(t, err.Error(), strings.Repeat("ab", 32))
			require.NotContains(t, err.Error(), "short", "the value")
		})
	}
	require.Equal(t, "k1", keys(t, "\n "+key("k1", "a")+" ").First(), "pasted with white space")
}

// shelf keeps credentials by site and name.
type shelf struct {
	kept map[int64]editorial.Sealed
	err  error
}

func (s shelf) Credential(_ context.Context, siteID int64, name string) (editorial.Sealed, bool, error) {
	c, ok := s.kept[siteID]
	return c, ok && name == editorial.CredentialPassword, s.err
}

func TestVault_Open_keepsNothingOfASite(t *testing.T) {
	t.Parallel()

	k := keys(t, key("k1", "a"))
	dogs, cats := editorial.Site{ID: 1, Slug: "dogs"}, editorial.Site{ID: 2, Slug: "cats"}
	kept := shelf{kept: map[int64]editorial.Sealed{
		1: k.Seal("dogs", editorial.CredentialPassword, "bark"),
		2: k.Seal("cats", editorial.CredentialPassword, "meow"),
	}}
	v := seal.NewVault(k, kept)
	for range 3 {
		for site, want := range map[*editorial.Site]string{&dogs: "bark", &cats: "meow"} {
			got, err := v.Open(t.Context(), *site, editorial.CredentialPassword)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	kept.kept[1] = k.Seal("dogs", editorial.CredentialPassword, "woof")
	got, err := v.Open(t.Context(), dogs, editorial.CredentialPassword)
	require.NoError(t, err)
	require.Equal(t, "woof", got, "a replaced credential is used at once")

	kept.kept[1] = kept.kept[2]
	_, err = v.Open(t.Context(), dogs, editorial.CredentialPassword)
	require.ErrorIs(t, err, seal.ErrRefused, "a row of another site's")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	require.NotContains(t, err.Error(), "meow")
}

func TestVault_Open_asksAPersonForWhatOnlyTheyCanMend(t *testing.T) {
	t.Parallel()

	k := keys(t, key("k1", "a"))
	dogs := editorial.Site{ID: 1, Slug: "dogs"}
	_, err := seal.NewVault(k, shelf{}).Open(t.Context(), dogs, editorial.CredentialPassword)
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	require.ErrorContains(t, err, "site credential set -site dogs -name cms.password")

	gone := shelf{kept: map[int64]editorial.Sealed{1: keys(t, key("k0", "z")).Seal("dogs", editorial.CredentialPassword, "bark")}}
	_, err = seal.NewVault(k, gone).Open(t.Context(), dogs, editorial.CredentialPassword)
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	require.ErrorContains(t, err, `key "k0"`)
	require.ErrorContains(t, err, "FIELD_ENCRYPTION_KEY")

	down := errors.New("dial: refused")
	_, err = seal.NewVault(k, shelf{err: down}).Open(t.Context(), dogs, editorial.CredentialPassword)
	require.ErrorIs(t, err, down)
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), "the database will be back")
}
