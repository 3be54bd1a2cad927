package ssh

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"daytwo/sources"
)

// known is what known_hosts says of one machine.
type known struct {
	node string // for messages
	name string // host:port, as the files are asked
	hop  hop
	ask  ssh.HostKeyCallback
}

// knownHosts reads a hop's files, those that are there.
func knownHosts(node string, h hop) (known, error) {
	k := known{node: node, hop: h, name: net.JoinHostPort(strings.ToLower(h.host), h.port)}
	if h.knownAs != "" {
		k.name = net.JoinHostPort(strings.ToLower(h.knownAs), "22")
	}
	var there []string
	for _, path := range h.known {
		if _, err := os.Stat(path); err == nil {
			there = append(there, path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return k, fmt.Errorf("reading the known hosts: %w", err)
		}
	}
	ask, err := knownhosts.New(there...)
	if err != nil {
		return k, fmt.Errorf("reading the known hosts: %w; correct or delete that line", err)
	}
	k.ask = ask
	return k, nil
}

// noKey is a key that no machine has: asked for it, the files tell all they
// know.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return []byte("none") }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("this is no key") }

// nowhere is an address for callbacks that ask by name.
func nowhere() net.Addr { return &net.TCPAddr{IP: net.IPv4zero} }

// wanted are the keys that the files have for the machine.
func (k known) wanted() []knownhosts.KnownKey {
	mismatch, ok := errors.AsType[*knownhosts.KeyError](k.ask(k.name, nowhere(), noKey{}))
	if !ok {
		return nil
	}
	return mismatch.Want
}

// algorithms are the host key algorithms to ask for: those of the keys that
// are known, for a machine has several and shows one. nil is the library's
// own choice.
func (k known) algorithms() []string {
	all := secureHostKeys()
	extra, replaced := algorithmList(k.hop.algorithms, all)
	if replaced {
		return extra
	}
	all = append(all, extra...)
	keys := k.wanted()
	if len(keys) == 0 {
		return all
	}
	types := map[string]bool{}
	authority := false
	for _, key := range keys {
		types[key.Key.Type()] = true
		authority = authority || key.Key.Type() != "" && k.isAuthority(key)
	}
	rank := func(algorithm string) int {
		switch {
		case authority && strings.Contains(algorithm, "-cert-"):
			return 0
		case types[keyType(algorithm)]:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(a, b string) int { return rank(a) - rank(b) })
	return all
}

// isAuthority reports whether a line is of a certificate authority.
func (k known) isAuthority(key knownhosts.KnownKey) bool {
	text, err := os.ReadFile(key.Filename)
	if err != nil {
		return false
	}
	lines := strings.Split(string(text), "\n")
	return key.Line >= 1 && key.Line <= len(lines) && strings.HasPrefix(strings.TrimSpace(lines[key.Line-1]), "@cert-authority")
}

// secureHostKeys are the library's, without those that sign with SHA-1.
func secureHostKeys() []string {
	return slices.DeleteFunc(ssh.SupportedAlgorithms().HostKeys, func(a string) bool {
		return slices.Contains(ssh.InsecureAlgorithms().HostKeys, a)
	})
}

// algorithmList reads HostKeyAlgorithms: "+a,b" adds, "^a" puts in front,
// "-a" takes away, plain ones replace.
func algorithmList(text string, all []string) (list []string, replaced bool) {
	if text == "" {
		return nil, false
	}
	able := append(slices.Clone(all), ssh.InsecureAlgorithms().HostKeys...)
	list = slices.DeleteFunc(strings.Split(strings.TrimLeft(text, "+^-"), ","), func(a string) bool {
		return !slices.Contains(able, a)
	})
	switch text[0] {
	case '+':
		return list, false
	case '^':
		return append(list, slices.DeleteFunc(slices.Clone(all), func(a string) bool { return slices.Contains(list, a) })...), true
	case '-':
		return slices.DeleteFunc(slices.Clone(all), func(a string) bool { return slices.Contains(list, a) }), true
	}
	return list, len(list) > 0
}

// keyType is the type of the keys an algorithm signs with.
func keyType(algorithm string) string {
	switch algorithm {
	case ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512:
		return ssh.KeyAlgoRSA
	}
	return algorithm
}

// check is the strict host key check.
func (k known) check(_ string, remote net.Addr, key ssh.PublicKey) error {
	err := k.ask(k.name, remote, key)
	if err == nil {
		return nil
	}
	if revoked, ok := errors.AsType[*knownhosts.RevokedError](err); ok {
		return fmt.Errorf("%s (%s) shows a host key that %s line %d revokes: %s; refused",
			k.node, k.hop.address(), revoked.Revoked.Filename, revoked.Revoked.Line, ssh.FingerprintSHA256(key))
	}
	mismatch, ok := errors.AsType[*knownhosts.KeyError](err)
	if !ok {
		return fmt.Errorf("checking the host key of %s (%s): %w", k.node, k.hop.address(), err)
	}
	if len(mismatch.Want) == 0 {
		return k.unknown(key)
	}
	was := mismatch.Want[0]
	for _, w := range mismatch.Want {
		if w.Key.Type() == key.Type() {
			was = w
			break
		}
	}
	return &sources.ChangedKeyError{
		Node: k.node, Host: knownhosts.Normalize(k.name), Type: key.Type(), Fingerprint: ssh.FingerprintSHA256(key),
		Known: was.Key.Type() + " " + ssh.FingerprintSHA256(was.Key), File: was.Filename, Line: was.Line,
	}
}

func (k known) unknown(key ssh.PublicKey) error {
	if cert, ok := key.(*ssh.Certificate); ok {
		key = cert.Key // nobody vouches for its authority
	}
	name := knownhosts.Normalize(k.name)
	written := name
	if k.hop.hashKnown {
		written = knownhosts.HashHostname(name)
	}
	return &sources.UnknownKeyError{
		Node: k.node, Host: name, Type: key.Type(), Fingerprint: ssh.FingerprintSHA256(key),
		File: k.hop.known[0], Line: knownLine(written, key),
	}
}

// knownLine is knownhosts.Line for a name that may be hashed already.
func knownLine(name string, key ssh.PublicKey) string {
	return name + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

// Accept writes a key that a person compared to known_hosts.
func (f *Fleet) Accept(unknown *sources.UnknownKeyError) error {
	f.accepting.Lock()
	defer f.accepting.Unlock()
	if err := os.MkdirAll(filepath.Dir(unknown.File), 0o700); err != nil {
		return fmt.Errorf("making the folder of known_hosts: %w", err)
	}
	file, err := os.OpenFile(unknown.File, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening known_hosts to accept the key: %w", err)
	}
	line := unknown.Line + "\n"
	if info, err := file.Stat(); err == nil && info.Size() > 0 {
		last := []byte{'\n'}
		if _, err := file.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			line = "\n" + line
		}
	}
	if _, err = file.WriteString(line); err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("writing the accepted key: %w", err)
	}
	f.forgive()
	f.opts.Log("ssh: accepted the host key of %s (%s) at %s: %s %s", unknown.Node, unknown.Host, time.Now().Format(time.RFC3339), unknown.Type, unknown.Fingerprint)
	return nil
}
