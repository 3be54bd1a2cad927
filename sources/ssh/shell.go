package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/crypto/ssh"

	"daytwo/sources"
)

// Shell runs the login shell on a terminal until it ends, or ctx does.
func (h *host) Shell(ctx context.Context, in io.Reader, out io.Writer, size sources.TerminalSize, resize <-chan sources.TerminalSize) error {
	return h.on(ctx, func(l *line) error { return l.shell(ctx, in, out, size, resize) })
}

func (l *line) shell(ctx context.Context, in io.Reader, out io.Writer, size sources.TerminalSize, resize <-chan sources.TerminalSize) error {
	s, err := l.session(ctx)
	if err != nil {
		return err
	}
	defer l.slots.give()
	defer func() { _ = s.Close() }()
	kind := os.Getenv("TERM")
	if kind == "" {
		kind = "xterm-256color"
	}
	if err := s.RequestPty(kind, size.Rows, size.Columns, ssh.TerminalModes{}); err != nil {
		return fmt.Errorf("%s gives no terminal: %w", l.name, err)
	}
	screen := &guard{w: out, broken: func(error) {}} // one at a time, and nothing after the end
	defer screen.close()
	s.Stdout, s.Stderr = screen, screen
	keys, err := s.StdinPipe()
	if err != nil {
		return fmt.Errorf("opening the terminal's input on %s: %w", l.name, err)
	}
	if err := s.Shell(); err != nil {
		return fmt.Errorf("%s opens no shell: %w", l.name, err)
	}
	go func() { // ends with the input, or at the first key after the shell
		_, _ = io.Copy(keys, in)
		_ = keys.Close()
	}()
	return l.attend(ctx, s, resize)
}

// attend waits for the end of a shell and passes sizes on.
func (l *line) attend(ctx context.Context, s *ssh.Session, resize <-chan sources.TerminalSize) error {
	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }() // ends with the session
	for {
		select {
		case size := <-resize:
			_ = s.WindowChange(size.Rows, size.Columns) // a terminal of the wrong size is still one
		case <-l.gone:
			return l.lost()
		case <-ctx.Done():
			return fmt.Errorf("the shell on %s: %w", l.name, ctx.Err())
		case err := <-ended:
			if failed, ok := errors.AsType[*ssh.ExitError](err); ok {
				return &sources.ExitError{Host: l.name, Line: "the shell", Code: failed.ExitStatus(), Signal: sources.Clean(failed.Signal(), 20)}
			}
			if err != nil {
				return &sources.LineLostError{Host: l.name, Err: cleanError(err)}
			}
			return nil
		}
	}
}
