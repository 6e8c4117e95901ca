package editorial

import (
	"strings"
	"time"
)

// Article is a Draft as it stands on its site.
type Article struct {
	URL         string    `json:"url"`
	Title       string    `json:"title"`
	Keyphrase   string    `json:"keyphrase"`
	Body        Body      `json:"body"`
	PublishedAt time.Time `json:"published_at"`
}

// Text is all that a reader reads of the Article, a block a line.
func (a Article) Text() string {
	lines := []string{a.Title}
	for _, s := range a.Body.Sections {
		if s.Heading != "" {
			lines = append(lines, s.Heading)
		}
		for _, b := range s.Blocks {
			for _, item := range b.Items {
				said := make([]string, len(item.Sentences))
				for i, sentence := range item.Sentences {
					said[i] = sentence.Text
				}
				lines = append(lines, strings.Join(said, " "))
			}
		}
	}
	return strings.Join(lines, "\n")
}
