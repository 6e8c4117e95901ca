package platform

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// memoryInterval is how often a busy process is measured. What it takes within
// one interval is the slack over its limit.
const memoryInterval = 20 * time.Millisecond

// watchMemory kills the process once it and its descendants hold more than
// limit bytes, until stop is called. It reads resident memory from /proc
// rather than set up a cgroup, which needs a writable hierarchy of a known
// version; both count what really is in memory, and a Go program's reserved
// but unused address space is free under both.
func (p *process) watchMemory(limit int64) (stop func()) {
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(memoryInterval)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-p.exited:
				return
			case <-ticker.C:
			}
			if resident(p.cmd.Process.Pid) > limit {
				p.exhausted.Store(true)
				p.kill()
				return
			}
		}
	}()
	return func() { close(done) }
}

var pageSize = int64(os.Getpagesize())

// resident is what a process and its descendants hold in memory; nothing for one
// that is gone. Pages that they share count for each.
func resident(pid int) int64 {
	statm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	var total int64
	if fields := bytes.Fields(statm); len(fields) > 1 {
		pages, _ := strconv.ParseInt(string(fields[1]), 10, 64) // the kernel writes numbers
		total = pages * pageSize
	}
	threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, t := range threads { // a child belongs to the thread that started it
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		for child := range strings.FieldsSeq(string(children)) {
			if id, err := strconv.Atoi(child); err == nil {
				total += resident(id)
			}
		}
	}
	return total
}
