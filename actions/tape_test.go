package actions_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"daytwo/actions"
)

func write(t *testing.T, tape *actions.Tape, pieces ...string) {
	t.Helper()
	for _, p := range pieces {
		if n, err := io.WriteString(tape, p); err != nil || n != len(p) {
			t.Fatalf("writing %q: %d, %v", p, n, err)
		}
	}
}

func TestTapeMakesLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pieces  []string
		lines   []string
		partial string
	}{
		"pieces of a line":     {[]string{"a", "b\nc", "d\n\ne"}, []string{"ab", "cd", ""}, "e"},
		"dos ends":             {[]string{"a\r\nb\r", "\nc"}, []string{"a", "b"}, "c"},
		"progress in one line": {[]string{"10%\r20%", "\r30%\r", "done\n"}, []string{"done"}, ""},
		"progress going on":    {[]string{"fetch\n10%\r20%\r"}, []string{"fetch"}, "20%"},
		"shorter than before":  {[]string{"100 MB left\r5 MB left"}, nil, "5 MB left"},
	} {
		tape := actions.NewTape()
		write(t, tape, c.pieces...)
		if _, lines := tape.After(0); !slices.Equal(lines, c.lines) || tape.Partial() != c.partial {
			t.Errorf("%s: lines %q and %q, want %q and %q", name, lines, tape.Partial(), c.lines, c.partial)
		}
	}
}

func TestTapeForgetsAndCounts(t *testing.T) {
	t.Parallel()
	tape := actions.NewTape()
	for i := range 25_000 {
		_, _ = fmt.Fprintf(tape, "line %d\n", i)
	}
	first, lines := tape.After(100)
	if first != 15_000 || len(lines) != 10_000 || lines[0] != "line 15000" {
		t.Fatalf("first %d, %d lines from %q", first, len(lines), lines[0])
	}
	if tape.Count() != 25_000 {
		t.Errorf("%d lines counted", tape.Count())
	}
	if first, lines = tape.After(25_000); first != 25_000 || len(lines) != 0 {
		t.Errorf("behind the end: %d, %d lines", first, len(lines))
	}
	long := strings.Repeat("x", 15<<10) + "\n"
	for range 1000 {
		write(t, tape, long)
	}
	first, lines = tape.After(0)
	if size := len(lines) * len(long); size > 5<<20 || first+int64(len(lines)) != 26_000 {
		t.Errorf("%d bytes kept, lines up to %d", size, first+int64(len(lines)))
	}
}

func TestTapeCutsALongLine(t *testing.T) {
	t.Parallel()
	tape := actions.NewTape()
	for range 1000 {
		write(t, tape, strings.Repeat("é€", 100))
	}
	write(t, tape, "\nnext\n")
	_, lines := tape.After(0)
	if len(lines) != 2 || len(lines[0]) > 17<<10 || !utf8.ValidString(lines[0]) || lines[1] != "next" {
		t.Fatalf("%d lines, the first of %d bytes", len(lines), len(lines[0]))
	}
	if !strings.Contains(lines[0], "… (48361") || !strings.HasSuffix(lines[0], " bytes more)") {
		t.Errorf("a cut line ends with %q", lines[0][len(lines[0])-40:])
	}
}

// TestTapeWhileItIsRead: every line is either read or known to be missed.
func TestTapeWhileItIsRead(t *testing.T) {
	t.Parallel()
	const total = 50_000
	tape := actions.NewTape()
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for i := range total / 2 {
				_, _ = fmt.Fprintf(tape, "line %d of a stream\n", i)
			}
		})
	}
	go func() { writers.Wait(); tape.End() }()
	var read, missed, next int64
	for ended := false; !ended; {
		<-tape.Changed()
		ended = tape.Ended()
		first, lines := tape.After(next)
		missed += first - next
		read += int64(len(lines))
		next = first + int64(len(lines))
	}
	if read+missed != total || tape.Count() != total {
		t.Errorf("%d read and %d missed of %d", read, missed, tape.Count())
	}
}

// BenchmarkTape writes lines as a journal does, and reports how many a second.
func BenchmarkTape(b *testing.B) {
	tape := actions.NewTape()
	line := []byte("Nov 22 15:08:12 worker-0 k3s[9188]: time=\"2025-11-22T15:08:12Z\" level=info msg=\"Connecting to proxy\"\n")
	for b.Loop() {
		_, _ = tape.Write(line)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
