package actions_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"daytwo/actions"
)

func TestCloseWaitsForTheStepAndTheJournalSaysSo(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(), t.TempDir()
	r := newRunner(t, dir, w)
	release := w.held("a")
	id := start(t, r, abc(w))
	<-w.begun
	closed := make(chan struct{})
	go func() { defer close(closed); r.Close(context.Background(), "daytwo ended: hangup signal received") }()
	for run, _ := r.Run(id); !run.Pausing; run, _ = r.Run(id) {
		<-r.Changed()
	}
	release()
	<-closed
	run, _ := newRunner(t, dir, w).Run(id)
	if run.State != actions.Interrupted || states(run) != "a done, b waiting, c waiting" || run.Err != "daytwo ended: hangup signal received; the step before was finished" {
		t.Errorf("%s, %s: %q", run.State, states(run), run.Err)
	}
	if _, err := r.Start(t.Context(), abc(w)); err == nil {
		t.Error("a closed runner starts")
	}
}

func TestCloseInterruptsAStepThatTakesTooLong(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(), t.TempDir()
	r := newRunner(t, dir, w)
	defer w.held("a")()
	id := start(t, r, abc(w))
	<-w.begun
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.Close(ctx, "daytwo ended: terminated")
	run, _ := newRunner(t, dir, w).Run(id)
	if run.State != actions.Interrupted || states(run) != "a interrupted, b waiting, c waiting" || run.Steps[0].Reason != "daytwo ended: terminated" {
		t.Errorf("%s, %s: %q", run.State, states(run), run.Steps[0].Reason)
	}
}

// TestCloseLeavesBehindWhatDoesNotListen, and says that nobody knows its end.
func TestCloseLeavesBehindWhatDoesNotListen(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(), t.TempDir()
	now := make(chan time.Time)
	close(now)
	r := newRunner(t, dir, w, func(o *actions.Options) {
		o.Ticker = func(d time.Duration) (<-chan time.Time, func()) {
			if d == 5*time.Second { // the patience with what was interrupted
				return now, func() {}
			}
			return never(d)
		}
		o.Kinds["deaf"] = func([]byte) (actions.Action, error) { return deaf{abc(w), nil}, nil }
	})
	deafTo := make(chan struct{})
	id := start(t, r, deaf{abc(w), deafTo})
	for run, _ := r.Run(id); run.Steps[0].State != actions.Running; run, _ = r.Run(id) {
		<-r.Changed()
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.Close(ctx, "terminated")
	run, _ := newRunner(t, dir, w).Run(id)
	if run.State != actions.Interrupted || !strings.Contains(run.Steps[0].Reason, "left behind") {
		t.Errorf("%s, %s: %q", run.State, states(run), run.Steps[0].Reason)
	}
	close(deafTo)
	r.Wait(id, t.Context().Done())
}

// deaf is an action whose steps do not hear that they should end.
type deaf struct {
	*chores
	until chan struct{}
}

func (d deaf) Kind() actions.Kind { return "deaf" }

func (d deaf) Steps() []actions.Step {
	steps := d.chores.Steps()
	steps[0].Do = func(context.Context, io.Writer) error { <-d.until; return nil }
	return steps
}
