package ssh

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"daytwo/sources"
)

// server is an SSH server in this process whose commands run in the real
// /bin/sh of this machine.
type server struct {
	t       *testing.T
	addr    string
	hostKey ssh.Signer
	config  *ssh.ServerConfig
	env     []string

	mostSessions atomic.Int32 // 0 is no limit
	sessions     atomic.Int32
	logins       atomic.Int32
	banner       string // before the protocol's first line

	mu    sync.Mutex
	conns []net.Conn
	ptys  []string // what terminals were asked for
}

type serverOption func(*server)

func newSigner(t *testing.T) (ssh.Signer, ed25519.PrivateKey) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return s, private
}

// serve starts a server that takes one public key.
func serve(t *testing.T, takes func(ssh.PublicKey) bool, options ...serverOption) *server {
	t.Helper()
	s := &server{t: t}
	for _, o := range options {
		o(s)
	}
	if s.hostKey == nil {
		s.hostKey, _ = newSigner(t)
	}
	if s.config == nil {
		s.config = &ssh.ServerConfig{}
	}
	s.config.MaxAuthTries = 6
	if s.config.PublicKeyCallback == nil {
		s.config.PublicKeyCallback = func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if takes(key) {
				return nil, nil
			}
			return nil, errors.New("not this one")
		}
	}
	s.config.AddHostKey(s.hostKey)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	var work sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(func() {
		stop()
		_ = l.Close()
		s.cut()
		work.Wait()
	})
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, c)
			s.mu.Unlock()
			work.Go(func() { s.talk(ctx, c) })
		}
	})
	return s
}

// cut ends all connections at once.
func (s *server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
}

func (s *server) talk(ctx context.Context, c net.Conn) {
	defer func() { _ = c.Close() }()
	if s.banner != "" {
		_, _ = io.WriteString(c, s.banner)
	}
	conn, channels, requests, err := ssh.NewServerConn(c, s.config)
	if err != nil {
		return
	}
	s.logins.Add(1)
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() {
		for r := range requests {
			_ = r.Reply(false, nil)
		}
	})
	var open atomic.Int32
	for ch := range channels {
		switch ch.ChannelType() {
		case "session":
			if most := s.mostSessions.Load(); most > 0 && open.Load() >= most {
				_ = ch.Reject(ssh.ConnectionFailed, "open failed")
				continue
			}
			channel, requests, err := ch.Accept()
			if err != nil {
				return
			}
			open.Add(1)
			s.sessions.Add(1)
			work.Go(func() {
				defer open.Add(-1)
				s.session(ctx, channel, requests)
			})
		case "direct-tcpip":
			work.Go(func() { s.forward(ctx, ch) })
		default:
			_ = ch.Reject(ssh.UnknownChannelType, "no")
		}
	}
	_ = conn.Wait()
}

func (s *server) forward(ctx context.Context, ch ssh.NewChannel) {
	var to struct {
		Host string
		Port uint32
		From string
		Back uint32
	}
	_ = ssh.Unmarshal(ch.ExtraData(), &to)
	out, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		_ = ch.Reject(ssh.ConnectionFailed, "connection refused")
		return
	}
	channel, requests, err := ch.Accept()
	if err != nil {
		_ = out.Close()
		return
	}
	go ssh.DiscardRequests(requests)
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(out, channel); _ = out.Close() })
	both.Go(func() { _, _ = io.Copy(channel, out); _ = channel.Close() })
	both.Wait()
}

// session runs what is asked for, as sshd does: in a session of its own.
func (s *server) session(ctx context.Context, c ssh.Channel, requests <-chan *ssh.Request) {
	defer func() { _ = c.Close() }()
	var cmd *exec.Cmd
	var work sync.WaitGroup
	defer work.Wait()
	for r := range requests {
		switch r.Type {
		case "exec", "shell":
			line := "cat" // the shell of the tests
			if r.Type == "exec" {
				var m struct{ Line string }
				_ = ssh.Unmarshal(r.Payload, &m)
				line = m.Line
			}
			cmd = exec.CommandContext(ctx, "/bin/sh", "-c", line)
			cmd.Env = append(os.Environ(), s.env...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			cmd.Stdout, cmd.Stderr = c, c.Stderr()
			in, _ := cmd.StdinPipe()
			cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
			err := cmd.Start()
			_ = r.Reply(err == nil, nil)
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(in, c); _ = in.Close() }()
			work.Go(func() {
				s.end(c, cmd.Wait())
				_ = c.Close()
			})
		case "signal":
			var m struct{ Name string }
			_ = ssh.Unmarshal(r.Payload, &m)
			if m.Name == "TERM" && cmd != nil {
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
			}
		case "pty-req", "window-change":
			s.mu.Lock()
			s.ptys = append(s.ptys, ptyText(r))
			s.mu.Unlock()
			if r.WantReply {
				_ = r.Reply(true, nil)
			}
		default:
			_ = r.Reply(false, nil)
		}
	}
}

func ptyText(r *ssh.Request) string {
	p := r.Payload
	if r.Type == "pty-req" {
		p = p[4+binary.BigEndian.Uint32(p):]
	}
	return r.Type + " " + strconv.Itoa(int(binary.BigEndian.Uint32(p))) + "x" + strconv.Itoa(int(binary.BigEndian.Uint32(p[4:])))
}

func (s *server) end(c ssh.Channel, err error) {
	var failed *exec.ExitError
	if !errors.As(err, &failed) {
		_, _ = c.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{0}))
		return
	}
	status, _ := failed.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		name := map[syscall.Signal]string{syscall.SIGKILL: "KILL", syscall.SIGTERM: "TERM", syscall.SIGSEGV: "SEGV"}[status.Signal()]
		_, _ = c.SendRequest("exit-signal", false, ssh.Marshal(struct {
			Name  string
			Core  bool
			Words string
			Lang  string
		}{name, false, "", ""}))
		return
	}
	_, _ = c.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(status.ExitStatus())}))
}

// world is a home folder with a key, and servers that take it.
type world struct {
	t    *testing.T
	home string
	key  ssh.Signer
	opts Options
	log  *bytes.Buffer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, home: t.TempDir(), log: &bytes.Buffer{}}
	var private ed25519.PrivateKey
	w.key, private = newSigner(t)
	w.write(".ssh/id_ed25519", pemOf(t, private, ""))
	var mu sync.Mutex
	w.opts = Options{
		Home: w.home, User: "root", ConfigFiles: []string{filepath.Join(w.home, ".ssh", "config")},
		Settings: sources.SSHSettings{Hosts: map[string]string{}},
		Log: func(format string, args ...any) {
			mu.Lock()
			defer mu.Unlock()
			t.Logf(format, args...)
		},
	}
	return w
}

func pemOf(t *testing.T, key ed25519.PrivateKey, passphrase string) string {
	t.Helper()
	var block *pem.Block
	var err error
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, "test")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "test", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

func (w *world) write(name, text string) string {
	w.t.Helper()
	path := filepath.Join(w.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

func (w *world) read(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.home, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

func (w *world) takes(key ssh.PublicKey) bool {
	return bytes.Equal(key.Marshal(), w.key.PublicKey().Marshal())
}

// know writes a server's key to known_hosts.
func (w *world) know(s *server) {
	w.t.Helper()
	path := filepath.Join(w.home, ".ssh", "known_hosts")
	old, _ := os.ReadFile(path)
	w.write(".ssh/known_hosts", string(old)+knownhosts.Line([]string{s.addr}, s.hostKey.PublicKey())+"\n")
}

// node is a server behind a node that is known and takes the key.
func (w *world) node(name string, options ...serverOption) *server {
	w.t.Helper()
	s := serve(w.t, w.takes, options...)
	w.opts.Settings.Hosts[name] = s.addr
	w.know(s)
	return s
}

func (w *world) fleet() *Fleet {
	w.t.Helper()
	f := New(w.t.Context(), w.opts)
	w.t.Cleanup(f.Close)
	return f
}

// syncBuffer takes two streams at once.
type syncBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func ecdsaKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "test")
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}
