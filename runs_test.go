package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daytwo/actions"
	"daytwo/actions/cordon"
	"daytwo/actions/trail"
	"daytwo/sources/config"
	"daytwo/sources/demo"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// sessionOn opens a session on a world as daytwo does.
func sessionOn(t *testing.T, kubeconfig string) *session {
	t.Helper()
	s, err := openSession(t.Context(), flags{kubeconfig: kubeconfig}, config.Default(), openLog)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func cordoned(t *testing.T, w *demo.World, node string) bool {
	t.Helper()
	n, err := admin(t, w).CoreV1().Nodes().Get(t.Context(), node, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return n.Spec.Unschedulable
}

// begin starts an action on a session and waits until its run rests.
func begin(t *testing.T, s *session, a actions.Action) actions.Run {
	t.Helper()
	id, err := s.runner.Start(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := s.runner.Wait(id, t.Context().Done())
	return r
}

func cordonOf(t *testing.T, s *session, node string) *cordon.Action {
	t.Helper()
	return cordon.New(s.operator, node)
}

func TestRunsAreListedShownAndResumed(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	daytwo(t, "runs", "--kubeconfig", kubeconfig).says(t, 0, "no runs on this cluster yet")

	s := sessionOn(t, kubeconfig)
	if r := begin(t, s, cordonOf(t, s, "worker-1")); r.State != actions.Done || !cordoned(t, w, "worker-1") {
		t.Fatalf("cordon is %s: %s", r.State, r.Err)
	}
	lift := w.Fault(demo.Fault{Verb: "patch", Resource: "nodes", Code: 500})
	failed := begin(t, s, cordonOf(t, s, "worker-2"))
	if failed.State != actions.Failed || cordoned(t, w, "worker-2") {
		t.Fatalf("cordon is %s: %s", failed.State, failed.Err)
	}
	s.byHand().Does(trail.Deed{What: "shell", On: []string{"worker-3"}}, func() error { return nil })
	s.close(t.Context())

	daytwo(t, "runs", "--kubeconfig", kubeconfig).says(t, 0, "Cordon worker-1", "Cordon worker-2", "failed, step 1 of 1", "1 run is not finished",
		"by hand", "shell on worker-3", "exit code 0", whoami())
	daytwo(t, "runs", "show", "last", "--kubeconfig", kubeconfig).says(t, 0,
		"Cordon worker-2", "failed", "api server answered 500", "kubectl cordon worker-2", "way back\n  kubectl uncordon worker-2", "daytwo resume "+failed.ID)
	daytwo(t, "resume", failed.ID, "--kubeconfig", kubeconfig).says(t, 2, "api server answered 500", "go on: daytwo resume")
	daytwo(t, "check", "--kubeconfig", kubeconfig).says(t, 1, `"Cordon worker-2" failed at step 1 of 1 (cordon); daytwo resume `+failed.ID)
	lift()
	daytwo(t, "resume", "last", "--kubeconfig", kubeconfig).says(t, 0, "node/worker-2 cordoned", "Cordon worker-2: done")
	if !cordoned(t, w, "worker-2") {
		t.Error("worker-2 is not cordoned")
	}
	daytwo(t, "resume", "last", "--kubeconfig", kubeconfig).says(t, 3, "is over (done)")
	daytwo(t, "runs", "show", "nonsense", "--kubeconfig", kubeconfig).says(t, 3, `there is no run "nonsense"`)
	daytwo(t, "resume", "--kubeconfig", kubeconfig).says(t, 3, "name one run")
}

func TestNothingIsResumedReadOnly(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	s := sessionOn(t, kubeconfig)
	lift := w.Fault(demo.Fault{Verb: "patch", Resource: "nodes", Code: 500})
	begin(t, s, cordonOf(t, s, "worker-2"))
	s.close(t.Context())
	lift()
	daytwo(t, "resume", "last", "--readonly", "--kubeconfig", kubeconfig).says(t, 3, "--readonly")
	if cordoned(t, w, "worker-2") {
		t.Error("it was cordoned all the same")
	}
}

func TestOneChangingRunAClusterIsSeenFromOtherMachines(t *testing.T) {
	dir := home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	s := sessionOn(t, kubeconfig)
	defer s.close(t.Context())
	hang := w.Fault(demo.Fault{Verb: "patch", Resource: "nodes", Hang: true})
	id, err := s.runner.Start(t.Context(), cordonOf(t, s, "worker-1"))
	if err != nil {
		t.Fatal(err)
	}
	lease, err := admin(t, w).CoordinationV1().Leases("kube-system").Get(t.Context(), "daytwo", metav1.GetOptions{})
	if err != nil || lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity != whoami() {
		t.Fatalf("the lease is %v, %v", lease, err)
	}
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "another machine"))
	other := sessionOn(t, kubeconfig)
	defer other.close(t.Context())
	if _, err := other.runner.Start(t.Context(), cordonOf(t, other, "worker-2")); err == nil || !strings.Contains(err.Error(), "the cluster is held by "+whoami()+" (run "+id+")") {
		t.Errorf("the other machine got %v", err)
	}
	hang()
	if r, _ := s.runner.Wait(id, t.Context().Done()); r.State != actions.Done {
		t.Fatalf("%s: %s", r.State, r.Err)
	}
	if r := begin(t, other, cordonOf(t, other, "worker-2")); r.State != actions.Done {
		t.Errorf("%s: %s", r.State, r.Err)
	}
}

func TestWithoutPermissionForLeasesThisMachineAloneKnows(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	defer w.Fault(demo.Fault{Resource: "leases", Code: 403})()
	s := sessionOn(t, kubeconfig)
	defer s.close(t.Context())
	r := begin(t, s, cordonOf(t, s, "worker-1"))
	if r.State != actions.Done || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "no permission to get leases.coordination.k8s.io in namespace kube-system") {
		t.Errorf("%s, notes %q", r.State, r.Notes)
	}
}

// TestAStepThatHangsIsInterruptedAtTheEnd and the journal says why.
func TestAStepThatHangsIsInterruptedAtTheEnd(t *testing.T) {
	home(t)
	w, kubeconfig := world(t, demo.Healthy, "admin")
	hang := w.Fault(demo.Fault{Verb: "patch", Resource: "nodes", Hang: true})
	defer hang()
	s := sessionOn(t, kubeconfig)
	var said strings.Builder
	s.notice = &said
	id, err := s.runner.Start(t.Context(), cordonOf(t, s, "worker-1"))
	if err != nil {
		t.Fatal(err)
	}
	for r, _ := s.runner.Run(id); r.Steps[0].State != actions.Running; r, _ = s.runner.Run(id) {
		<-s.runner.Changed()
	}
	outer, cancel := context.WithCancelCause(t.Context())
	s.outer = outer
	cancel(io.EOF)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	s.runner.Close(ctx, "daytwo ended: hangup signal received")
	s.close(t.Context())
	runs, err := runsOf(t.Context(), flags{kubeconfig: kubeconfig})
	if err != nil || len(runs) != 1 || runs[0].State != actions.Interrupted || !strings.Contains(runs[0].Err, "hangup signal received") {
		t.Errorf("runs are %+v, %v", runs, err)
	}
}

func TestDamagedRunsAreShownAndDoNotHideOthers(t *testing.T) {
	home(t)
	_, kubeconfig := world(t, demo.Healthy, "admin")
	s := sessionOn(t, kubeconfig)
	first := begin(t, s, cordonOf(t, s, "worker-1"))
	second := begin(t, s, cordonOf(t, s, "worker-2"))
	s.close(t.Context())
	path := filepath.Join(first.Dir, "journal.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "worker-1", "worker-9", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	daytwo(t, "runs", "--kubeconfig", kubeconfig).says(t, 0, second.ID, first.ID, "cannot be read")
	daytwo(t, "runs", "show", first.ID, "--kubeconfig", kubeconfig).says(t, 0, "lines were changed or removed")
	daytwo(t, "resume", first.ID, "--kubeconfig", kubeconfig).says(t, 3, "lines were changed or removed")
}
