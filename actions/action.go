package actions

import (
	"context"
	"io"

	"daytwo/sources"
)

// Kind names an action: "drain", "upgrade", "cordon". It is how a saved run
// finds the code that made it.
type Kind string

// Step is one thing that is done, small enough to be proved by a look.
type Step struct {
	ID      string // unique within the action; "worker-0/drain"
	Title   string // "drain", two or three words
	Group   string // the node it belongs to; "" for the cluster
	Command string // what a person would type
	WayBack string // what a person would type to undo up to here; "" keeps that of the step before
	NoSkip  string // why it may not be skipped; "" if it may

	// Done looks at the world, never at memory: true if there is nothing (more)
	// to do. An error means that it could not look, which is not false. nil
	// stands for a step that only looks and is done each time.
	Done func(ctx context.Context) (bool, error)
	// Do changes the world and streams what it does. It may be called again
	// after it was interrupted anywhere.
	Do func(ctx context.Context, out io.Writer) error
}

// Action is a plan that a person has seen: a value whose exported fields are
// all that is saved of it, in JSON. What it works with (clients) is given when
// it is made, and again when it is restored.
type Action interface {
	Kind() Kind
	Target() sources.Ref // one run a target at a time
	Title() string       // "Upgrade v1.33.4+k3s1 → v1.33.6+k3s1"
	// Changes reports whether it changes the cluster; there is one such run a
	// cluster at a time.
	Changes() bool
	// Confirm is the name that must be typed before it starts; "" asks for
	// enter only.
	Confirm() string
	// Preflight judges the plan against the newest picture; a critical finding
	// forbids the start.
	Preflight(ctx context.Context, s *sources.Snapshot) []sources.Finding
	// Steps is a pure function of the exported fields.
	Steps() []Step
}

// Offer is another action that helps after this one stopped.
type Offer struct {
	Title  string // "uncordon worker-0"
	Why    string
	Action Action
}

// Undoer is an action that knows ways back, given how far its run came.
type Undoer interface{ Offers(run Run) []Offer }

// Leaver is an action that can tell what an abandoned run leaves as it is.
type Leaver interface{ Leaves(run Run) []string }

// Visitor is an action that speaks to the machines of these nodes in what is
// left to do of its run (a zero one did not begin).
type Visitor interface{ Machines(run Run) []string }

// Restore makes an action again from its saved exported fields. Each kind has
// one, with what it works with inside.
type Restore func(saved []byte) (Action, error)

type runKey struct{}

// WithRun returns a context that tells steps which run they belong to.
func WithRun(ctx context.Context, r Run) context.Context {
	return context.WithValue(ctx, runKey{}, r)
}

// CurrentRun is the run that a step belongs to, for names and labels that it
// gives; zero outside a run.
func CurrentRun(ctx context.Context) Run {
	r, _ := ctx.Value(runKey{}).(Run)
	return r
}
