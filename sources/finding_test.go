package sources_test

import (
	"slices"
	"strings"
	"testing"

	"daytwo/sources"
)

// TestWhatHappensNowComesFirst: severity decides; within one, what takes the
// cluster down, then what happens now, then what is known for days.
func TestWhatHappensNowComesFirst(t *testing.T) {
	t.Parallel()
	want := []string{
		"critical version.newer",
		"warning node.cordoned", "warning cert.overdue", "warning cert.expiring", "warning cert.failing",
		"warning restarts.rate", "warning restarts.daily", "warning load.cpu", "warning version.older", "warning zoo.new",
		"unknown disk.unknown",
	}
	severities := map[string]sources.Severity{
		"critical": sources.Critical, "warning": sources.Warning, "unknown": sources.Unknown,
	}
	fs := make([]sources.Finding, 0, len(want))
	for _, w := range slices.Backward(want) {
		word, rule, _ := strings.Cut(w, " ")
		fs = append(fs, sources.Finding{Rule: rule, Severity: severities[word]})
	}
	sources.SortFindings(fs)
	for i, f := range fs {
		if got := f.Severity.String() + " " + f.Rule; got != want[i] {
			t.Errorf("place %d: %s, want %s", i, got, want[i])
		}
	}
}
