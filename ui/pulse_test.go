package ui

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"daytwo/keymap"
	"daytwo/sources"

	tea "charm.land/bubbletea/v2"
)

// still is a view that shows nothing.
type still struct{}

func (still) Title() string                 { return "still" }
func (still) Commands(Frame) []Command      { return nil }
func (still) Update(tea.Msg, Frame) tea.Cmd { return nil }
func (still) Render(Frame) string           { return "" }

func pulseRoot() (*Root, *sources.Store, chan struct{}) {
	judge := func(s *sources.Snapshot, _ time.Time) sources.Judgement { return s.Judged }
	store := sources.NewStore(sources.DefaultSettings(), judge, time.Now)
	done := make(chan struct{})
	r := New(Options{Store: store, Clock: time.Now, Keys: keymap.Default(), Home: still{}})
	r.done = done
	return r, store, done
}

func TestLooksAreAtLeast50msApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, store, _ := pulseRoot()
		store.Publish()
		began := time.Now()
		if _, ok := r.look(0)().(changedMsg); !ok || time.Since(began) != 0 {
			t.Fatalf("the first look took %v", time.Since(began))
		}
		again := r.notice(changedMsg{})
		store.Publish()
		store.Publish()
		if _, ok := again().(changedMsg); !ok || time.Since(began) != leastBetweenLooks {
			t.Fatalf("the second look came after %v, want %v", time.Since(began), leastBetweenLooks)
		}
	})
}

func TestHeartbeatsAreOnTheSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := pulseRoot()
		<-time.After(300 * time.Millisecond)
		for range 3 {
			if _, ok := r.beat()().(heartbeatMsg); !ok {
				t.Fatal("no heartbeat")
			}
			if n := time.Now().Nanosecond(); n != 0 {
				t.Fatalf("a heartbeat %d ns after the second", n)
			}
		}
	})
}

// TestACalmScreenBeatsSlower: each heartbeat draws the screen, so they come
// every second only while something in sight counts seconds.
func TestACalmScreenBeatsSlower(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, store, _ := pulseRoot()
		between := func() time.Duration {
			r.beat()()
			began := time.Now()
			r.beat()()
			return time.Since(began)
		}
		if got := between(); got != calmBeat {
			t.Errorf("calm: %v between heartbeats, want %v", got, calmBeat)
		}
		r.views = append(r.views, still{})
		if got := between(); got != time.Second {
			t.Errorf("evidence in sight: %v", got)
		}
		r.views = r.views[:1]
		store.Publish(sources.SetHealth(sources.Health{Name: apiSource, Err: errors.New("gone")}))
		r.snapshot = store.Snapshot()
		if got := between(); got != time.Second {
			t.Errorf("stale: %v", got)
		}
	})
}

func TestWaitingEndsWithTheProgram(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _, done := pulseRoot()
		ended := make(chan tea.Msg, 3)
		for _, cmd := range []tea.Cmd{r.look(0), r.look(time.Hour), r.beat()} {
			go func() { ended <- cmd() }()
		}
		synctest.Wait() // all three are waiting
		close(done)
		for range 3 {
			if msg := <-ended; msg != nil {
				t.Errorf("%T after the end", msg)
			}
		}
	})
}

func TestPanicInCommandIsReported(t *testing.T) {
	t.Parallel()
	r, _, _ := pulseRoot()
	var failed error
	r.fail = func(err error) { failed = err }
	cmd := r.guard(func() tea.Msg { return tea.BatchMsg{func() tea.Msg { panic("no node") }} })
	batch, ok := cmd().(tea.BatchMsg)
	if !ok || len(batch) != 1 {
		t.Fatal("a batch did not stay a batch")
	}
	r.Update(batch[0]())
	if failed == nil {
		t.Fatal("a panic within a batch was lost")
	}
}

// TestSinglesTakeOneCell: what is measured without a look-up takes one cell
// everywhere and joins with nothing.
func TestSinglesTakeOneCell(t *testing.T) {
	t.Parallel()
	count := 0
	for r := range rune(0x20000) {
		if singles(string(r)) < 0 {
			continue
		}
		if count++; !alone(string(r)) || Width(string(r)) != 1 {
			t.Errorf("%q (U+%04X) is not always one cell", r, r)
		}
	}
	if count < 200 {
		t.Errorf("only %d runes are measured without a look-up", count)
	}
}
