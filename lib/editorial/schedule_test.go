package editorial_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
)

func TestSchedule_NextSlot_followsTheClocksOfTheSite(t *testing.T) {
	t.Parallel()

	weekly := []string{"mon", "wed", "fri"}
	daily := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	tests := map[string]struct {
		zone  string
		days  []string
		clock string
		from  string
		taken []string
		want  string
	}{
		"today, when its time is still to come":         {"America/New_York", weekly, "10:00", "2026-11-20T14:59:00Z", nil, "2026-11-20T15:00:00Z"},
		"this very moment":                              {"America/New_York", weekly, "10:00", "2026-11-20T15:00:00Z", nil, "2026-11-20T15:00:00Z"},
		"the next day of the list, when it is over":     {"America/New_York", weekly, "10:00", "2026-11-20T15:00:01Z", nil, "2026-11-23T15:00:00Z"},
		"a day that is another one in the zone":         {"Pacific/Auckland", []string{"mon"}, "08:30", "2026-11-22T10:00:00Z", nil, "2026-11-22T19:30:00Z"},
		"over the end of a month":                       {"UTC", []string{"wed"}, "10:00", "2026-12-30T10:00:01Z", nil, "2027-01-06T10:00:00Z"},
		"over a leap day":                               {"UTC", []string{"tue"}, "10:00", "2028-02-23T00:00:00Z", nil, "2028-02-29T10:00:00Z"},
		"before the clocks go forward":                  {"America/New_York", daily, "10:00", "2027-03-13T12:00:00Z", nil, "2027-03-13T15:00:00Z"},
		"after the clocks went forward":                 {"America/New_York", daily, "10:00", "2027-03-13T15:00:01Z", nil, "2027-03-14T14:00:00Z"},
		"before the clocks go back":                     {"Europe/Berlin", daily, "10:00", "2026-10-24T00:00:00Z", nil, "2026-10-24T08:00:00Z"},
		"after the clocks went back":                    {"Europe/Berlin", daily, "10:00", "2026-10-24T08:00:01Z", nil, "2026-10-25T09:00:00Z"},
		"a time that is skipped, west":                  {"America/New_York", daily, "02:30", "2027-03-14T05:30:00Z", nil, "2027-03-14T07:00:00Z"},
		"a time that is skipped, east":                  {"Europe/Berlin", daily, "02:30", "2027-03-28T00:00:00Z", nil, "2027-03-28T01:00:00Z"},
		"a midnight that is skipped":                    {"America/Santiago", daily, "00:00", "2026-09-06T03:00:00Z", nil, "2026-09-06T04:00:00Z"},
		"a time that comes twice, west":                 {"America/New_York", daily, "01:30", "2026-11-01T04:30:00Z", nil, "2026-11-01T05:30:00Z"},
		"a time that comes twice, east":                 {"Europe/Berlin", daily, "02:30", "2026-10-24T23:00:00Z", nil, "2026-10-25T00:30:00Z"},
		"between the two of a time that comes twice":    {"Europe/Berlin", daily, "02:30", "2026-10-25T01:00:00Z", nil, "2026-10-26T01:30:00Z"},
		"clocks changed by half an hour":                {"Australia/Lord_Howe", daily, "02:15", "2026-10-03T12:00:00Z", nil, "2026-10-03T15:30:00Z"},
		"a slot that is taken":                          {"UTC", weekly, "10:00", "2026-11-20T00:00:00Z", []string{"2026-11-20T10:00:00Z", "2026-11-25T10:00:00Z"}, "2026-11-23T10:00:00Z"},
		"several that are taken, said in another zone":  {"UTC", weekly, "10:00", "2026-11-20T00:00:00Z", []string{"2026-11-20T05:00:00-05:00", "2026-11-23T10:00:00Z"}, "2026-11-25T10:00:00Z"},
		"a moment near a slot takes none":               {"UTC", weekly, "10:00", "2026-11-20T00:00:00Z", []string{"2026-11-20T10:30:00Z"}, "2026-11-20T10:00:00Z"},
		"no days are no slots":                          {"UTC", nil, "10:00", "2026-11-20T00:00:00Z", nil, ""},
		"no time is no slot":                            {"UTC", weekly, "", "2026-11-20T00:00:00Z", nil, ""},
		"days that aren't any are not looked for twice": {"UTC", []string{"someday"}, "10:00", "2026-11-20T00:00:00Z", nil, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			zone, err := time.LoadLocation(tc.zone)
			require.NoError(t, err)
			var taken []time.Time
			for _, s := range tc.taken {
				taken = append(taken, moment(t, s))
			}
			got, ok := editorial.Schedule{Days: tc.days, Time: tc.clock}.NextSlot(zone, moment(t, tc.from), taken)
			require.Equal(t, tc.want != "", ok)
			if ok {
				require.Equal(t, tc.want, got.UTC().Format(time.RFC3339))
			}
		})
	}
}

func TestSchedule_NextSlot_isNeverBeforeItsStartNorTaken(t *testing.T) {
	t.Parallel()

	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	s := editorial.Schedule{Days: []string{"tue", "sun"}, Time: "01:30"}
	from := moment(t, "2026-01-01T00:00:00Z")
	var taken []time.Time
	for range 100 {
		got, ok := s.NextSlot(zone, from, taken)
		require.True(t, ok)
		require.False(t, got.Before(from))
		require.NotContains(t, taken, got)
		require.Contains(t, []time.Weekday{time.Tuesday, time.Sunday}, got.In(zone).Weekday())
		taken = append(taken, got)
	}
	require.IsIncreasing(t, unix(taken))
	require.Equal(t, "2026-12-13", taken[98].In(zone).Format(time.DateOnly), "98 slots later 49 weeks have passed")
}

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return at
}

func unix(list []time.Time) []int64 {
	out := make([]int64, len(list))
	for i, t := range list {
		out[i] = t.Unix()
	}
	return out
}
