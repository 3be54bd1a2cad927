package actions_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daytwo/actions"
)

// held makes a step wait until the returned function is called.
func (w *world) held(name string) (release func()) {
	hold := make(chan struct{})
	w.set(func() { w.hold[name] = hold })
	return func() { w.set(func() { delete(w.hold, name) }); close(hold) }
}

func abc(w *world) *chores { return &chores{Names: []string{"a", "b", "c"}, Where: "worker-0", w: w} }

func TestFailedStepStopsTheRunAndRetryGoesOnFromThere(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.fails["b"] = errors.New("no room on worker-0")
	r := newRunner(t, t.TempDir(), w)
	id := start(t, r, abc(w))
	run := rests(t, r, id, actions.Failed)
	if states(run) != "a done, b failed, c waiting" || run.Err != "no room on worker-0" || run.WayBack() != "unmake b" {
		t.Errorf("%s: %q, way back %q", states(run), run.Err, run.WayBack())
	}
	w.set(func() { delete(w.fails, "b") })
	if err := r.Retry(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	run = rests(t, r, id, actions.Done)
	if states(run) != "a done, b done, c done" || w.count("a") != 1 || w.count("b") != 2 || run.Steps[1].Tries != 2 {
		t.Errorf("%s, a %d times, b %d times", states(run), w.count("a"), w.count("b"))
	}
}

func TestWhatCouldNotBeLookedAtIsNotDone(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.blind["b"] = errors.New("the API server does not answer")
	r := newRunner(t, t.TempDir(), w)
	id := start(t, r, abc(w))
	run := rests(t, r, id, actions.Failed)
	if w.count("b") != 0 || run.Steps[1].State != actions.Failed || run.Steps[1].Tries != 0 || !strings.Contains(run.Err, "could not look whether it is done already, so nothing was touched: the API server") {
		t.Errorf("b done %d times; %s: %s", w.count("b"), states(run), run.Err)
	}
}

func TestAStepThatProvesNothingFailed(t *testing.T) {
	t.Parallel()
	w := newWorld()
	r := newRunner(t, t.TempDir(), w)
	release := w.held("a")
	id := start(t, r, abc(w))
	<-w.begun
	w.set(func() { w.blind["a"] = errors.New("gone") })
	release()
	if run := rests(t, r, id, actions.Failed); !strings.Contains(run.Err, "could not be looked at afterwards: gone") {
		t.Errorf("err is %q", run.Err)
	}
	w.set(func() { delete(w.blind, "a") })
	if err := r.Resume(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	run := rests(t, r, id, actions.Done)
	if w.count("a") != 1 || run.Steps[0].State != actions.Done || !strings.Contains(run.Steps[0].Reason, "found done") {
		t.Errorf("a done %d times, %+v", w.count("a"), run.Steps[0])
	}
}

func TestPauseRestsAfterTheStepThatRuns(t *testing.T) {
	t.Parallel()
	w := newWorld()
	r := newRunner(t, t.TempDir(), w)
	release := w.held("a")
	id := start(t, r, abc(w))
	<-w.begun
	if err := r.Pause(id); err != nil {
		t.Fatal(err)
	}
	if run, _ := r.Run(id); !run.Pausing || run.State != actions.Running || !run.Mine {
		t.Errorf("before the step ends: %+v", run)
	}
	release()
	run := rests(t, r, id, actions.Paused)
	if states(run) != "a done, b waiting, c waiting" || run.Pausing || run.Err != "paused by ana@jump" {
		t.Errorf("%s, %q", states(run), run.Err)
	}
	if err := r.Resume(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	rests(t, r, id, actions.Done)
	if w.count("a") != 1 {
		t.Errorf("a was done %d times", w.count("a"))
	}
}

func TestPauseCanBeTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld()
	r := newRunner(t, t.TempDir(), w)
	release := w.held("a")
	id := start(t, r, abc(w))
	<-w.begun
	for range 2 {
		if err := r.Pause(id); err != nil {
			t.Fatal(err)
		}
	}
	release()
	rests(t, r, id, actions.Done)
}

func TestStopInterruptsNowAndResumeLooksFirst(t *testing.T) {
	t.Parallel()
	w := newWorld()
	r := newRunner(t, t.TempDir(), w)
	defer w.held("b")()
	id := start(t, r, abc(w))
	<-w.begun
	<-w.begun
	if err := r.Stop(id); err != nil {
		t.Fatal(err)
	}
	run := rests(t, r, id, actions.Interrupted)
	if states(run) != "a done, b interrupted, c waiting" || run.Steps[1].Reason != "stopped by ana@jump" || run.Stopping {
		t.Errorf("%s: %q", states(run), run.Steps[1].Reason)
	}
	w.set(func() { w.done["b"] = true }) // it ended after all, far away
	if err := r.Resume(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	run = rests(t, r, id, actions.Done)
	if w.count("b") != 1 || run.Steps[1].State != actions.Done {
		t.Errorf("b was begun %d times, %s", w.count("b"), states(run))
	}
}

func TestSkipNeedsAReasonAndPermission(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.fails["b"] = errors.New("no")
	r := newRunner(t, t.TempDir(), w)
	id := start(t, r, abc(w))
	rests(t, r, id, actions.Failed)
	for _, c := range []struct{ step, reason, want string }{
		{"b", "  ", "only for a reason"},
		{"x", "why not", `no step "x"`},
		{"a", "why not", "is done"},
	} {
		if err := r.Skip(id, c.step, c.reason); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("skip %s for %q: %v", c.step, c.reason, err)
		}
	}
	if err := r.Skip(id, "b", "done by hand \x1b[2Jtonight"); err != nil {
		t.Fatal(err)
	}
	if err := r.Resume(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	run := rests(t, r, id, actions.Done)
	if states(run) != "a done, b skipped, c done" || run.Steps[1].Reason != "skipped by ana@jump: done by hand tonight" {
		t.Errorf("%s: %q", states(run), run.Steps[1].Reason)
	}
	a := abc(w)
	a.Names, a.NoSkip = []string{"d"}, "the next step builds on it"
	w.set(func() { w.fails["d"] = errors.New("no") })
	id = start(t, r, a)
	rests(t, r, id, actions.Failed)
	if err := r.Skip(id, "d", "please"); err == nil || !strings.Contains(err.Error(), "the next step builds on it") {
		t.Errorf("skipped what may not be skipped: %v", err)
	}
}

func TestAbandonSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(), t.TempDir()
	w.fails["b"] = errors.New("no")
	r := newRunner(t, dir, w)
	id := start(t, r, abc(w))
	rests(t, r, id, actions.Failed)
	if err := r.Abandon(id, ""); err == nil {
		t.Error("abandoned for no reason")
	}
	if err := r.Abandon(id, "wrong node"); err != nil {
		t.Fatal(err)
	}
	run := rests(t, r, id, actions.Abandoned)
	if run.Err != "abandoned by ana@jump: wrong node" || len(run.Leaves) != 1 || run.Leaves[0] != "worker-0 stays as it is after 1 steps" || run.Ended.IsZero() {
		t.Errorf("%+v", run)
	}
	if err := r.Resume(t.Context(), id); err == nil || !strings.Contains(err.Error(), "over (abandoned)") {
		t.Errorf("resumed an abandoned run: %v", err)
	}
	if again, _ := newRunner(t, dir, w).Run(id); again.State != actions.Abandoned || len(again.Leaves) != 1 {
		t.Errorf("read from the disk: %+v", again)
	}
}

func TestAPanicFailsTheStep(t *testing.T) {
	t.Parallel()
	w := newWorld()
	r := newRunner(t, t.TempDir(), w, func(o *actions.Options) {
		o.Kinds["broken"] = func([]byte) (actions.Action, error) { return broken{abc(w)}, nil }
	})
	id := start(t, r, broken{abc(w)})
	if run := rests(t, r, id, actions.Failed); !strings.Contains(run.Err, "internal error in step a") {
		t.Errorf("err is %q", run.Err)
	}
}

type broken struct{ *chores }

func (broken) Kind() actions.Kind { return "broken" }

func (b broken) Steps() []actions.Step {
	steps := b.chores.Steps()
	steps[0].Do = func(context.Context, io.Writer) error { panic("no such map") }
	return steps
}

func TestWhatCouldNotBeResumedIsNotBegun(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(), t.TempDir()
	r := newRunner(t, dir, w, func(o *actions.Options) {
		o.Kinds["broken"] = func([]byte) (actions.Action, error) {
			return broken{&chores{Names: []string{"a", "x", "c"}, w: w}}, nil
		}
	})
	if _, err := r.Start(t.Context(), broken{abc(w)}); err == nil || !strings.Contains(err.Error(), `step 2 of its plan is "b", this version of daytwo makes "x" of it`) {
		t.Errorf("error is %v", err)
	}
	if _, err := r.Start(t.Context(), deaf{abc(w), nil}); err == nil || !strings.Contains(err.Error(), "does not know the action") {
		t.Errorf("error is %v", err)
	}
	if _, err := r.Start(t.Context(), &chores{Where: "x", w: w}); err == nil || !strings.Contains(err.Error(), "no steps") {
		t.Errorf("error is %v", err)
	}
	if len(r.Runs()) != 0 {
		t.Error("a run was made")
	}
}

func TestReadOnlyStartsWhatOnlyLooks(t *testing.T) {
	t.Parallel()
	w := newWorld()
	r := newRunner(t, t.TempDir(), w, func(o *actions.Options) { o.ReadOnly = true })
	if _, err := r.Start(t.Context(), abc(w)); err == nil || !strings.Contains(err.Error(), "--readonly") {
		t.Errorf("error is %v", err)
	}
	look := abc(w)
	look.Looks = true
	rests(t, r, start(t, r, look), actions.Done)
}

func TestFilesAreTheUsersAlone(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(), t.TempDir()
	r := newRunner(t, dir, w)
	run := rests(t, r, start(t, r, abc(w)), actions.Done)
	err := filepath.Walk(filepath.Join(dir, "runs"), func(path string, info os.FileInfo, err error) error {
		want := os.FileMode(0o600)
		if err == nil && info.IsDir() {
			want = 0o700
		}
		if err == nil && info.Mode().Perm() != want {
			t.Errorf("%s is %v", path, info.Mode())
		}
		return err
	})
	if err != nil || run.Dir == "" {
		t.Error(err)
	}
}

func TestNoFolderNoRun(t *testing.T) {
	t.Parallel()
	w := newWorld()
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", blocked} {
		r := newRunner(t, dir, w)
		if _, err := r.Start(t.Context(), abc(w)); err == nil {
			t.Errorf("started in %q", dir)
		}
	}
	if w.count("a") != 0 {
		t.Error("the world was touched")
	}
}

func TestARunWhoseJournalIsNoJournalIsNotResumed(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(), t.TempDir()
	w.fails["a"] = errors.New("no")
	r := newRunner(t, dir, w)
	id := start(t, r, abc(w))
	run := rests(t, r, id, actions.Failed)
	if err := os.Remove(filepath.Join(run.Dir, "journal.jsonl")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", filepath.Join(run.Dir, "journal.jsonl")); err != nil {
		t.Fatal(err)
	}
	before := w.count("a")
	if err := r.Resume(t.Context(), id); err == nil {
		t.Fatal("resumed")
	}
	if w.count("a") != before {
		t.Error("the world was touched")
	}
}

func TestSecretsReachNeitherDiskNorScreen(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(), t.TempDir()
	const secret = "K10aabbccddeeff00112233::server:hunter2"
	w.fails["a"] = errors.New("login with " + secret + " and s3cr3t-value was refused")
	r := newRunner(t, dir, w, func(o *actions.Options) { o.Secrets = []string{"s3cr3t-value"} })
	a := abc(w)
	a.Secret = "--token " + secret
	run := rests(t, r, start(t, r, a), actions.Failed)
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, s := range []string{"hunter2", "aabbccdd", "s3cr3t"} {
			if strings.Contains(string(text), s) {
				t.Errorf("%s holds %q", path, s)
			}
		}
		return err
	})
	if err != nil || strings.Contains(run.Err, "hunter2") {
		t.Errorf("%v, %q", err, run.Err)
	}
}
