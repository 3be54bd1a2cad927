package history_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/history"
)

const day = 24 * time.Hour

// noon is when tests take place.
func noon() time.Time { return time.Unix(1_800_000_000, 0).Truncate(day).Add(12 * time.Hour) }

// clock is a clock that tests set.
type clock struct{ sec atomic.Int64 }

func (c *clock) now() time.Time      { return time.Unix(c.sec.Load(), 0) }
func (c *clock) set(t time.Time)     { c.sec.Store(t.Unix()) }
func (c *clock) add(d time.Duration) { c.sec.Add(int64(d / time.Second)) }

func newClock() *clock {
	c := &clock{}
	c.set(noon())
	return c
}

// logbook collects messages.
type logbook struct {
	mu    sync.Mutex
	lines []string
}

func (l *logbook) log(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *logbook) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func open(t *testing.T, dir string, c *clock) *history.History {
	t.Helper()
	h, err := history.Open(t.Context(), history.Options{Dir: dir, Clock: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func load(t *testing.T, h *history.History, now time.Time) sources.History {
	t.Helper()
	past, err := h.Load(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	return past
}

func add(t *testing.T, h *history.History, samples ...sources.Sample) {
	t.Helper()
	if err := h.Add(t.Context(), samples); err != nil {
		t.Fatal(err)
	}
}

// every makes samples of a series from one time to another.
func every(series string, from, to time.Time, step time.Duration, value func(time.Time) float64) []sources.Sample {
	var out []sources.Sample
	for at := from; !at.After(to); at = at.Add(step) {
		out = append(out, sources.Sample{At: at, Series: series, Value: value(at)})
	}
	return out
}

func TestWhatWasAddedIsThereAfterwards(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), filepath.Join(t.TempDir(), "odd ?#%20é", "prod")
	h := open(t, dir, c)
	if err := h.Trouble(); err != nil {
		t.Fatal(err)
	}
	at := noon().Add(-time.Minute)
	add(t, h, sources.Sample{At: at, Series: "disk.used/a", Value: 7},
		sources.Sample{At: at, Series: "disk.used/a", Value: 8}, // the same second: the first stays
		sources.Sample{At: at, Series: "cpu/a", Value: math.NaN()},
		sources.Sample{Series: "cpu/a", Value: 1})
	versions := []sources.Change{{At: at, Series: "version/a", Text: "v1"}, {At: at.Add(time.Second), Series: "version/a", Text: "v1"}, {At: at.Add(2 * time.Second), Series: "version/a", Text: "v2"}}
	for range 2 {
		if err := h.AddChanges(t.Context(), versions); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	past := load(t, open(t, dir, c), noon())
	if got := past.Points("disk.used/a"); len(got) != 1 || got[0].Value != 7 || !got[0].At.Equal(at) {
		t.Errorf("disk.used/a is %v", got)
	}
	if got := past.Points("cpu/a"); got != nil {
		t.Errorf("values that mean nothing were kept: %v", got)
	}
	if len(past.Changes) != 2 || past.Changes[0].Text != "v1" || past.Changes[1].Text != "v2" || past.Changes[1].Series != "version/a" {
		t.Errorf("changes are %v", past.Changes)
	}
}

func TestOnlyTheOwnerCanRead(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), filepath.Join(t.TempDir(), "prod")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, history.FileName), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	h := open(t, dir, c)
	add(t, h, sources.Sample{At: noon(), Series: "cpu/a", Value: 1})
	seen := 0
	for _, name := range []string{"", history.FileName, history.FileName + "-wal", history.FileName + "-shm"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if rights := info.Mode().Perm(); rights&0o077 != 0 {
			t.Errorf("%q has rights %v", name, rights)
		}
	}
	if seen != 4 {
		t.Errorf("%d files looked at", seen)
	}
}

func TestThinningKeepsWhatEachKindNeeds(t *testing.T) {
	t.Parallel()
	c := newClock()
	h := open(t, t.TempDir(), c)
	saw := func(at time.Time) float64 { return float64(at.Unix() / 60 % 60) } // 0 to 59 within each hour
	from := noon().Add(-50 * time.Hour)                                       // two whole hours beyond 48
	for _, s := range []string{"disk.used/a", "disk.avail/a", "version-like/a", "restarts/Deployment/n/d/p/c"} {
		add(t, h, every(s, from, noon(), time.Minute, saw)...)
	}
	for range 2 { // again changes nothing
		if err := h.Thin(t.Context(), noon()); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string][]float64{
		"disk.used/a": {0, 0}, "disk.avail/a": {59, 59}, "version-like/a": {59, 59},
		"restarts/Deployment/n/d/p/c": {0, 59, 0, 59},
	}
	for series, first := range want {
		got := history.Stored(t, h, series)
		if raw := 48*60 + 1; len(got) != raw+len(first) {
			t.Errorf("%s: %d samples, want %d raw and %d hours", series, len(got), raw, len(first))
			continue
		}
		for i, v := range first {
			if got[i].Value != v {
				t.Errorf("%s: sample %d is %v, want %v", series, i, got[i].Value, v)
			}
		}
	}
}

func TestThinningInStepsEndsLikeThinningAtOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	begin := noon().Add(-40 * day)
	samples := every("disk.used/a", begin, noon(), 20*time.Minute, func(at time.Time) float64 {
		return float64(at.Unix()*2_654_435_761%1_000_003) + 1
	})
	steps, once := open(t, t.TempDir(), c), open(t, t.TempDir(), c)
	for len(samples) > 0 {
		n := min(len(samples), 77)
		add(t, steps, samples[:n]...)
		add(t, once, samples[:n]...)
		if err := steps.Thin(t.Context(), samples[n-1].At); err != nil {
			t.Fatal(err)
		}
		samples = samples[n:]
	}
	for _, h := range []*history.History{steps, once} {
		if err := h.Thin(t.Context(), noon()); err != nil {
			t.Fatal(err)
		}
	}
	a, b := history.Stored(t, steps, "disk.used/a"), history.Stored(t, once, "disk.used/a")
	if !slices.Equal(a, b) {
		t.Errorf("%d samples after many steps, %d after one", len(a), len(b))
	}
	if days, hours, raw := 10, 28*24, 48*3; len(a) < days+hours+raw || len(a) > days+hours+raw+14 {
		t.Errorf("%d samples, want about %d", len(a), days+hours+raw)
	}
}

func TestLateSamplesAreThinnedToo(t *testing.T) {
	t.Parallel()
	c := newClock()
	h := open(t, t.TempDir(), c)
	add(t, h, sources.Sample{At: noon(), Series: "disk.used/a", Value: 1})
	if err := h.Thin(t.Context(), noon()); err != nil {
		t.Fatal(err)
	}
	if err := h.Preload(t.Context(), every("disk.used/b", noon().Add(-100*day), noon().Add(-99*day), time.Minute, func(time.Time) float64 { return 2 })); err != nil {
		t.Fatal(err)
	}
	if err := h.Thin(t.Context(), noon()); err != nil {
		t.Fatal(err)
	}
	if got := history.Stored(t, h, "disk.used/b"); len(got) != 2 {
		t.Errorf("%d samples of two days are left", len(got))
	}
}

func TestFourHundredDaysAreKeptWhateverTheClockSays(t *testing.T) {
	t.Parallel()
	c := newClock()
	h := open(t, t.TempDir(), c)
	const old, gone = "disk.used/a", "restarts/Deployment/n/d/p/c"
	add(t, h, every(old, noon().Add(-500*day), noon(), day, func(time.Time) float64 { return 1 })...)
	add(t, h, sources.Sample{At: noon().Add(-450 * day), Series: gone, Value: 3})
	if err := h.Thin(t.Context(), noon()); err != nil {
		t.Fatal(err)
	}
	if got := len(history.Stored(t, h, old)); got < 400 || got > 440 {
		t.Errorf("%d days are kept", got)
	}
	if got := history.Stored(t, h, gone); len(got) != 0 {
		t.Errorf("the counter of a pod gone for 450 days is kept: %v", got)
	}
	if err := h.Thin(t.Context(), noon().Add(80*365*day)); err != nil { // the clock is wrong
		t.Fatal(err)
	}
	if got := len(history.Stored(t, h, old)); got != 400 {
		t.Errorf("%d days are left after the clock jumped", got)
	}
}

func TestSamplesInTheFutureWaitForTheirTime(t *testing.T) {
	t.Parallel()
	c := newClock()
	h := open(t, t.TempDir(), c)
	add(t, h, sources.Sample{At: noon(), Series: "disk.used/a", Value: 1}, sources.Sample{At: noon().Add(300 * day), Series: "disk.used/a", Value: 2})
	if err := h.Thin(t.Context(), noon()); err != nil {
		t.Fatal(err)
	}
	if got := load(t, h, noon()).Points("disk.used/a"); len(got) != 1 || got[0].Value != 1 {
		t.Errorf("at noon: %v", got)
	}
	if got := load(t, h, noon().Add(301*day)).Points("disk.used/a"); len(got) != 2 {
		t.Errorf("when the time has come: %v", got)
	}
}

func TestLoadShowsAFewHundredPoints(t *testing.T) {
	t.Parallel()
	c := newClock()
	h := open(t, t.TempDir(), c)
	rise := func(at time.Time) float64 { return float64(at.Unix()) }
	add(t, h, every("disk.used/a", noon().Add(-399*day), noon().Add(-2*day), 6*time.Hour, rise)...)
	add(t, h, every("disk.used/a", noon().Add(-2*day), noon(), time.Minute, rise)...)
	add(t, h, every("cpu/a", noon().Add(-3*day), noon(), time.Minute, rise)...)
	add(t, h, every("restarts/Deployment/n/d/p/c", noon().Add(-60*day), noon(), 5*time.Minute, rise)...)
	past := load(t, h, noon())
	for series, most := range map[string]int{"disk.used/a": 400, "cpu/a": 410, "restarts/Deployment/n/d/p/c": 400} {
		got := past.Points(series)
		if len(got) > most || len(got) < most/2 {
			t.Errorf("%s: %d points, at most %d wanted", series, len(got), most)
		}
		if !slices.IsSortedFunc(got, func(a, b sources.Point) int { return a.At.Compare(b.At) }) || !got[len(got)-1].At.Equal(noon()) {
			if series != "disk.used/a" { // the lowest of ten minutes is the first here
				t.Errorf("%s is out of order or lacks the newest", series)
			}
		}
	}
	cpu := past.Points("cpu/a")
	if cpu[0].At.Before(noon().Add(-day)) {
		t.Errorf("load is shown since %v", cpu[0].At)
	}
	for i := 1; i < len(cpu); i++ {
		if gap := cpu[i].At.Sub(cpu[i-1].At); gap > 5*time.Minute || (noon().Sub(cpu[i].At) < 59*time.Minute && gap != time.Minute) {
			t.Errorf("a hole of %v at %v", gap, cpu[i].At)
		}
	}
}
