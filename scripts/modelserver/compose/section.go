package compose

import (
	"cmp"
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
	of, _ := strconv.Atoi(t.attrs["of"])
	budget, err := strconv.Atoi(t.attrs["words"])
	if err != nil || budget <= 0 {
		budget = 200
	}
	written := one(in.user, "written")
	kept, twins := distinct(items(in))
	kept = slices.DeleteFunc(kept, func(it item) bool { return repeated(written, it.text) })
	kept = within(kept, budget+budget/10)
	var list []item
	var paragraphs [][]said
	if n == 1 { // an introduction, in the order it was planned
		for half := range slices.Chunk(kept, max(2, (len(kept)+1)/2)) {
			paragraphs = append(paragraphs, sentences(half))
		}
	} else {
		kept, list = parallel(kept)
		paragraphs = chain(kept)
	}
	var blocks []string
	if f := frame(n, of); f != "" && written == "" && len(paragraphs) > 0 {
		paragraphs[0] = append([]said{{text: f}}, paragraphs[0]...)
	}
	for _, p := range paragraphs {
		blocks = append(blocks, render(p, twins))
	}
	if len(list) > 0 {
		lines := []string{leads[n%len(leads)], ""}
		for _, it := range list {
			lines = append(lines, "- "+render([]said{{text: it.text, from: []int{it.n}}}, twins))
		}
		blocks = append(blocks, strings.Join(lines, "\n"))
	}
	if len(blocks) == 0 { // an empty turn is no answer
		return frames[3]
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
	slices.SortFunc(list, func(a, b item) int { return cmp.Compare(a.n, b.n) })
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
		if len(runs[i]) > 1 || runs[i][0].words > 45 || len(runs) == 1 {
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

// frame is the sentence that opens a section, "" for most.
func frame(n, of int) string {
	switch {
	case n == of && n > 1:
		return frames[2]
	case n == 3:
		return frames[0]
	case n == 5:
		return frames[1]
	}
	return ""
}

// render writes sentences with their markers.
func render(p []said, twins map[int][]int) string {
	lines := make([]string, 0, len(p))
	for _, s := range p {
		lines = append(lines, s.text+markers(s, twins))
	}
	return strings.Join(lines, " ")
}

// parallel takes out the passages that make a list: at least three short
// sentences of one place that begin alike. What is left is for paragraphs.
func parallel(list []item) (rest, bullets []item) {
	begin := map[string][]item{}
	for _, it := range list {
		terms := evidence.Terms(it.text)
		if it.words > 24 || len(terms) < 2 || len(evidence.Sentences(it.text)) != 1 {
			continue
		}
		key := it.page + "\x00" + it.under + "\x00" + terms[0]
		begin[key] = append(begin[key], it)
		if same := begin[key]; len(same) >= 3 && len(same) > len(bullets) && len(same) <= 6 {
			bullets = same
		}
	}
	if len(list)-len(bullets) < 2 { // nothing to lead to it
		return list, nil
	}
	for _, it := range list {
		if !slices.ContainsFunc(bullets, func(b item) bool { return b.n == it.n }) {
			rest = append(rest, it)
		}
	}
	bullets = slices.Clone(bullets)
	slices.SortFunc(bullets, func(a, b item) int { return cmp.Compare(a.n, b.n) })
	return rest, bullets
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
