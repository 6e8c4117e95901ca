package topic

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/nearness"
)

const (
	// mostBytes is how much of a text counts, from its beginning. No tokenizer
	// makes more than a token of a byte, so it is never more than the 8,191
	// tokens that a model reads: a page of strange signs is no error.
	mostBytes = 8000
	// chunk is how many texts are embedded before their vectors are saved, so
	// that an attempt that is cut off loses little.
	chunk = 192
	// fetchAtOnce is how many texts are fetched at a time.
	fetchAtOnce = 8
)

// text is what is to be compared: known by the hash of all of it, and read
// only when no vector of it is kept.
type text struct {
	hash string
	read func(ctx context.Context) (string, error)
}

// said is a text that is at hand.
func said(s string) text {
	sum := sha256.Sum256([]byte(s))
	return text{hash: hex.EncodeToString(sum[:]), read: func(context.Context) (string, error) { return s, nil }}
}

// stored is a text of the artifact store.
func (j *job) stored(hash string) text {
	return text{hash: hash, read: func(ctx context.Context) (string, error) {
		raw, err := j.rooms.Texts.Get(ctx, hash)
		return string(raw), err
	}}
}

// vectors returns the vectors of texts by their hash. Only texts without a
// kept vector are read and embedded. One that is blank, or was lost, is not
// among what is returned.
func (j *job) vectors(ctx context.Context, texts []text) (map[string]nearness.Vector, error) {
	hashes := make([]string, len(texts))
	for i, t := range texts {
		hashes[i] = t.hash
	}
	kept, err := j.rooms.Store.Vectors(ctx, j.lease, j.model, hashes)
	if err != nil {
		return nil, err
	}
	var missing []text
	seen := map[string]bool{}
	for _, t := range texts {
		if kept[t.hash] == nil && !seen[t.hash] {
			missing, seen[t.hash] = append(missing, t), true
		}
	}
	for len(missing) > 0 {
		n := min(chunk, len(missing))
		made, err := j.embed(ctx, missing[:n])
		if err != nil {
			return nil, err
		}
		for hash, v := range made {
			kept[hash] = v
		}
		missing = missing[n:]
	}
	out := make(map[string]nearness.Vector, len(kept))
	for hash, values := range kept {
		if out[hash], err = nearness.New(j.model, values); err != nil {
			return nil, fault.Permanent(fmt.Errorf("text %s: %w", hash, err))
		}
	}
	return out, nil
}

// embed makes and keeps the vectors of some texts. The step is named after the
// first one, so that what an attempt before has saved doesn't rename the rest.
func (j *job) embed(ctx context.Context, missing []text) (map[string][]float32, error) {
	contents := make([]string, len(missing))
	err := journal.Each(ctx, len(missing), fetchAtOnce, func(i int) error {
		content, err := missing[i].read(ctx)
		if fault.KindOf(err) == fault.KindPermanent {
			return nil // it will never be there: the other pages don't wait for it
		}
		contents[i] = beginning(content)
		return err
	})
	if err != nil {
		return nil, err
	}
	var hashes, texts []string
	for i, c := range contents {
		if c != "" {
			hashes, texts = append(hashes, missing[i].hash), append(texts, c)
		}
	}
	if len(texts) == 0 {
		return nil, nil
	}
	vectors, err := j.rooms.Embedder.Embed(ctx, j.lease, "embed:"+hashes[0][:16], j.model, texts)
	if err != nil {
		return nil, err
	}
	made := make(map[string][]float32, len(hashes))
	for i, hash := range hashes {
		made[hash] = vectors[i]
	}
	return made, j.rooms.Store.SaveVectors(ctx, j.lease, j.model, made)
}

// beginning is the part of a text that counts, cut between two words where it
// has any.
func beginning(s string) string {
	s = strings.TrimSpace(strings.ToValidUTF8(s, ""))
	if len(s) <= mostBytes {
		return s
	}
	cut := mostBytes
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	if space := strings.LastIndexAny(s[:cut], " \n\t"); space > mostBytes/2 {
		cut = space
	}
	return strings.TrimSpace(s[:cut])
}
