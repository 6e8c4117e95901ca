// Package shingle estimates how much of two texts is word for word the same.
//
// A text's shingles are its runs of five words. Their sketch keeps, for each
// of 64 hash functions, the least hash of any shingle (MinHash): the share of
// equal places in two sketches estimates the share of equal shingles among all
// of both (Jaccard), with a standard error of 0.06 at worst. It needs no
// model, and a sketch is 512 bytes however long its text is.
package shingle

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"strings"

	"blogposter/lib/evidence"
)

const (
	width  = 5  // words in a shingle
	places = 64 // hash functions
)

// Same is the similarity from which two pages are one text in two places: a
// copy with another title, header and footer. Copies of whole articles in the
// corpus of scripts/rivals lie at 0.88 and above, all other pairs of its
// articles at 0.28 and below; the limit stands between them, nearer to the
// copies, because a merged article is lost to an editor and a doubled one is not.
const Same = 0.6

// Sketch returns the sketch of a text, nil for one of fewer than five words.
func Sketch(text string) []byte {
	words := evidence.Words(text)
	if len(words) < width {
		return nil
	}
	var least [places]uint64
	for i := range least {
		least[i] = math.MaxUint64
	}
	for i := range len(words) - width + 1 {
		h := fnv.New64a()
		_, _ = h.Write([]byte(strings.Join(words[i:i+width], " ")))
		sum := h.Sum64()
		for place := range least {
			least[place] = min(least[place], mix(sum+uint64(place+1)*0x9e3779b97f4a7c15))
		}
	}
	sketch := make([]byte, 0, places*8)
	for _, v := range least {
		sketch = binary.BigEndian.AppendUint64(sketch, v)
	}
	return sketch
}

// mix is the finalizer of SplitMix64: with another constant added, another
// hash function.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Similarity estimates the Jaccard similarity of the texts behind two
// sketches, 0 to 1. Without both sketches it is 0.
func Similarity(a, b []byte) float64 {
	if len(a) != places*8 || len(b) != places*8 {
		return 0
	}
	same := 0
	for i := 0; i < len(a); i += 8 {
		if binary.BigEndian.Uint64(a[i:]) == binary.BigEndian.Uint64(b[i:]) {
			same++
		}
	}
	return float64(same) / places
}
