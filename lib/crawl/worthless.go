package crawl

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// minWords is the least prose a page must hold to be cited.
const minWords = 60

// Worthless says why a page can't be cited, in words for an editor, or ""
// when it can. It judges form alone, never what the page claims.
func Worthless(p Page) string {
	for _, reason := range []string{elsewhere(p), unreadable(p.Text), errorPage(p)} {
		if reason != "" {
			return reason
		}
	}
	switch n := proseWords(p.Text); {
	case strings.TrimSpace(p.Text) == "":
		return "The page is empty: the reader found no text on it."
	case n < minWords:
		return fmt.Sprintf("The page has too little text to cite: %d words in sentences, where at least %d are needed.", n, minWords)
	}
	return ""
}

// elsewhere compares the address asked for with the one the text came from.
func elsewhere(p Page) string {
	asked, err := url.Parse(p.URL)
	got, gotErr := url.Parse(p.Final)
	if err != nil || gotErr != nil || got.Host == "" || asked.Host == "" {
		return ""
	}
	a, g := site(asked), site(got)
	switch {
	case a != g:
		return fmt.Sprintf("The address leads to another site: %s was asked for, and the text came from %s.", a, g)
	case strings.Trim(asked.Path, "/") != "" && strings.Trim(got.Path, "/") == "" && got.RawQuery == "":
		return fmt.Sprintf("The page is gone: its address now leads to the front page of %s.", g)
	}
	return ""
}

// site is a host without what doesn't change whose it is.
func site(u *url.URL) string {
	return strings.TrimPrefix(strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), "www.")
}

// encoded is a run of base64 or hexadecimal that no language has as a word.
var encoded = pattern(`[A-Za-z0-9+/=_-]{120,}`)

// unreadable reports data that was taken for text.
func unreadable(text string) string {
	runes := utf8.RuneCountInString(text)
	if bad := strings.Count(text, "\uFFFD"); bad*50 > runes { // over 2 %
		return fmt.Sprintf("The page is not readable text: %d of its %d characters are damaged or binary data.", bad, runes)
	}
	blob := 0
	for _, run := range encoded().FindAllString(text, -1) {
		blob += len(run)
	}
	if blob*10 > runes*3 { // over 30 %
		return "The page is not readable text: most of it is encoded data, such as a file put into the page."
	}
	return ""
}

var (
	// status is how the reader reports the answer of the page's own server.
	status = pattern(`(?i)returned error (\d{3}(?:: [A-Za-z' -]{2,40})?)`)
	// robot is how the reader, or the page, says that it wants a person.
	robot = pattern(`(?i)captcha|verify (?:that )?you(?:'|’)?(?: a)?re (?:a )?human|are you a (?:human|robot)|checking your browser|enable javascript and cookies to continue|unusual traffic from your`)
	// headline is a line or a part of a title that is an error and nothing else.
	headline = pattern(`(?i)^(?:(?:http )?(?:error )?(?:status )?(?:code )?:?\s*(?:400|401|403|404|410|429|5\d\d)(?: error)?[\s:.–—-]*)?` +
		`(?:(?:sorry,? )?(?:this |the |that )?page (?:was |is |could |can |cannot |could not be |can(?:'|’)t be )?(?:not )?(?:be )?(?:found|available|unavailable|missing)|page doesn(?:'|’)t exist|file not found|not found|content (?:unavailable|not found)|` +
		`access (?:is |to this page (?:has been |is ))?denied|forbidden|unauthori[sz]ed|permission denied|just a moment|attention required|robot check|security check|are you a robot|pardon our interruption|request blocked|too many requests|` +
		`(?:service (?:temporarily )?)unavailable|bad gateway|gateway time-?out|internal server error|something went wrong|(?:site|server) error|log ?in|sign ?in|oops)?[!.…\s]*$`)
	// missing is how pages apologise.
	missing = pattern(`(?i)page (?:that )?(?:you(?:'|’)?(?: a)?re|you were|you have) (?:looking for|requested|trying to (?:reach|access|view))|page you requested|(?:doesn(?:'|’)t|does not|no longer) exists?|` +
		`you don(?:'|’)t have permission|has been (?:moved|removed|deleted)|(?:can(?:'|’)t|cannot|could not|couldn(?:'|’)t) (?:be found|find (?:the|that|this) page)|requested url`)
)

// errorPage weighs several signs, because an article about error pages shows
// some of them too: what it has besides is prose.
func errorPage(p Page) string {
	if m := status().FindStringSubmatch(p.Warning); m != nil && m[1][0] >= '4' {
		return fmt.Sprintf("The site answered with an error (%s): what came back is its error page, not the page you named.", strings.TrimSpace(m[1]))
	}
	words := proseWords(p.Text)
	score := 0
	if title := errorTitle(p.Title); title {
		score += 2
	}
	for l := range strings.SplitSeq(p.Text, "\n") {
		if isHeadline(l) {
			score++
			break
		}
	}
	guarded := robot().MatchString(p.Warning) || robot().MatchString(p.Text)
	if missing().MatchString(p.Text) || guarded {
		score++
	}
	switch {
	case words < 150:
		score++
	case words > 400:
		score -= 2
	}
	switch {
	case guarded && (score >= 3 || words < minWords):
		return "The site asked for proof that a person is visiting, so the reader never saw the page."
	case score >= 3 && p.Title == "":
		return "The site answered with an error page instead of the page you named."
	case score >= 3:
		return fmt.Sprintf("The site answered with an error page instead of the page you named; its title is %q.", short(p.Title, 80))
	}
	return ""
}

var separator = pattern(`\s+[–—·•:-]+\s+|\s*\|\s*`)

// errorTitle looks at the parts of a title apart: "Page not found | Site".
func errorTitle(title string) bool {
	for _, part := range separator().Split(title, -1) {
		if isHeadline(part) {
			return true
		}
	}
	return false
}

func isHeadline(s string) bool { return letters(s) > 0 && len(s) < 80 && headline().MatchString(s) }

// proseWords counts the words of lines that read like sentences, which menus
// and buttons don't.
func proseWords(text string) int {
	n := 0
	for l := range strings.SplitSeq(text, "\n") {
		words := max(len(strings.Fields(l)), letters(l)/8) // not every language has spaces
		closed := strings.ContainsAny(l[max(0, len(l)-4):], ".?!:;…。？！")
		if words >= 12 || words >= 5 && closed {
			n += words
		}
	}
	return n
}
