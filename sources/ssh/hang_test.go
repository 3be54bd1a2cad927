package ssh

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"daytwo/sources"
)

// pipe is one direction of a connection within a synctest bubble.
type pipe struct {
	mu     sync.Mutex
	more   *sync.Cond
	buf    []byte
	closed bool
	frozen bool // takes bytes, and never gives them
}

func newPipe() *pipe {
	p := &pipe{}
	p.more = sync.NewCond(&p.mu)
	return p
}

func (p *pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for (len(p.buf) == 0 || p.frozen) && !p.closed {
		p.more.Wait()
	}
	if p.closed {
		return 0, io.EOF
	}
	n := copy(b, p.buf)
	p.buf = p.buf[n:]
	return n, nil
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, io.ErrClosedPipe
	}
	p.buf = append(p.buf, b...)
	p.more.Broadcast()
	return len(b), nil
}

func (p *pipe) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.more.Broadcast()
}

// end is one end of a connection.
type end struct{ in, out *pipe }

func (e end) Read(b []byte) (int, error)  { return e.in.Read(b) }
func (e end) Write(b []byte) (int, error) { return e.out.Write(b) }
func (e end) Close() error {
	e.in.set(func() { e.in.closed = true })
	e.out.set(func() { e.out.closed = true })
	return nil
}
func (end) LocalAddr() net.Addr              { return nowhere() }
func (end) RemoteAddr() net.Addr             { return nowhere() }
func (end) SetDeadline(time.Time) error      { return nil }
func (end) SetReadDeadline(time.Time) error  { return nil }
func (end) SetWriteDeadline(time.Time) error { return nil }

// TestHang: a line whose packets get lost is noticed within 15 seconds, and
// one that never greets is given up.
func TestHang(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, _ := newSigner(t)
	w.opts.Settings.Hosts["worker-0"] = "10.0.0.1"
	w.write(".ssh/known_hosts", knownLine("10.0.0.1", key.PublicKey())+"\n")
	synctest.Test(t, func(t *testing.T) {
		up, down := newPipe(), newPipe()
		opts, dials := w.opts, 0
		opts.Log = func(string, ...any) {}
		opts.Dial = func(context.Context, string, string) (net.Conn, error) {
			if dials++; dials > 1 { // whoever answers there never says anything
				return end{newPipe(), newPipe()}, nil
			}
			return end{down, up}, nil
		}
		var serving sync.WaitGroup
		serving.Go(func() { hangAfterBeginning(w, key, end{up, down}) })
		f := New(context.Background(), opts)
		began, says := io.Pipe()
		done := make(chan error, 1)
		go func() {
			done <- f.Host("worker-0").Run(context.Background(), sources.Command{Line: "sleep 60", Stdout: says})
		}()
		if _, err := began.Read(make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
		down.set(func() { down.frozen = true })
		cut := time.Now()
		err := <-done
		if _, lost := errors.AsType[*sources.LineLostError](err); !lost || time.Since(cut) > keepAlive+patience {
			t.Errorf("after %v: %v", time.Since(cut), err)
		}
		cut = time.Now()
		err = f.Host("worker-0").Run(context.Background(), yesCommand)
		if err == nil || !strings.Contains(err.Error(), "hangs") || time.Since(cut) > greetTime {
			t.Errorf("after %v: %v", time.Since(cut), err)
		}
		f.Close()
		serving.Wait()
	})
}

// hangAfterBeginning serves one command that says something and never ends.
func hangAfterBeginning(w *world, key ssh.Signer, c net.Conn) {
	config := &ssh.ServerConfig{PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, nil }}
	config.AddHostKey(key)
	conn, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		w.t.Error(err)
		return
	}
	go ssh.DiscardRequests(requests)
	for ch := range channels {
		channel, asked, err := ch.Accept()
		if err != nil {
			break
		}
		go func() {
			for r := range asked {
				_ = r.Reply(r.Type == "exec", nil)
				if r.Type == "exec" {
					_, _ = io.WriteString(channel, "begun\n")
				}
			}
		}()
	}
	_ = conn.Wait()
}
