package ssh

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"daytwo/sources"
)

// keyring holds the key files that were read, and those that were unlocked:
// decrypted keys stay in memory, passphrases do not.
type keyring struct {
	mu   sync.Mutex
	open map[string]ssh.Signer // by path
	turn sync.Mutex            // one person is asked one thing at a time
}

func (k *keyring) get(path string) ssh.Signer {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.open[path]
}

func (k *keyring) put(path string, s ssh.Signer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.open == nil {
		k.open = map[string]ssh.Signer{}
	}
	k.open[path] = s
}

// Unlock opens a locked key file.
func (f *Fleet) Unlock(path string, passphrase []byte) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the key: %w", err)
	}
	signer, err := ssh.ParsePrivateKeyWithPassphrase(text, passphrase)
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return fmt.Errorf("unlocking %s: %w", path, sources.ErrPassphrase)
	case err != nil:
		return fmt.Errorf("unlocking %s: %w; is it whole, and of a kind that ssh-keygen makes now?", path, err)
	}
	f.keys.put(path, signer)
	f.forgive()
	return nil
}

// login is one attempt to log in to one machine.
type login struct {
	fleet  *Fleet
	node   string
	hop    hop
	ctx    context.Context //nolint:containedctx // the library's callbacks take none
	pause  func()          // stops the clock of the attempt while a person types
	resume func()
	tried  []string // for people
	locked string   // a key the machine takes, that nobody unlocked
}

// signers are the keys to show: named ones first, from the agent where it has
// them; then the agent's others; then the customary files; locked ones last.
func (l *login) signers() ([]ssh.Signer, error) {
	held := l.held()
	var named, custom, locked []ssh.Signer
	seen := map[string]bool{}
	add := func(to *[]ssh.Signer, s ssh.Signer, what string) {
		if id := string(s.PublicKey().Marshal()); !seen[id] {
			seen[id] = true
			*to = append(*to, s)
			l.tried = append(l.tried, what)
		}
	}
	for _, id := range l.hop.identities {
		s, err := l.file(id.path)
		if err != nil {
			if id.named {
				l.fleet.opts.Log("ssh: %s for %s: %v", id.path, l.node, err)
				l.tried = append(l.tried, id.path+" (cannot be read)")
			}
			continue
		}
		for i, a := range held { // the agent asks for no passphrase
			if bytes.Equal(a.PublicKey().Marshal(), s.PublicKey().Marshal()) {
				s = held[i]
			}
		}
		to := &custom
		if id.named {
			to = &named
		}
		if _, ok := s.(*lockedKey); ok {
			to = &locked // the library gives up where one cannot be unlocked
		}
		for _, path := range append([]string{id.path + "-cert.pub"}, id.certs...) {
			if c := certified(path, s); c != nil {
				add(to, c, path)
			}
		}
		add(to, s, id.path)
	}
	if l.hop.onlyThese {
		held = nil
	}
	var others []ssh.Signer
	for _, a := range held {
		add(&others, a, "agent: "+ssh.FingerprintSHA256(a.PublicKey()))
	}
	return slices.Concat(named, others, custom, locked), nil
}

// held are the agent's keys.
func (l *login) held() []ssh.Signer {
	if l.hop.agent == "" {
		return nil
	}
	conn, err := (&net.Dialer{}).DialContext(l.ctx, "unix", l.hop.agent)
	if err != nil {
		l.fleet.opts.Log("ssh: the agent does not answer: %v", err)
		return nil
	}
	context.AfterFunc(l.ctx, func() { _ = conn.Close() }) // when the attempt is over
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		l.fleet.opts.Log("ssh: the agent says no keys: %v", err)
		return nil
	}
	return signers
}

// file is the key in a file; a locked one asks when a machine would take it.
func (l *login) file(path string) (ssh.Signer, error) {
	if s := l.fleet.keys.get(path); s != nil {
		return s, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	s, err := ssh.ParsePrivateKey(text)
	if err == nil {
		l.fleet.keys.put(path, s)
		return s, nil
	}
	locked, ok := errors.AsType[*ssh.PassphraseMissingError](err)
	if !ok {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	public := locked.PublicKey
	if public == nil { // an old format, that does not say it
		beside, err := os.ReadFile(path + ".pub")
		if err != nil {
			return nil, fmt.Errorf("the key is locked and its public half is not beside it: %w", err)
		}
		if public, _, _, _, err = ssh.ParseAuthorizedKey(beside); err != nil {
			return nil, fmt.Errorf("reading the public half of the key: %w", err)
		}
	}
	return &lockedKey{login: l, path: path, public: public}, nil
}

// certified is a key with its certificate, nil if that is not there or is of
// another key.
func certified(path string, s ssh.Signer) ssh.Signer {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err != nil {
		return nil
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil
	}
	cert, ok := public.(*ssh.Certificate)
	if !ok {
		return nil
	}
	signer, err := ssh.NewCertSigner(cert, s)
	if err != nil {
		return nil
	}
	return signer
}

// lockedKey is known by its public half, and asks for the passphrase only
// when a machine takes it.
type lockedKey struct {
	login  *login
	path   string
	public ssh.PublicKey
}

func (k *lockedKey) PublicKey() ssh.PublicKey { return k.public }

func (k *lockedKey) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return k.SignWithAlgorithm(rand, data, "")
}

func (k *lockedKey) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	s, err := k.unlock()
	if err != nil {
		return nil, err
	}
	if able, ok := s.(ssh.AlgorithmSigner); ok && algorithm != "" {
		return able.SignWithAlgorithm(rand, data, algorithm) //nolint:wrapcheck // the library's own caller reads it
	}
	return s.Sign(rand, data) //nolint:wrapcheck // the library's own caller reads it
}

// mostTypos is how often a passphrase may be mistyped.
const mostTypos = 3

func (k *lockedKey) unlock() (ssh.Signer, error) {
	f := k.login.fleet
	k.login.pause()
	defer k.login.resume()
	f.keys.turn.Lock()
	defer f.keys.turn.Unlock()
	if s := f.keys.get(k.path); s != nil { // by whoever waited before us
		return s, nil
	}
	k.login.locked = k.path
	locked := &sources.LockedKeyError{Node: k.login.node, Path: k.path}
	if f.opts.Passphrase == nil || quiet(k.login.ctx) {
		return nil, locked
	}
	for range mostTypos {
		passphrase, err := f.opts.Passphrase(k.login.ctx, k.path)
		if err != nil {
			return nil, fmt.Errorf("asking for the passphrase of %s: %w", k.path, err)
		}
		err = f.Unlock(k.path, passphrase)
		clear(passphrase)
		if err == nil {
			k.login.locked = ""
			return f.keys.get(k.path), nil
		}
		f.opts.Log("ssh: %v", err)
	}
	return nil, locked
}
