package history_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/history"
)

// desk runs a source: each minute is one tick, answered by one publication.
type desk struct {
	t     *testing.T
	clock *clock
	store *sources.Store
	tick  chan time.Time
	news  chan struct{}
	stop  context.CancelFunc
	done  chan error
}

func sit(t *testing.T, h *history.History, c *clock) *desk {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	d := &desk{t: t, clock: c, tick: make(chan time.Time), news: make(chan struct{}, 100), stop: cancel, done: make(chan error, 1)}
	d.store = sources.NewStore(sources.DefaultSettings(), func(*sources.Snapshot, time.Time) sources.Judgement { return sources.Judgement{} }, c.now)
	src := h.Source(d.store, d.tick)
	if src.Name() != "history" {
		t.Errorf("the source is called %q", src.Name())
	}
	go func() {
		d.done <- src.Run(ctx, func(e ...sources.Edit) { d.store.Publish(e...); d.news <- struct{}{} })
	}()
	t.Cleanup(d.end)
	d.wait()
	return d
}

func (d *desk) wait() {
	d.t.Helper()
	select {
	case <-d.news:
	case <-d.t.Context().Done():
		d.t.Fatal("nothing was published")
	}
}

func (d *desk) end() {
	d.stop()
	if d.done != nil {
		if err := <-d.done; !errors.Is(err, context.Canceled) {
			d.t.Errorf("the source ended with %v", err)
		}
		d.done = nil
	}
}

// minute lets a minute pass and look happen.
func (d *desk) minute() *sources.Snapshot {
	d.t.Helper()
	d.clock.add(time.Minute)
	d.tick <- d.clock.now()
	d.wait()
	return d.store.Snapshot()
}

// look puts a fresh picture into the store.
func (d *desk) look(restarts int32) {
	now := d.clock.now()
	fs := sources.Filesystem{Capacity: 100, Used: 60, Available: 30, Inodes: 50, InodesFree: 20}
	d.store.Publish(func(s *sources.Snapshot) {
		s.Nodes = sources.Read([]sources.Node{{Name: "a", CPU: 2000, Memory: 400, Version: "v1.33.4+k3s1"}, {Name: "b", CPU: 2000, Memory: 400}, {Name: "c", CPU: 2000, Memory: 400}}, now)
		s.Stats = map[string]sources.Reading[sources.NodeStats]{
			"a": sources.Read(sources.NodeStats{CPU: 500, Memory: 300, FS: fs, From: "metrics.k8s.io", LoadAt: now}, now),
			"b": sources.Read(sources.NodeStats{FS: fs}, now).Failed(errors.New("timeout")),
			// The disk may not be read, CPU and memory come from elsewhere.
			"c": {Value: sources.NodeStats{CPU: 1000, Memory: 100, From: "metrics.k8s.io", LoadAt: now}, Err: errors.New("no permission")},
		}
		s.Pods = sources.Read([]sources.Pod{{
			Namespace: "shop", Name: "api-1", UID: "u1", Owner: api(), Created: noon(),
			Containers: []sources.Container{{Name: "app", Restarts: restarts}, {Name: "calm"}},
		}}, now)
	})
}

func api() sources.Ref { return sources.Ref{Kind: "Deployment", Namespace: "shop", Name: "api"} }

func values(points []sources.Point) []float64 {
	out := make([]float64, 0, len(points))
	for _, p := range points {
		out = append(out, p.Value)
	}
	return out
}

func TestSourceTakesEachReadingOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	h := open(t, t.TempDir(), c)
	d := sit(t, h, c)
	if first := d.store.Snapshot(); !first.History.Usable() || first.Sources["history"].Name != "history" {
		t.Errorf("at the start: %+v", first.History)
	}
	d.look(0)
	d.minute()
	old := d.minute() // nothing new was read
	d.look(0)
	s := d.minute()
	if got := len(old.History.Value.Points("cpu/a")); got != 1 {
		t.Errorf("the older snapshot has %d points now", got)
	}
	want := map[string]float64{"cpu/a": 0.25, "memory/a": 0.75, "cpu/c": 0.5, "memory/c": 0.25, "disk.used/a": 60, "disk.avail/a": 30, "inodes.used/a": 30, "inodes.free/a": 20}
	for series, v := range want {
		if got := values(s.History.Value.Points(series)); !slices.Equal(got, []float64{v, v}) {
			t.Errorf("%s is %v, want twice %v", series, got, v)
		}
	}
	if len(s.History.Value.Series) != len(want) {
		t.Errorf("a failed reading or a counter at zero was kept: %v", s.History.Value.Series)
	}
	if ch := s.History.Value.Changes; len(ch) != 1 || ch[0].Series != "version/a" || ch[0].Text != "v1.33.4+k3s1" {
		t.Errorf("changes are %v", ch)
	}
	if past := load(t, h, c.now()); len(past.Points("disk.used/a")) != 1 || len(past.Points("cpu/a")) != 2 || len(past.Changes) != 1 {
		t.Errorf("the file has %v", past)
	}
}

func TestRestartsAreDatedToTheMinute(t *testing.T) {
	t.Parallel()
	c := newClock()
	h := open(t, t.TempDir(), c)
	d := sit(t, h, c)
	series := sources.RestartSeries(api(), "api-1", "app")
	for _, n := range []int32{0, 0, 0, 1, 1, 1, 3} {
		d.look(n)
		d.minute()
	}
	if got := values(d.store.Snapshot().History.Value.Points(series)); !slices.Equal(got, []float64{0, 1, 1, 3}) {
		t.Errorf("the counter is %v", got)
	}
	got := history.Stored(t, h, series)
	if len(got) != 4 || got[1].At.Sub(got[0].At) != time.Minute || got[3].At.Sub(got[2].At) != time.Minute {
		t.Errorf("the file has %v", got)
	}
	c.add(8 * day)
	d.look(3)
	d.minute()
	got = history.Stored(t, h, series)
	if last := got[len(got)-1]; c.now().Sub(last.At) > 2*time.Minute || last.Value != 3 {
		t.Errorf("after a quiet week the last is %v: it counts as gone", last)
	}
}

func TestWhatCameSinceTheLastTickIsSavedAtTheEnd(t *testing.T) {
	t.Parallel()
	c := newClock()
	h := open(t, t.TempDir(), c)
	d := sit(t, h, c)
	d.look(2)
	d.end()
	if got := history.Stored(t, h, "disk.used/a"); len(got) != 1 {
		t.Errorf("one look left %d samples", len(got))
	}
}

func TestAFolderThatComesBack(t *testing.T) {
	t.Parallel()
	c := newClock()
	state := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(state, nil, 0o600); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	h := open(t, filepath.Join(state, "prod"), c)
	if err := h.Preload(t.Context(), []sources.Sample{{At: noon().Add(-day), Series: "disk.used/old", Value: 1}}); err == nil {
		t.Error("Preload kept samples in no file")
	}
	d := sit(t, h, c)
	d.look(0)
	s := d.minute()
	if s.History.Err == nil || s.Sources["history"].Err == nil || !s.History.At.Equal(c.now()) {
		t.Errorf("nobody is told: %v", s.History.Err)
	}
	if len(s.History.Value.Points("disk.used/a")) != 1 || len(s.History.Value.Points("disk.used/old")) != 1 {
		t.Errorf("memory has %v", s.History.Value.Series)
	}
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	d.look(0)
	s = d.minute()
	if s.History.Err != nil || s.Sources["history"].Err != nil {
		t.Errorf("it did not come back: %v", s.History.Err)
	}
	if got := history.Stored(t, h, "disk.used/a"); len(got) != 2 {
		t.Errorf("%d of 2 samples reached the file", len(got))
	}
	if got := history.Stored(t, h, "disk.used/old"); len(got) != 1 {
		t.Error("what was preloaded did not reach the file")
	}
}

func TestAFullDisk(t *testing.T) {
	t.Parallel()
	c := newClock()
	h := open(t, t.TempDir(), c)
	d := sit(t, h, c)
	history.Exec(t, h, "PRAGMA max_page_count = 1") // as small as it is already
	full := false
	for i := 0; i < 500 && !full; i++ {
		d.look(int32(i))
		s := d.minute()
		full = s.History.Err != nil
		if got := len(s.History.Value.Points("cpu/a")); got == 0 {
			t.Fatal("memory was lost")
		}
		if full && !strings.HasPrefix(s.Sources["history"].Err.Error(), "no space left for the history: saving samples") {
			t.Errorf("health is %v", s.Sources["history"].Err)
		}
	}
	if !full {
		t.Fatal("the disk never was full")
	}
	kept := len(history.Stored(t, h, "cpu/a"))
	d.look(0)
	d.minute()
	history.Exec(t, h, "PRAGMA max_page_count = 1000000")
	d.look(0)
	if s := d.minute(); s.History.Err != nil {
		t.Errorf("it did not come back: %v", s.History.Err)
	}
	if got := len(history.Stored(t, h, "cpu/a")); got < kept+3 {
		t.Errorf("%d samples, %d before: those of the time between are lost", got, kept)
	}
}

func TestMemoryOutlivesADamagedFile(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	h := open(t, dir, c)
	add(t, h, every("disk.used/a", noon().Add(-100*day), noon(), day, func(time.Time) float64 { return 5 })...)
	d := sit(t, h, c)
	if note := d.store.Snapshot().Sources["history"].Note; note != "100 d" {
		t.Errorf("the header says %q", note)
	}
	if err := os.Remove(filepath.Join(dir, history.FileName)); err != nil {
		t.Fatal(err)
	}
	d.look(0)
	s := d.minute()
	if got := len(s.History.Value.Points("disk.used/a")); got < 50 {
		t.Errorf("%d points are left in memory", got)
	}
	if got := len(history.Stored(t, h, "disk.used/a")); got < 50 {
		t.Errorf("%d points are in the new file", got)
	}
	// A file that rots while it is in use.
	path := filepath.Join(dir, history.FileName)
	history.Exec(t, h, "PRAGMA wal_checkpoint(TRUNCATE)")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	clear(b)
	copy(b, "rotten")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	d.look(0)
	s = d.minute()
	if err := s.Sources["history"].Err; err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("health is %v", err)
	}
	if s.History.Err != nil || len(s.History.Value.Points("disk.used/a")) < 50 || len(history.Stored(t, h, "disk.used/a")) < 50 {
		t.Errorf("the past is lost: %v, %d points", s.History.Err, len(s.History.Value.Points("disk.used/a")))
	}
	for range 11 {
		s = d.minute()
	}
	if err := s.Sources["history"].Err; err != nil {
		t.Errorf("it is told for ever: %v", err)
	}
}

func TestTwoCockpitsSeeEachOther(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	one, two := open(t, dir, c), open(t, dir, c)
	d := sit(t, one, c)
	d.look(0)
	d.minute()
	add(t, two, sources.Sample{At: c.now(), Series: "disk.used/theirs", Value: 9})
	for range 10 {
		d.minute()
	}
	if got := d.store.Snapshot().History.Value.Points("disk.used/theirs"); len(got) != 1 {
		t.Errorf("the other cockpit's sample is not seen: %v", got)
	}
}

func TestTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	c := newClock()
	h := open(t, t.TempDir(), c)
	d := sit(t, h, c)
	for range 3 {
		d.look(1)
		d.minute()
	}
	c.add(-2 * time.Hour)
	for range 3 {
		d.look(1)
		d.minute()
	}
	got := d.store.Snapshot().History.Value.Points("cpu/a")
	if !slices.IsSortedFunc(got, func(a, b sources.Point) int { return a.At.Compare(b.At) }) || len(got) != 3 {
		t.Errorf("after the jump: %v", got)
	}
	if all := history.Stored(t, h, "cpu/a"); len(all) != 6 {
		t.Errorf("%d of 6 samples are kept", len(all))
	}
	c.add(40 * 365 * day)
	d.look(1)
	if s := d.minute(); s.History.Err != nil {
		t.Error(s.History.Err)
	}
}

// BenchmarkHistory measures what 500 nodes with 400 days cost: bytes is the
// memory of the loaded history.
func BenchmarkHistory(b *testing.B) {
	for _, nodes := range []int{5, 50, 200, 500} {
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			c := newClock()
			h, err := history.Open(b.Context(), history.Options{Dir: b.TempDir(), Clock: c.now})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = h.Close() }()
			for n := range nodes {
				if err := h.Add(b.Context(), nodePast(fmt.Sprintf("node-%03d", n))); err != nil {
					b.Fatal(err)
				}
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			var past sources.History
			for b.Loop() {
				if past, err = h.Load(b.Context(), noon()); err != nil {
					b.Fatal(err)
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			points := 0
			for _, p := range past.Series {
				points += len(p)
			}
			b.ReportMetric(float64(after.HeapAlloc)-float64(before.HeapAlloc), "bytes")
			b.ReportMetric(float64(points), "points")
		})
	}
}

// nodePast is a node's past as thinning leaves it, with two days of minutes.
func nodePast(node string) []sources.Sample {
	one := func(at time.Time) float64 { return float64(at.Unix() % 1000) }
	out := make([]sources.Sample, 0, 12_000)
	for _, s := range []string{sources.DiskUsedSeries(node), sources.DiskAvailSeries(node), sources.InodesUsedSeries(node), sources.InodesFreeSeries(node)} {
		out = append(out, every(s, noon().Add(-400*day), noon().Add(-30*day), day, one)...)
		out = append(out, every(s, noon().Add(-30*day), noon().Add(-2*day), time.Hour, one)...)
		out = append(out, every(s, noon().Add(-2*day), noon(), 5*time.Minute, one)...)
	}
	for _, s := range []string{sources.CPUSeries(node), sources.MemorySeries(node)} {
		out = append(out, every(s, noon().Add(-2*day), noon(), time.Minute, one)...)
	}
	return out
}
