package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"blogposter/lib/editorial"
)

// Locate finds quote in text and returns the range of the text's own bytes,
// so that text[start:end] is what gets stored. White space may differ in kind
// and amount, quotation marks and dashes may be straight or typographic;
// every other character must be the same. A quote begins and ends at the
// border of a word or number: "able to" is not found in "unable to", nor
// "500" in "1,500".
func Locate(text, quote string) (start, end int, ok bool) {
	q, _ := fold(strings.TrimFunc(quote, blank))
	if q == "" || !utf8.ValidString(quote) {
		return 0, 0, false
	}
	t, at := fold(text)
	for from := 0; ; {
		i := strings.Index(t[from:], q)
		if i < 0 {
			return 0, 0, false
		}
		i += from
		start, end = at[i].start, at[i+len(q)-1].end
		if !within(text, start) && !within(text, end) {
			return start, end, true
		}
		_, size := utf8.DecodeRuneInString(t[i:])
		from = i + size
	}
}

// origin is the range a byte of a folded text came from.
type origin struct{ start, end int }

// fold reduces text to what Locate compares: runs of white space become one
// space, quotation marks and dashes the straight ones. at holds, for every
// byte of the result, the character it came from.
func fold(text string) (folded string, at []origin) {
	var b strings.Builder
	at = make([]origin, 0, len(text))
	space := false
	for i, size := 0, 0; i < len(text); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(text[i:])
		if r == '\u200b' || r == '\ufeff' { // no width: not even a space
			continue
		}
		if unicode.IsSpace(r) {
			if !space {
				b.WriteByte(' ')
				at = append(at, origin{i, i + size})
			}
			space = true
			continue
		}
		space = false
		straight := text[i : i+size]
		if s, ok := straightened[r]; ok {
			straight = s
		}
		b.WriteString(straight)
		for range len(straight) {
			at = append(at, origin{i, i + size})
		}
	}
	return b.String(), at
}

var straightened = map[rune]string{
	'‘': "'", '’': "'", '‚': "'", '‛': "'", '′': "'", '`': "'", '´': "'",
	'“': `"`, '”': `"`, '„': `"`, '‟': `"`, '″': `"`, '«': `"`, '»': `"`,
	'‐': "-", '‑': "-", '‒': "-", '–': "-", '—': "-", '―': "-", '−': "-",
}

func blank(r rune) bool { return unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' }

// within reports whether byte i lies inside a word or a number. An apostrophe
// and a hyphen belong to their word, lest "can" be found in "can't" and
// "profit" in "non-profit".
func within(text string, i int) bool {
	if i == 0 || i == len(text) {
		return false
	}
	before, size := utf8.DecodeLastRuneInString(text[:i])
	after, width := utf8.DecodeRuneInString(text[i:])
	if wordRune(before) && wordRune(after) {
		return true
	}
	farther, _ := utf8.DecodeLastRuneInString(text[:i-size])
	beyond, _ := utf8.DecodeRuneInString(text[i+width:])
	return joins(farther, before, after) || joins(before, after, beyond)
}

// joins reports whether mark makes one word or number of what stands around
// it, as in "don't", "1,500" and "35.136".
func joins(left, mark, right rune) bool {
	if strings.ContainsRune("'’-‐‑", mark) {
		return wordRune(left) && wordRune(right)
	}
	return strings.ContainsRune(".,:/", mark) && unicode.IsDigit(left) && unicode.IsDigit(right)
}

func wordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// Widen grows a range to whole sentences, so that no quote hides the "not" in
// front of it. Marks of lists stay outside, unless the range began with one.
func Widen(text string, start, end int) (from, to int) {
	from, to = start, end
	for _, s := range Sentences(text) {
		if s.Start < end && start < s.End {
			from, to = min(from, s.Start), max(to, s.End)
		}
	}
	return from, to
}

// Hash is the name of a text in the artifact store: its SHA-256 in lower-case
// hex.
func Hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Verify reports whether c is a true citation of text, without asking anyone:
// the text is the one that was cited, and the quote stands where c says.
func Verify(text []byte, c editorial.Citation) error {
	if got := Hash(text); got != c.TextHash {
		return fmt.Errorf("citation of %s: the text's SHA-256 is %s, cited was %s", c.URL, got, c.TextHash)
	}
	if c.Start < 0 || c.Start >= c.End || c.End > len(text) {
		return fmt.Errorf("citation of %s: range %d-%d is not within its %d bytes", c.URL, c.Start, c.End, len(text))
	}
	if got := string(text[c.Start:c.End]); got != c.Quote {
		return fmt.Errorf("citation of %s: bytes %d-%d are %q, quoted was %q", c.URL, c.Start, c.End, got, c.Quote)
	}
	if !utf8.ValidString(c.Quote) {
		return fmt.Errorf("citation of %s: range %d-%d cuts a character", c.URL, c.Start, c.End)
	}
	return nil
}
