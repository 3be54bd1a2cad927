package ssh

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"daytwo/sources"
)

func TestRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.node("worker-0")
	h := w.fleet().Host("worker-0")
	var out, errs bytes.Buffer
	err := h.Run(t.Context(), sources.Command{
		Line: `cat; echo "$LC_ALL"; echo it\'s 'a "b"' >&2`, Stdin: strings.NewReader("from here\n"), Stdout: &out, Stderr: &errs,
	})
	if err != nil || out.String() != "from here\nC\n" || errs.String() != "it's a \"b\"\n" {
		t.Errorf("out %q, errors %q: %v", out.String(), errs.String(), err)
	}
}

func TestRunSaysHowACommandEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.node("worker-0")
	h := w.fleet().Host("worker-0")
	for _, c := range []struct {
		line   string
		code   int
		signal string
		stderr string
	}{
		{"echo no room >&2; exit 7", 7, "", "no room"},
		{`kill -KILL $$`, -1, "KILL", ""},
		{"printf '\\033[31mred\\033[0m\\n' >&2; exit 1", 1, "", "red"},
	} {
		err := h.Run(t.Context(), sources.Command{Line: c.line})
		var e *sources.ExitError
		if !errors.As(err, &e) || e.Code != c.code || e.Signal != c.signal || e.Stderr != c.stderr || e.Host != "worker-0" {
			t.Errorf("%s: %#v (%v)", c.line, e, err)
		}
	}
}

func TestRunSharesOneLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.node("worker-0")
	f := w.fleet()
	errs := make(chan error, 20)
	for range 20 {
		go func() { errs <- f.Host("worker-0").Run(t.Context(), sources.Command{Line: "true"}) }()
	}
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := s.logins.Load(); n != 1 {
		t.Errorf("%d logins", n)
	}
}

// TestOneSessionAtATime is a server with MaxSessions 1: commands wait for
// each other, and none fails.
func TestOneSessionAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.node("worker-0")
	s.mostSessions.Store(1)
	f := w.fleet()
	errs := make(chan error, 6)
	for range 6 {
		go func() { errs <- f.Host("worker-0").Run(t.Context(), sources.Command{Line: "true"}) }()
	}
	for range 6 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := s.logins.Load(); n != 1 {
		t.Errorf("%d logins", n)
	}
}

// TestCut ends the connection in the middle of a command: that is no failure
// of the command, and the next one finds a new line.
func TestCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.node("worker-0")
	h := w.fleet().Host("worker-0")
	began, says := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- h.Run(t.Context(), sources.Command{Line: "echo begun; exec sleep 60", Stdout: says}) }()
	if _, err := io.ReadFull(began, make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	s.cut()
	err := <-done
	var lost *sources.LineLostError
	if !errors.As(err, &lost) || lost.Host != "worker-0" {
		t.Errorf("%v", err)
	}
	if err := h.Run(t.Context(), sources.Command{Line: "true"}); err != nil {
		t.Errorf("after the cut: %v", err)
	}
	if n := s.logins.Load(); n != 2 {
		t.Errorf("%d logins", n)
	}
}

// TestStopKills ends a command that ignores the polite signal, and its
// children, when the context ends.
func TestStopKills(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.node("worker-0")
	h := w.fleet().Host("worker-0")
	ctx, stop := context.WithCancel(t.Context())
	began, says := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- h.Run(ctx, sources.Command{Line: `trap '' TERM; sh -c 'trap "" TERM; echo $$; sleep 300; sleep 300'; sleep 300`, Stdout: says})
	}()
	text := make([]byte, 20)
	n, err := began.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	child := strings.TrimSpace(string(text[:n]))
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	untilGone(t, child)
}

// untilGone waits for a process that was sent its end.
func untilGone(t *testing.T, pid string) {
	t.Helper()
	waiting, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(text), ") Z ") {
			return
		}
		select {
		case <-waiting.Done():
			t.Fatalf("the process goes on: %s", text)
		case <-tick.C:
		}
	}
}

// TestOurOwnDiskIsFull: what cannot be written here ends the command there.
func TestOurOwnDiskIsFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.node("worker-0")
	err := w.fleet().Host("worker-0").Run(t.Context(), sources.Command{Line: "yes", Stdout: full{}})
	if err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("%v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestInputBreaksOff: half an input is not passed off as a whole one.
func TestInputBreaksOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.node("worker-0")
	var out bytes.Buffer
	err := w.fleet().Host("worker-0").Run(t.Context(), sources.Command{
		Line: "cat; echo whole", Stdin: io.MultiReader(strings.NewReader("half"), broken{}), Stdout: &out,
	})
	if err == nil || !strings.Contains(err.Error(), "gone") || strings.Contains(out.String(), "whole") {
		t.Errorf("out %q: %v", out.String(), err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

// TestFlood takes a lot of output whole.
func TestFlood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.node("worker-0")
	var n count
	if err := w.fleet().Host("worker-0").Run(t.Context(), sources.Command{Line: "head -c 30000000 /dev/zero", Stdout: &n}); err != nil || n != 30000000 {
		t.Errorf("%d bytes: %v", n, err)
	}
}

type count int

func (c *count) Write(p []byte) (int, error) { *c += count(len(p)); return len(p), nil }
