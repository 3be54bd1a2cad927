package views_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"daytwo/actions/trail"
	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"
	"daytwo/views"
)

// flood is a log source that says many lines at a time, each time it is told.
type flood struct {
	more chan int      // how many
	said chan struct{} // they were
	n    int
}

func (s *flood) Log(ctx context.Context, _ sources.LogAsk, sink sources.LogSink) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case many := <-s.more:
			for range many {
				sink.Line(fmt.Appendf(nil, "2025-11-22T15:04:31Z level=info msg=\"request served\" id=%08d", s.n))
				s.n++
			}
			sink.Pause()
			s.said <- struct{}{}
		}
	}
}

// TestLogsFasterThanTheScreen: what comes between two looks beyond what the
// screen can take is skipped there and counted, to the line; the file has all.
func TestLogsFasterThanTheScreen(t *testing.T) {
	t.Parallel()
	s := &flood{more: make(chan int), said: make(chan struct{})}
	var reading *trail.Logs
	read := func(asks []sources.LogAsk, name string, open bool) *trail.Logs {
		reading = trail.ReadLogs(t.Context(), trail.LogOptions{Source: s, Asks: asks[:1], Open: open, Keep: trail.Keep{Dir: t.TempDir(), Name: name, At: time.Time{}}})
		t.Cleanup(reading.Close)
		return reading
	}
	d, _ := open(t, 120, 40, ui.Options{Keys: keymap.Default(), Tools: []func(ui.Frame, sources.Ref) []ui.Command{views.LogsTool(read)}}, world.incident)
	d.Press("3", "l")
	for _, c := range []struct {
		many int
		note string
	}{
		{1, "1 line · live, follows"},
		{9_999, "10,000 lines · live, follows"},
		{50_000, "60,000 lines · 40,000 lines skipped · live, follows"}, // a tape keeps 10,000
		{100, "60,100 lines · 40,000 lines skipped"},
		{125_000, "185,100 lines · 155,000 lines skipped"},
	} {
		s.more <- c.many
		<-s.said
		d.Send(ui.Heartbeat())
		d.See(c.note, fmt.Sprintf("id=%08d", s.n-1))
	}
	d.Press("g")
	d.See("lines earlier; they are in the whole log")
	reading.Close()
	whole, err := os.ReadFile(reading.Path())
	if err != nil || reading.Trouble() != "" {
		t.Fatal(err, reading.Trouble())
	}
	n := 0
	for line := range bytes.Lines(whole) {
		if want := fmt.Sprintf("id=%08d\n", n); !bytes.HasSuffix(line, []byte(want)) {
			t.Fatalf("line %d of the file is %q", n, line)
		}
		n++
	}
	if n != s.n {
		t.Errorf("the file has %d lines of %d", n, s.n)
	}
}
