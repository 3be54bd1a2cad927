package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// Run shows the screen until the user quits or ctx ends. Nil streams are the
// terminal's. It returns nil if the user quit.
func Run(ctx context.Context, o Options, in io.Reader, out io.Writer, extra ...tea.ProgramOption) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		mu     sync.Mutex
		failed error
	)
	r := New(o)
	r.ctx, r.done = ctx, ctx.Done()
	r.fail = func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if failed == nil {
			failed = err
		}
		cancel()
	}
	p := tea.NewProgram(r, programOptions(in, out, extra)...)
	r.pace = &pace{program: p}
	defer r.pace.end()
	// Quit waits for the reading of the terminal to end, a context's end does not.
	stop := context.AfterFunc(ctx, p.Quit)
	defer stop()
	_, err := p.Run()
	mu.Lock()
	defer mu.Unlock()
	switch {
	case failed != nil:
		return failed
	case err == nil, errors.Is(err, tea.ErrInterrupted):
		return nil
	}
	return fmt.Errorf("show the screen: %w", err)
}

func programOptions(in io.Reader, out io.Writer, extra []tea.ProgramOption) []tea.ProgramOption {
	options := []tea.ProgramOption{tea.WithFPS(frames()), tea.WithFilter(unsynchronised)}
	if in != nil {
		options = append(options, tea.WithInput(in))
	}
	if out != nil {
		options = append(options, tea.WithOutput(out))
	}
	return append(options, extra...)
}

// unsynchronised keeps synchronised output off by not hearing that the
// terminal has it: its marks would make up most of what an idle screen or a
// cursor key writes, and a frame is one write without it too.
func unsynchronised(_ tea.Model, msg tea.Msg) tea.Msg {
	if m, ok := msg.(tea.ModeReportMsg); ok && m.Mode == ansi.ModeSynchronizedOutput {
		return nil
	}
	return msg
}
