package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"daytwo/sources"
)

// line is one connection to one machine.
type line struct {
	name   string // of the node or jump host, for people
	hop    hop
	client *ssh.Client
	slots  *slots
	gone   chan struct{} // closed when the connection ended; why is then fixed
	why    error

	mu   sync.Mutex
	used time.Time // when somebody last wanted or left it
	busy int       // sessions, and lines that lead on from here
	shut bool      // for idleness: nobody may begin
}

// use takes the line for one thing to do; release gives it back. It is false
// if the line is gone.
func (l *line) use() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.gone:
		return false
	default:
	}
	if l.shut {
		return false
	}
	l.busy++
	return true
}

func (l *line) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
	l.used = time.Now()
}

// idle closes the door if nobody used the line for long.
func (l *line) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut = l.busy == 0 && time.Since(l.used) >= idleTime
	return l.shut
}

// lost says that the line went away while something ran; nil if it is there.
func (l *line) lost() error {
	select {
	case <-l.gone:
		return &sources.LineLostError{Host: l.name, Err: l.why}
	default:
		return nil
	}
}

// open dials and logs in, over the hops before the last.
func (f *Fleet) open(ctx context.Context, node string, hops []hop) (*line, error) {
	last := hops[len(hops)-1]
	dial := f.opts.Dial
	var before *line
	if len(hops) > 1 {
		var err error
		if before, err = f.line(ctx, hops[len(hops)-2].name, hops[:len(hops)-1]); err != nil {
			return nil, fmt.Errorf("reaching %s over %s: %w", node, hops[len(hops)-2].name, err)
		}
		dial = before.client.DialContext
	}
	l, err := f.greet(ctx, last, dial)
	if before != nil {
		if err != nil {
			before.release()
			return nil, err
		}
		f.work.Go(func() { <-l.gone; before.release() })
	}
	return l, err
}

// greet dials one hop and logs in.
func (f *Fleet) greet(ctx context.Context, h hop, dial func(context.Context, string, string) (net.Conn, error)) (*line, error) {
	k, err := knownHosts(h.name, h)
	if err != nil {
		return nil, err
	}
	dialing, stop := context.WithTimeout(ctx, dialTime)
	conn, err := dial(dialing, "tcp", h.address())
	stop()
	if err != nil {
		return nil, cannotDial(h, err)
	}
	ctx, done := context.WithCancelCause(ctx)
	defer done(nil)
	clock := time.AfterFunc(greetTime, func() { done(errSilent) })
	defer clock.Stop()
	over := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer over()
	in := &login{fleet: f, node: h.name, hop: h, ctx: ctx, pause: func() { clock.Stop() }, resume: func() { clock.Reset(greetTime) }}
	var refused error // of the host key: the library may wrap it in words of its own
	var banner strings.Builder
	c, channels, requests, err := ssh.NewClientConn(conn, h.address(), &ssh.ClientConfig{
		User: h.user,
		Auth: []ssh.AuthMethod{ssh.PublicKeysCallback(in.signers)},
		HostKeyCallback: func(name string, remote net.Addr, key ssh.PublicKey) error {
			refused = k.check(name, remote, key)
			return refused
		},
		HostKeyAlgorithms: k.algorithms(),
		BannerCallback:    func(text string) error { banner.WriteString(text); return nil },
	})
	if err != nil {
		_ = conn.Close()
		return nil, in.explain(ctx, err, refused)
	}
	if !over() { // closed at the last moment
		_ = c.Close()
		return nil, in.explain(ctx, context.Cause(ctx), nil)
	}
	if banner.Len() > 0 {
		f.opts.Log("ssh: %s says: %s", h.name, sources.Clean(banner.String(), sources.MaxMessage))
	}
	return &line{name: h.name, hop: h, client: ssh.NewClient(c, channels, requests), slots: newSlots(), gone: make(chan struct{}), used: time.Now()}, nil
}

var errSilent = fmt.Errorf("it took the connection and then said nothing for %v", greetTime)

func cannotDial(h hop, err error) error {
	next := "is the machine up, and is a firewall or a private network in between? ssh.hosts or ssh.jump in the configuration name another way"
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s does not answer on %s within %v; %s", h.name, h.address(), dialTime, next)
	}
	return fmt.Errorf("dialling %s: %w; %s", h.name, err, next)
}

// explain says why there is no line.
func (l *login) explain(ctx context.Context, err, refused error) error {
	h := l.hop
	switch cause := context.Cause(ctx); {
	case refused != nil:
		return refused
	case l.locked != "":
		return &sources.LockedKeyError{Node: l.node, Path: l.locked}
	case errors.Is(cause, errSilent):
		return fmt.Errorf("%s (%s) hangs: %w", l.node, h.address(), errSilent)
	case cause != nil:
		return fmt.Errorf("the login to %s was broken off: %w", l.node, cause)
	case strings.Contains(err.Error(), "unable to authenticate"):
		return l.denied()
	}
	if odds, ok := errors.AsType[*ssh.AlgorithmNegotiationError](err); ok {
		next := "it is too old or too new for what is safe"
		if odds.What == "host key" {
			next = "if you must, name one of these in HostKeyAlgorithms for this Host in ~/.ssh/config"
		}
		return fmt.Errorf("%s (%s) and daytwo have no %s algorithm in common, it offers %s; %s",
			l.node, h.address(), odds.What, sources.Clean(strings.Join(odds.RequestedAlgorithms, ", "), 300), next)
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s (%s) closed the connection during the login; too many at once, or banned there?", l.node, h.address())
	}
	return fmt.Errorf("logging in to %s (%s): %w", l.node, h.address(), cleanError(err))
}

func (l *login) denied() error {
	tried := "no key was found: no agent answers, and none of the usual files is there"
	if len(l.tried) > 0 {
		tried = "tried " + sources.Clean(strings.Join(l.tried, ", "), 400)
	}
	return &DeniedError{Node: l.node, User: l.hop.user, Address: l.hop.address(), Tried: tried}
}

// DeniedError says that the machine took none of the keys.
type DeniedError struct{ Node, User, Address, Tried string }

// Error says what was tried, and what to set.
func (e *DeniedError) Error() string {
	return fmt.Sprintf("%s lets %s in with none of these keys (%s): %s. Set ssh.user or ssh.identity_file in the configuration, or add your key to that user's authorized_keys",
		e.Node, e.User, e.Address, e.Tried)
}

// cleanError makes an error's text, which may hold a machine's words, safe.
func cleanError(err error) error {
	text := err.Error()
	if clean := sources.Clean(text, sources.MaxMessage); clean != text {
		return errors.New(clean)
	}
	return err
}

// tend keeps the line alive until it ends, ctx does, or nobody needs it.
func (l *line) tend(ctx context.Context) {
	ended := make(chan error, 1)
	var watcher sync.WaitGroup
	watcher.Go(func() { ended <- l.client.Wait() })
	beat := time.NewTicker(keepAlive)
	defer beat.Stop()
	for {
		var why error
		select {
		case why = <-ended:
		case <-ctx.Done():
			why = errClosed
		case <-beat.C:
			if !l.idle() && l.answers(ctx) {
				continue
			}
			if why = errIdle; !l.isShut() {
				why = fmt.Errorf("no answer for %v", patience)
			}
		}
		if why == nil {
			why = io.EOF
		}
		l.why = cleanError(why)
		close(l.gone)
		_ = l.client.Close()
		watcher.Wait()
		return
	}
}

var errIdle = errors.New("closed, for nobody used it")

func (l *line) isShut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shut
}

// answers asks for a sign of life. A line that ended is left to who waits for
// its end.
func (l *line) answers(ctx context.Context) bool {
	asking, stop := context.WithTimeout(ctx, patience)
	defer stop()
	back := make(chan struct{})
	go func() { // ends with the answer, or with the connection
		defer close(back)
		_, _, _ = l.client.SendRequest("keepalive@openssh.com", true, nil)
	}()
	select {
	case <-back:
		return true
	case <-asking.Done():
		return ctx.Err() != nil
	}
}
