package uitest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"daytwo/keymap"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// patience ends a test that waits for what never shows.
const patience = time.Minute

// Terminal is the whole program on an emulated terminal: the real event loop
// and the real renderer. Slower than a Driver; for what only the whole can
// show.
type Terminal struct {
	t      testing.TB
	em     *vt.SafeEmulator
	bytes  atomic.Int64
	wrote  chan struct{} // capacity one: look again
	ended  chan struct{}
	err    error // of Run, after ended
	cancel context.CancelFunc
	tty    *os.File // the terminal's side of a pseudo-terminal; nil: there is none
	device *device
}

// Open runs the program on a terminal of true colours until the test ends.
func Open(t testing.TB, o ui.Options, width, height int) *Terminal {
	t.Helper()
	if len(o.Keys.Global.Quit.Keys) == 0 {
		o.Keys = keymap.Default()
	}
	if o.Clock == nil {
		o.Clock = NewClock().Now
	}
	term, ctx := newTerminal(t, width, height)
	term.run(ctx, o, term.em, term, tea.WithWindowSize(width, height))
	return term
}

func newTerminal(t testing.TB, width, height int) (*Terminal, context.Context) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	term := &Terminal{
		t: t, em: vt.NewSafeEmulator(width, height), wrote: make(chan struct{}, 1),
		ended: make(chan struct{}), cancel: cancel,
	}
	term.em.RegisterCsiHandler('r', term.marginsBeyond)
	return term, ctx
}

// run begins the program, until the test ends.
func (t *Terminal) run(ctx context.Context, o ui.Options, in io.Reader, out io.Writer, extra ...tea.ProgramOption) {
	go func() {
		defer close(t.ended)
		t.err = ui.Run(ctx, o, in, out, append(extra,
			tea.WithEnvironment([]string{"TERM=xterm-256color", "COLORTERM=truecolor"}),
			tea.WithColorProfile(colorprofile.TrueColor),
			tea.WithoutSignalHandler())...)
	}()
	t.t.Cleanup(t.Close)
}

// Write takes the program's output. Its input is no terminal device here, so
// it leaves line ends to the device, as a device does by default.
func (t *Terminal) Write(p []byte) (int, error) {
	_, err := t.em.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n")))
	t.bytes.Add(int64(len(p)))
	select {
	case t.wrote <- struct{}{}:
	default:
	}
	return len(p), err
}

// marginsBeyond leaves out scroll margins below the last line: a frame that was
// on its way when the terminal shrank may set some. A terminal clamps them, the
// emulator would trip over them.
func (t *Terminal) marginsBeyond(p ansi.Params) bool {
	bottom, _, _ := p.Param(1, 0)
	return bottom > t.em.Emulator.Height()
}

// Close ends the program and waits for it.
func (t *Terminal) Close() {
	t.cancel()
	if t.tty != nil {
		<-t.ended // it gives the device back first
		t.device.judge(t.t)
		_ = t.tty.Close()
	}
	if c, ok := t.em.InputPipe().(io.Closer); ok {
		_ = c.Close() // only ends the program's reading
	}
	<-t.ended
}

// Keys sends input as a terminal does: "j", "\x1b[B".
func (t *Terminal) Keys(input string) {
	t.t.Helper()
	if _, err := io.WriteString(t.em.InputPipe(), input); err != nil {
		t.t.Fatalf("send keys to the program: %v", err)
	}
}

// Resize makes the terminal another size and tells the program. A device has
// only its size changed: the signal would go to every program of the test's
// process, so the program sees it when it next asks.
func (t *Terminal) Resize(width, height int) {
	t.t.Helper()
	t.em.Resize(width, height)
	if t.tty != nil {
		t.setSize(width, height)
		return
	}
	t.Keys(ansi.InBandResize(height, width, 0, 0))
}

// Bytes is how much the program has written so far.
func (t *Terminal) Bytes() int { return int(t.bytes.Load()) }

// Full reports whether the program has the alternate screen.
func (t *Terminal) Full() bool { return t.em.IsAltScreen() }

// Screen is what a person sees, without styles.
func (t *Terminal) Screen() string { return ansi.Strip(t.em.Render()) }

// Wait waits until a condition holds of the screen.
func (t *Terminal) Wait(what string, holds func(screen string) bool) {
	t.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for !holds(t.Screen()) {
		select {
		case <-t.wrote:
		case <-t.ended:
			t.t.Fatalf("the program ended (%v) before there was %s", t.err, what)
		case <-limit.C:
			t.t.Fatalf("waited in vain for %s:\n%s", what, t.Screen())
		}
	}
}

// See waits until a text is on the screen.
func (t *Terminal) See(text string) {
	t.t.Helper()
	t.Wait(fmt.Sprintf("%q", text), func(screen string) bool { return strings.Contains(screen, text) })
}

// Ended waits until the program has ended and returns what it returned.
func (t *Terminal) Ended() error {
	t.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-t.ended:
	case <-limit.C:
		t.t.Fatalf("the program did not end:\n%s", t.Screen())
	}
	return t.err
}
