package actions_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"daytwo/actions"
	"daytwo/sources"
)

func TestRunsOfOtherProcessesAreSeen(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(), t.TempDir()
	tick := make(chan time.Time)
	r := newRunner(t, dir, w)
	other := newRunner(t, dir, w, func(o *actions.Options) {
		o.Who = "bob@desk"
		o.Ticker = func(time.Duration) (<-chan time.Time, func()) { return tick, func() {} }
	})
	release := w.held("a")
	id := start(t, r, abc(w))
	<-w.begun
	tick <- time.Time{}
	<-other.Changed()
	run, ok := other.Run(id)
	if !ok || run.State != actions.Running || run.Mine || run.Holder != "ana@jump" {
		t.Fatalf("bob sees %+v", run)
	}
	held := (*actions.HeldError)(nil)
	if err := other.Resume(t.Context(), id); !errors.As(err, &held) || held.By.Who != "ana@jump" || held.By.PID != os.Getpid() {
		t.Errorf("bob resumes: %v", err)
	}
	for _, a := range []*chores{abc(w), {Names: []string{"z"}, Where: "worker-1", w: w}} {
		if _, err := other.Start(t.Context(), a); !errors.As(err, &held) || held.By.Who != "ana@jump" || held.By.Run != id {
			t.Errorf("bob starts at %s: %v", a.Where, err)
		}
	}
	look := &chores{Names: []string{"y"}, Where: "worker-1", Looks: true, w: w}
	rests(t, other, start(t, other, look), actions.Done)
	release()
	rests(t, r, id, actions.Done)
	tick <- time.Time{}
	tick <- time.Time{} // the look before is through
	if run, _ = other.Run(id); run.State != actions.Done {
		t.Errorf("bob sees %s", run.State)
	}
}

// lease is one that a test controls.
type lease struct {
	take, free error
	released   chan actions.Holder
}

func (l *lease) Take(context.Context, actions.Holder) error { return l.take }
func (l *lease) Free(context.Context, string) error         { return l.free }
func (l *lease) Release(_ context.Context, by actions.Holder) error {
	l.released <- by
	return nil
}

func TestLeaseDecides(t *testing.T) {
	t.Parallel()
	held := &actions.HeldError{What: "the cluster", By: actions.Holder{Who: "bob@desk"}, Orphaned: true}
	for _, c := range []struct {
		name, want, note string
		take             error
	}{
		{"free", "", "", nil},
		{"held", "held by bob@desk, who gave no sign of life", "", held},
		{"not permitted", "", "no permission to update leases", &sources.AccessError{Verb: "update", Group: "coordination.k8s.io", Resource: "leases"}},
		{"no answer", "asking the cluster who else changes it: gone", "", errors.New("gone")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, l := newWorld(), &lease{take: c.take, released: make(chan actions.Holder, 1)}
			r := newRunner(t, t.TempDir(), w, func(o *actions.Options) { o.Lease = l })
			id, err := r.Start(t.Context(), abc(w))
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || w.count("a") != 0 {
					t.Errorf("error is %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			run := rests(t, r, id, actions.Done)
			if notes := strings.Join(run.Notes, ""); !strings.Contains(notes, c.note) || (c.note == "") != (notes == "") {
				t.Errorf("notes are %q", notes)
			}
			if c.take == nil {
				if by := <-l.released; by.Run != id {
					t.Errorf("released by %v", by)
				}
			}
		})
	}
}

// TestResumeGoesOnWhileTheAPIServerIsAway: bringing it back may be the run.
func TestResumeGoesOnWhileTheAPIServerIsAway(t *testing.T) {
	t.Parallel()
	w, l := newWorld(), &lease{released: make(chan actions.Holder, 2)}
	w.fails["b"] = errors.New("no")
	r := newRunner(t, t.TempDir(), w, func(o *actions.Options) { o.Lease = l })
	id := start(t, r, abc(w))
	rests(t, r, id, actions.Failed)
	w.set(func() { delete(w.fails, "b") })
	l.take = errors.New("connection refused")
	if err := r.Resume(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if run := rests(t, r, id, actions.Done); len(run.Notes) != 1 || !strings.Contains(run.Notes[0], "connection refused") {
		t.Errorf("notes are %q", run.Notes)
	}
}

func TestWhoLosesTheLeaseRestsAfterTheStep(t *testing.T) {
	t.Parallel()
	w, l := newWorld(), &losing{lease: lease{released: make(chan actions.Holder, 1)}}
	tick := make(chan time.Time)
	r := newRunner(t, t.TempDir(), w, func(o *actions.Options) {
		o.Lease = l
		o.Ticker = func(d time.Duration) (<-chan time.Time, func()) {
			if d == 10*time.Second { // renewing
				return tick, func() {}
			}
			return never(d)
		}
	})
	release := w.held("a")
	id := start(t, r, abc(w))
	<-w.begun
	tick <- time.Time{}
	for run, _ := r.Run(id); !run.Pausing; run, _ = r.Run(id) {
		<-r.Changed()
	}
	release()
	if run := rests(t, r, id, actions.Interrupted); states(run) != "a done, b waiting, c waiting" || !strings.Contains(run.Err, "taken over by bob@desk") {
		t.Errorf("%s: %s", states(run), run.Err)
	}
}

// losing is a lease that somebody takes over after it was taken.
type losing struct {
	lease
	taken bool
}

func (l *losing) Take(context.Context, actions.Holder) error {
	if l.taken {
		return &actions.HeldError{What: "the cluster", By: actions.Holder{Who: "bob@desk"}}
	}
	l.taken = true
	return nil
}
