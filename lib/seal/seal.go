// Package seal keeps a site's secrets unreadable without the key: what lies in
// the database is AES-256-GCM, and the key is a setting of the functions that
// open it, never a row.
//
// A sealed value is bound to its site and its name: copied to another row, it
// doesn't open. No error here carries a key or a value.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"blogposter/lib/editorial"
)

// Variable is the setting that holds the keys, and How says where to get one.
const (
	Variable = "FIELD_ENCRYPTION_KEY"
	How      = "an id and a key, such as k1:KEY, where KEY comes from `openssl rand -base64 32`"
)

const (
	keyBytes = 32
	// version begins every sealed value, so that another form can follow.
	version = 1
)

// Why a value doesn't open.
var (
	// ErrKey means that the value was sealed with a key that is not among ours.
	ErrKey = errors.New("the key that sealed it is not among " + Variable)
	// ErrRefused means that the value was changed, belongs to another site or
	// name, or was sealed with another key of the same id.
	ErrRefused = errors.New("it was changed, moved from another site or name, or its key was replaced under the same id")
)

// Keys seal with the first of them and open with any, so that a key can be
// replaced: put the new one first, seal everything again, drop the old one.
type Keys struct {
	first string
	byID  map[string]cipher.AEAD
}

var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)

// Parse reads "id:base64", or several of them with commas between, the one
// that seals first. Each fault of the list is reported.
func Parse(list string) (*Keys, error) {
	k := &Keys{byID: map[string]cipher.AEAD{}}
	if strings.TrimSpace(list) == "" {
		return nil, fmt.Errorf("%s is not set: %s", Variable, How)
	}
	var errs []error
	for i, entry := range strings.Split(list, ",") {
		id, text, ok := strings.Cut(strings.TrimSpace(entry), ":")
		if !ok || !idForm.MatchString(id) { // not repeated: it may be the key itself
			errs = append(errs, fmt.Errorf("%s: entry %d is not id:key: use %s", Variable, i+1, How))
			continue
		}
		if k.byID[id] != nil {
			errs = append(errs, fmt.Errorf("%s: the id %q stands twice: give each key an id of its own", Variable, id))
			continue
		}
		box, err := newBox(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: key %q %w: make one with `openssl rand -base64 32`", Variable, id, err))
			continue
		}
		k.byID[id] = box
		if k.first == "" {
			k.first = id
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return k, nil
}

// NewKey returns a new key with this id, as Parse reads it.
func NewKey(id string) string {
	raw := make([]byte, keyBytes)
	_, _ = rand.Read(raw) // never fails
	return id + ":" + base64.StdEncoding.EncodeToString(raw)
}

func newBox(text string) (cipher.AEAD, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("is not base64") // err shows where, and with it how long the key is
	}
	if len(raw) != keyBytes {
		return nil, fmt.Errorf("has %d bytes, not %d", len(raw), keyBytes)
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// First is the id of the key that seals.
func (k *Keys) First() string { return k.first }

// Seal makes secret unreadable. Sealing the same secret again gives other
// bytes.
func (k *Keys) Seal(site, name, secret string) editorial.Sealed {
	box := k.byID[k.first]
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return editorial.Sealed{KeyID: k.first, Bytes: box.Seal(append([]byte{version}, nonce...), nonce, []byte(secret), bound(site, name))}
}

// Open returns the secret that was sealed for this site and name; ErrKey or
// ErrRefused when it can't.
func (k *Keys) Open(site, name string, s editorial.Sealed) (string, error) {
	box := k.byID[s.KeyID]
	if box == nil {
		return "", fmt.Errorf("open %s of %s, sealed with key %q: %w", name, site, s.KeyID, ErrKey)
	}
	head := 1 + box.NonceSize()
	if len(s.Bytes) < head+box.Overhead() || s.Bytes[0] != version {
		return "", fmt.Errorf("open %s of %s: %w", name, site, ErrRefused)
	}
	secret, err := box.Open(nil, s.Bytes[1:head], s.Bytes[head:], bound(site, name))
	if err != nil {
		return "", fmt.Errorf("open %s of %s: %w", name, site, ErrRefused)
	}
	return string(secret), nil
}

// bound is what a sealed value is tied to. The lengths keep "ab"+"c" apart
// from "a"+"bc".
func bound(site, name string) []byte {
	return fmt.Appendf([]byte{version}, "%d:%s%d:%s", len(site), site, len(name), name)
}
