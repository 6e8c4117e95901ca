package card

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// Width and Height are what networks show whole when an article is shared.
const (
	Width  = 1200
	Height = 630
)

const (
	margin   = 88
	textWide = 900 // leaves the shapes at the right in view
	barWide  = 96
	barHigh  = 8
	nameSize = 30
	nameBase = Height - 76 // the base line of the site's name
	leading  = 1.18        // of a line, in sizes
	mostRows = 5
)

// sizes are tried in turn, the largest first, until the title fits.
var sizes = []float64{76, 66, 58, 50}

// palette is what a site's cards have in common.
type palette struct{ ground, far, near, accent, text, quiet color.RGBA }

// paletteOf derives a site's colours from its name for itself, so that they
// never change and two sites seldom share them.
func paletteOf(seed string) palette {
	sum := sha256.Sum256([]byte(seed))
	hue := float64(binary.BigEndian.Uint32(sum[:]) % 360)
	return palette{
		ground: hsl(hue, .46, .16), far: hsl(hue+12, .44, .21), near: hsl(hue+24, .42, .27),
		accent: hsl(hue+150, .72, .66), text: color.RGBA{R: 255, G: 255, B: 255, A: 255}, quiet: hsl(hue, .25, .82),
	}
}

func hsl(hue, saturation, light float64) color.RGBA {
	c := (1 - math.Abs(2*light-1)) * saturation
	at := func(turn float64) uint8 {
		k := math.Mod(hue/60+turn, 6)
		part := math.Max(0, math.Min(1, math.Abs(k-3)-1))
		return uint8(math.Round(255 * (light - c/2 + c*part)))
	}
	return color.RGBA{R: at(0), G: at(4), B: at(2), A: 255}
}

// paint draws the card. Everything in lines and name has a glyph.
func paint(lines []string, size float64, name string, p palette) ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, Width, Height))
	draw.Draw(img, img.Bounds(), image.NewUniform(p.ground), image.Point{}, draw.Src)
	disc(img, Width-90, 90, 380, p.far)
	disc(img, Width+30, Height-70, 290, p.near)
	disc(img, Width-215, Height-118, 34, p.accent)

	row := size * leading
	high := row*float64(len(lines)-1) + size
	top := (float64(nameBase-nameSize) - 34 - high) / 2 // centred above the name
	top = math.Max(top, 60)
	rect(img, margin, int(top), barWide, barHigh, p.accent)
	bold := faceOf(boldFont, size)
	for i, line := range lines {
		write(img, bold, line, top+34+size*.8+row*float64(i), p.text)
	}
	write(img, faceOf(plainFont, nameSize), name, nameBase, p.quiet)

	var out bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, img)
	return out.Bytes(), err
}

func write(img draw.Image, face font.Face, text string, base float64, c color.Color) {
	d := font.Drawer{Dst: img, Src: image.NewUniform(c), Face: face, Dot: fixed.Point26_6{X: fixed.I(margin), Y: fixed.I(int(base))}}
	d.DrawString(text)
}

func rect(img draw.Image, x, y, w, h int, c color.Color) {
	draw.Draw(img, image.Rect(x, y, x+w, y+h), image.NewUniform(c), image.Point{}, draw.Src)
}

// disc fills a circle: four cubic curves are as round as the eye can tell.
func disc(img draw.Image, x, y, r float32, c color.Color) {
	const bend = .5522848
	z := vector.NewRasterizer(Width, Height)
	k := r * bend
	z.MoveTo(x+r, y)
	z.CubeTo(x+r, y+k, x+k, y+r, x, y+r)
	z.CubeTo(x-k, y+r, x-r, y+k, x-r, y)
	z.CubeTo(x-r, y-k, x-k, y-r, x, y-r)
	z.CubeTo(x+k, y-r, x+r, y-k, x+r, y)
	z.ClosePath()
	z.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{})
}

// wide is a text's width in pixels.
func wide(face font.Face, text string) float64 {
	return float64(font.MeasureString(face, text)) / 64
}

// drawable reports whether every rune of s has a glyph.
func drawable(f *sfnt.Font, s string) bool {
	var buf sfnt.Buffer
	for _, r := range s {
		if i, err := f.GlyphIndex(&buf, r); err != nil || i == 0 {
			return false
		}
	}
	return true
}
