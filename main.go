// Command daytwo is a terminal cockpit for the day-2 operations of small k3s
// clusters on Hetzner: five panes that say what is wrong, the same findings
// without a screen, and a demo world for those who have no cluster at hand.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"charm.land/fang/v2"
)

// exitError is an error that says nothing more: the output said it.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// The exit codes of daytwo, as documented in docs/check.md.
const (
	errWarning  exitError = 1
	errCritical exitError = 2
	errNoLook   exitError = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// terminal is where a command reads and writes: the real one, or a test's.
type terminal struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, tty terminal) int {
	root := newRoot(tty) //nolint:contextcheck // cobra hands ctx to each command
	root.SetArgs(args)
	err := fang.Execute(ctx, root,
		fang.WithVersion(version()),
		fang.WithoutManpage(),
		fang.WithErrorHandler(func(w io.Writer, _ fang.Styles, err error) { sayError(w, err) }))
	var code exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	default:
		return int(errNoLook)
	}
}

// sayError writes one plain sentence that can be searched for.
func sayError(w io.Writer, err error) {
	var code exitError
	if errors.As(err, &code) || errors.Is(err, context.Canceled) {
		return
	}
	_, _ = fmt.Fprintf(w, "daytwo: %v\n", err)
}

// say writes text that is the command's answer.
func say(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}
