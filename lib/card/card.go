// Package card draws an article's featured image: its title and its site's name
// on the site's colours. It needs no network, and the same article always
// gets the same bytes from the same release.
package card

import (
	"context"
	"fmt"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
)

// Origin is what the Media of a card names as its maker.
const Origin = "card"

// Artifacts keeps blobs by the SHA-256 of their bytes, in lower-case hex.
type Artifacts interface {
	Put(ctx context.Context, data []byte) (string, error)
}

// Maker makes featured images.
type Maker struct{ artifacts Artifacts }

// New returns a Maker that keeps its pictures in artifacts.
func New(artifacts Artifacts) *Maker { return &Maker{artifacts: artifacts} }

// Featured draws the card of the Dossier's Draft and keeps its bytes. It is
// safe to repeat.
func (m *Maker) Featured(ctx context.Context, _ pipeline.Lease, d editorial.Dossier) (editorial.Media, error) {
	if d.Draft == nil {
		return editorial.Media{}, fault.Permanent(fmt.Errorf("card of run %d: it has no draft", d.Brief.RunID))
	}
	data, alt, err := Draw(d.Site, d.Draft.Title)
	if err != nil {
		return editorial.Media{}, fault.Permanent(fmt.Errorf("card of draft %d: %w", d.Draft.ID, err))
	}
	hash, err := m.artifacts.Put(ctx, data)
	if err != nil {
		return editorial.Media{}, fmt.Errorf("card of draft %d: %w", d.Draft.ID, err)
	}
	return editorial.Media{
		Role: "featured", Hash: hash, Type: "image/png", Width: Width, Height: Height,
		Alt: alt, Name: fmt.Sprintf("%s-%.16s.png", d.Draft.Slug, hash), Origin: Origin,
	}, nil
}

// Draw is the PNG of a title's card and its alternative text: the words that
// can be read on it. A title in letters that the fonts lack is not drawn; the
// card then shows the site's name alone.
func Draw(site editorial.Site, title string) (data []byte, alt string, err error) {
	name := nameOf(site)
	colours := paletteOf(site.Slug)
	words, ok := readable(boldFont, title)
	if !ok {
		lines, size := fit(name)
		data, err = paint(lines, size, "", colours)
		return data, "Card with the name of the site: " + joined(lines, name), err
	}
	lines, size := fit(words)
	data, err = paint(lines, size, name, colours)
	return data, fmt.Sprintf("Title card: %s. %s", joined(lines, words), name), err
}

// joined is what can be read in the lines: the title, or as much of it as
// there was room for.
func joined(lines []string, title string) string {
	last := lines[len(lines)-1]
	if n := len("…"); len(last) < n || last[len(last)-n:] != "…" {
		return title
	}
	read := ""
	for _, l := range lines {
		if read != "" {
			read += " "
		}
		read += l
	}
	return read
}
