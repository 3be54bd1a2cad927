package demo

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"daytwo/sources/demo/box"
)

// SSH is what a client needs to reach the machines behind the nodes.
type SSH struct {
	User       string            // may sudo without a password; "root" and "guest" (without sudo) are there too
	Addr       map[string]string // host:port by node
	Key        []byte            // the users' private key, PEM
	KnownHosts []byte            // the machines' keys, as a known_hosts file
}

// keys are the users' key pair.
type keys struct {
	once sync.Once
	err  error

	passphrase string
	pem        []byte
	public     ssh.PublicKey
}

// sshDoor is where a machine listens for SSH.
type sshDoor struct {
	mu       sync.Mutex
	addr     string
	key      ssh.Signer
	listener net.Listener
	refused  bool
}

// SSH opens the machines' SSH servers, where they are not open yet, and says
// how to get in.
func (w *World) SSH() (SSH, error) {
	w.secure.once.Do(func() { w.secure.pem, w.secure.public, w.secure.err = newKey(w.secure.passphrase) })
	if w.secure.err != nil {
		return SSH{}, w.secure.err
	}
	out := SSH{User: box.Operator, Addr: map[string]string{}, Key: w.secure.pem}
	var known bytes.Buffer
	for _, m := range w.machines {
		if err := w.openSSH(m); err != nil {
			return SSH{}, err
		}
		out.Addr[m.name] = m.ssh.addr
		key := m.ssh.key.PublicKey()
		switch {
		case slices.Contains(w.strange, "*"), slices.Contains(w.strange, m.name):
			continue
		case slices.Contains(w.changed, m.name):
			_, former, err := newKey("")
			if err != nil {
				return SSH{}, err
			}
			key = former
		}
		known.WriteString(knownhosts.Line([]string{m.ssh.addr}, key) + "\n")
	}
	out.KnownHosts = known.Bytes()
	return out, nil
}

func newKey(passphrase string) ([]byte, ssh.PublicKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make the demo's SSH key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, "daytwo demo")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "daytwo demo", []byte(passphrase))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("encode the demo's SSH key: %w", err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the demo's SSH key: %w", err)
	}
	return pem.EncodeToMemory(block), key, nil
}

// openSSH listens for a machine, on the same port as before if there was one.
func (w *World) openSSH(m *machine) error {
	m.ssh.mu.Lock()
	defer m.ssh.mu.Unlock()
	if m.ssh.listener != nil || m.ssh.refused {
		return nil
	}
	if m.ssh.key == nil {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return fmt.Errorf("make the host key of %s: %w", m.name, err)
		}
		if m.ssh.key, err = ssh.NewSignerFromSigner(private); err != nil {
			return fmt.Errorf("make the host key of %s: %w", m.name, err)
		}
	}
	addr := m.ssh.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := (&net.ListenConfig{}).Listen(w.ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for SSH to %s: %w", m.name, err)
	}
	m.ssh.addr, m.ssh.listener = l.Addr().String(), l
	key := m.ssh.key
	context.AfterFunc(w.ctx, func() { _ = l.Close() })
	w.done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			w.done.Go(func() { w.box(m).ServeSSH(c, key, w.secure.public) })
		}
	})
	return nil
}

// Config is an ssh_config for plain ssh and for the cockpit, for key and
// known_hosts files with these names.
func (s SSH) Config(keyFile, knownHosts string) []byte {
	var b bytes.Buffer
	for _, node := range slices.Sorted(maps.Keys(s.Addr)) {
		host, port, err := net.SplitHostPort(s.Addr[node])
		if err != nil {
			continue // a listener's own address always has a port
		}
		_, _ = fmt.Fprintf(&b, "Host %s\n  HostName %s\n  Port %s\n  User %s\n  IdentityFile %s\n  IdentitiesOnly yes\n"+
			"  UserKnownHostsFile %s\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n", node, host, port, s.User, keyFile, knownHosts)
	}
	return b.Bytes()
}

// Write puts the files id_ed25519, known_hosts and config into a folder, which
// may be the .ssh of a home folder, and returns the path of the latter.
func (s SSH) Write(dir string) (config string, err error) {
	key, known := filepath.Join(dir, "id_ed25519"), filepath.Join(dir, "known_hosts")
	config = filepath.Join(dir, "config")
	return config, errors.Join(
		os.WriteFile(key, s.Key, 0o600), os.WriteFile(known, s.KnownHosts, 0o600),
		os.WriteFile(config, s.Config(key, known), 0o600))
}

// Machine is the name of a machine that has something to show.
func (w *World) Machine() string {
	if w.machine("worker-0") != nil {
		return "worker-0"
	}
	return w.machines[0].name
}

// CutSSH ends every open SSH connection to a node at once, as when the
// network breaks. New ones are taken.
func (w *World) CutSSH(node string) {
	if m := w.machine(node); m != nil {
		w.box(m).CutSSH()
	}
}

// RefuseSSH closes a node's SSH port, and what is open on it, until lifted.
func (w *World) RefuseSSH(node string) (lift func()) {
	m := w.machine(node)
	if m == nil {
		return func() {}
	}
	m.ssh.mu.Lock()
	m.ssh.refused = true
	if m.ssh.listener != nil {
		_ = m.ssh.listener.Close()
		m.ssh.listener = nil
	}
	m.ssh.mu.Unlock()
	w.box(m).CutSSH()
	return sync.OnceFunc(func() {
		m.ssh.mu.Lock()
		m.ssh.refused = false
		m.ssh.mu.Unlock()
		_ = w.openSSH(m) // a port that is taken meanwhile goes on refusing
	})
}

// HangSSH lets a node's SSH connections, old and new, go quiet until lifted.
func (w *World) HangSSH(node string) (lift func()) {
	return w.boxFault(node, func(f *box.Faults, on bool) { f.HangSSH = on })
}

// SudoAsks lets sudo want a password on a node until lifted.
func (w *World) SudoAsks(node string) (lift func()) {
	return w.boxFault(node, func(f *box.Faults, on bool) { f.SudoAsks = on })
}

// DiskFull takes away the room for another byte on a node until lifted.
func (w *World) DiskFull(node string) (lift func()) {
	return w.boxFault(node, func(f *box.Faults, on bool) { f.DiskFull = on })
}

// NotBack lets a node's k3s not come up again, once it is started anew, until
// lifted.
func (w *World) NotBack(node string) (lift func()) {
	return w.boxFault(node, func(f *box.Faults, on bool) { f.NotBack = on })
}

func (w *World) boxFault(node string, set func(f *box.Faults, on bool)) (lift func()) {
	m := w.machine(node)
	if m == nil {
		return func() {}
	}
	b := w.box(m)
	b.SetFaults(func(f *box.Faults) { set(f, true) })
	return sync.OnceFunc(func() { b.SetFaults(func(f *box.Faults) { set(f, false) }) })
}
