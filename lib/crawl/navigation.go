package crawl

import (
	"strings"
)

// menu reports whether lines are navigation: hardly anything but links, and
// too short to be sentences. A list of linked sentences is text.
func menu(lines []line) bool {
	chars, links, words := 0, 0, 0
	for _, l := range lines {
		chars, links, words = chars+l.chars, links+l.links, words+len(strings.Fields(l.text))
	}
	return links > 0 && links*100 > chars*80 && words <= 15*len(lines)
}

// notices are what sites everywhere wrap around their pages.
var notices = pattern(`(?i)^(?:` + strings.Join([]string{
	`(?:skip|jump) to (?:the )?(?:main |page |primary )?(?:content|navigation|search|footer)`,
	`(?:accept|reject|allow|decline|manage|customi[sz]e)(?: all| optional| my| your)? cookies?(?: settings| preferences)?`,
	`cookie (?:settings|preferences|policy|notice)`,
	`(?:was|is) this (?:page|article|information|content|answer) (?:helpful|useful)`,
	`(?:did you find|how useful was|rate) this (?:page|article|information|content)(?: helpful| useful)?`,
	`back to (?:the )?top(?: of (?:the )?page)?`,
	`(?:please )?(?:enable|turn on) javascript`,
	`share (?:this|on|via) (?:page|article|post|facebook|x|twitter|linkedin|e-?mail)`,
}, "|") + `)\b.{0,40}$`)

// consent is the sentence above the buttons for cookies.
var consent = pattern(`(?i)^(?:we|this (?:web)?site|our (?:web)?site|by (?:using|continuing|clicking)|like most)\b.{0,80}\bcookies\b.{0,300}$`)

func notice(s string) bool {
	return len(s) <= 400 && (notices().MatchString(s) || consent().MatchString(s))
}
