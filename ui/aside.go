package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"daytwo/sources"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
	"golang.org/x/term"
)

// Terminal is the person's terminal while the screen has stepped aside.
type Terminal struct {
	In     io.Reader
	Out    io.Writer
	Size   sources.TerminalSize
	Resize <-chan sources.TerminalSize // sizes it changes to
}

// Aside is something that wants the whole terminal.
type Aside struct {
	// Note is said before it begins, on a terminal that is empty otherwise.
	Note string
	// Run has the terminal in raw mode until it returns: every key is its own.
	// Until it first reads from the terminal, ctrl+c ends its context.
	Run func(context.Context, Terminal) error
	// Then makes the message of its end, for every view; may be nil.
	Then func(error) tea.Msg
}

type asideMsg struct{ Aside }

// StepAside hands the terminal over. The screen comes back, drawn anew, when
// that has ended; what runs meanwhile goes on.
func StepAside(a Aside) tea.Cmd { return func() tea.Msg { return asideMsg{a} } }

// stepAside gives what is asked for the program's context and the size of the
// screen, for terminals that do not tell theirs.
func (r *Root) stepAside(a Aside) tea.Cmd {
	run := &aside{Aside: a, ctx: r.ctx, size: sources.TerminalSize{Columns: r.width, Rows: r.height}}
	return tea.Exec(run, func(err error) tea.Msg {
		if a.Then == nil {
			return nil
		}
		return a.Then(err)
	})
}

// aside is an Aside that Bubble Tea runs.
type aside struct {
	Aside

	ctx  context.Context //nolint:containedctx // the program's: Bubble Tea hands none over
	size sources.TerminalSize
	in   io.Reader
	out  io.Writer
}

// SetStdin implements tea.ExecCommand.
func (a *aside) SetStdin(in io.Reader) { a.in = in }

// SetStdout implements tea.ExecCommand.
func (a *aside) SetStdout(out io.Writer) { a.out = out }

// SetStderr implements tea.ExecCommand.
func (*aside) SetStderr(io.Writer) {}

// leftBehind undoes what a program that was cut off may have left on: other
// screens, mouse, paste marks, a hidden cursor, colours.
const leftBehind = "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[?1l\x1b>\x1b[?25h\x1b[r\x1b[m"

// Run implements tea.ExecCommand.
func (a *aside) Run() error {
	ctx, cancel := context.WithCancelCause(a.ctx)
	defer cancel(nil)
	restore, err := raw(a.in)
	if err != nil {
		return err
	}
	defer restore()
	keys, err := newHandedKeys(a.in, func() { cancel(errLeft) })
	if err != nil {
		return err
	}
	defer keys.close()
	resize, stop := a.sizes()
	defer stop()
	_, _ = fmt.Fprintf(a.out, "\x1b[2J\x1b[H%s\r\n", Clean(a.Note))
	err = a.Aside.Run(ctx, Terminal{In: keys, Out: a.out, Size: a.now(), Resize: resize})
	_, _ = io.WriteString(a.out, leftBehind)
	if errors.Is(context.Cause(ctx), errLeft) {
		return errLeft
	}
	return err
}

// errLeft says that the person did not want to wait for the beginning.
var errLeft = errors.New("left by ctrl+c before it began")

// raw makes every key a byte. What is returned makes the terminal what it was.
func raw(in io.Reader) (restore func(), err error) {
	file, ok := in.(interface{ Fd() uintptr })
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return func() {}, nil
	}
	was, err := term.MakeRaw(int(file.Fd()))
	if err != nil {
		return nil, fmt.Errorf("taking the terminal's keys: %w", err)
	}
	return func() { _ = term.Restore(int(file.Fd()), was) }, nil
}

// now is the terminal's size.
func (a *aside) now() sources.TerminalSize {
	for _, end := range []any{a.out, a.in} {
		file, ok := end.(interface{ Fd() uintptr })
		if !ok {
			continue
		}
		if columns, rows, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 && rows > 0 {
			return sources.TerminalSize{Columns: columns, Rows: rows}
		}
	}
	return a.size
}

// sizes tells the terminal's size whenever it changes, until stop.
func (a *aside) sizes() (<-chan sources.TerminalSize, func()) {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGWINCH)
	sizes, end, ended := make(chan sources.TerminalSize), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-changed:
			case <-end:
				return
			}
			select {
			case sizes <- a.now():
			case <-end:
				return
			}
		}
	}()
	return sizes, func() {
		signal.Stop(changed)
		close(end)
		<-ended
	}
}

// handedKeys are the keys while something else has the terminal. What is typed
// after its end is the screen's again, so reading must end with it.
type handedKeys struct {
	from   cancelable
	pipe   *io.PipeReader
	wanted atomic.Bool // somebody reads
	ended  chan struct{}
}

type cancelable interface {
	io.ReadCloser
	Cancel() bool
}

func newHandedKeys(in io.Reader, leave func()) (*handedKeys, error) {
	from, err := uv.NewCancelReader(in)
	if err != nil {
		return nil, fmt.Errorf("reading the terminal: %w", err)
	}
	pipe, typed := io.Pipe()
	k := &handedKeys{from: from, pipe: pipe, ended: make(chan struct{})}
	go k.pump(typed, leave) // ends when reading is cancelled
	return k, nil
}

func (k *handedKeys) pump(typed *io.PipeWriter, leave func()) {
	defer close(k.ended)
	buf := make([]byte, 4<<10)
	for {
		n, err := k.from.Read(buf)
		const interrupt = 3
		switch {
		case n == 0:
		case !k.wanted.Load() && bytes.IndexByte(buf[:n], interrupt) >= 0:
			leave()
		default:
			if _, err := typed.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			_ = typed.CloseWithError(io.EOF)
			return
		}
	}
}

// Read implements io.Reader.
func (k *handedKeys) Read(p []byte) (int, error) {
	k.wanted.Store(true)
	return k.pipe.Read(p) //nolint:wrapcheck // io.Reader's own contract
}

// close ends the reading.
func (k *handedKeys) close() {
	_ = k.pipe.Close()
	if k.from.Cancel() {
		<-k.ended
	}
	_ = k.from.Close()
}
