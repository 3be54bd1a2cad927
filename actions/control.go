package actions

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"daytwo/sources"
)

// Resume goes on with a run that rests: paused, interrupted or failed. What
// was begun and not ended is looked at first, and done again only if the
// world says that it is not done. ctx bounds only what is looked at before.
func (r *Runner) Resume(ctx context.Context, id string) error {
	l, err := r.reopen(id)
	if err != nil {
		return err
	}
	if err := r.resume(ctx, l); err != nil {
		r.unlock(l)
		return fmt.Errorf("run %s was not resumed, nothing was touched: %w", id, err)
	}
	return nil
}

func (r *Runner) resume(ctx context.Context, l *live) error {
	plan := l.journal.entries[0].Plan
	if err := r.mayChange(plan.Changes); err != nil {
		return err
	}
	a, err := r.restore(plan.Kind, plan.Action)
	if err != nil {
		return err
	}
	l.action, l.steps = a, a.Steps()
	if err := sameSteps(plan.Steps, l.steps); err != nil {
		return err
	}
	by := Holder{Who: r.o.Who, PID: os.Getpid(), Run: plan.Run, Since: r.o.Clock().UTC()}
	if err := r.lock(ctx, l, plan.Target, plan.Changes, by); err != nil {
		return err
	}
	return r.begin(l)
}

// Retry is Resume: the step that failed is looked at, then tried again.
func (r *Runner) Retry(ctx context.Context, id string) error { return r.Resume(ctx, id) }

// reopen takes hold of the journal of a run that rests. The caller unlocks.
func (r *Runner) reopen(id string) (*live, error) {
	if !validID(id) || r.o.Dir == "" {
		return nil, noRun(id)
	}
	l := &live{run: Run{Dir: filepath.Join(r.dir, id)}}
	var err error
	l.journal, err = openJournal(l.run.Dir)
	if held := (*HeldError)(nil); errors.As(err, &held) {
		held.By = r.holderOfRun(l.run.Dir)
		return nil, held
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, noRun(id)
	case err != nil:
		return nil, err
	}
	for _, e := range l.journal.entries {
		l.run.apply(e)
	}
	if l.run.State == Running {
		l.run.orphaned()
	}
	if l.run.State.Over() {
		r.unlock(l)
		return nil, fmt.Errorf("run %s is over (%s): there is nothing to go on with", id, l.run.State)
	}
	return l, nil
}

func noRun(id string) error {
	return fmt.Errorf("there is no run %q; daytwo runs lists what there is", sources.Clean(id, sources.MaxName))
}

// validID keeps names out that lead elsewhere.
func validID(id string) bool {
	return id != "" && !strings.HasPrefix(id, ".") && !strings.ContainsAny(id, "/\\\x00")
}

func (r *Runner) holderOfRun(dir string) Holder {
	entries, err := readJournal(dir)
	if err != nil {
		return Holder{}
	}
	for _, e := range slices.Backward(entries) {
		if e.Event == taken {
			return Holder{Who: e.By, PID: e.PID, Since: e.At}
		}
	}
	return Holder{}
}

// Pause lets a run rest after the step that runs. Asked again before that, it
// goes on.
func (r *Runner) Pause(id string) error {
	return r.tell(id, func(l *live) { l.pausing = !l.pausing; l.run.Pausing = l.pausing })
}

// Stop ends the step that runs now, where it stands, and lets the run rest.
func (r *Runner) Stop(id string) error {
	return r.tell(id, func(l *live) {
		l.run.Stopping = true
		l.stop(fmt.Errorf("stopped by %s", r.o.Who))
	})
}

func (r *Runner) tell(id string, what func(*live)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, ok := r.live[id]
	if !ok {
		return fmt.Errorf("run %s does not run in this process", id)
	}
	what(l)
	r.signal()
	return nil
}

// Skip leaves a step out, for a reason that is written down. The run must be
// resumed afterwards if it rests.
func (r *Runner) Skip(id, stepID, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return errors.New("a step is skipped only for a reason: type one, it goes into the record")
	}
	return r.onRest(id, func(l *live, s Run) error {
		step := s.step(stepID)
		switch {
		case step == nil:
			return fmt.Errorf("run %s has no step %q", id, stepID)
		case step.NoSkip != "":
			return fmt.Errorf("step %q cannot be skipped: %s", step.Title, step.NoSkip)
		case step.State.behind() || step.State == Running:
			return fmt.Errorf("step %q is %s: there is nothing to skip", step.Title, step.State)
		}
		return r.note(l, Entry{Event: skipped, Step: stepID, State: Skipped, Reason: fmt.Sprintf("skipped by %s: %s", r.o.Who, sources.Clean(reason, sources.MaxMessage))})
	})
}

// Abandon ends a run that rests for good, for a reason that is written down
// beside what it leaves as it is.
func (r *Runner) Abandon(id, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return errors.New("a run is abandoned only for a reason: type one, it goes into the record")
	}
	if r.runs(id) {
		return fmt.Errorf("run %s is running: stop it first", id)
	}
	return r.onRest(id, func(l *live, s Run) error {
		e := Entry{Event: rested, State: Abandoned, Reason: fmt.Sprintf("abandoned by %s: %s", r.o.Who, sources.Clean(reason, sources.MaxMessage))}
		plan := l.journal.entries[0].Plan
		if a, err := r.restore(plan.Kind, plan.Action); err == nil {
			if leaver, ok := a.(Leaver); ok {
				e.Leaves = leaver.Leaves(s)
			}
		}
		if err := r.note(l, e); err != nil {
			return err
		}
		// A process that was killed left the lease behind.
		l.locks.by, l.locks.leased = Holder{Who: r.o.Who, Run: id}, plan.Changes && r.o.Lease != nil
		return nil
	})
}

// runs reports whether this process runs a run.
func (r *Runner) runs(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.live[id]
	return ok
}

// onRest does something to the journal of a run, be it that it runs here or
// that it rests; s is how it stands.
func (r *Runner) onRest(id string, do func(l *live, s Run) error) error {
	r.mu.Lock()
	l, ok := r.live[id]
	var s Run
	if ok {
		s = l.run
	}
	r.mu.Unlock()
	if ok {
		return do(l, s)
	}
	l, err := r.reopen(id)
	if err != nil {
		return err
	}
	defer r.remember(l)
	defer r.unlock(l)
	return do(l, l.run)
}

// TakeOver takes the cluster away from a holder that gave no sign of life, by
// the name that a person typed. What it left half done is for the person to
// know; after that, Start and Resume find the cluster free.
func (r *Runner) TakeOver(ctx context.Context, who string) error {
	if r.o.Lease == nil {
		return errors.New("there is nothing to take over: the cluster keeps no lease for daytwo")
	}
	if err := r.o.Lease.Free(ctx, who); err != nil {
		return fmt.Errorf("taking over from %s: %w", sources.Clean(who, sources.MaxName), err)
	}
	r.o.Log("the lease of the cluster was taken over from %s by %s", who, r.o.Who)
	return nil
}

// Close ends the runner: until ctx ends it waits for the steps that run, then
// it interrupts them, and waits a moment more. A step that does not listen is
// left behind, which the journal says. why is what the journal says.
func (r *Runner) Close(ctx context.Context, why string) {
	r.mu.Lock()
	r.closed = true
	var all []*live
	for _, l := range r.live {
		l.pausing, l.why = true, why
		l.run.Pausing = true
		all = append(all, l)
	}
	r.signal()
	r.mu.Unlock()
	for _, l := range all {
		select {
		case <-l.ended:
		case <-ctx.Done():
			l.stop(errors.New(why))
		}
	}
	tick, stop := r.o.Ticker(patience)
	defer stop()
	for _, l := range all {
		select {
		case <-l.ended:
		case <-tick:
			r.giveUpOn(l, why)
		}
	}
	r.cancel(errors.New(why))
	r.done.Wait()
}

// giveUpOn writes down that nobody knows how a step ended.
func (r *Runner) giveUpOn(l *live, why string) {
	text := fmt.Sprintf("%s; the step did not end within %s after it was interrupted and was left behind", why, patience)
	if err := r.note(l, Entry{Event: rested, State: Interrupted, Reason: text}); err != nil {
		r.o.Log("run %s: %v", l.run.ID, err)
	}
}
