package ui_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"daytwo/ui/uitest"

	"github.com/charmbracelet/x/ansi"
)

// marked holds when the cursor is on a row.
func marked(name string) func(string) bool {
	return func(screen string) bool {
		for line := range strings.SplitSeq(screen, "\n") {
			if strings.Contains(line, "▌") {
				return strings.Contains(line, name+" ")
			}
		}
		return false
	}
}

func TestProgramSurvivesResizeAndQuits(t *testing.T) {
	t.Parallel()
	term := uitest.Open(t, options(newListView(things(300)), uitest.NewClock()), 120, 40)
	term.Wait("the first row", marked("worker-0"))
	term.Keys("jj")
	term.Wait("the third row", marked("worker-2"))
	if !term.Full() {
		t.Error("the program does not use the alternate screen")
	}
	term.Resize(60, 12)
	term.Wait("the smaller screen", func(s string) bool {
		lines := strings.Split(s, "\n")
		return len(lines) == 12 && strings.HasPrefix(lines[10], "╰") && marked("worker-2")(s)
	})
	term.Resize(20, 5)
	term.See("nothing found")
	term.Resize(120, 40)
	term.Wait("the row again", marked("worker-2"))
	term.Keys("q")
	if err := term.Ended(); err != nil {
		t.Errorf("quitting returned %v", err)
	}
	if term.Full() {
		t.Error("quitting left the alternate screen on")
	}
}

// TestRedrawOverMarginsLeftBehind: a frame on its way during a resize may leave
// scroll margins of the old size; what is drawn after does not scroll in them.
func TestRedrawOverMarginsLeftBehind(t *testing.T) {
	t.Parallel()
	term := uitest.Open(t, options(newListView(things(300)), uitest.NewClock()), 120, 40)
	term.Wait("the first row", marked("worker-0"))
	whole := term.Screen()
	for name, redraw := range map[string]func(){
		"ctrl+l":   func() { term.Keys("\x0c") },
		"a resize": func() { term.Keys(ansi.InBandResize(40, 120, 0, 0)) },
	} {
		if _, err := term.Write([]byte("\x1b[1;12r\x1b[2J")); err != nil {
			t.Fatal(err)
		}
		redraw()
		term.Wait("the whole screen after "+name, func(s string) bool { return s == whole })
	}
}

func TestProgramLooksWhenTheStoreChanges(t *testing.T) {
	t.Parallel()
	o := options(newListView(things(3)), uitest.NewClock())
	store, ok := o.Store.(interface{ Publish(edits ...edit) })
	if !ok {
		t.Fatal("the store takes no edits")
	}
	term := uitest.Open(t, o, 120, 20)
	term.See("no cluster yet")
	store.Publish(cluster)
	term.See("prod-fsn1")
	store.Publish(func(s *snapshot) { s.Cluster.Value.Version = "v1.34.0+k3s1" })
	term.See("k3s v1.34.0")
	term.Keys("\x03")
	if err := term.Ended(); err != nil {
		t.Errorf("ctrl+c returned %v", err)
	}
}

func TestPanicEndsInOneSentence(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var log strings.Builder
	v := newListView(things(3))
	o := options(v, uitest.NewClock())
	o.Log = func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&log, format, args...)
	}
	v.panicsOn = "x"
	term := uitest.Open(t, o, 120, 20)
	term.Wait("the first row", marked("worker-0"))
	term.Keys("x")
	err := term.Ended()
	if err == nil || !strings.Contains(err.Error(), "internal error") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a panic returned %v, want one sentence", err)
	}
	if term.Full() {
		t.Error("the panic left the alternate screen on")
	}
	mu.Lock()
	defer mu.Unlock()
	if !strings.Contains(log.String(), "goroutine") || strings.Contains(term.Screen(), "goroutine") {
		t.Errorf("the stack belongs in the log, not on the terminal: %q", log.String())
	}
}

// BenchmarkCursorBytes reports the bytes a cursor key costs at 200×50, within
// the screen and where the list scrolls.
func BenchmarkCursorBytes(b *testing.B) {
	for name, skip := range map[string]int{"within": 0, "scrolling": 60} {
		b.Run(name, func(b *testing.B) {
			term := uitest.Open(b, options(newListView(things(b.N+skip+2)), uitest.NewClock()), 200, 50)
			term.Wait("the first row", marked("worker-0"))
			term.Keys(strings.Repeat("j", skip))
			term.Wait("the start", marked(fmt.Sprintf("worker-%d", skip)))
			before := term.Bytes()
			b.ResetTimer()
			for i := range b.N {
				term.Keys("j")
				term.Wait("the next row", marked(fmt.Sprintf("worker-%d", skip+i+1)))
			}
			b.ReportMetric(float64(term.Bytes()-before)/float64(b.N), "B/key")
		})
	}
}

func TestCursorKeyIsCheap(t *testing.T) {
	t.Parallel()
	const most = 400 // bytes at 200×50
	term := uitest.Open(t, options(newListView(things(100)), uitest.NewClock()), 200, 50)
	term.Wait("the first row", marked("worker-0"))
	for i := 1; i < 60; i++ {
		before := term.Bytes()
		term.Keys("j")
		term.Wait("the next row", marked(fmt.Sprintf("worker-%d", i)))
		if got := term.Bytes() - before; got > most {
			t.Fatalf("cursor key %d costs %d bytes, want at most %d", i, got, most)
		}
	}
}

func TestClockIsCheap(t *testing.T) {
	t.Parallel()
	const most = 25 // bytes
	clock := uitest.NewClock()
	o := options(newListView(things(100)), clock)
	store, ok := o.Store.(interface{ Publish(edits ...edit) })
	if !ok {
		t.Fatal("the store takes no edits")
	}
	store.Publish(cluster)
	term := uitest.Open(t, o, 200, 50)
	term.Wait("the first row", marked("worker-0"))
	for range 10 {
		before := term.Bytes()
		clock.Advance(time.Minute)
		store.Publish()
		term.See(clock.Now().Format("15:04"))
		if got := term.Bytes() - before; got > most {
			t.Fatalf("a minute of the clock costs %d bytes, want at most %d", got, most)
		}
	}
}
