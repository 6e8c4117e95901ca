package platform

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"blogposter/scripts/dev/project"
)

// endOfLogs is what a function prints on both streams after each result.
const endOfLogs = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX"

const (
	maxLogs = 256 << 10 // of one activation
	maxLine = 64 << 10  // at which the platform's log reader stops
)

var (
	logsTruncated = fmt.Sprintf("Logs were truncated because the total bytes size exceeds the limit of %d bytes.", maxLogs)
	lineTooLong   = fmt.Sprintf(" ...[a log line over %d bytes hangs the real platform]", maxLine)
)

// logFile is a function's log on disk, shared by its processes.
type logFile struct {
	mu sync.Mutex
	f  *os.File // nil keeps none
}

func openLog(dir string, f *project.Function) (*logFile, error) {
	if dir == "" {
		return &logFile{}, nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, f.Package+"-"+f.Name+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // the developer names the directory, project.yml is checked for the rest
	return &logFile{f: file}, err
}

func (l *logFile) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil {
		_, _ = l.f.WriteString(line + "\n") // a full disk must not stop the function
	}
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil {
		_ = l.f.Close()
		l.f = nil
	}
}

// capture sorts what a process prints into activations: everything up to the
// end mark belongs to the running one, the rest to the next.
type capture struct {
	file *logFile

	mu    sync.Mutex
	lines []string // of the running activation, or of the next while none runs
	late  []string // printed on a stream after its end mark
	size  int
	open  map[string]bool // streams whose end mark is still to come
	eof   map[string]bool
	ended chan struct{} // closed when no stream is open
}

func newCapture(file *logFile) *capture {
	return &capture{file: file, open: map[string]bool{}, eof: map[string]bool{}}
}

// begin starts an activation's log. What was printed since the last one, at
// start-up for the first, comes with it.
func (c *capture) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = make(chan struct{})
	for _, stream := range []string{"stdout", "stderr"} {
		c.open[stream] = !c.eof[stream]
	}
	c.endIfClosed()
}

func (c *capture) endIfClosed() {
	if c.ended != nil && !c.open["stdout"] && !c.open["stderr"] {
		close(c.ended)
		c.ended = nil
	}
}

// end takes the activation's log once both streams said so, or after grace:
// a function that forgets the mark only loses its last lines.
func (c *capture) end(grace time.Duration) []string {
	c.mu.Lock()
	ended := c.ended
	c.mu.Unlock()
	if ended != nil {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-ended:
		case <-timer.C:
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.lines
	c.lines, c.late, c.size, c.ended = c.late, nil, 0, nil
	c.open = map[string]bool{}
	return taken
}

// read copies one stream until its end.
func (c *capture) read(stream string, r io.ReadCloser) {
	defer func() { _ = r.Close() }()
	lines := bufio.NewReaderSize(r, 16<<10)
	for {
		line, _, err := readLine(lines, maxLine)
		if len(line) > 0 || err == nil {
			c.add(stream, string(line))
		}
		if err != nil {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.eof[stream], c.open[stream] = true, false
	c.endIfClosed()
}

func (c *capture) add(stream, text string) {
	text, end := strings.CutSuffix(text, endOfLogs) // also after an unfinished line
	if len(text) > maxLine {
		text = text[:maxLine] + lineTooLong
	}
	stamped := fmt.Sprintf("%-30s %s: %s", time.Now().UTC().Format(time.RFC3339Nano), stream, text)
	if text != "" || !end {
		c.file.add(stamped)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if text != "" || !end {
		c.keep(stream, stamped)
	}
	if end {
		c.open[stream] = false
		c.endIfClosed()
	}
}

// keep holds the activation's log to its limit.
func (c *capture) keep(stream, line string) {
	if c.ended != nil && !c.open[stream] {
		c.late = append(c.late, line)
		return
	}
	switch over := c.size+len(line) > maxLogs; {
	case !over:
		c.lines = append(c.lines, line)
	case c.size <= maxLogs:
		c.lines = append(c.lines, logsTruncated)
		c.size = maxLogs // say it once
	}
	c.size += len(line)
}

// readLine reads up to a newline and keeps at most one byte over limit, so
// that no process can fill our memory. total counts what was read.
func readLine(r *bufio.Reader, limit int) (line []byte, total int, err error) {
	for {
		part, err := r.ReadSlice('\n')
		total += len(part)
		line = append(line, part[:min(len(part), max(0, limit+1-len(line)))]...)
		if err == bufio.ErrBufferFull { //nolint:errorlint // ReadSlice returns it bare
			continue
		}
		if n := len(line); err == nil && n > 0 && line[n-1] == '\n' {
			line = line[:n-1]
		}
		return line, total, err
	}
}
