package platform

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	gort "runtime"
	"sync/atomic"
	"syscall"
	"time"

	"blogposter/scripts/dev/project"
)

// searchPath is the PATH functions get, not the developer's.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// logGrace is how long a result waits for the logs' end marks.
const logGrace = 300 * time.Millisecond

// What becomes of a process, seen from its platform.
var (
	errNoAck   = errors.New("no acknowledgement")
	errExited  = errors.New("exited")
	errTimeout = errors.New("time limit exceeded")
	errMemory  = errors.New("memory limit exceeded")
)

// process is one warm instance of a function. Its holder alone uses it.
type process struct {
	f       *project.Function
	cmd     *exec.Cmd
	started time.Time
	in      *os.File
	replies chan reply // closed when the process can answer no more
	exited  chan struct{}
	logs    *capture

	exhausted atomic.Bool // it was killed for its memory
}

// reply is one line on descriptor 3; size is its whole length even when the
// line was cut.
type reply struct {
	line []byte
	size int
}

// spawner starts processes on one thread that lives as long as the platform:
// the kernel ends a child marked Pdeathsig when the thread that forked it
// ends, and Go's threads come and go.
type spawner chan func()

func newSpawner() spawner {
	s := make(spawner)
	go func() {
		gort.LockOSThread() // and never unlocked: the thread goes with the platform
		for job := range s {
			job()
		}
	}()
	return s
}

func (s spawner) start(cmd *exec.Cmd) error {
	done := make(chan error)
	s <- func() { done <- cmd.Start() }
	return <-done
}

// pipes are the child's ends and ours, in the order of its descriptors.
type pipes struct{ child, ours [4]*os.File }

func newPipes() (*pipes, error) {
	p := &pipes{}
	for fd := range p.child {
		r, w, err := os.Pipe()
		if err != nil {
			p.close()
			return nil, err
		}
		if fd == 0 {
			p.child[fd], p.ours[fd] = r, w
		} else {
			p.child[fd], p.ours[fd] = w, r
		}
	}
	return p, nil
}

func (p *pipes) close() {
	p.closeChild()
	for _, f := range p.ours {
		_ = f.Close() // a nil file says it is invalid, no more
	}
}

func (p *pipes) closeChild() {
	for _, f := range p.child {
		_ = f.Close()
	}
}

// spawn starts the function's binary with its own environment and nothing of
// ours, in a process group of its own. It does not wait for the acknowledgement.
func (ns *namespace) spawn(f *project.Function) (*process, error) {
	fds, err := newPipes()
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{
		Path: binary(ns.dir, f), Args: []string{binary(ns.dir, f)},
		Dir:   ns.dir, // not the function's folder: on the platform it is another one too
		Stdin: fds.child[0], Stdout: fds.child[1], Stderr: fds.child[2],
		ExtraFiles:  []*os.File{fds.child[3]},
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
		Env:         []string{"HOME=" + ns.dir, "PATH=" + searchPath, "__OW_WAIT_FOR_ACK=1", "__OW_API_HOST=" + ns.url},
	}
	if ns.cfg.CoverDir != "" {
		cmd.Env = append(cmd.Env, coverVariable+"="+ns.cfg.CoverDir)
	}
	for k, v := range f.Env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	if err := ns.spawner.start(cmd); err != nil {
		fds.close()
		return nil, err
	}
	fds.closeChild()
	p := &process{
		f: f, cmd: cmd, started: time.Now(), in: fds.ours[0],
		replies: make(chan reply), exited: make(chan struct{}), logs: newCapture(ns.logFiles[f]),
	}
	go p.logs.read("stdout", fds.ours[1])
	go p.logs.read("stderr", fds.ours[2])
	go p.readReplies(fds.ours[3])
	go p.reap(fds)
	return p, nil
}

func (p *process) readReplies(fd3 *os.File) {
	defer close(p.replies)
	defer func() { _ = fd3.Close() }()
	lines := bufio.NewReaderSize(fd3, 64<<10)
	for {
		line, size, err := readLine(lines, maxPayload)
		if err != nil {
			return
		}
		size-- // the newline is the protocol's
		select {
		case p.replies <- reply{line, size}:
		case <-p.exited:
			// The last words of a process that answered and then exited.
			select {
			case p.replies <- reply{line, size}:
			case <-time.After(logGrace):
				return
			}
		}
	}
}

// reap waits for the end, takes along whatever the process left in its group,
// and lets go of the pipes, which a stray descendant might keep open.
func (p *process) reap(fds *pipes) {
	_ = p.cmd.Wait() // how it ended shows in what it did not answer
	p.killGroup()
	close(p.exited)
	_ = p.in.Close()
	until := time.Now().Add(logGrace)
	for _, f := range fds.ours[1:] {
		_ = f.SetReadDeadline(until)
	}
}

// kill ends the process and its group. Once it is gone, its number may be
// another's.
func (p *process) kill() {
	if p.alive() {
		p.killGroup()
	}
}

func (p *process) killGroup() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }

// end is kill, and waiting until it is done.
func (p *process) end() {
	p.kill()
	<-p.exited
}

// retire asks a free process to end, as one whose stdin is closed does by
// itself, and kills it when it has not done so within grace.
func (p *process) retire(grace time.Duration) {
	_ = p.in.Close() // it may be gone already
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		p.end()
	}
}

func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// ack waits for the first line, {"ok":true}. After an error the process is gone.
func (p *process) ack(deadline time.Time) error {
	r, err := p.receive(deadline)
	if err == nil && string(r.line) != `{"ok":true}` {
		err = errNoAck
	}
	if err != nil {
		p.end()
	}
	return err
}

// call sends one event and waits for its result. After an error the process
// is gone.
func (p *process) call(line []byte, deadline time.Time) (reply, error) {
	sent := p.in
	go func() { _, _ = sent.Write(append(line, '\n')) }() // a process that reads nothing is stopped by the deadline
	r, err := p.receive(deadline)
	if err != nil {
		p.end()
	}
	return r, err
}

func (p *process) receive(deadline time.Time) (reply, error) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case r, ok := <-p.replies:
		switch {
		case ok:
			return r, nil
		case p.exhausted.Load():
			return reply{}, errMemory
		default:
			return reply{}, errExited
		}
	case <-timer.C:
		return reply{}, errTimeout
	}
}
