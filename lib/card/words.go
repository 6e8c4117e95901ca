package card

import (
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"

	"blogposter/lib/editorial"
)

var (
	boldFont  = parsed(gobold.TTF)
	plainFont = parsed(goregular.TTF)
)

func parsed(ttf []byte) *sfnt.Font {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic("card: the fonts that are built in: " + err.Error())
	}
	return f
}

// readable is s in what the fonts can draw: signs they lack, such as emoji, are
// left out. It is false when letters would be missing: half a title would say
// something else.
func readable(f *sfnt.Font, s string) (string, bool) {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case drawable(f, string(r)) && !unicode.IsControl(r):
			return r
		case unicode.IsLetter(r), unicode.IsMark(r) && !unicode.Is(unicode.Variation_Selector, r), unicode.IsNumber(r):
			return lacking
		}
		return -1
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	return s, s != "" && !strings.ContainsRune(s, lacking)
}

const lacking = '\uFFFF'

// nameOf is what stands below the title: the site's name, or its host where
// the fonts can't draw the name.
func nameOf(s editorial.Site) string {
	if name, ok := readable(plainFont, s.Name); ok {
		return shortened(name, plainFont, nameSize)
	}
	if u, err := url.Parse(s.URL); err == nil && u.Host != "" {
		if host, ok := readable(plainFont, u.Hostname()); ok {
			return shortened(host, plainFont, nameSize)
		}
	}
	return s.Slug
}

// shortened cuts a line that is too wide, and says so.
func shortened(line string, f *sfnt.Font, size float64) string {
	face := faceOf(f, size)
	for runes := []rune(line); wide(face, line) > textWide; line = string(runes) + "…" {
		runes = runes[:len(runes)-1]
	}
	return line
}

func faceOf(f *sfnt.Font, size float64) font.Face {
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic("card: a face of a font that is built in: " + err.Error())
	}
	return face
}

// fit breaks the title into lines at the largest size at which it fits.
func fit(title string) ([]string, float64) {
	for i, size := range sizes {
		lines := wrap(title, faceOf(boldFont, size))
		most := min(mostRows, 3+i)
		if len(lines) <= most {
			return lines, size
		}
		if i == len(sizes)-1 {
			lines = lines[:most]
			lines[most-1] = shortened(lines[most-1]+" …", boldFont, size)
			return lines, size
		}
	}
	return nil, 0 // sizes is never empty
}

// wrap breaks a text between words, and a word that is wider than a line
// within it.
func wrap(text string, face font.Face) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && wide(face, line+" "+word) <= textWide {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		line = ""
		for _, r := range word {
			if wide(face, line+string(r)+"-") > textWide {
				lines = append(lines, line+"-")
				line = ""
			}
			line += string(r)
		}
	}
	return append(lines, line)
}
