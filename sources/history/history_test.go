package history_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
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

func TestTwoHandlesWriteAtOnce(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	var wg sync.WaitGroup
	for i := range 2 {
		h := open(t, dir, c)
		wg.Go(func() {
			for n := range 40 {
				samples := []sources.Sample{
					{At: noon().Add(-time.Duration(n) * time.Minute), Series: "disk.used/both", Value: 1},
					{At: noon().Add(-time.Duration(n) * time.Minute), Series: fmt.Sprintf("disk.used/%d-%d", i, n%5), Value: 1},
				}
				if err := h.Add(context.Background(), samples); err != nil {
					t.Error(err)
				}
				if n%10 == 0 {
					if err := h.Thin(context.Background(), noon()); err != nil {
						t.Error(err)
					}
				}
				if _, err := h.Load(context.Background(), noon()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	h := open(t, dir, c)
	if got := history.Stored(t, h, "disk.used/both"); len(got) != 40 {
		t.Errorf("%d of 40 samples of both", len(got))
	}
	for _, s := range []string{"disk.used/0-3", "disk.used/1-4"} {
		if got := history.Stored(t, h, s); len(got) != 8 {
			t.Errorf("%s: %d of 8", s, len(got))
		}
	}
}

// TestMain lets the test binary be a second process that writes until it is
// killed, see TestSurvivesKill.
func TestMain(m *testing.M) {
	if dir := os.Getenv("DAYTWO_TEST_WRITE_TO"); dir != "" {
		_, _ = fmt.Fprintln(os.Stderr, writeForever(dir))
		return
	}
	m.Run()
}

func writeForever(dir string) error {
	ctx := context.Background()
	h, err := history.Open(ctx, history.Options{Dir: dir, Clock: noon})
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		at := noon().Add(-48 * time.Hour).Add(time.Duration(n) * time.Second)
		var samples []sources.Sample
		for i := range 50 {
			samples = append(samples, sources.Sample{At: at, Series: fmt.Sprintf("disk.used/%d", i), Value: float64(n)})
		}
		if err := h.Add(ctx, samples); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(os.Stdout, n)
	}
}

func TestSurvivesKill(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, dir := newClock(), t.TempDir()
	h := open(t, dir, c)
	said := 0
	for range 3 {
		child := exec.CommandContext(t.Context(), self)
		child.Env = append(os.Environ(), "DAYTWO_TEST_WRITE_TO="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := 0
		for s := bufio.NewScanner(out); s.Scan(); lines++ {
			if lines == 40 { // it goes on writing until the signal comes
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = child.Wait()
		said = max(said, lines)
		add(t, h, sources.Sample{At: noon(), Series: "disk.used/parent", Value: 1})
	}
	if said < 40 {
		t.Fatalf("the child wrote only %d times", said)
	}
	for i := range 50 {
		if got := history.Stored(t, h, fmt.Sprintf("disk.used/%d", i)); len(got) < said {
			t.Errorf("series %d has %d samples, the child had said %d", i, len(got), said)
		}
	}
	history.CheckIntegrity(t, h)
}

func TestADamagedFileIsSetAside(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func([]byte) []byte{
		"no database": func([]byte) []byte { return []byte(strings.Repeat("not a database. ", 1000)) },
		"half zero":   func(b []byte) []byte { clear(b[1000:]); return b },
		"cut":         func(b []byte) []byte { return b[:len(b)/2+100] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, dir, book := newClock(), t.TempDir(), &logbook{}
			path := filepath.Join(dir, history.FileName)
			first := open(t, dir, c)
			for i := range 200 {
				add(t, first, every(fmt.Sprintf("disk.used/%d", i), noon().Add(-time.Hour), noon(), time.Minute, func(time.Time) float64 { return 1 })...)
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, spoil(b), 0o600); err != nil {
				t.Fatal(err)
			}
			h, err := history.Open(t.Context(), history.Options{Dir: dir, Clock: c.now, Log: book.log})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = h.Close() }()
			if past := load(t, h, noon()); len(past.Series) > 0 {
				t.Errorf("%d series were read from a damaged file", len(past.Series))
			}
			add(t, h, sources.Sample{At: noon(), Series: "disk.used/new", Value: 2})
			aside := path + ".corrupt-" + noon().UTC().Format("20060102-150405")
			if _, err := os.Stat(aside); err != nil {
				t.Error(err)
			}
			if !strings.Contains(h.Damaged(), aside) || !strings.Contains(book.text(), aside) {
				t.Errorf("nobody is told: %q, log %q", h.Damaged(), book.text())
			}
			if err := h.Trouble(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenNeverFails(t *testing.T) {
	t.Parallel()
	c := newClock()
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{"": "XDG_STATE_HOME", filepath.Join(blocked, "prod"): "the state folder cannot be used"} {
		book := &logbook{}
		h, err := history.Open(t.Context(), history.Options{Dir: dir, Clock: c.now, Log: book.log})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Trouble(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "memory") {
			t.Errorf("%q: trouble is %v", dir, err)
		}
		if !strings.Contains(book.text(), want) {
			t.Errorf("%q: log is %q", dir, book.text())
		}
		if err := h.Add(t.Context(), []sources.Sample{{At: noon(), Series: "cpu/a", Value: 1}}); err == nil {
			t.Errorf("%q: Add says that it kept samples", dir)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := history.Open(ended, history.Options{Dir: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

func TestAFileOfALaterVersionIsLeftAlone(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	h := open(t, dir, c)
	history.Exec(t, h, "PRAGMA user_version = 99")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	later := open(t, dir, c)
	if err := later.Trouble(); err == nil || !strings.Contains(err.Error(), "newer daytwo") {
		t.Errorf("trouble is %v", err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*corrupt*")); len(found) > 0 {
		t.Errorf("it was set aside: %v", found)
	}
}

func TestFolderNames(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "/state")
	seen := map[string]string{}
	for _, cluster := range []string{
		"prod-fsn1", "", ".", "..", "../../etc", "a/b", "a_b", "a\x00b", "Prod", "prod", "arn:aws:eks:eu:1:cluster/x",
		strings.Repeat("x", 300), strings.Repeat("x", 301), "é", "daytwo.log", "-rf", "user@kube",
	} {
		dir, err := history.Dir(cluster)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(dir)
		if filepath.Dir(dir) != "/state/daytwo" || name == "daytwo" || strings.HasPrefix(name, ".") || len(name) > 80 || name == "daytwo.log" {
			t.Errorf("%q lives in %s", cluster, dir)
		}
		if other, ok := seen[strings.ToLower(name)]; ok {
			t.Errorf("%q and %q share %s", cluster, other, name)
		}
		seen[strings.ToLower(name)] = cluster
	}
	if dir, _ := history.Dir("prod-fsn1"); dir != "/state/daytwo/prod-fsn1" {
		t.Errorf("a plain name became %s", dir)
	}
	t.Setenv("XDG_STATE_HOME", "relative")
	t.Setenv("HOME", "/home/x")
	if dir, err := history.Dir("prod"); err != nil || dir != "/home/x/.local/state/daytwo/prod" {
		t.Errorf("without XDG_STATE_HOME: %s %v", dir, err)
	}
	t.Setenv("HOME", "")
	if _, err := history.Dir("prod"); err == nil {
		t.Error("without HOME there is a folder")
	}
}
