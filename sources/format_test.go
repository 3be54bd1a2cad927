package sources_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"daytwo/sources"
)

func TestNumbersReadOneWay(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 15, 4, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for _, c := range []struct{ got, want string }{
		{sources.Bytes(0), "0 B"},
		{sources.Bytes(999), "999 B"},
		{sources.Bytes(1000), "1.0 kB"},
		{sources.Bytes(999_700), "1.0 MB"},
		{sources.Bytes(2.14e9), "2.1 GB"},
		{sources.Bytes(9.96e9), "10 GB"},
		{sources.Bytes(230e9), "230 GB"},
		{sources.Bytes(-2.1e9), "-2.1 GB"},
		{sources.Bytes(math.MaxFloat64)[len(sources.Bytes(math.MaxFloat64))-2:], "EB"},
		{sources.Bytes(math.NaN()), "?"},
		{sources.Growth(2.1e9), "+2.1 GB/day"},
		{sources.Growth(-5e6), "-5.0 MB/day"},
		{sources.Memory(256 << 20), "256Mi"},
		{sources.Memory(1536 << 20), "1.5Gi"},
		{sources.Memory(0), "0"},
		{sources.Percent(92.9), "92 %"},
		{sources.Percent(-1), "? %"},
		{sources.Span(0), "0 s"},
		{sources.Span(89 * time.Second), "89 s"},
		{sources.Span(12*time.Minute + 59*time.Second), "12 min"},
		{sources.Span(31 * time.Hour), "31 h"},
		{sources.Span(47*time.Hour + 59*time.Minute), "47 h"},
		{sources.Span(102 * day), "102 d"},
		{sources.Span(800 * day), "2 y"},
		{sources.Ago(now.Add(-31*time.Hour), now), "31 h ago"},
		{sources.Ago(now.Add(time.Hour), now), "now"},
		{sources.Until(now.Add(3*day+time.Hour), now), "in 3 d"},
		{sources.Until(now.Add(-time.Hour), now), "now"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestNamesInNaturalOrder(t *testing.T) {
	t.Parallel()
	want := []string{"", "a", "master-0", "worker-2", "worker-02b", "worker-10", "worker-10-a", "worker-99999999999999999999", "worker-a"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, sources.CompareNames)
	if !slices.Equal(got, want) {
		t.Errorf("order %q", got)
	}
	for _, a := range want {
		for _, b := range want {
			if sources.CompareNames(a, b) != -sources.CompareNames(b, a) {
				t.Errorf("%q and %q compare differently each way", a, b)
			}
		}
	}
}
