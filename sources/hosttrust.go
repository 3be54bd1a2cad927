package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Trust is what only a person may decide before a machine is spoken to. It is
// asked by hand after one of the errors below, never by itself.
type Trust interface {
	// Doubt logs in to a node's machine, if nobody is logged in, and returns
	// what a person must decide first: one of the errors below. It is nil where
	// there is nothing to decide, also if the machine does not answer for a few
	// seconds: what is done there then says why it fails.
	Doubt(ctx context.Context, node string) error
	// Accept writes an unknown host key to known_hosts.
	Accept(unknown *UnknownKeyError) error
	// Unlock opens a locked key file for as long as the program runs. The
	// passphrase is not kept.
	Unlock(path string, passphrase []byte) error
}

// mostDoubts is how many machines are asked at once.
const mostDoubts = 16

// Doubts asks for all nodes at once; the answers are in their order.
func Doubts(ctx context.Context, t Trust, nodes []string) []error {
	doubts := make([]error, len(nodes))
	room := make(chan struct{}, mostDoubts)
	var work sync.WaitGroup
	for i, n := range nodes {
		work.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			doubts[i] = t.Doubt(ctx, n)
		})
	}
	work.Wait()
	return doubts
}

// Doubt returns the error within err that only a person can do something
// about; trying again without one is in vain. It is nil if there is none.
func Doubt(err error) error {
	if unknown, ok := errors.AsType[*UnknownKeyError](err); ok {
		return unknown
	}
	if changed, ok := errors.AsType[*ChangedKeyError](err); ok {
		return changed
	}
	if locked, ok := errors.AsType[*LockedKeyError](err); ok {
		return locked
	}
	return nil
}

// ErrPassphrase says that a passphrase was not the right one.
var ErrPassphrase = errors.New("that is not the passphrase of this key; try again")

// Shell is a Host that opens a terminal on the machine.
type Shell interface {
	// Shell runs the login shell on a terminal until it ends, or ctx does.
	// Sizes sent to resize change the terminal; the caller never closes it.
	Shell(ctx context.Context, in io.Reader, out io.Writer, size TerminalSize, resize <-chan TerminalSize) error
}

// TerminalSize is a terminal's size in cells.
type TerminalSize struct{ Columns, Rows int }

// UnknownKeyError says that a machine showed a key that nobody accepted yet.
type UnknownKeyError struct {
	Node        string
	Host        string // as known_hosts names it
	Type        string // "ssh-ed25519"
	Fingerprint string // "SHA256:…"
	File        string // where Accept writes it
	Line        string // what it writes
}

// Error says how to find out whether the key is the right one.
func (e *UnknownKeyError) Error() string {
	return fmt.Sprintf("%s (%s) shows a host key that is not in %s: %s %s. Compare it with `ssh-keygen -lf` on the machine's own console, then accept it: the cockpit asks for it where something is to be done there",
		e.Node, e.Host, e.File, e.Type, e.Fingerprint)
}

// ChangedKeyError says that a machine showed another key than the known one.
type ChangedKeyError struct {
	Node        string
	Host        string
	Type        string
	Fingerprint string // of the key it shows
	Known       string // type and fingerprint of the key that known_hosts has
	File        string // where the known key stands
	Line        int
}

// Error says that this is refused, and what to do if the change is meant.
func (e *ChangedKeyError) Error() string {
	return fmt.Sprintf("%s (%s) shows another host key than before: %s %s, but %s line %d says %s. "+
		"Refused: either the machine was made anew, or somebody is in between. If it was made anew, compare the fingerprint on its console and delete that line",
		e.Node, e.Host, e.Type, e.Fingerprint, e.File, e.Line, e.Known)
}

// LockedKeyError says that a machine takes a key that needs its passphrase.
type LockedKeyError struct {
	Node string
	Path string
}

// Error says how to unlock it.
func (e *LockedKeyError) Error() string {
	return fmt.Sprintf("%s takes the key %s, which is locked: give its passphrase, or load it into the agent with ssh-add", e.Node, e.Path)
}

// SudoError says that nothing was run, for sudo did not let us.
type SudoError struct {
	Host string
	User string
	Why  string // what sudo said, cleaned
	Next string // what to do about it
}

// Error says what sudo said and what to do.
func (e *SudoError) Error() string {
	return fmt.Sprintf("%s may not become root on %s: %s. %s", e.User, e.Host, e.Why, e.Next)
}
