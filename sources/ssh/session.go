package ssh

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"daytwo/sources"
)

// host is one node's machine.
type host struct {
	fleet *Fleet
	node  string
}

// Run runs a command to its end.
func (h *host) Run(ctx context.Context, c sources.Command) error {
	return h.on(ctx, func(l *line) error { return h.run(ctx, l, c, nil) })
}

// on does something on the machine's line, once more if that turns out to be
// dead before anything was begun.
func (h *host) on(ctx context.Context, do func(*line) error) error {
	for again := false; ; again = true {
		l, err := h.line(ctx)
		if err != nil {
			return err
		}
		err = do(l)
		l.release()
		if again || !errors.Is(err, errStale) {
			return err
		}
		select {
		case <-l.gone:
		case <-ctx.Done():
			return err
		}
	}
}

// errStale says that a line went away before anything was begun on it.
var errStale = errors.New("the line went away before anything was run")

// line is the machine's connection. The caller releases it.
func (h *host) line(ctx context.Context) (*line, error) {
	hops, err := h.fleet.route(h.node)
	if err != nil {
		return nil, err
	}
	l, err := h.fleet.line(ctx, h.node, hops)
	if ctx.Err() == nil {
		h.fleet.note(h.node, err)
	}
	return l, err
}

// run is Run on a line. A receive from leave ends the session early, with
// errLeft: for what can be taken up again.
func (h *host) run(ctx context.Context, l *line, c sources.Command, leave <-chan struct{}) error {
	s, err := l.session(ctx)
	if err != nil {
		return err
	}
	mark := "daytwo-" + rand.Text()
	r := &running{host: h, line: l, session: s, command: c, mark: mark, broken: make(chan error, 3)}
	if err := r.begin(); err != nil {
		_ = s.Close()
		l.slots.give()
		return err
	}
	return r.finish(ctx, leave)
}

// session opens one, waiting for others to end where the machine has a limit.
func (l *line) session(ctx context.Context) (*ssh.Session, error) {
	if err := l.slots.take(ctx); err != nil {
		return nil, err
	}
	pause := 50 * time.Millisecond
	for {
		s, err := l.newSession(ctx)
		if err == nil {
			return s, nil
		}
		if _, refused := errors.AsType[*ssh.OpenChannelError](err); !refused || pause > 2*time.Second {
			l.slots.give()
			return nil, err
		}
		if l.slots.refused() {
			l.slots.give()
			if err := l.slots.take(ctx); err != nil {
				return nil, err
			}
			continue
		}
		// Nothing of ours is open: the machine has not yet cleared away the last.
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			l.slots.give()
			return nil, fmt.Errorf("opening a session on %s: %w", l.name, ctx.Err())
		}
		pause *= 2
	}
}

// newSession bounds what the library would wait for until the line is dead.
func (l *line) newSession(ctx context.Context) (*ssh.Session, error) {
	type answer struct {
		session *ssh.Session
		err     error
	}
	ctx, stop := context.WithTimeout(ctx, openTime)
	defer stop()
	back := make(chan answer, 1)
	go func() { // ends with the answer, or with the connection
		s, err := l.client.NewSession()
		if err == nil && ctx.Err() != nil {
			_ = s.Close() // nobody waits for it any more
		}
		back <- answer{s, err}
	}()
	select {
	case a := <-back:
		if a.err == nil && ctx.Err() == nil {
			return a.session, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("opening a session on %s: %w", l.name, ctx.Err())
		}
		if refusal, ok := errors.AsType[*ssh.OpenChannelError](a.err); ok {
			return nil, fmt.Errorf("%s gives no session (%s), MaxSessions of its sshd allows none: %w", l.name, sources.Clean(refusal.Message, 200), a.err)
		}
		return nil, fmt.Errorf("on %s: %w (%w)", l.name, errStale, cleanError(a.err))
	case <-ctx.Done():
		return nil, fmt.Errorf("%s opens no session: %w", l.name, ctx.Err())
	}
}

// running is a command between its start and its end.
type running struct {
	host    *host
	line    *line
	session *ssh.Session
	command sources.Command
	mark    string // by which it can be found on the machine
	errs    *tail
	out     *guard
	err     *guard
	broken  chan error // our side cannot go on
}

// errLeft says that the session was ended by us, to be taken up again.
var errLeft = errors.New("left, to make room")

func (r *running) begin() error {
	c := r.command
	r.errs = &tail{}
	r.out, r.err = r.guarded(c.Stdout), r.guarded(c.Stderr)
	r.session.Stdout = r.out
	r.session.Stderr = io.MultiWriter(r.errs, r.err)
	var in io.WriteCloser
	if c.Stdin != nil {
		var err error
		if in, err = r.session.StdinPipe(); err != nil {
			return fmt.Errorf("opening the input of a command on %s: %w", r.line.name, err)
		}
	}
	if err := r.session.Start(wrapped(c, r.line.hop.user, r.mark)); err != nil {
		if lost := r.line.lost(); lost != nil || errors.Is(err, io.EOF) {
			return &sources.LineLostError{Host: r.line.name, Err: err}
		}
		return fmt.Errorf("%s refuses to run commands: %w", r.line.name, err)
	}
	if in != nil {
		go r.feed(in) // ends with the input, or with the session
	}
	return nil
}

// feed sends the input. One that breaks off must not look like a whole one.
func (r *running) feed(in io.WriteCloser) {
	source := &firstError{r: r.command.Stdin}
	_, _ = io.Copy(in, source)
	if source.err != nil {
		r.broken <- fmt.Errorf("reading the input for a command on %s: %w", r.line.name, source.err)
		return
	}
	_ = in.Close()
}

// guarded is a writer that never blocks the command: after an error of ours
// the rest is dropped and the command is ended.
func (r *running) guarded(w io.Writer) *guard {
	if w == nil {
		w = io.Discard
	}
	return &guard{w: w, broken: func(err error) {
		r.broken <- fmt.Errorf("writing what a command on %s says: %w", r.line.name, err)
	}}
}

// finish waits for the end, whoever brings it.
func (r *running) finish(ctx context.Context, leave <-chan struct{}) error {
	ended := make(chan error, 1)
	go func() { ended <- r.session.Wait() }() // ends with the session
	defer r.err.close()
	defer r.out.close()
	var why error
	select {
	case err := <-ended:
		r.line.slots.give()
		select {
		case why = <-r.broken:
			return why
		default:
		}
		return r.judge(err)
	case <-r.line.gone:
		r.line.slots.give()
		return r.line.lost()
	case why = <-r.broken:
	case <-leave:
		why = errLeft
	case <-ctx.Done():
		why = fmt.Errorf("ended %s on %s: %w", sources.Clean(r.command.Line, 80), r.line.name, ctx.Err())
	}
	_ = r.session.Signal(ssh.SIGTERM)
	_ = r.session.Close()
	r.line.slots.give()
	if !errors.Is(why, errLeft) {
		r.kill(ctx)
	}
	return why
}

// killTime is how long the end of a command is waited for.
const killTime = 3 * time.Second

// kill ends what still runs on the machine: sshd passes a signal on to what
// the login may signal only, and to nothing behind sudo.
func (r *running) kill(ctx context.Context) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), killTime)
	defer stop()
	s, err := r.line.session(ctx)
	if err != nil {
		return // the line is dead, or will be
	}
	defer r.line.slots.give()
	over := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer over()
	c := sources.Command{Line: killLine(r.mark), Root: r.command.Root}
	if err := s.Run(wrapped(c, r.line.hop.user, "daytwo-kill")); err != nil {
		r.host.fleet.opts.Log("ssh: ending a command on %s: %v", r.line.name, cleanError(err))
	}
	_ = s.Close()
}

// judge tells a command that failed from a line that was lost.
func (r *running) judge(err error) error {
	if err == nil {
		return nil
	}
	failed, ok := errors.AsType[*ssh.ExitError](err)
	if !ok {
		return &sources.LineLostError{Host: r.line.name, Err: cleanError(err)}
	}
	e := &sources.ExitError{Host: r.line.name, Line: r.command.Line, Code: failed.ExitStatus(), Stderr: r.errs.text()}
	if failed.Signal() != "" {
		e.Code, e.Signal = -1, sources.Clean(failed.Signal(), 20)
	}
	if r.command.Root && r.line.hop.user != "root" {
		if why := sudoRefusal(e, r.line.hop.user); why != nil {
			return why
		}
	}
	return e
}

// guard passes on to w until that fails, or nobody wants more.
type guard struct {
	w      io.Writer
	broken func(error)
	mu     sync.Mutex
	shut   bool
}

func (g *guard) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return len(p), nil
	}
	if _, err := g.w.Write(p); err != nil {
		g.shut = true
		g.broken(err)
	}
	return len(p), nil
}

// close lets nothing through any more: the command's caller has moved on.
func (g *guard) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
}

// firstError remembers an error of reading that is not the end.
type firstError struct {
	r   io.Reader
	err error
}

func (f *firstError) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err //nolint:wrapcheck // io.Reader's own contract
}

// tail keeps the last of what was written.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

// mostTail is more than any message of an error needs.
const mostTail = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p[max(0, len(p)-mostTail):]...)
	if over := len(t.buf) - mostTail; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

// text is the last lines, safe for the screen.
func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return lastLines(string(t.buf), 5)
}
