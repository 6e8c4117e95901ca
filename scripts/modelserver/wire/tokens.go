package wire

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The estimate. Older tokenizers make about one token of 4.2 characters of
// English prose; the provider's pages say that the one of the 5.5 models makes
// about 30 % more, and that a million tokens are roughly 555,000 words (750,000
// before). A piece below stands for one token of the older kind.
const (
	pieceRunes = 7 // letters of a word in one piece; longer words take more
	digitRunes = 3
	moreNum    = 13 // the newer tokenizer, in tenths
	moreDen    = 10
)

// Tokens estimates how many tokens a 5.5 model makes of text. It is never more
// than the bytes of text, as with any byte-level tokenizer.
func Tokens(text string) int { return weigh(pieces(text), len(text)) }

// Cut returns the longest prefix of text of at most limit tokens that does not
// split a piece, and whether anything is missing.
func Cut(text string, limit int) (string, bool) { return cut(text, limit, weigh) }

func cut(text string, limit int, weigh func(pieces, bytes int) int) (string, bool) {
	end := 0
	for pieces := 1; end < len(text); pieces++ {
		next := end + piece(text[end:])
		if weigh(pieces, next) > limit {
			return text[:end], true
		}
		end = next
	}
	return text, false
}

// pieces is also the estimate for OpenAI's models, whose tokenizer is of the
// older kind: it needs no weight.
func pieces(text string) int {
	n := 0
	for rest := text; rest != ""; n++ {
		rest = rest[piece(rest):]
	}
	return n
}

func unweighed(pieces, _ int) int { return pieces }

func weigh(pieces, bytes int) int {
	return min((pieces*moreNum+moreDen-1)/moreDen, bytes)
}

// piece is the length in bytes of the first piece of a text that isn't empty:
// one space and up to seven letters or three digits, or a run of one sign.
func piece(text string) int {
	n := 0
	if text[0] == ' ' && len(text) > 1 {
		n = 1
	}
	first, size := utf8.DecodeRuneInString(text[n:])
	same, most := func(r rune) bool { return r == first }, 4
	switch {
	case first < utf8.RuneSelf && unicode.IsLetter(first), unicode.Is(unicode.Latin, first):
		same, most = func(r rune) bool { return unicode.Is(unicode.Latin, r) }, pieceRunes
	case unicode.IsDigit(first):
		same, most = unicode.IsDigit, digitRunes
	case first >= utf8.RuneSelf:
		return n + size // a token to itself, in other scripts and for signs
	case strings.ContainsRune("\n\t\r ", first):
		most = 16 // indentation is cheap
	}
	for count := 0; count < most && n < len(text); count++ {
		r, size := utf8.DecodeRuneInString(text[n:])
		if !same(r) {
			break
		}
		n += size
	}
	return n
}
