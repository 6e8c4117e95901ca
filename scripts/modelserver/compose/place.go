package compose

import (
	"strings"

	"blogposter/lib/evidence"
)

// places are words that go together in everyday English: a topic that names
// one is about the others too, and what belongs to another place is not what
// its readers came for.
var places = []map[string]bool{
	stems("restaurant cafe bar food eat dine dining meal table kitchen drink salad buffet menu cook waiter grocery"),
	stems("hotel motel lodging guest inn reservation check-in"),
	stems("hospital patient clinic doctor nurse ambulance surgery in-patient"),
	stems("school college university student teacher classroom campus dormitory"),
	stems("plane airline airport flight cabin aircraft fly passenger"),
	stems("bus taxi railway ferry transit rail driver rideshare station"),
	stems("landlord tenant rent apartment housing lease dwelling rental"),
	stems("employer employee job workplace work-place hire coworker"),
	stems("store shop mall shopper supermarket cart retail"),
	stems("zoo predator prey"),
	stems("pool swimming beach swim"),
	stems("church religious mosque synagogue temple"),
	stems("court jury prison jail police vote voting poll election"),
	stems("park trail hike hiking museum playground"),
}

func stems(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[evidence.Stem(w)] = true
	}
	return m
}

// setting is the place a topic is about, nil when it names none.
func setting(topic string) map[string]bool {
	for _, p := range places {
		for _, t := range evidence.Terms(topic) {
			if p[t] {
				return p
			}
		}
	}
	return nil
}

// inPlace counts the words of s that belong to the topic's place, and those
// that belong to another one.
func inPlace(s string, mine map[string]bool) (here, elsewhere int) {
	for _, t := range unique(evidence.Terms(s)) {
		if mine[t] {
			here++
			continue
		}
		for _, p := range places {
			if p[t] {
				elsewhere++
				break
			}
		}
	}
	return here, elsewhere
}
