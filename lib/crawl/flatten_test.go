package crawl

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The parser is quadratic within a block and in the depth of a line, so what
// bounds its time are these sizes. A test of the time itself would depend on
// the machine.
func TestFlatten_boundsWhatTheParserIsSlowAt(t *testing.T) {
	t.Parallel()

	for _, unit := range []string{">", "> ", "1. ", "- ", "[a](", "![", "|", "a\n", "ü", "word ", strings.Repeat(" ", 500) + "- a\n"} {
		block := 0
		for line := range strings.Lines(flatten(strings.Repeat(unit, 300_000/len(unit)))) {
			if strings.TrimSpace(line) == "" {
				block = 0
				continue
			}
			block += len(line)
			require.LessOrEqual(t, block, maxBlock+1, "%q", unit)
			require.LessOrEqual(t, len(line)-len(strings.TrimLeft(line, " ")), maxIndent, "%q", unit)
			depth := 0
			for rest := line; marker().MatchString(rest); depth++ {
				rest = rest[marker().FindStringIndex(rest)[1]:]
			}
			require.LessOrEqual(t, depth, maxMarkers, "%q", unit)
		}
	}
}
