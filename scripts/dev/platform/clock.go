package platform

import (
	"sync"
	"time"
)

// clock is the time of what goes by the clock: the schedule, the minute in
// which calls are counted, idle processes, faults to come. How long an
// activation takes is always the machine's time, since processes live in it.
type clock interface {
	Now() time.Time
	// afterFunc calls f later, once; stop reports whether it came first.
	afterFunc(d time.Duration, f func()) (stop func() bool)
}

type machineClock struct{}

func (machineClock) Now() time.Time { return time.Now() }

func (machineClock) afterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// Clock stands still until somebody steps it, so that a test reaches the next
// minute, or the end of an idle time, without waiting for it.
type Clock struct {
	mu     sync.Mutex
	now    time.Time
	alarms []*alarm
}

type alarm struct {
	at   time.Time
	ring func()
}

// NewClock returns a clock that stands at now.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

// Now is where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Step moves the clock by d, never back. What falls due on the way happens in
// its order and at its time, and has been started when Step returns; to wait for
// activations it started, call Platform.Quiet.
func (c *Clock) Step(d time.Duration) {
	until := c.Now().Add(max(d, 0))
	for {
		next := c.take(until)
		if next == nil {
			return
		}
		next.ring()
	}
}

// take removes the earliest alarm up to until and sets the clock to it, or
// to until when none is left.
func (c *Clock) take(until time.Time) *alarm {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := -1
	for i, a := range c.alarms {
		if !a.at.After(until) && (first < 0 || a.at.Before(c.alarms[first].at)) {
			first = i
		}
	}
	if first < 0 {
		c.now = until
		return nil
	}
	a := c.alarms[first]
	c.alarms = append(c.alarms[:first:first], c.alarms[first+1:]...)
	c.now = a.at
	return a
}

func (c *Clock) afterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &alarm{c.now.Add(d), f}
	c.alarms = append(c.alarms, a)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i := range c.alarms {
			if c.alarms[i] == a {
				c.alarms = append(c.alarms[:i:i], c.alarms[i+1:]...)
				return true
			}
		}
		return false
	}
}
