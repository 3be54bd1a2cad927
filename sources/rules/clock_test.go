package rules_test

import (
	"strings"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/rules"
)

// TestClockJumps: when this machine's clock is set, in either direction,
// nothing turns into an alarm of the cluster's and nothing is negative; old
// readings are told as old.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]time.Duration{
		"an hour back": -time.Hour, "ten years back": -3650 * day, "an hour on": time.Hour,
	} {
		s := healthy()
		s.At = now.Add(by)
		stale := false
		for _, f := range rules.Judge(s, s.At).Findings {
			stale = stale || f.Rule == "source.stale"
			if strings.HasPrefix(f.Rule, "source.") || f.Severity == sources.Unknown {
				continue
			}
			t.Errorf("%s: %s %s: %s", name, f.Severity, f.Rule, f.Summary)
		}
		if want := by > 0; stale != want {
			t.Errorf("%s: stale %v, want %v", name, stale, want)
		}
	}
}

// TestClockJumpsKeepNumbersPositive: of everything that is wrong, told at
// another time.
func TestClockJumpsKeepNumbersPositive(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{-3650 * day, -day, 3650 * day} {
		s := healthy()
		s.Nodes.Value[0].Unschedulable = true
		s.CronJobs.Value[0].LastSuccess = ago(31 * time.Hour)
		s.Pods.Value[0].Containers[0].Restarts = 40
		s.Pods.Value[0].Containers[0].Last.Finished = ago(time.Minute)
		for _, f := range rules.Judge(s, now.Add(by)).Findings {
			if strings.Contains(" "+f.Summary, " -") || strings.Contains(f.Summary, "NaN") || strings.Contains(f.Summary, "Inf") {
				t.Errorf("%s %s: %s", by, f.Rule, f.Summary)
			}
		}
	}
}
