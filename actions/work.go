package actions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"time"

	"daytwo/sources"
)

const (
	// patience is how long a step that was interrupted may take to end.
	patience = 5 * time.Second
	// proofFor bounds the look after a step that ended while it was stopped.
	proofFor = 10 * time.Second
	// signOfLife is how often a lease is renewed.
	signOfLife = 10 * time.Second
)

// work runs a run's steps until it is through or something stops it.
func (r *Runner) work(ctx context.Context, l *live) {
	alive, dead := context.WithCancel(context.WithoutCancel(ctx))
	beating := make(chan struct{})
	go func() { defer close(beating); r.beat(alive, l) }()
	rest := r.steps(ctx, l)
	if err := r.note(l, rest); err != nil {
		r.mu.Lock()
		rest.At, rest.Reason = r.o.Clock().UTC(), r.redact(joined(rest.Reason, err))
		l.run.apply(rest) // what is shown; the journal cannot say it
		r.mu.Unlock()
		r.o.Log("run %s: %v", l.run.ID, err)
	}
	dead()
	<-beating
	if err := l.out.Close(); err != nil {
		r.o.Log("run %s: %v", l.run.ID, err)
	}
	l.stop(nil)
	r.unlock(l)
	r.mu.Lock()
	l.run.Mine, l.run.Stopping = false, false
	delete(r.live, l.run.ID)
	r.mu.Unlock()
	r.remember(l)
	close(l.ended)
}

func joined(reason string, err error) string {
	if reason == "" {
		return err.Error()
	}
	return reason + "; " + err.Error()
}

// steps does what is left to do, and returns why it rests.
func (r *Runner) steps(ctx context.Context, l *live) Entry {
	for {
		r.mu.Lock()
		i, pausing, why := l.run.At, l.pausing, l.why
		r.mu.Unlock()
		switch {
		case i == len(l.steps):
			return Entry{Event: rested, State: Done}
		case ctx.Err() != nil:
			return Entry{Event: rested, State: Interrupted, Reason: context.Cause(ctx).Error()}
		case pausing && why != "":
			return Entry{Event: rested, State: Interrupted, Reason: why + "; the step before was finished"}
		case pausing:
			return Entry{Event: rested, State: Paused, Reason: "paused by " + r.o.Who}
		}
		end, err := r.step(ctx, l, l.steps[i], l.run.Steps[i].Tries > 0)
		if err != nil {
			return Entry{Event: rested, State: Failed, Reason: fmt.Sprintf("%v; make room or mend the disk, then resume", err)}
		}
		switch end.State {
		case Failed, Interrupted:
			return Entry{Event: rested, State: end.State, Reason: end.Reason}
		case Waiting, Running, Done, AlreadyTrue, Skipped, Paused, Abandoned:
		}
	}
}

// step brings one step to its end. An error means that the journal could not
// be written: nothing more may be touched.
func (r *Runner) step(ctx context.Context, l *live, s Step, before bool) (Entry, error) {
	ctx = WithRun(ctx, r.copyOf(l))
	end := Entry{Event: ended, Step: s.ID}
	ok, err := r.look(ctx, s)
	switch {
	case err != nil:
		end.State, end.Reason = r.failure(ctx, fmt.Errorf("could not look whether it is done already, so nothing was touched: %w", err))
	case ok && before:
		end.State, end.Reason = Done, "was begun before and is found done"
	case ok:
		end.State = AlreadyTrue
	default:
		if err := r.note(l, Entry{Event: begun, Step: s.ID}); err != nil {
			return end, fmt.Errorf("step %q was not begun: %w", s.Title, err)
		}
		end.State, end.Reason = r.doAndProve(ctx, l, s)
	}
	l.out.footing(r.o.Clock(), s, end.State, end.Reason)
	return end, r.note(l, end)
}

// doAndProve does a step, then looks at the world for the proof.
func (r *Runner) doAndProve(ctx context.Context, l *live, s Step) (State, string) {
	l.out.heading(r.o.Clock(), s)
	err := r.do(ctx, s, l.out)
	if flushed := l.out.flush(); flushed != nil {
		r.o.Log("run %s: %v", l.run.ID, flushed)
	}
	if err != nil {
		return r.failure(ctx, err)
	}
	if s.Done == nil {
		return Done, ""
	}
	if ctx.Err() != nil { // it ended all the same: the proof is still worth having
		proof, stop := context.WithTimeout(context.WithoutCancel(ctx), proofFor)
		defer stop()
		ctx = proof
	}
	switch ok, err := r.look(ctx, s); {
	case err != nil:
		return r.failure(ctx, fmt.Errorf("it ran to its end, but could not be looked at afterwards: %w", err))
	case !ok:
		return Failed, "it ran to its end without an error, but a look afterwards says that it is not done"
	}
	return Done, ""
}

// failure tells what failed from what was interrupted.
func (r *Runner) failure(ctx context.Context, err error) (State, string) {
	if ctx.Err() == nil {
		return Failed, err.Error()
	}
	why := context.Cause(ctx).Error()
	if errors.Is(err, context.Canceled) {
		return Interrupted, why
	}
	return Interrupted, why + "; " + err.Error()
}

// look asks the world if a step is done; a step without a look never is.
func (r *Runner) look(ctx context.Context, s Step) (ok bool, err error) {
	if s.Done == nil {
		return false, nil
	}
	defer func() { r.recovered(recover(), s, &err) }()
	return s.Done(ctx)
}

func (r *Runner) do(ctx context.Context, s Step, out io.Writer) (err error) {
	defer func() { r.recovered(recover(), s, &err) }()
	return s.Do(ctx, out)
}

func (r *Runner) recovered(p any, s Step, err *error) {
	if p != nil {
		r.o.Log("step %s panicked: %v\n%s", s.ID, p, debug.Stack())
		*err = fmt.Errorf("internal error in step %s, please report it: %v", s.ID, p)
	}
}

func (r *Runner) copyOf(l *live) Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	return l.run
}

// beat renews the run's lease until ctx ends.
func (r *Runner) beat(ctx context.Context, l *live) {
	if l.locks.by.Who == "" || r.o.Lease == nil || l.locks.unleased {
		return
	}
	tick, stop := r.o.Ticker(signOfLife)
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			r.renew(ctx, l)
		}
	}
}

// renew says that the run is alive. An API server that does not answer is no
// reason to stop: upgrading it is one of the runs.
func (r *Runner) renew(ctx context.Context, l *live) {
	err := r.o.Lease.Take(ctx, l.locks.by)
	if held := (*HeldError)(nil); errors.As(err, &held) {
		r.mu.Lock()
		defer r.mu.Unlock()
		l.pausing, l.run.Pausing = true, true
		l.why = "the cluster was taken over by " + held.By.String()
		r.signal()
		return
	}
	if err != nil && ctx.Err() == nil {
		r.o.Log("run %s: renewing the lease: %v", l.run.ID, err)
	}
}

// lock takes what a run must hold: its target, and the cluster if it changes
// it.
func (r *Runner) lock(ctx context.Context, l *live, target sources.Ref, changes bool, by Holder) error {
	l.locks = locks{by: by}
	names := [][2]string{{targetLock(target), target.Kind + " " + target.String()}}
	if changes {
		names = append(names, [2]string{changingLock, "the cluster"})
	}
	for _, n := range names {
		f, err := holdNamed(r.dir, n[0], n[1], by)
		if err != nil {
			r.unlock(l)
			return err
		}
		l.locks.files = append(l.locks.files, f)
	}
	if !changes || r.o.Lease == nil {
		l.locks.unleased = true
		return nil
	}
	if err := r.takeLease(ctx, l); err != nil {
		r.unlock(l)
		return err
	}
	return nil
}

// takeLease takes the cluster's lease. Without the permission the run goes on
// and says so; so does one that is resumed while the API server is away, which
// may be what it is there to mend.
func (r *Runner) takeLease(ctx context.Context, l *live) error {
	err := r.o.Lease.Take(ctx, l.locks.by)
	if left := (*HeldError)(nil); errors.As(err, &left) && r.overHere(left.By) {
		// It ended before it could give the lease back.
		if err = r.o.Lease.Release(ctx, left.By); err == nil {
			err = r.o.Lease.Take(ctx, l.locks.by)
		}
	}
	resuming := l.journal != nil
	var (
		held    *HeldError
		refused *sources.AccessError
	)
	switch {
	case err == nil:
		l.locks.leased = true
		return nil
	case errors.As(err, &held):
		return err
	case errors.As(err, &refused):
		l.locks.unleased = true
		l.locks.notes = append(l.locks.notes, fmt.Sprintf("other machines do not see that this run goes on, only this one does: %v", err))
		return nil
	case resuming && ctx.Err() == nil:
		l.locks.leased = true
		l.locks.notes = append(l.locks.notes, fmt.Sprintf("the cluster could not be asked who else changes it: %v", err))
		return nil
	}
	return fmt.Errorf("asking the cluster who else changes it: %w", err)
}

// overHere reports that what a holder ran was one of this machine's runs, and
// is over: nothing of it changes the cluster any more.
func (r *Runner) overHere(by Holder) bool {
	if by.Who != r.o.Who || !validID(by.Run) {
		return false
	}
	dir := filepath.Join(r.dir, by.Run)
	held := heldNow(filepath.Join(dir, journalName))
	return !held && runOnDisk(dir, held).State.Over()
}

// unlock lets go of everything that a run holds.
func (r *Runner) unlock(l *live) {
	if l.locks.leased {
		ctx, stop := context.WithTimeout(context.WithoutCancel(r.ctx), patience)
		defer stop()
		if err := r.o.Lease.Release(ctx, l.locks.by); err != nil {
			r.o.Log("run %s: giving the lease back: %v", l.locks.by.Run, err)
		}
		l.locks.leased = false
	}
	for _, f := range l.locks.files {
		_ = f.Close()
	}
	l.locks.files = nil
	if l.journal != nil {
		_ = l.journal.Close()
	}
}
