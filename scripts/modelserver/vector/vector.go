// Package vector is the offline model's sense of likeness: the mean of a
// text's GloVe word vectors, each weighted by how rare its word is. It knows
// English words, no order and no negation.
//
// All texts share a large common part: raw cosines of pages on one subject are
// 0.94 to 0.99, and those of unrelated texts are far above 0. Whoever compares
// vectors takes that part out of a corpus of their own and calibrates what is
// left; limits made for another model's vectors mean nothing here.
package vector

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"unicode"
)

// Dimensions is how long every vector is.
const Dimensions = 100

// magic begins a table's file; its last digit is the layout's version.
const magic = "GLOVE-I8-1\n"

// maxWord is the longest word of a table, in bytes: its length is one byte.
const maxWord = 255

// rarity is SIF's constant: a word more frequent than this counts for little.
const rarity = 1e-3

// Table holds word vectors in eight bits a number, the most frequent word
// first. It never changes, so it is safe for concurrent use.
type Table struct {
	rank   map[string]int
	scale  []float32 // of each word's row
	values []int8
}

// Row is one word and its vector of Dimensions numbers.
type Row struct {
	Word   string
	Vector []float32
}

// Open reads the table that Write made.
func Open(name string) (*Table, error) {
	raw, err := os.ReadFile(name) //nolint:gosec // G304: a flag of whoever starts the program
	if err != nil {
		return nil, err
	}
	t, err := read(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: make it again with scripts/stack/vectors.sh", name, err)
	}
	return t, nil
}

func read(raw []byte) (*Table, error) {
	rest, ok := bytes.CutPrefix(raw, []byte(magic))
	if !ok || len(rest) < 4 {
		return nil, errors.New("no table of word vectors")
	}
	count := int(binary.LittleEndian.Uint32(rest))
	rest = rest[4:]
	// A count is believed as far as the file can hold it.
	room := min(count, len(rest)/(1+4+Dimensions))
	t := &Table{rank: make(map[string]int, room), scale: make([]float32, 0, room), values: make([]int8, 0, room*Dimensions)}
	for len(rest) > 0 {
		n := int(rest[0])
		if len(rest) < 1+n+4+Dimensions {
			return nil, errors.New("the last word is cut off")
		}
		t.rank[string(rest[1:1+n])] = len(t.scale)
		rest = rest[1+n:]
		t.scale = append(t.scale, math.Float32frombits(binary.LittleEndian.Uint32(rest)))
		for _, v := range rest[4 : 4+Dimensions] {
			t.values = append(t.values, int8(v)) //nolint:gosec // G115: a byte that Write made of an int8
		}
		rest = rest[4+Dimensions:]
	}
	if len(t.scale) != count || len(t.rank) != count || count == 0 {
		return nil, fmt.Errorf("%d different words of %d", len(t.rank), count)
	}
	return t, nil
}

// Write writes rows, the most frequent word first, as a table.
func Write(w io.Writer, rows []Row) error {
	out := bufio.NewWriter(w)
	head := binary.LittleEndian.AppendUint32([]byte(magic), uint32(len(rows))) //nolint:gosec // G115: a dictionary
	_, err := out.Write(head)
	for _, r := range rows {
		if err != nil {
			return err
		}
		if len(r.Word) > maxWord || len(r.Vector) != Dimensions {
			return fmt.Errorf("word %.40q has %d bytes and %d numbers: at most %d and exactly %d fit", r.Word, len(r.Word), len(r.Vector), maxWord, Dimensions)
		}
		_, err = out.Write(r.encode())
	}
	return errors.Join(err, out.Flush())
}

func (r Row) encode() []byte {
	var most float32
	for _, x := range r.Vector {
		most = max(most, float32(math.Abs(float64(x))))
	}
	scale := most / math.MaxInt8
	b := append([]byte{byte(len(r.Word))}, r.Word...) //nolint:gosec // G115: at most maxWord
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(scale))
	for _, x := range r.Vector {
		var q int8
		if scale > 0 {
			q = int8(math.Round(float64(x / scale)))
		}
		b = append(b, byte(q))
	}
	return b
}

// Words is how many words the table has.
func (t *Table) Words() int { return len(t.scale) }

// Embed returns the vector of a text, of length one. The same text has the
// same vector always; one without a single known word gets a vector of its own
// that is like no other.
func (t *Table) Embed(text string) []float32 {
	sum := make([]float64, Dimensions)
	known := false
	for _, w := range words(text) {
		rank, ok := t.rank[w]
		if !ok {
			continue
		}
		known = true
		// Zipf's law, for a vocabulary of this size: the n-th word makes up
		// about 1/13n of a text. A little is added for the first few.
		frequency := 1 / (13 * float64(rank+3))
		weight := rarity / (rarity + frequency) * float64(t.scale[rank])
		for i, v := range t.values[rank*Dimensions : (rank+1)*Dimensions] {
			sum[i] += weight * float64(v)
		}
	}
	if v, ok := unit(sum); known && ok {
		return v
	}
	return stranger(text)
}

// words splits a text as the table's makers did, as far as it matters.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

// stranger is a direction made from the text's hash.
func stranger(text string) []float32 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))               // it never fails
	rng := rand.New(rand.NewPCG(h.Sum64(), 1)) //nolint:gosec // G404: it must be the same each time
	v := make([]float64, Dimensions)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	out, _ := unit(v)
	return out
}

func unit(v []float64) ([]float32, bool) {
	var squares float64
	for _, x := range v {
		squares += x * x
	}
	length := math.Sqrt(squares)
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x / length)
	}
	return out, length > 1e-9
}
