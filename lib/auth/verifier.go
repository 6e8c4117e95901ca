package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Why a caller is not let in. That is all a caller is told: which check a
// token failed helps who forges one.
var (
	ErrMissing   = errors.New("no credentials were sent")
	ErrMalformed = errors.New("the credentials are not a bearer token")
	ErrExpired   = errors.New("the token has expired")
	ErrRefused   = errors.New("the token is not accepted")
)

// maxToken is more than a token with many sites takes, and little enough to
// hash and parse for anyone who asks.
const maxToken = 8 << 10

// Key is an API key as it is stored: without its secret.
type Key struct {
	ID   int64
	Name string
	Role Role
	Site string
}

// Keys finds API keys. PrincipalKey looks one up by the lower-case hex
// SHA-256 of the whole key; unknown, expired and revoked ones are not found
// alike. The look-up needs no constant time: what is compared is the hash of
// 256 random bits, of which a caller can neither choose nor guess a prefix.
type Keys interface {
	PrincipalKey(ctx context.Context, hash string) (k Key, found bool, err error)
}

// Tokens reads a signed token. Its errors wrap one of this room's.
type Tokens interface {
	Principal(token string) (Principal, error)
}

// Verifier turns what a caller sends into a Principal.
type Verifier struct {
	tokens Tokens
	keys   Keys
}

// NewVerifier returns a Verifier of signed tokens and API keys.
func NewVerifier(tokens Tokens, keys Keys) *Verifier {
	return &Verifier{tokens: tokens, keys: keys}
}

// Verify returns who sent the Authorization header's values. Its error is one
// of this room's four, or the key store's when that could not answer.
func (v *Verifier) Verify(ctx context.Context, authorization []string) (Principal, error) {
	token, err := bearer(authorization)
	if err != nil {
		return Principal{}, err
	}
	if strings.HasPrefix(token, keyPrefix) {
		return v.byKey(ctx, token)
	}
	return v.tokens.Principal(token)
}

// bearer takes the token out of the header. Two headers are refused: which of
// them counts would be a matter of who reads them.
func bearer(values []string) (string, error) {
	if len(values) == 0 || len(values) == 1 && strings.TrimSpace(values[0]) == "" {
		return "", ErrMissing
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.Trim(token, " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "bearer") || token == "" || len(token) > maxToken {
		return "", ErrMalformed
	}
	return token, nil
}

func (v *Verifier) byKey(ctx context.Context, token string) (Principal, error) {
	if !keyShape.MatchString(token) {
		return Principal{}, ErrMalformed
	}
	k, found, err := v.keys.PrincipalKey(ctx, HashKey(token))
	if err != nil {
		return Principal{}, fmt.Errorf("look up api key: %w", err)
	}
	if !found || !k.Role.Valid() {
		return Principal{}, ErrRefused
	}
	return Principal{Subject: fmt.Sprintf("key:%d", k.ID), Name: k.Name, Role: k.Role, Sites: []string{k.Site}}, nil
}

const keyPrefix = "bp_"

// keyShape is bp_<id>_<secret>: 40 bits to tell keys apart by, in lists and
// by secret scanners, and 256 that are the secret.
var keyShape = regexp.MustCompile(`^bp_[0-9a-f]{10}_[0-9a-f]{64}$`)

// NewKey returns a fresh API key, to be shown once, and the hash to store.
func NewKey() (key, hash string) {
	var b [37]byte
	_, _ = rand.Read(b[:]) // never fails, by its contract
	key = keyPrefix + hex.EncodeToString(b[:5]) + "_" + hex.EncodeToString(b[5:])
	return key, HashKey(key)
}

// HashKey is what is stored of an API key. The secret is 256 random bits, so
// a plain hash is enough: there is no dictionary to try.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
