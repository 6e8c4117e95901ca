package compose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"blogposter/lib/evidence"
)

// said is a sentence that goes into a section.
type said struct {
	text string
	from []int // evidence that says it
}

// section writes paragraphs of sentences as they stand in the evidence, each
// with its markers.
func section(in material) string {
	tags := find(in.user, "section")
	if len(tags) == 0 {
		return confused
	}
	t := tags[0]
	n, _ := strconv.Atoi(t.attrs["n"])
	budget, err := strconv.Atoi(t.attrs["words"])
	if err != nil || budget <= 0 {
		budget = 200
	}
	written := one(in.user, "written")
	kept, twins := distinct(items(in))
	kept = slices.DeleteFunc(kept, func(it item) bool { return repeated(written, it.text) })
	kept = within(kept, budget+budget/10)
	var paragraphs [][]said
	if n == 1 { // an introduction, in the order it was planned
		for _, it := range kept {
			paragraphs = append(paragraphs, sentences([]item{it}))
		}
		if f := frame(in); f != "" && written == "" && len(paragraphs) > 0 {
			last := len(paragraphs) - 1
			paragraphs[last] = append(paragraphs[last], said{text: f})
		}
	} else {
		paragraphs = chain(kept)
	}
	var blocks []string
	for _, p := range paragraphs {
		blocks = append(blocks, render(p, twins))
	}
	if len(blocks) == 0 { // an empty turn is no answer
		return onward
	}
	return strings.Join(blocks, "\n\n")
}

// repeated reports whether text, or something much like it, is written.
func repeated(written, text string) bool {
	for _, s := range evidence.Sentences(written) {
		if alike(text, s.In(written)) {
			return true
		}
	}
	return false
}

// within takes evidence in the given order, the most important first, while
// the budget lasts.
func within(list []item, budget int) []item {
	var out []item
	sum := 0
	for _, it := range list {
		if sum+it.words > budget && len(out) > 0 {
			continue
		}
		sum += it.words
		out = append(out, it)
	}
	return out
}

// chain makes paragraphs: what stood together under one heading of a page
// stays together, in its order; single sentences join the paragraph they are
// most like.
func chain(list []item) [][]said {
	var runs [][]item
	for _, it := range list {
		last := len(runs) - 1
		if last >= 0 && runs[last][0].page == it.page && runs[last][0].under == it.under && wordsOf(runs[last])+it.words <= 95 {
			runs[last] = append(runs[last], it)
			continue
		}
		runs = append(runs, []item{it})
	}
	runs = adopt(runs)
	var out [][]said
	for _, r := range runs {
		out = append(out, sentences(r))
	}
	return out
}

func sentences(list []item) []said {
	var out []said
	for _, it := range list {
		for _, s := range evidence.Sentences(it.text) {
			out = append(out, said{text: strings.Join(strings.Fields(it.text[s.Mark:s.End]), " "), from: []int{it.n}})
		}
	}
	return out
}

func wordsOf(list []item) int {
	n := 0
	for _, it := range list {
		n += it.words
	}
	return n
}

// adopt moves runs of one short passage into the run they are most like.
func adopt(runs [][]item) [][]item {
	for i := 0; i < len(runs); i++ {
		related := func(r []item) bool { return r[0].page == runs[i][0].page && r[0].under == runs[i][0].under }
		if len(runs[i]) > 1 || runs[i][0].words > 45 || i > 0 && related(runs[i-1]) || i+1 < len(runs) && related(runs[i+1]) {
			continue
		}
		best, value := -1, 0.15
		for k := range runs {
			if k == i || wordsOf(runs[k])+runs[i][0].words > 110 {
				continue
			}
			v := evidence.Overlap(runs[i][0].text, textOf(runs[k]))
			if runs[k][0].page != runs[i][0].page {
				v /= 2
			}
			if v > value {
				best, value = k, v
			}
		}
		if best < 0 {
			continue
		}
		runs[best] = append(runs[best], runs[i]...)
		runs = slices.Delete(runs, i, i+1)
		i = -1 // lengths changed: look again
	}
	return runs
}

func textOf(list []item) string {
	var b strings.Builder
	for _, it := range list {
		b.WriteString(it.text + " ")
	}
	return b.String()
}

// render writes sentences with their markers.
func render(p []said, twins map[int][]int) string {
	lines := make([]string, 0, len(p))
	for _, s := range p {
		lines = append(lines, s.text+markers(s, twins))
	}
	return strings.Join(lines, " ")
}

func markers(s said, twins map[int][]int) string {
	if len(s.from) == 0 {
		return ""
	}
	var list []string
	for _, n := range s.from {
		list = append(list, fmt.Sprintf("E%d", n))
		for _, t := range twins[n] {
			list = append(list, fmt.Sprintf("E%d", t))
		}
	}
	return " [" + strings.Join(list, ",") + "]"
}
