package ssh

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"daytwo/sources"
)

var yesCommand = sources.Command{Line: "true"}

func TestUnknownKeyIsAcceptedByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := serve(t, w.takes)
	w.opts.Settings.Hosts["worker-0"] = s.addr
	f := w.fleet()
	err := f.Host("worker-0").Run(t.Context(), yesCommand)
	unknown, ok := errors.AsType[*sources.UnknownKeyError](err)
	if !ok || unknown.Fingerprint != ssh.FingerprintSHA256(s.hostKey.PublicKey()) || s.logins.Load() != 0 {
		t.Fatalf("%v", err)
	}
	w.write(".ssh/known_hosts", "# no line break at the end")
	if err := f.Accept(unknown); err != nil {
		t.Fatal(err)
	}
	if err := f.Host("worker-0").Run(t.Context(), yesCommand); err != nil {
		t.Error(err)
	}
	if text := w.read(".ssh/known_hosts"); !strings.HasPrefix(text, "# no line break at the end\n[127.0.0.1]:") {
		t.Errorf("known_hosts:\n%s", text)
	}
}

func TestChangedKeyIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.node("worker-0")
	s := serve(t, w.takes)
	w.write(".ssh/known_hosts", "# made by hand\n"+strings.ReplaceAll(w.read(".ssh/known_hosts"), portOf(old.addr), portOf(s.addr)))
	w.opts.Settings.Hosts["worker-0"] = s.addr
	err := w.fleet().Host("worker-0").Run(t.Context(), yesCommand)
	changed, ok := errors.AsType[*sources.ChangedKeyError](err)
	if !ok || changed.Line != 2 || changed.File != filepath.Join(w.home, ".ssh/known_hosts") || s.logins.Load() != 0 ||
		changed.Fingerprint != ssh.FingerprintSHA256(s.hostKey.PublicKey()) || !strings.HasSuffix(changed.Known, ssh.FingerprintSHA256(old.hostKey.PublicKey())) {
		t.Errorf("%+v (%v)", changed, err)
	}
}

func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// TestLockedKey asks for a passphrase only when a machine takes the key, once
// for all, and not at all for what nobody waits for.
func TestLockedKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, private := newSigner(t)
	path := w.write(".ssh/id_ed25519", pemOf(t, private, "open sesame"))
	w.key = s
	w.node("worker-0")
	w.node("worker-1")
	stranger := serve(t, func(ssh.PublicKey) bool { return false })
	w.know(stranger)
	w.opts.Settings.Hosts["worker-2"] = stranger.addr
	var asked atomic.Int32
	answers := []string{"wrong", "open sesame"}
	w.opts.Passphrase = func(_ context.Context, of string) ([]byte, error) {
		if of != path {
			t.Errorf("asked for %s", of)
		}
		return []byte(answers[asked.Add(1)-1]), nil
	}
	f := w.fleet()
	err := f.Host("worker-2").Run(t.Context(), yesCommand)
	if denied, ok := errors.AsType[*DeniedError](err); !ok || asked.Load() != 0 || !strings.Contains(denied.Tried, path) {
		t.Errorf("asked %d times for a machine that takes no key: %v", asked.Load(), err)
	}
	err = f.Host("worker-0").Run(Quiet(t.Context()), yesCommand)
	if locked, ok := errors.AsType[*sources.LockedKeyError](err); !ok || locked.Path != path || asked.Load() != 0 {
		t.Errorf("quiet: %v", err)
	}
	for _, node := range []string{"worker-0", "worker-1"} {
		if err := f.Host(node).Run(t.Context(), yesCommand); err != nil {
			t.Errorf("%s: %v", node, err)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("asked %d times", asked.Load())
	}
}

// TestAgent takes the key from an agent; no file is there.
func TestAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.node("worker-0")
	pemText, err := os.ReadFile(filepath.Join(w.home, ".ssh/id_ed25519"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParseRawPrivateKey(pemText)
	if err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(filepath.Join(w.home, ".ssh/id_ed25519"))
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	w.opts.AgentSocket = filepath.Join(w.home, "agent")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", w.opts.AgentSocket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() { // ends with the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, c) }()
		}
	}()
	if err := w.fleet().Host("worker-0").Run(t.Context(), yesCommand); err != nil {
		t.Error(err)
	}
}

// TestCertificate logs in by a certificate beside the key.
func TestCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	authority, _ := newSigner(t)
	cert := &ssh.Certificate{Key: w.key.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"root"}, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	checker := &ssh.CertChecker{IsUserAuthority: func(key ssh.PublicKey) bool { return string(key.Marshal()) == string(authority.PublicKey().Marshal()) }}
	w.node("worker-0", func(s *server) { s.config = &ssh.ServerConfig{PublicKeyCallback: checker.Authenticate} })
	if err := w.fleet().Host("worker-0").Run(t.Context(), yesCommand); err == nil {
		t.Error("let in without a certificate: the test proves nothing")
	}
	w.write(".ssh/id_ed25519-cert.pub", string(ssh.MarshalAuthorizedKey(cert)))
	if err := w.fleet().Host("worker-0").Run(t.Context(), yesCommand); err != nil {
		t.Error(err)
	}
}

// TestJump goes over two hops that ~/.ssh/config names; the node is found
// there by a pattern, and hops are shared.
func TestJump(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second, a, b := serve(t, w.takes), serve(t, w.takes), serve(t, w.takes), serve(t, w.takes)
	for _, s := range []*server{first, second, a, b} {
		w.know(s)
	}
	w.write(".ssh/config", `
Match exec "true"
  User nobody
Host outer
  HostName 127.0.0.1
  Port `+portOf(first.addr)+`
Host inner
  HostName 127.0.0.1
  Port `+portOf(second.addr)+`
Host worker-0
  HostName 127.0.0.1
  Port `+portOf(a.addr)+`
Host worker-1
  HostName 127.0.0.1
  Port `+portOf(b.addr)+`
Host worker-*
  User root
  ProxyJump outer,inner
`)
	f := w.fleet()
	for _, node := range []string{"worker-0", "worker-1"} {
		if err := f.Host(node).Run(t.Context(), yesCommand); err != nil {
			t.Errorf("%s: %v", node, err)
		}
	}
	if first.logins.Load() != 1 || second.logins.Load() != 1 || a.logins.Load() != 1 || b.logins.Load() != 1 {
		t.Errorf("logins: %d %d %d %d", first.logins.Load(), second.logins.Load(), a.logins.Load(), b.logins.Load())
	}
	second.cut()
	if err := f.Host("worker-0").Run(t.Context(), yesCommand); err != nil {
		t.Errorf("after a hop was cut: %v", err)
	}
}

// TestKnownKeyDecidesTheAlgorithm: a server with two keys shows the one that
// is known.
func TestKnownKeyDecidesTheAlgorithm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, err := ssh.ParsePrivateKey([]byte(ecdsaKey(t)))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, w.takes, func(s *server) { s.config = &ssh.ServerConfig{}; s.config.AddHostKey(other) })
	w.know(s) // the ed25519 key only, which the library would not ask for first
	w.opts.Settings.Hosts["worker-0"] = s.addr
	if err := w.fleet().Host("worker-0").Run(t.Context(), yesCommand); err != nil {
		t.Error(err)
	}
}

// TestHealth counts machines, and says nothing where nobody said how to
// reach them.
func TestHealth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.node("worker-0")
	w.opts.Nodes = func() []sources.Node {
		return []sources.Node{{Name: "worker-0"}, {Name: "worker-1", InternalIP: "127.0.0.1"}}
	}
	w.opts.Settings.Port = 1 // where nobody listens
	f := w.fleet()
	if h := f.health(); h.Note != "0/2" || h.Off || !h.At.IsZero() || h.Err != nil {
		t.Errorf("before: %+v", h)
	}
	(&watch{fleet: f}).probe(t.Context())
	if h := f.health(); h.Note != "1/2" || h.Off || h.Err == nil || !strings.Contains(h.Err.Error(), "worker-1") {
		t.Errorf("after: %+v", h)
	}
	w.opts.Settings = sources.SSHSettings{}
	if h := w.fleet().health(); !h.Off || h.Note != "not set up" {
		t.Errorf("not set up: %+v", h)
	}
}

// TestShell has a terminal whose size follows.
func TestShell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.node("worker-0")
	h, ok := w.fleet().Host("worker-0").(sources.Shell)
	if !ok {
		t.Fatal("a host opens no shell")
	}
	resize := make(chan sources.TerminalSize, 1)
	resize <- sources.TerminalSize{Columns: 120, Rows: 40}
	var out syncBuffer
	if err := h.Shell(t.Context(), strings.NewReader("hello\n"), &out, sources.TerminalSize{Columns: 80, Rows: 24}, resize); err != nil {
		t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if out.String() != "hello\n" || len(s.ptys) == 0 || s.ptys[0] != "pty-req 80x24" {
		t.Errorf("%q %v", out.String(), s.ptys)
	}
}

// TestDoubtIsWhatAPersonMustDecide: it goes once that is decided, and a machine
// that is only away is none.
func TestDoubtIsWhatAPersonMustDecide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := serve(t, w.takes)
	w.opts.Settings.Hosts["worker-0"] = s.addr
	w.opts.Settings.Hosts["worker-1"] = "127.0.0.1:1" // nobody listens there
	f := w.fleet()
	unknown, ok := f.Doubt(t.Context(), "worker-0").(*sources.UnknownKeyError) //nolint:errorlint // it is promised as it is
	if !ok || unknown.Node != "worker-0" {
		t.Fatalf("%v", unknown)
	}
	if doubt := f.Doubt(t.Context(), "worker-1"); doubt != nil {
		t.Errorf("a machine that is away: %v", doubt)
	}
	if err := f.Accept(unknown); err != nil {
		t.Fatal(err)
	}
	if doubt := f.Doubt(t.Context(), "worker-0"); doubt != nil {
		t.Errorf("accepted, and still %v", doubt)
	}
}
