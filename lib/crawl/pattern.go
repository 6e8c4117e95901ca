package crawl

import (
	"regexp"
	"sync"
)

// pattern compiles expr when it is first used. A cold start reads no page, and
// these took a tenth of it.
func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
