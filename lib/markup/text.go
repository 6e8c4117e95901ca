package markup

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"blogposter/lib/editorial"
)

var (
	htmlSpecial = strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;",
		// WordPress runs shortcodes over the text of a post.
		"[", "&#91;", "]", "&#93;",
	)
	// WordPress turns :-) and its kin into pictures when they begin a word.
	smiley = regexp.MustCompile(`(^| )([:;8])([^\s\w]|[A-Za-z]\b|mrgreen|[a-z]+:)`)
)

// Clean is the text as it will be read: one space between words, no control
// characters, nothing that turns the direction of reading round.
func Clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0xFEFF, r >= 0xFFFE && r <= 0xFFFF:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// Escape makes plain text safe in a post's title, excerpt or content: it is
// shown as it is, and nothing in it is HTML, a shortcode or an embed.
func Escape(s string) string {
	s = htmlSpecial.Replace(Clean(s))
	// WordPress turns an address that stands alone into an embed; its own
	// editor writes the slashes this way to prevent it.
	s = strings.ReplaceAll(s, "://", ":&#47;&#47;")
	return smiley.ReplaceAllStringFunc(s, func(m string) string {
		i := strings.IndexAny(m, ":;8")
		return m[:i] + map[byte]string{':': "&#58;", ';': "&#59;", '8': "&#56;"}[m[i]] + m[i+1:]
	})
}

// link is an anchor element, or the plain text where the address is none that
// a reader should follow.
func link(address, text string) string {
	href, ok := href(address)
	if !ok {
		return Escape(text)
	}
	return `<a href="` + href + `">` + Escape(text) + `</a>`
}

// href is the address as an attribute's value, or false where webURL says so.
func href(address string) (string, bool) {
	s, ok := webURL(address)
	return htmlSpecial.Replace(s), ok
}

// webURL is the address if a reader may be sent there: only the web is.
func webURL(address string) (string, bool) {
	u, err := url.Parse(Clean(address))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	// Quotes would end the attribute; brackets are legal in an address, and the
	// beginning of a shortcode.
	return strings.NewReplacer("[", "%5B", "]", "%5D", "'", "%27", `"`, "%22").Replace(u.String()), true
}

// sentences is an Item's text, with the numbers of its sources behind each
// sentence.
func sentences(item editorial.Item, src SourceList, at string) string {
	parts := make([]string, len(item.Sentences))
	for n, s := range item.Sentences {
		parts[n] = Escape(s.Text) + cites(src.For(sentencePlace(at, n), s))
	}
	return strings.Join(parts, " ")
}
