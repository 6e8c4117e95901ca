// Package calibrate measures what a model's vectors say of texts whose
// nearness is known, and chooses the limits of lib/nearness by it.
package calibrate

import (
	_ "embed"
	"fmt"
	"io/fs"
	"strings"

	"blogposter/scripts/rivals"
)

//go:embed labels.txt
var labels string

// Part is what a subject's pages are used for.
type Part string

// The parts of the corpus. They share no page and no subject.
const (
	Fit     Part = "fit"      // chooses the limits
	HeldOut Part = "held-out" // judges them
)

// Text is one labelled text.
type Text struct {
	Part    Part
	Set     string // "pages" or "rivals": only texts of one set are compared
	Subject string
	Page    string // texts of one page and one Variant say the same
	Variant string // which half of the page it is, "" for the whole
	Copy    bool   // it says the same as another one in other words, or shorter
	Content string
}

// Corpus reads the labelled texts; root is the repository. Every page is there
// whole, in two halves, and once more with a quarter of its sentences left out.
func Corpus(root fs.FS) ([]Text, error) {
	written := map[string][]rivals.Page{}
	for _, p := range rivals.Corpus() {
		written[p.Subject] = append(written[p.Subject], p)
	}
	var out []Text
	for line := range strings.Lines(labels) {
		texts, err := read(root, line, written)
		if err != nil {
			return nil, fmt.Errorf("labels.txt: %w", err)
		}
		out = append(out, texts...)
	}
	return out, nil
}

// read returns the texts of one line of labels.txt.
func read(root fs.FS, line string, written map[string][]rivals.Page) ([]Text, error) {
	line, _, _ = strings.Cut(line, "#")
	words := strings.Fields(line)
	if len(words) == 0 {
		return nil, nil
	}
	if len(words) < 2 || Part(words[0]) != Fit && Part(words[0]) != HeldOut {
		return nil, fmt.Errorf("%q: a line is fit or held-out, a subject, and its pages", strings.TrimSpace(line))
	}
	base := Text{Part: Part(words[0]), Subject: words[1], Set: "pages"}
	if len(words) == 2 {
		return articles(base, written[base.Subject])
	}
	var out []Text
	for _, name := range words[2:] {
		raw, err := fs.ReadFile(root, name)
		if err != nil {
			return nil, err
		}
		text := string(raw)
		if _, below, found := strings.Cut(text, "Markdown Content:\n"); found { // what stands above is the reader's
			text = below
		}
		base.Page = name
		out = append(out, variants(base, text)...)
	}
	return out, nil
}

// articles are the competitors' pages on a subject, reprints as copies.
func articles(base Text, pages []rivals.Page) ([]Text, error) {
	if len(pages) == 0 {
		return nil, fmt.Errorf("nobody in scripts/rivals writes on %q", base.Subject)
	}
	var out []Text
	base.Set = "rivals"
	for _, p := range pages {
		base.Page = p.Key()
		if p.CopyOf == "" {
			out = append(out, variants(base, p.Text())...)
			continue
		}
		t := base
		t.Page, t.Copy, t.Content = p.CopyOf, true, p.Text()
		out = append(out, t)
	}
	return out, nil
}

// variants are the whole text, its halves, and a shortened copy of it.
func variants(base Text, text string) []Text {
	var halves [2][]string
	for i, paragraph := range strings.Split(text, "\n\n") {
		halves[i/2%2] = append(halves[i/2%2], paragraph) // two at a time: a heading stays with its text
	}
	var kept []string
	for i, sentence := range strings.SplitAfter(text, ". ") {
		if i%4 != 3 {
			kept = append(kept, sentence)
		}
	}
	whole, first, second, copied := base, base, base, base
	whole.Content = text
	first.Variant, first.Content = "first", strings.Join(halves[0], "\n\n")
	second.Variant, second.Content = "second", strings.Join(halves[1], "\n\n")
	copied.Copy, copied.Content = true, strings.Join(kept, "")
	return []Text{whole, first, second, copied}
}
