// Package jwt reads the JSON Web Tokens that Supabase signs: HS256, for the
// audience "authenticated", with role and sites in app_metadata, which only
// the project's own service role can write. user_metadata is the user's to
// edit and is never looked at.
package jwt

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"blogposter/lib/auth"
)

// leeway is how far the signer's clock may be from ours.
const leeway = 30 * time.Second

// minSecret is the length below which HS256 can be broken offline by who has
// a single token.
const minSecret = 32

// Reader checks tokens against one secret.
type Reader struct {
	secret []byte
	parser *jwt.Parser
}

// New returns a Reader, or an error when secret is too short to protect
// anything. now is time.Now in production.
func New(secret string, now func() time.Time) (*Reader, error) {
	if len(secret) < minSecret {
		return nil, fmt.Errorf("JWT_SECRET is shorter than %d bytes: use the project's JWT secret, or `openssl rand -hex 32`", minSecret)
	}
	return &Reader{secret: []byte(secret), parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithAudience("authenticated"),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithStrictDecoding(), // one spelling for each signature
		jwt.WithTimeFunc(now),
	)}, nil
}

type claims struct {
	jwt.RegisteredClaims
	Email string `json:"email"`
	App   struct {
		Role  auth.Role `json:"role"`
		Sites []string  `json:"sites"`
	} `json:"app_metadata"`
}

// Principal returns who the token was signed for. Its error is one of
// auth's: what exactly was wrong is not told.
func (r *Reader) Principal(token string) (auth.Principal, error) {
	if strings.Count(token, ".") != 2 {
		return auth.Principal{}, auth.ErrMalformed
	}
	var c claims
	_, err := r.parser.ParseWithClaims(token, &c, r.key)
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return auth.Principal{}, auth.ErrMalformed
	case onlyExpired(err):
		return auth.Principal{}, auth.ErrExpired
	case err != nil, c.Subject == "", len(c.Subject) > 200, !c.App.Role.Valid():
		return auth.Principal{}, auth.ErrRefused
	}
	p := auth.Principal{Subject: c.Subject, Name: c.Email, Role: c.App.Role, Sites: c.App.Sites}
	if p.Name == "" {
		p.Name = c.Subject
	}
	return p, nil
}

// key hands out the secret, unless the token demands an extension that this
// reader doesn't understand (RFC 7515 section 4.1.11).
func (r *Reader) key(t *jwt.Token) (any, error) {
	if _, ok := t.Header["crit"]; ok {
		return nil, errors.New("critical extensions are not understood")
	}
	return r.secret, nil
}

// onlyExpired reports whether a token whose signature held failed by its age
// alone: only its owner gets to hear that.
func onlyExpired(err error) bool {
	if !errors.Is(err, jwt.ErrTokenExpired) {
		return false
	}
	for _, other := range []error{
		jwt.ErrTokenInvalidAudience, jwt.ErrTokenUsedBeforeIssued, jwt.ErrTokenNotValidYet,
		jwt.ErrTokenSignatureInvalid, jwt.ErrTokenUnverifiable,
	} {
		if errors.Is(err, other) {
			return false
		}
	}
	return true
}
