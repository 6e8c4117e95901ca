package editorial

import (
	"slices"
	"time"
)

// Days are the names a Schedule gives the days of the week, by time.Weekday.
var Days = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// slotYears is how far ahead slots are looked for: beyond it a plan is none.
const slotYears = 2

// NextSlot returns the first slot of the schedule that is not before from and
// not in taken; false when there is none within two years, or no slot at all.
// Slots are moments on a clock in zone: one that the clocks skip is the moment
// they skip to, one that they show twice is the first of the two.
func (s Schedule) NextSlot(zone *time.Location, from time.Time, taken []time.Time) (time.Time, bool) {
	clock, err := time.Parse("15:04", s.Time)
	if err != nil || len(s.Days) == 0 {
		return time.Time{}, false
	}
	busy := map[int64]bool{}
	for _, t := range taken {
		busy[t.Unix()] = true
	}
	last := from.AddDate(slotYears, 0, 0)
	today := from.In(zone)
	for i := 0; ; i++ {
		// Noon has no clock change, so this is the i-th day from today on.
		day := time.Date(today.Year(), today.Month(), today.Day()+i, 12, 0, 0, 0, zone)
		slot := at(day, clock.Hour(), clock.Minute())
		switch {
		case slot.After(last):
			return time.Time{}, false
		case slot.Before(from), busy[slot.Unix()], !slices.Contains(s.Days, Days[day.Weekday()]):
		default:
			return slot, true
		}
	}
}

// at is the moment at which a clock in day's zone shows hour and minute on
// that day. time.Date leaves open what it is where clocks are changed.
func at(day time.Time, hour, minute int) time.Time {
	zone := day.Location()
	t := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, zone)
	begun, ends := t.ZoneBounds()
	wanted := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, time.UTC)
	shown := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
	switch { // a skipped time lies between two offsets: t is on one side or the other
	case shown.Before(wanted):
		return ends.In(zone)
	case shown.After(wanted):
		return begun.In(zone)
	}
	if begun.IsZero() {
		return t
	}
	_, before := begun.Add(-time.Second).In(zone).Zone()
	_, now := t.Zone()
	if first := t.Add(time.Duration(now-before) * time.Second); first.Before(begun) {
		return first
	}
	return t
}
