package draft

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
)

var (
	marker   = regexp.MustCompile(`\s*\[\s*[Ee]\s?\d+(?:\s*[,;&]\s*[Ee]?\s?\d+)*\s*\]`)
	digits   = regexp.MustCompile(`\d+`)
	bullet   = regexp.MustCompile(`^\s*(?:[-*•–]|\d{1,2}[.)])\s+`)
	heading  = regexp.MustCompile(`^\s*#{1,6}(?:\s|$)`)
	rule     = regexp.MustCompile(`^\s*(?:-{3,}|\*{3,}|_{3,}|` + "`{3,}" + `.*)\s*$`)
	link     = regexp.MustCompile(`!?\[([^\[\]]*)\]\([^()\s]*(?:\s"[^"]*")?\)`)
	emphasis = regexp.MustCompile(`\*{1,3}([^*\s](?:[^*]*[^*\s])?)\*{1,3}|\b_{1,3}([^_\s](?:[^_]*[^_\s])?)_{1,3}\b|` + "`([^`]*)`")
)

// parsed is a section as a model wrote it, and what had to be left out.
type parsed struct {
	section editorial.Section
	unknown int // markers that stand for no evidence
	stray   int // headings and rules the section must not have
}

// parse reads the plain text of a section: blank lines between blocks, "- "
// before bullets, markers such as [E3] or [E3,E7] behind sentences. Markdown
// that slipped in is taken out; everything else is text, whatever it looks
// like.
func parse(title, text string, known func(n int) bool) parsed {
	p := parsed{section: editorial.Section{Heading: title}}
	var list, paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			p.add(editorial.BlockParagraph, []string{strings.Join(paragraph, " ")}, known)
		}
		if len(list) > 0 {
			p.add(editorial.BlockList, list, known)
		}
		list, paragraph = nil, nil
	}
	blank := false
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		mark := bullet.FindString(line)
		switch {
		case line == "":
			blank = true
			continue
		case heading.MatchString(line), rule.MatchString(line), title != "" && strings.EqualFold(bare(line), title):
			p.stray++
			flush()
		case mark != "":
			if len(paragraph) > 0 {
				flush()
			}
			list = append(list, line[len(mark):]) // a blank line between bullets does not end their list
		case len(list) > 0 && !blank:
			list[len(list)-1] += " " + line
		default:
			if blank || len(list) > 0 {
				flush()
			}
			paragraph = append(paragraph, line)
		}
		blank = false
	}
	flush()
	return p
}

// add appends a block of the items that hold any text.
func (p *parsed) add(kind editorial.BlockKind, texts []string, known func(int) bool) {
	block := editorial.Block{Kind: kind}
	for _, t := range texts {
		if item := p.item(t, known); len(item.Sentences) > 0 {
			block.Items = append(block.Items, item)
		}
	}
	if len(block.Items) > 0 {
		p.section.Blocks = append(p.section.Blocks, block)
	}
}

// item takes the markers out of text, splits what is left into sentences, and
// gives each marker to the sentence before it.
func (p *parsed) item(text string, known func(int) bool) editorial.Item {
	type mark struct{ at, n int }
	var marks []mark
	var clean strings.Builder
	last := 0
	for _, m := range marker.FindAllStringIndex(text, -1) {
		clean.WriteString(bare(text[last:m[0]]))
		for _, d := range digits.FindAllString(text[m[0]:m[1]], -1) {
			n, err := strconv.Atoi(d)
			if err != nil || !known(n) {
				p.unknown++
				continue
			}
			marks = append(marks, mark{clean.Len(), n})
		}
		last = m[1]
	}
	clean.WriteString(bare(text[last:]))
	plain := clean.String()

	var item editorial.Item
	next := 0
	spans := evidence.Sentences(plain)
	for i, s := range spans {
		text := strings.Join(strings.Fields(plain[s.Mark:s.End]), " ")
		if strings.ContainsFunc(text, spoken) { // else what is left of a mark
			item.Sentences = append(item.Sentences, editorial.Sentence{Text: text})
		}
		until := len(plain)
		if i+1 < len(spans) {
			until = spans[i+1].Start
		}
		for ; next < len(marks) && marks[next].at <= until; next++ {
			if last := len(item.Sentences) - 1; last >= 0 {
				item.Sentences[last].Evidence = insert(item.Sentences[last].Evidence, marks[next].n)
			}
		}
	}
	return item
}

func spoken(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// insert keeps the numbers in the order they were given, each once.
func insert(list []int, n int) []int {
	for _, have := range list {
		if have == n {
			return list
		}
	}
	return append(list, n)
}

// bare takes Markdown's links and emphasis out of text, white space kept.
func bare(text string) string {
	text = link.ReplaceAllString(text, "$1")
	text = emphasis.ReplaceAllString(text, "$1$2$3")
	return strings.ReplaceAll(text, "**", "")
}
