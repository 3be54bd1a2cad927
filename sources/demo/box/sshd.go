package box

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/term"
	"mvdan.cc/sh/v3/syntax"
)

// gate lets bytes through, or holds them back as a network does that has
// stopped to answer.
type gate struct {
	net.Conn
	mu   sync.Mutex
	open chan struct{} // closed: bytes pass
	held bool
	gone chan struct{}
	once sync.Once
}

func newGate(c net.Conn) *gate {
	g := &gate{Conn: c, open: make(chan struct{}), gone: make(chan struct{})}
	close(g.open)
	return g
}

func (g *gate) hold(on bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case on && !g.held:
		g.open = make(chan struct{})
	case !on && g.held:
		close(g.open)
	}
	g.held = on
}

func (g *gate) pass() error {
	for {
		g.mu.Lock()
		open := g.open
		g.mu.Unlock()
		select {
		case <-open:
		case <-g.gone:
			return net.ErrClosed
		}
		g.mu.Lock()
		same := open == g.open
		g.mu.Unlock()
		if same {
			return nil
		}
	}
}

// Read reads what has come once the gate is open.
func (g *gate) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if perr := g.pass(); perr != nil {
		return 0, perr
	}
	return n, err
}

// Write writes once the gate is open.
func (g *gate) Write(p []byte) (int, error) {
	if err := g.pass(); err != nil {
		return 0, err
	}
	return g.Conn.Write(p)
}

// Close ends the connection, also a held one.
func (g *gate) Close() error {
	g.once.Do(func() { close(g.gone) })
	return g.Conn.Close()
}

// ServeSSH answers one SSH connection with the machine's shell, until it or
// the machine ends. Users are root and the other accounts, with one key.
func (b *Box) ServeSSH(c net.Conn, host ssh.Signer, user ssh.PublicKey) {
	g := newGate(c)
	b.mu.Lock()
	g.hold(b.faults.HangSSH)
	b.lines[c] = g
	b.mu.Unlock()
	ctx, cancel := context.WithCancel(b.ctx)
	stop := context.AfterFunc(ctx, func() { _ = g.Close() })
	defer func() {
		cancel()
		stop()
		_ = g.Close()
		b.mu.Lock()
		delete(b.lines, c)
		b.mu.Unlock()
	}()
	conf := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-OpenSSH_9.6p1 daytwo-demo",
		PublicKeyCallback: func(m ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			_, known := b.login(m.User())
			if !known || subtle.ConstantTimeCompare(key.Marshal(), user.Marshal()) != 1 {
				return nil, fmt.Errorf("no such user or key: %s", m.User())
			}
			return &ssh.Permissions{}, nil
		},
	}
	conf.AddHostKey(host)
	conn, channels, requests, err := ssh.NewServerConn(g, conf)
	if err != nil {
		return
	}
	var sessions sync.WaitGroup
	defer sessions.Wait()
	defer cancel() // what the line carried ends with it; units do not
	sessions.Go(func() { ssh.DiscardRequests(requests) })
	for nc := range channels {
		switch nc.ChannelType() {
		case "session":
			ch, reqs, err := nc.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() { b.session(ctx, conn.User(), ch, reqs) })
		default:
			_ = nc.Reject(ssh.UnknownChannelType, "the demo has no "+nc.ChannelType())
		}
	}
}

// CutSSH ends every open SSH connection at once, as when the network breaks.
func (b *Box) CutSSH() {
	b.mu.Lock()
	lines := maps.Clone(b.lines)
	b.mu.Unlock()
	for _, g := range lines {
		_ = g.Close()
	}
}

// session is one channel: a command, or a shell.
func (b *Box) session(ctx context.Context, user string, ch ssh.Channel, reqs <-chan *ssh.Request) {
	defer func() { _ = ch.Close() }()
	p, ok := b.login(user)
	if !ok {
		return
	}
	p.in, p.out, p.err = ch, ch, ch.Stderr()
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	var tty *term.Terminal
	for r := range reqs {
		good := true
		var begin func() // after the answer: a short command's end may not come before it
		switch r.Type {
		case "env":
			var kv struct{ Name, Value string }
			if ssh.Unmarshal(r.Payload, &kv) == nil {
				p.env[kv.Name] = kv.Value
			}
		case "pty-req":
			tty = term.NewTerminal(ch, "")
		case "window-change":
			if tty != nil {
				resize(tty, r.Payload)
			}
		case "signal":
			cancel()
		case "exec", "shell":
			var line struct{ Text string }
			if r.Type == "exec" && ssh.Unmarshal(r.Payload, &line) != nil {
				good = false
				break
			}
			shell := r.Type == "shell"
			begin = func() {
				code := b.talk(ctx, p, tty, shell, line.Text)
				_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(code)}))
				_ = ch.Close()
			}
		default:
			good = false
		}
		if r.WantReply {
			_ = r.Reply(good, nil)
		}
		if begin != nil {
			work.Go(begin)
		}
	}
}

func (b *Box) talk(ctx context.Context, p *process, tty *term.Terminal, shell bool, line string) int {
	b.settle()
	switch {
	case !shell:
		return p.script(ctx, syntax.LangBash, "bash", line)
	case tty != nil:
		return b.interactive(ctx, p, tty)
	}
	text, err := io.ReadAll(p.in)
	if err != nil {
		return 255
	}
	return p.script(ctx, syntax.LangBash, "bash", string(text))
}

func resize(tty *term.Terminal, payload []byte) {
	var size struct{ Columns, Rows, Width, Height uint32 }
	if ssh.Unmarshal(payload, &size) == nil && size.Columns > 0 {
		_ = tty.SetSize(int(size.Columns), int(size.Rows)) // only a terminal of no width is refused
	}
}

// interactive is a login shell at a terminal: a line, its answer, the next.
func (b *Box) interactive(ctx context.Context, p *process, tty *term.Terminal) int {
	p.in, p.out, p.err = nil, tty, tty
	p.print("Ubuntu 24.04.3 LTS, simulated by daytwo's demo. %s\n", b.o.Now().UTC().Format(time.RFC1123))
	mark := "$"
	if p.who.uid == 0 {
		mark = "#"
	}
	code := 0
	for ctx.Err() == nil {
		tty.SetPrompt(p.who.name + "@" + b.o.Name + ":" + p.dir + mark + " ")
		line, err := tty.ReadLine()
		if errors.Is(err, io.EOF) || err != nil {
			return code
		}
		if line == "exit" || line == "logout" {
			return code
		}
		code = p.script(ctx, syntax.LangBash, "bash", line)
	}
	return code
}
