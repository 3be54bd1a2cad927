package uitest

import (
	"os"
	"sync"
	"testing"
	"time"

	"daytwo/keymap"
	"daytwo/ui"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// OpenDevice is Open on a pseudo-terminal: the program finds a device with
// modes and a size, as a person's, that it may hand to something else.
func OpenDevice(t testing.TB, o ui.Options, width, height int) *Terminal {
	t.Helper()
	if len(o.Keys.Global.Quit.Keys) == 0 {
		o.Keys = keymap.Default()
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	tty, file, err := pty.Open()
	if err != nil {
		t.Fatalf("opening a pseudo-terminal: %v", err)
	}
	at, ctx := newTerminal(t, width, height)
	at.tty = tty
	at.setSize(width, height)
	before, err := term.GetState(int(file.Fd()))
	if err != nil {
		t.Fatalf("reading the modes of the terminal: %v", err)
	}
	at.device = &device{file: file, before: before}
	go at.show()
	go at.typing()
	at.run(ctx, o, file, file)
	return at
}

// device is the program's side of a pseudo-terminal.
type device struct {
	file   *os.File
	before *term.State
	judged sync.Once
}

// judge holds that the terminal is as it was before the program. The file is
// left to the collector: who read the keys may not have left it yet.
func (d *device) judge(t testing.TB) {
	t.Helper()
	d.judged.Do(func() {
		if after, err := term.GetState(int(d.file.Fd())); err != nil || *after != *d.before {
			t.Errorf("the terminal is not as it was: %+v, before %+v (%v)", after, d.before, err)
		}
	})
}

// show draws what comes through the device, until that is closed.
func (t *Terminal) show() {
	buf := make([]byte, 64<<10)
	for {
		n, err := t.tty.Read(buf)
		if n > 0 {
			t.bytes.Add(int64(n))
			_, _ = t.em.Write(buf[:n])
			select {
			case t.wrote <- struct{}{}:
			default:
			}
		}
		if err != nil {
			return
		}
	}
}

// typing sends keys, and what the terminal itself says, until it is closed.
func (t *Terminal) typing() {
	buf := make([]byte, 4<<10)
	for {
		n, err := t.em.Read(buf)
		if err != nil {
			return
		}
		if _, err := t.tty.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (t *Terminal) setSize(width, height int) {
	t.t.Helper()
	if err := pty.Setsize(t.tty, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)}); err != nil {
		t.t.Fatalf("setting the size of the terminal: %v", err)
	}
}
