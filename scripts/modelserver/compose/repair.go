package compose

import "strings"

type patch struct {
	Place string `json:"place"`
	Text  string `json:"text"`
}

type repairAnswer struct {
	Patches []patch `json:"patches"`
}

// repair mends what can be mended by choosing other sentences: title,
// description and excerpt. The body it leaves alone.
func repair(in material) repairAnswer {
	answer := repairAnswer{Patches: []patch{}}
	topic, phrase := one(in.user, "topic"), one(in.user, "keyphrase")
	statements := declared(one(in.user, "article"))
	for _, t := range find(in.user, "text") {
		place, now := t.attrs["place"], t.text()
		better := now
		switch place {
		case "title":
			better = title(topic, phrase)
		case "meta":
			better = meta(statements, topic+" "+phrase)
		case "excerpt":
			better = excerpt(statements)
		}
		if strings.TrimSpace(better) != "" && better != now {
			answer.Patches = append(answer.Patches, patch{place, better})
		}
	}
	return answer
}
