package kube

import (
	"strings"
	"testing"
	"time"
)

// TestLogMemory: lines out of order and equal ones, read again from the time
// that the memory asks for.
func TestLogMemory(t *testing.T) {
	t.Parallel()
	log := []string{
		"2025-11-22T15:04:29.9Z old", "2025-11-22T15:04:30.5Z a", "2025-11-22T15:04:31.000000001Z same", "2025-11-22T15:04:31.000000001Z same",
		"2025-11-22T15:04:30.999Z late", "2025-11-22T15:04:31.2Z ", "2025-11-22T15:04:31.3Z", "2025-11-22T16:04:31.4+01:00 there", "no time",
	}
	m := newLogMemory()
	for cut := range log {
		m.rewind()
		var got []string
		for _, l := range log[:cut+1] {
			if at, err := time.Parse(time.RFC3339Nano, strings.SplitN(l, " ", 2)[0]); err == nil && at.Before(m.since()) {
				continue
			}
			if text, fresh := m.fresh([]byte(l)); fresh {
				got = append(got, string(text))
			}
		}
		_, want, found := strings.Cut(log[cut], " ")
		if !found {
			want = ""
		}
		if log[cut] == "no time" {
			want = "no time"
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("up to %q: fresh are %q, want %q", log[cut], got, want)
		}
	}
}
