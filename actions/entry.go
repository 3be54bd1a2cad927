package actions

import (
	"encoding/json"
	"time"

	"daytwo/sources"
)

// Event is what an entry of a journal tells.
type Event string

// The events. A run's journal begins with one plan; every other event changes
// the run that it made.
const (
	planned Event = "plan"  // the plan that a person has seen
	taken   Event = "take"  // a process runs it from here on
	begun   Event = "begin" // a step is about to touch the world
	ended   Event = "end"   // how a step ended
	skipped Event = "skip"  // a person leaves a step out
	noted   Event = "note"  // worth knowing later
	rested  Event = "rest"  // nobody runs it any more: why
)

// Entry is one line of a journal.
type Entry struct {
	Event  Event     `json:"event"`
	At     time.Time `json:"at"`
	By     string    `json:"by,omitempty"`  // user@host
	PID    int       `json:"pid,omitempty"` // of the process that took the run
	Step   string    `json:"step,omitempty"`
	State  State     `json:"state,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Leaves []string  `json:"leaves,omitempty"` // what an abandoned run leaves as it is
	Plan   *Plan     `json:"plan,omitempty"`
	Prev   string    `json:"prev"` // SHA-256 of the line before; "" in the first
}

// Plan is what a journal begins with: enough to show the run without the code
// that made it, and the action's exported fields to go on with it.
type Plan struct {
	Run     string          `json:"run"`
	Kind    Kind            `json:"kind"`
	Title   string          `json:"title"`
	Target  sources.Ref     `json:"target"`
	Changes bool            `json:"changes"`
	Action  json.RawMessage `json:"action"`
	Steps   []PlanStep      `json:"steps"`
}

// PlanStep is a step as it was planned.
type PlanStep struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	Group   string `json:"group,omitempty"`
	Command string `json:"command,omitempty"`
	WayBack string `json:"wayBack,omitempty"`
	NoSkip  string `json:"noSkip,omitempty"`
}

// apply changes a run as an entry tells. The same function makes the run that
// is shown while it runs and the one that is read from the disk, so that they
// cannot differ. Copies of the run made before keep what they show.
func (r *Run) apply(e Entry) {
	r.Steps = append([]StepStatus(nil), r.Steps...)
	step := r.step(e.Step)
	switch e.Event {
	case planned:
		r.plan(e)
	case taken:
		r.take(e)
	case begun:
		if step != nil {
			step.State, step.Reason, step.Began, step.Ended = Running, "", e.At, time.Time{}
			step.Tries++
		}
	case ended, skipped:
		if step != nil {
			step.State, step.Reason, step.Ended = e.State, e.Reason, e.At
			if step.Began.IsZero() {
				step.Began = e.At
			}
		}
	case noted:
		r.Notes = append(append([]string(nil), r.Notes...), e.Reason)
	case rested:
		r.rest(e)
	}
	r.At = r.next()
}

func (r *Run) plan(e Entry) {
	p := e.Plan
	if p == nil {
		return
	}
	*r = Run{
		ID: p.Run, Kind: p.Kind, Title: p.Title, Target: p.Target, Changes: p.Changes,
		State: Waiting, Who: e.By, Began: e.At, Dir: r.Dir, Output: r.Output,
	}
	for _, s := range p.Steps {
		r.Steps = append(r.Steps, StepStatus{
			ID: s.ID, Title: s.Title, Group: s.Group, Command: s.Command, WayBack: s.WayBack,
			NoSkip: s.NoSkip, State: Waiting,
		})
	}
}

func (r *Run) take(e Entry) {
	r.State, r.Err, r.Ended, r.Pausing = Running, "", time.Time{}, false
	r.Holder, r.pid = e.By, e.PID
	r.interrupt("the process that ran it ended in the middle", e.At)
}

func (r *Run) rest(e Entry) {
	r.State, r.Err, r.Pausing, r.Holder, r.pid = e.State, e.Reason, false, "", 0
	if e.State.Over() {
		r.Ended = e.At
	}
	r.Leaves = e.Leaves
	r.interrupt(e.Reason, e.At)
}

// interrupt marks a step that is taken for running though nobody runs it.
func (r *Run) interrupt(why string, at time.Time) {
	for i := range r.Steps {
		if s := &r.Steps[i]; s.State == Running {
			s.State, s.Reason, s.Ended = Interrupted, why, at
		}
	}
}

func (r *Run) step(id string) *StepStatus {
	for i := range r.Steps {
		if r.Steps[i].ID == id {
			return &r.Steps[i]
		}
	}
	return nil
}

// next is the index of the first step that is not behind the run.
func (r *Run) next() int {
	for i, s := range r.Steps {
		if !s.State.behind() {
			return i
		}
	}
	return len(r.Steps)
}

// behind reports that a step in this state needs nothing more.
func (s State) behind() bool { return s == Done || s == AlreadyTrue || s == Skipped }

// orphaned is the run as it stands when its journal says that it runs and no
// process does.
func (r *Run) orphaned() {
	r.Steps = append([]StepStatus(nil), r.Steps...)
	const why = "the process that ran it ended in the middle"
	r.State, r.Err = Interrupted, why
	r.interrupt(why, time.Time{})
	r.Holder, r.pid = "", 0
}
