package rules

import (
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// period is the longest time between two runs of a cron schedule, 0 if it
// cannot be read or never runs twice. It is measured from one fixed Thursday
// over eight days or at least three runs, in UTC: gaps do not depend on the
// zone, and a limit that depended on today would jump.
func period(schedule string) time.Duration {
	if strings.Contains(schedule, "TZ=") {
		return 0 // reading zone files is no business of a rule
	}
	s, err := cron.ParseStandard(schedule)
	if err != nil {
		return 0
	}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	longest, last := time.Duration(0), time.Time{}
	for run := range 400 {
		next := s.Next(begin)
		if next.IsZero() || !next.After(begin) {
			break
		}
		if !last.IsZero() {
			longest = max(longest, next.Sub(last))
		}
		if run >= 3 && next.Sub(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) > 8*24*time.Hour {
			break
		}
		last, begin = next, next
	}
	return longest
}
