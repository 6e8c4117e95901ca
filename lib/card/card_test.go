package card_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/card"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
)

var site = editorial.Site{Slug: "dogs", Name: "Working Dogs & the Law", URL: "https://dogs.example"}

const title = "Two Service Dog Questions a Business May Ask You"

func TestDraw_saysInItsAltTextWhatCanBeReadOnTheCard(t *testing.T) {
	t.Parallel()

	long := strings.TrimSpace(strings.Repeat("Every dog may ride along ", 20))
	tests := map[string]struct {
		site  editorial.Site
		title string
		alt   string
	}{
		"a title":                               {site, title, "Title card: " + title + ". Working Dogs & the Law"},
		"space and signs without a glyph":       {site, " Dogs\t🐕\u200d🦺 on\nTrains ", "Title card: Dogs on Trains. Working Dogs & the Law"},
		"Cyrillic and Greek":                    {editorial.Site{Slug: "a", Name: "Σκύλοι"}, "Собаки", "Title card: Собаки. Σκύλοι"},
		"letters the fonts lack":                {site, "Hunde 犬 in Japan", "Card with the name of the site: Working Dogs & the Law"},
		"no title":                              {site, " ", "Card with the name of the site: Working Dogs & the Law"},
		"a site whose name can't be drawn":      {editorial.Site{Slug: "a", Name: "庭", URL: "https://niwa.example:8080/x"}, "Gardens", "Title card: Gardens. niwa.example"},
		"a site with nothing else than a slug":  {editorial.Site{Slug: "niwa", Name: "庭"}, "庭", "Card with the name of the site: niwa"},
		"a name that is wider than the picture": {editorial.Site{Slug: "a", Name: strings.Repeat("wide ", 30)}, "T", "…"},
		"a title that is longer than the card":  {site, long, "Title card: Every dog may ride along Every"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			data, alt, err := card.Draw(tc.site, tc.title)
			require.NoError(t, err)
			require.Contains(t, alt, tc.alt)
			require.NotContains(t, alt, long)
			picture(t, data)
		})
	}
}

func TestDraw_keepsItsWordsOffTheEdges(t *testing.T) {
	t.Parallel()

	for name, text := range map[string]string{
		"words":                   title,
		"a word wider than a row": strings.Repeat("Wonderful", 12) + " ends",
		"far too many words":      strings.Repeat("Wonderful dogs ", 40),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			data, _, err := card.Draw(site, text)
			require.NoError(t, err)
			img := picture(t, data)
			ink := image.Rectangle{}
			for y := range card.Height {
				for x := range card.Width {
					if img.At(x, y) == (color.RGBA{R: 255, G: 255, B: 255, A: 255}) {
						ink = ink.Union(image.Rect(x, y, x+1, y+1))
					}
				}
			}
			require.False(t, ink.Empty())
			require.True(t, ink.In(image.Rect(80, 60, 1000, 500)), "the title stands in %v", ink)
		})
	}
}

func TestDraw_givesTheSameArticleTheSameBytesAndEachSiteItsColours(t *testing.T) {
	t.Parallel()

	first, _, err := card.Draw(site, title)
	require.NoError(t, err)
	again, _, err := card.Draw(site, title)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Less(t, len(first), 200_000, "a page loads it")

	other := site
	other.Slug = "garden"
	theirs, _, err := card.Draw(other, title)
	require.NoError(t, err)
	require.NotEqual(t, picture(t, first).At(5, 5), picture(t, theirs).At(5, 5))
	changed, _, err := card.Draw(site, title+"?")
	require.NoError(t, err)
	require.NotEqual(t, first, changed)
}

func picture(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 1200, 630), img.Bounds())
	return img
}

type shelf struct {
	kept map[string][]byte
	err  error
}

func (s shelf) Put(_ context.Context, data []byte) (string, error) {
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	if s.err == nil {
		s.kept[hash] = data
	}
	return hash, s.err
}

func TestMaker_Featured_keepsTheBytesItNames(t *testing.T) {
	t.Parallel()

	s := shelf{kept: map[string][]byte{}}
	d := editorial.Dossier{Site: site, Draft: &editorial.Draft{ID: 4, Title: title, Slug: "two-questions"}}
	m, err := card.New(s).Featured(t.Context(), pipeline.Lease{}, d)
	require.NoError(t, err)
	data := s.kept[m.Hash]
	picture(t, data)
	require.Equal(t, editorial.Media{
		Role: "featured", Hash: m.Hash, Type: "image/png", Width: 1200, Height: 630, Origin: "card",
		Alt: "Title card: " + title + ". Working Dogs & the Law", Name: "two-questions-" + m.Hash[:16] + ".png",
	}, m)

	again, err := card.New(s).Featured(t.Context(), pipeline.Lease{}, d)
	require.NoError(t, err)
	require.Equal(t, m, again)
	require.Len(t, s.kept, 1)

	down := errors.New("down")
	_, err = card.New(shelf{err: down}).Featured(t.Context(), pipeline.Lease{}, d)
	require.ErrorIs(t, err, down)
	d.Draft = nil
	_, err = card.New(s).Featured(t.Context(), pipeline.Lease{}, d)
	require.Equal(t, fault.KindPermanent, fault.KindOf(err))
}
