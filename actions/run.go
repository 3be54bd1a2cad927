package actions

import (
	"time"

	"daytwo/sources"
)

// State is how a run or a step stands.
type State string

// The states of a step; a run has those marked so.
const (
	Waiting     State = "waiting"      // run: not begun
	Running     State = "running"      // run
	Done        State = "done"         // run
	AlreadyTrue State = "already true" // Done said so before Do
	Skipped     State = "skipped"      // by whom and why is in Reason
	Failed      State = "failed"       // run
	Interrupted State = "interrupted"  // run: stopped, or its process ended
	Paused      State = "paused"       // run: waits for a person between two steps
	Abandoned   State = "abandoned"    // run: over, not finished
)

// Over reports that nothing more will happen to a run in this state.
func (s State) Over() bool { return s == Done || s == Abandoned }

// StepStatus is a step of a run as it stands.
type StepStatus struct {
	ID, Title, Group, Command, WayBack string

	NoSkip string
	State  State
	Reason string // why failed; who skipped and why
	Began  time.Time
	Ended  time.Time
	Tries  int
}

// Run is a copy of how a run stands; it never changes.
type Run struct {
	ID       string // sorts by time
	Kind     Kind
	Title    string
	Target   sources.Ref
	Changes  bool
	State    State
	Who      string // user@host that started it
	Holder   string // who runs it now, if not this process: user@host, pid
	Mine     bool   // this process runs it
	Began    time.Time
	Ended    time.Time // zero until over
	Steps    []StepStatus
	At       int      // index of the step that runs or is next; len(Steps) when through
	Pausing  bool     // it pauses after the step that runs
	Stopping bool     // the step that runs was told to end now
	Notes    []string // worth knowing: "no permission for leases…"
	Leaves   []string // what it leaves as it is, once abandoned
	Err      string   // why it failed or could not go on
	Dir      string   // its folder: journal.jsonl, output.log, and what it saved
	Output   *Tape    `json:"-"` // its stream; nil if this process has none

	pid int // of the process that runs it
}

// WayBack is what a person would type to undo what was done so far.
func (r Run) WayBack() string {
	for i := min(r.At, len(r.Steps)-1); i >= 0; i-- {
		if r.Steps[i].WayBack != "" {
			return r.Steps[i].WayBack
		}
	}
	return ""
}
