package platform

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFollowing_isTheNextMinuteWhateverTheMachinesClockDoes(t *testing.T) {
	t.Parallel()

	nine := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	tests := map[string]struct{ fired, now, want time.Time }{
		"the first":              {time.Time{}, nine.Add(20 * time.Second), nine.Add(time.Minute)},
		"a moment late":          {nine, nine.Add(time.Millisecond), nine.Add(time.Minute)},
		"a moment early":         {nine, nine.Add(-time.Millisecond), nine.Add(time.Minute)},
		"the machine was asleep": {nine, nine.Add(time.Hour + time.Second), nine.Add(61 * time.Minute)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tc.want, following(tc.fired, tc.now))
		})
	}
}
