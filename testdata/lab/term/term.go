// Package term runs a program on a pseudo-terminal of its own and shows its
// screen as a person would see it. It counts what the program writes.
package term

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// Terminal is one program on one pseudo-terminal.
type Terminal struct {
	cmd   *exec.Cmd
	pty   *os.File
	em    *vt.SafeEmulator
	bytes atomic.Int64
	wrote chan struct{}
	ended chan struct{}

	mu    sync.Mutex
	waits error
	first time.Time // when output last began after Mark
	mark  time.Time
}

// Start runs a command on a terminal of the given size until ctx ends. env is
// added to the environment, which names a terminal of true colours.
func Start(ctx context.Context, width, height int, env []string, argv ...string) (*Terminal, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "COLORTERM=truecolor")
	cmd.Env = append(cmd.Env, env...)
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)})
	if err != nil {
		return nil, fmt.Errorf("starting %s on a terminal: %w", argv[0], err)
	}
	t := &Terminal{cmd: cmd, pty: f, em: vt.NewSafeEmulator(width, height), wrote: make(chan struct{}, 1), ended: make(chan struct{})}
	go t.read()
	go t.answer()
	return t, nil
}

// read shows the program's output until it ends.
func (t *Terminal) read() {
	defer close(t.ended)
	buf := make([]byte, 64<<10)
	for {
		n, err := t.pty.Read(buf)
		if n > 0 {
			now := time.Now()
			t.mu.Lock()
			if t.first.Before(t.mark) {
				t.first = now
			}
			t.mu.Unlock()
			t.bytes.Add(int64(n))
			_, _ = t.em.Write(buf[:n])
			select {
			case t.wrote <- struct{}{}:
			default:
			}
		}
		if err != nil {
			t.waits = t.cmd.Wait()
			return
		}
	}
}

// answer sends what the terminal itself says (its colours, its size) back.
func (t *Terminal) answer() {
	buf := make([]byte, 4<<10)
	for {
		n, err := t.em.Read(buf)
		if err != nil {
			return
		}
		if _, err := t.pty.Write(buf[:n]); err != nil {
			return
		}
	}
}

// Keys types.
func (t *Terminal) Keys(s string) error {
	t.mu.Lock()
	t.mark = time.Now()
	t.mu.Unlock()
	if _, err := t.pty.WriteString(s); err != nil {
		return fmt.Errorf("typing %q: %w", s, err)
	}
	return nil
}

// Resize changes the terminal's size under the program.
func (t *Terminal) Resize(width, height int) error {
	t.em.Resize(width, height)
	if err := pty.Setsize(t.pty, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)}); err != nil {
		return fmt.Errorf("resizing the terminal: %w", err)
	}
	return nil
}

// Screen is what a person sees, without colours.
func (t *Terminal) Screen() string { return ansi.Strip(t.em.Render()) }

// Bytes is how much the program wrote so far.
func (t *Terminal) Bytes() int64 { return t.bytes.Load() }

// Latency is from the last keys to the first byte that followed; zero if none
// came.
func (t *Terminal) Latency() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.first.Before(t.mark) {
		return 0
	}
	return t.first.Sub(t.mark)
}

// PID is the program's process.
func (t *Terminal) PID() int { return t.cmd.Process.Pid }

// Wait waits until the screen holds all texts, or says what it holds instead.
func (t *Terminal) Wait(ctx context.Context, texts ...string) error {
	return t.Until(ctx, strings.Join(texts, ", "), func(screen string) bool {
		for _, s := range texts {
			if !strings.Contains(screen, s) {
				return false
			}
		}
		return true
	})
}

// Until waits until a condition holds of the screen.
func (t *Terminal) Until(ctx context.Context, what string, holds func(screen string) bool) error {
	for !holds(t.Screen()) {
		select {
		case <-t.wrote:
		case <-t.ended:
			return fmt.Errorf("the program ended (%s) before there was %s; its last screen:\n%s", t.how(), what, t.Screen())
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for %s:\n%s", what, t.Screen())
		}
	}
	return nil
}

// how is how the program ended.
func (t *Terminal) how() string {
	if t.waits == nil {
		return "exit status 0"
	}
	return t.waits.Error()
}

// Quiet waits until nothing was written for a while.
func (t *Terminal) Quiet(ctx context.Context, d time.Duration) error {
	for {
		timer := time.NewTimer(d)
		select {
		case <-t.wrote:
			timer.Stop()
		case <-timer.C:
			return nil
		case <-t.ended:
			timer.Stop()
			return fmt.Errorf("the program ended: %s", t.how())
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("the screen never came to rest: %w", ctx.Err())
		}
	}
}

// Close ends the program and waits for it.
func (t *Terminal) Close() {
	_ = t.cmd.Process.Kill()
	_ = t.pty.Close()
	<-t.ended
	_ = t.em.Close()
}
