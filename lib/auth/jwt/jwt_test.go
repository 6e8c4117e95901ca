package jwt_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	gojwt "github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"blogposter/lib/auth"
	"blogposter/lib/auth/jwt"
)

const secret = "an-offline-secret-of-32-bytes-or-more"

var now = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func reader(tb testing.TB) *jwt.Reader {
	tb.Helper()
	r, err := jwt.New(secret, func() time.Time { return now })
	require.NoError(tb, err)
	return r
}

// sign makes a token as Supabase does, without the library under test.
func sign(tb testing.TB, header, claims map[string]any) string {
	tb.Helper()
	enc := base64.RawURLEncoding.EncodeToString
	h, err := json.Marshal(header)
	require.NoError(tb, err)
	c, err := json.Marshal(claims)
	require.NoError(tb, err)
	text := enc(h) + "." + enc(c)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + enc(mac.Sum(nil))
}

var hs256 = map[string]any{"alg": "HS256", "typ": "JWT"}

// with is a good token's claims, one of them changed; nil takes it away.
func with(name string, value any) map[string]any {
	c := map[string]any{
		"sub": "8f4e", "aud": "authenticated", "email": "ann@example.com",
		"iat": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
		"app_metadata":  map[string]any{"role": "editor", "sites": []string{"dogs", "cats"}, "provider": "email"},
		"user_metadata": map[string]any{"role": "admin", "sites": []string{"everything"}},
		"role":          "service_role",
	}
	if value == nil {
		delete(c, name)
	} else if name != "" {
		c[name] = value
	}
	return c
}

func TestReader_Principal_readsATokenAsSupabaseSignsIt(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		claims map[string]any
		name   string
	}{
		"with an address":                    {with("", 1), "ann@example.com"},
		"without one":                        {with("email", nil), "8f4e"},
		"expired within the leeway":          {with("exp", now.Add(-29*time.Second).Unix()), "ann@example.com"},
		"issued by a clock a little ahead":   {with("iat", now.Add(29*time.Second).Unix()), "ann@example.com"},
		"for several audiences, ours too":    {with("aud", []string{"other", "authenticated"}), "ann@example.com"},
		"valid from a little while from now": {with("nbf", now.Add(29*time.Second).Unix()), "ann@example.com"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			p, err := reader(t).Principal(sign(t, hs256, tc.claims))
			require.NoError(t, err)
			require.Equal(t, auth.Principal{
				Subject: "8f4e", Name: tc.name, Role: auth.RoleEditor, Sites: []string{"dogs", "cats"},
			}, p, "role and sites come from app_metadata alone")
		})
	}
}

func TestReader_Principal_refusesEverythingElse(t *testing.T) {
	t.Parallel()

	good := sign(t, hs256, with("", 1))
	parts := strings.Split(good, ".")
	forged := strings.Split(sign(t, hs256, with("sub", "root")), ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	tests := map[string]struct {
		token string
		err   error
	}{
		"claims swapped under another signature": {parts[0] + "." + forged[1] + "." + parts[2], auth.ErrRefused},
		"no signature":                           {parts[0] + "." + parts[1] + ".", auth.ErrRefused},
		"alg none":                               {none + "." + parts[1] + ".", auth.ErrRefused},
		"alg none with a signature":              {none + "." + parts[1] + "." + parts[2], auth.ErrRefused},
		"a longer hash of the same secret":       {signedBy(t, gojwt.SigningMethodHS512, []byte(secret)), auth.ErrRefused},
		"a key pair":                             {signedBy(t, gojwt.SigningMethodRS256, keyPair(t)), auth.ErrRefused},
		"another secret":                         {signedBy(t, gojwt.SigningMethodHS256, []byte(secret+"x")), auth.ErrRefused},
		"an extension we don't know":             {sign(t, map[string]any{"alg": "HS256", "crit": []string{"b64"}, "b64": false}, with("", 1)), auth.ErrRefused},
		"expired":                                {sign(t, hs256, with("exp", now.Add(-31*time.Second).Unix())), auth.ErrExpired},
		"never expiring":                         {sign(t, hs256, with("exp", nil)), auth.ErrRefused},
		"not valid yet":                          {sign(t, hs256, with("nbf", now.Add(31*time.Second).Unix())), auth.ErrRefused},
		"issued in the future":                   {sign(t, hs256, with("iat", now.Add(31*time.Second).Unix())), auth.ErrRefused},
		"the anonymous audience":                 {sign(t, hs256, with("aud", "anon")), auth.ErrRefused},
		"no audience":                            {sign(t, hs256, with("aud", nil)), auth.ErrRefused},
		"nobody's":                               {sign(t, hs256, with("sub", nil)), auth.ErrRefused},
		"a subject too long to store":            {sign(t, hs256, with("sub", strings.Repeat("x", 201))), auth.ErrRefused},
		"no role":                                {sign(t, hs256, with("app_metadata", nil)), auth.ErrRefused},
		"a role that is none":                    {sign(t, hs256, with("app_metadata", map[string]any{"role": "owner"})), auth.ErrRefused},
		"sites that are no list":                 {sign(t, hs256, with("app_metadata", map[string]any{"role": "admin", "sites": "dogs"})), auth.ErrMalformed},
		"not three parts":                        {"a.b", auth.ErrMalformed},
		"not base64":                             {"%.%.%", auth.ErrMalformed},
		"nothing":                                {"", auth.ErrMalformed},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			p, err := reader(t).Principal(tc.token)
			require.ErrorIs(t, err, tc.err)
			require.Zero(t, p)
			require.Equal(t, tc.err.Error(), err.Error(), "nothing of the token or of what failed is told")
		})
	}
}

func TestReader_Principal_tellsOnlyTheOwnerThatATokenExpired(t *testing.T) {
	t.Parallel()

	old := with("exp", now.Add(-time.Hour).Unix())
	old["aud"] = "anon"
	_, err := reader(t).Principal(sign(t, hs256, old))
	require.ErrorIs(t, err, auth.ErrRefused)

	parts := strings.Split(sign(t, hs256, with("exp", now.Add(-time.Hour).Unix())), ".")
	_, err = reader(t).Principal(parts[0] + "." + parts[1] + ".AAAA")
	require.ErrorIs(t, err, auth.ErrRefused)
}

func TestNew_refusesAShortSecretWithoutShowingIt(t *testing.T) {
	t.Parallel()

	_, err := jwt.New("hunter2hunter2hunter2hunter2hun", time.Now) // 31 bytes
	require.ErrorContains(t, err, "JWT_SECRET is shorter than 32 bytes")
	require.NotContains(t, err.Error(), "hunter2")
	_, err = jwt.New("hunter2hunter2hunter2hunter2hunt", time.Now)
	require.NoError(t, err)
}

func FuzzReader_Principal_neverLetsAForgeryIn(f *testing.F) {
	good := sign(f, hs256, with("", 1))
	f.Add(good + "x")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if token == good {
			return
		}
		p, err := reader(t).Principal(token)
		require.Error(t, err)
		require.Zero(t, p)
	})
}

func signedBy(tb testing.TB, m gojwt.SigningMethod, key any) string {
	tb.Helper()
	s, err := gojwt.NewWithClaims(m, gojwt.MapClaims(with("", 1))).SignedString(key)
	require.NoError(tb, err)
	return s
}

func keyPair(tb testing.TB) *rsa.PrivateKey {
	tb.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(tb, err)
	return k
}
