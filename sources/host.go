package sources

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// Hosts finds the way to the machine behind a node.
type Hosts interface {
	// Host never dials: an unreachable machine shows when something is run.
	Host(node string) Host
}

// Host runs commands on one node's machine. All its methods may be called at
// once; they share one connection.
type Host interface {
	// Run runs a command to its end. It returns nil for exit code 0,
	// *ExitError if the command itself failed, *LineLostError if the line went
	// away meanwhile (whether the command ended is then unknown), ctx's error
	// if ctx ended first, and other errors if the command was never begun.
	Run(ctx context.Context, c Command) error
	// Start begins a unit that goes on without the line. Starting a name that
	// exists is no error: it is then the unit that runs or ran already.
	Start(ctx context.Context, u Unit) error
	// Follow writes a unit's output from a cursor ("" is its beginning) until
	// the unit ends. at, if not nil, is told the cursor behind what was
	// written. After *LineLostError, call it again with the last cursor.
	Follow(ctx context.Context, unit, cursor string, out io.Writer, at func(cursor string)) (UnitState, error)
	// Look says how a unit stands.
	Look(ctx context.Context, unit string) (UnitState, error)
}

// Command is one line for the shell of a node (POSIX sh, LC_ALL=C, no
// terminal). Words that come from outside go through Quote.
type Command struct {
	Line   string
	Root   bool // as root: directly where the login is root, else by sudo -n
	Stdin  io.Reader
	Stdout io.Writer // nil: dropped
	Stderr io.Writer // nil: kept, shortened, in ExitError
}

// Unit is a script that runs on a node as root in a transient systemd unit,
// so that it goes on when the line is lost.
type Unit struct {
	Name   string // "daytwo-<run>-<step>", letters, digits and dashes only
	Script string // POSIX sh
}

// UnitState is how a unit stands.
type UnitState struct {
	Known   bool // it was started on this machine since its boot
	Running bool
	Exit    int // of the script, once it is known and not running
}

// ExitError says that a command ran and failed.
type ExitError struct {
	Host   string
	Line   string // the command, for messages
	Code   int    // -1 if a signal ended it
	Signal string // "KILL", without SIG
	Stderr string // its last lines, cleaned
}

// Error says what ended how, with the last words of the command.
func (e *ExitError) Error() string {
	how := fmt.Sprintf("exit code %d", e.Code)
	if e.Signal != "" {
		how = "ended by signal " + e.Signal
	}
	text := fmt.Sprintf("on %s, %s: %s", e.Host, Clean(e.Line, 200), how)
	if e.Stderr != "" {
		text += ": " + e.Stderr
	}
	return text
}

// LineLostError says that the connection went away while something ran: how
// that ended is unknown until somebody looks.
type LineLostError struct {
	Host string
	Err  error
}

// Error says that the end is unknown.
func (e *LineLostError) Error() string {
	return fmt.Sprintf("the line to %s was lost (%v); what ran there may have ended or may go on", e.Host, e.Err)
}

// Unwrap returns why the line was lost.
func (e *LineLostError) Unwrap() error { return e.Err }

// Quote makes one word for a POSIX shell of any text without NUL.
func Quote(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-", r)
	})
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Typed joins words to a command line, each quoted where it must be.
func Typed(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}
