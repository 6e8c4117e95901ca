package topic

import (
	"fmt"
	"slices"
	"strings"

	"blogposter/lib/editorial"
)

// settle gives each Topic its key for good: that of the known one whose pages
// it has, else the title's. No two have the same one, and at most mostTopics
// are left. A Topic whose pages were another's is that one under a new name,
// so what a person dismissed doesn't come back by it.
func settle(topics, known []editorial.Topic) []editorial.Topic {
	topics = slices.Clone(topics[:min(mostTopics, len(topics))])
	used, titled := map[string]bool{}, map[string]string{}
	for _, k := range known {
		titled[k.Key] = normal(k.Title)
	}
	found := make([]bool, len(topics))
	for i, t := range topics {
		best := leastOverlap
		for _, k := range known {
			if o := overlap(t.Pages, k.Pages); !used[k.Key] && (o > best || o == best && !found[i]) {
				best, found[i], topics[i].Key = o, true, k.Key
			}
		}
		if found[i] {
			used[topics[i].Key] = true
		}
	}
	for i, t := range topics {
		if found[i] {
			continue
		}
		// A known one of this name is the same subject, with other pages now;
		// one that only has the key is another.
		name, key := t.Key, t.Key
		for n := 2; used[key] || titled[key] != "" && titled[key] != name; n++ {
			key = fmt.Sprintf("%s-%d", name, n)
		}
		used[key] = true
		topics[i].Key = key
	}
	return topics
}

// leastOverlap is how much of their pages two passes' Topics must share to be
// one.
const leastOverlap = 0.5

// overlap is the share of all pages of two Topics that both have.
func overlap(a, b []editorial.TopicPage) float64 {
	ids := map[int64]bool{}
	for _, p := range a {
		ids[p.ID] = true
	}
	both := 0
	for _, p := range b {
		if ids[p.ID] {
			both++
		}
	}
	return float64(both) / float64(max(1, len(a)+len(b)-both))
}

// report says what the pass came to, and why when that is little.
func (j *job) report(c corpus, topics, known []editorial.Topic) {
	closed := map[string]bool{}
	for _, k := range known {
		closed[k.Key] = k.State == "taken" || k.State == "dismissed"
	}
	open, had, done := 0, 0, 0
	for _, t := range topics {
		switch {
		case closed[t.Key]:
			done++
		case t.Kind == editorial.TopicDuplicate:
			had++
		default:
			open++
		}
	}
	j.note("%s from %s of %s", count(open, "recommendation"), count(len(c.all), "page"), count(c.competitors(), "competitor"))
	if open >= leastWanted {
		return
	}
	why := []string{fmt.Sprintf("the pages in view are on %s", count(len(c.subjects), "subject"))}
	if had > 0 {
		why = append(why, fmt.Sprintf("%d of them the site has published", had))
	}
	if done > 0 {
		why = append(why, fmt.Sprintf("%d are taken or dismissed", done))
	}
	j.note("fewer than %d: %s", leastWanted, strings.Join(why, ", "))
}
