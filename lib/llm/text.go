package llm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
)

// maxContinued is how often a truncated text is continued.
const maxContinued = 3

// goOn asks for the rest. The partial answer goes before it as the model's
// own turn: a request that ended with it would be refused.
const goOn = "Your answer was cut off by its length limit. Go on exactly where it stops: repeat nothing, " +
	"add no remark, and start with the very next word, or with the line breaks that come before it."

// Text returns a plain-text answer, whole. One that was cut off is continued
// up to three times, as the steps r.Step+1, +2 and +3; when it still has no
// end, the error is ErrTruncated, and cut text is never returned. It asks for a
// person: another attempt would be given the same stored answers.
func (c *Client) Text(ctx context.Context, l pipeline.Lease, r Request) (string, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	if len(r.Schema) > 0 {
		return "", fault.Permanent(fmt.Errorf("step %q: request has a Schema: call JSON, or leave it out", r.Step))
	}
	next, written, gap := r, "", ""
	for n := 1; ; n++ {
		resp, err := c.call(ctx, l, next)
		if err != nil {
			return "", err
		}
		text := join(written, gap, resp.Text)
		if resp.Stop == StopEnd {
			if strings.TrimSpace(text) == "" {
				return "", fault.Permanent(fmt.Errorf("step %q, call %s: %w", next.Step, resp.Request, errEmpty))
			}
			return text, nil
		}
		written, gap = cutWord(text)
		// An empty turn can't be sent, and the same request is the same step.
		if n > maxContinued || strings.TrimSpace(written) == "" {
			return "", fault.NeedsHuman(fmt.Errorf("step %q after %d calls of at most %d tokens: %w", r.Step, n, r.MaxTokens, ErrTruncated))
		}
		next.Step = fmt.Sprintf("%s+%d", r.Step, n)
		next.Messages = append(slices.Clip(r.Messages), Message{RoleAssistant, written}, Message{RoleUser, goOn})
	}
}

var errEmpty = errors.New("answer is empty")

// cutWord takes back the last word of a truncated text, which may be half of
// one, with the space before it: where a word ends can't be told from the half
// of it, and a text that ends at a space can be joined without a guess. A text
// of one word stays whole.
func cutWord(text string) (written, gap string) {
	i := strings.LastIndexFunc(text, unicode.IsSpace)
	if i < 0 || strings.TrimSpace(text[:i]) == "" {
		return text, ""
	}
	head := text[:i+len(string([]rune(text[i:])[0]))]
	written = strings.TrimRightFunc(head, unicode.IsSpace)
	return written, head[len(written):]
}

// join puts the continuation behind what was written. Both may hold the space
// between them: the one with more line breaks is the whole of it.
func join(written, gap, more string) string {
	if written == "" {
		return more
	}
	rest := strings.TrimLeftFunc(more, unicode.IsSpace)
	lead := more[:len(more)-len(rest)]
	if strings.Count(lead, "\n") > strings.Count(gap, "\n") || gap == "" {
		gap = lead
	}
	return written + gap + rest
}
