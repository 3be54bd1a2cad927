package ui

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"daytwo/sources"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// handed is an Aside on a pseudo-terminal.
func handed(t *testing.T, run func(context.Context, Terminal) error) (a *aside, person *os.File) {
	t.Helper()
	person, device, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(device.Close(), person.Close()) })
	if err := pty.Setsize(person, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, person) }() // ends with the device
	return &aside{Aside: Aside{Note: "aside", Run: run}, ctx: t.Context(), in: device, out: device}, person
}

// typed sends keys.
func typed(t *testing.T, person *os.File, keys string) {
	t.Helper()
	if _, err := person.WriteString(keys); err != nil {
		t.Error(err)
	}
}

// TestAsideHasTheTerminal: every key one by one, the size and what it changes
// to; afterwards the terminal is as it was, and the next key the screen's.
func TestAsideHasTheTerminal(t *testing.T) { //nolint:paralleltest // the signal goes to the whole process
	var person, device *os.File
	var before *term.State
	run, tty := handed(t, func(_ context.Context, at Terminal) error {
		if want := (sources.TerminalSize{Columns: 80, Rows: 24}); at.Size != want {
			t.Errorf("the size is %v", at.Size)
		}
		if now, err := term.GetState(int(device.Fd())); err != nil || *now == *before {
			t.Errorf("the terminal is not raw: %v", err)
		}
		for _, keys := range []string{"a", "\x03\x1b"} { // ctrl+c is a key from the first read on
			buf := make([]byte, len(keys))
			typed(t, person, keys)
			if _, err := io.ReadFull(at.In, buf); err != nil || string(buf) != keys {
				t.Errorf("typed were %q %v", buf, err)
			}
		}
		if err := errors.Join(pty.Setsize(person, &pty.Winsize{Rows: 40, Cols: 120}), syscall.Kill(os.Getpid(), syscall.SIGWINCH)); err != nil {
			t.Error(err)
		}
		if size := <-at.Resize; size != (sources.TerminalSize{Columns: 120, Rows: 40}) {
			t.Errorf("the size becomes %v", size)
		}
		return errors.New("its own error")
	})
	person, device = tty, run.in.(*os.File)
	var err error
	if before, err = term.GetState(int(device.Fd())); err != nil {
		t.Fatal(err)
	}
	if err := run.Run(); err == nil || err.Error() != "its own error" {
		t.Errorf("it ended with %v", err)
	}
	if after, err := term.GetState(int(device.Fd())); err != nil || *after != *before {
		t.Errorf("the terminal is not as it was: %v", err)
	}
	typed(t, person, "next\n")
	line := make([]byte, 5)
	if _, err := io.ReadFull(device, line); err != nil || string(line) != "next\n" {
		t.Errorf("the next keys are %q %v", line, err)
	}
}

// TestAsideIsLeftBeforeItBegins by ctrl+c, while it still connects.
func TestAsideIsLeftBeforeItBegins(t *testing.T) {
	t.Parallel()
	var person *os.File
	run, tty := handed(t, func(ctx context.Context, _ Terminal) error {
		typed(t, person, "\x03")
		<-ctx.Done()
		return ctx.Err()
	})
	person = tty
	if err := run.Run(); !errors.Is(err, errLeft) {
		t.Errorf("it ended with %v", err)
	}
}

// TestAsideWithoutADevice has the screen's size, and undoes what was left on.
func TestAsideWithoutADevice(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	a := &aside{
		Aside: Aside{Note: "for \x1b[2Jyou", Run: func(_ context.Context, at Terminal) error {
			if at.Size != (sources.TerminalSize{Columns: 90, Rows: 30}) {
				t.Errorf("the size is %v", at.Size)
			}
			_, err := io.WriteString(at.Out, "\x1b[?1049h")
			return err
		}},
		ctx: t.Context(), size: sources.TerminalSize{Columns: 90, Rows: 30}, in: strings.NewReader(""), out: &out,
	}
	if err := a.Run(); err != nil || !strings.HasSuffix(out.String(), leftBehind) || !strings.Contains(out.String(), "for you") {
		t.Errorf("%v: %q", err, out.String())
	}
}
