package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/actions"
	"daytwo/actions/cordon"
	"daytwo/actions/drain"
	"daytwo/actions/forensics"
	"daytwo/actions/upgrade"
	"daytwo/sources/demo"
	"daytwo/sources/history"
	"daytwo/sources/kube"
)

// What the parent tells its children.
const (
	crashKubeconfig = "DAYTWO_CRASH_KUBECONFIG"
	crashConfig     = "DAYTWO_CRASH_CONFIG"
	crashAction     = "DAYTWO_CRASH_ACTION" // an action's kind, or resume
	crashDeath      = "DAYTWO_CRASH_DEATH"  // one of the deaths
	crashNode       = "DAYTWO_CRASH_NODE"
)

// The deaths: at the first entry of a kind that a child writes.
const (
	afterPlan = "after plan"
	afterTake = "after take"
	afterStep = "after begin, end or rest"
	beforeEnd = "before end"
	afterEnd  = "after end"
)

// TestKilledAtEveryEntry kills a real process with SIGKILL right after each
// entry of an action's journal, and once more between each step's effect and
// the entry that tells of it; a new process goes on each time. One run takes
// all these deaths: the world ends as after a run that nobody killed, and
// nothing was done to it twice.
func TestKilledAtEveryEntry(t *testing.T) {
	t.Parallel()
	t.Run("cordon, uncordon", func(t *testing.T) {
		t.Parallel()
		c := newKilling(t, demo.Healthy, hurry, "worker-2")
		c.killed(t, cordon.KindCordon, 1)
		c.left(t, wasVersion, true)
		c.killed(t, cordon.KindUncordon, 1)
		c.left(t, wasVersion, false)
		c.once(t, map[string]int{"patch": 2})
	})
	t.Run("drain", func(t *testing.T) {
		t.Parallel()
		c := newKilling(t, demo.Healthy, hurry, "worker-2")
		pods := len(leavable(t, c.w, c.node))
		c.killed(t, drain.Kind, 3)
		c.left(t, wasVersion, true)
		c.once(t, map[string]int{"patch": 1, "evict": pods})
		if now := leavable(t, c.w, c.node); len(now) > 0 {
			t.Errorf("still there: %v", now)
		}
	})
	t.Run("upgrade, roll-back", func(t *testing.T) {
		t.Parallel()
		c := newKilling(t, demo.Healthy, hurry, "master-0") // whose API server goes away too
		pods := len(leavable(t, c.w, c.node))
		c.killed(t, upgrade.Kind, 13)
		c.left(t, patchVersion, false)
		c.once(t, map[string]int{"patch": 2, "evict": pods, "swap": 1, "restart": 1})
		c.killed(t, upgrade.BackKind, 3)
		c.left(t, wasVersion, false)
		c.once(t, map[string]int{"patch": 2, "evict": pods, "swap": 2, "restart": 2})
	})
}

// killing is a world, and the environment of the processes that work on it.
type killing struct {
	w    *demo.World
	node string
	dir  string
	env  []string
}

// newKilling is a world whose clock goes so much faster than that on the wall.
func newKilling(t *testing.T, scenario demo.Scenario, speed time.Duration, node string) *killing {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(time.Second / speed)
	t.Cleanup(tick.Stop)
	w, err := demo.Start(t.Context(), demo.Options{
		Scenario: scenario, Tick: tick.C, Clock: func() time.Time { return began.Add(speed * time.Since(began)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	kubeconfig, err := w.Kubeconfig("admin")
	if err != nil {
		t.Fatal(err)
	}
	c := &killing{w: w, node: node, dir: t.TempDir()}
	if err := writeDemoSSH(w, c.dir); err != nil {
		t.Fatal(err)
	}
	file := func(name, text string) string {
		path := filepath.Join(c.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	c.env = append(os.Environ(), "HOME="+c.dir, "XDG_STATE_HOME="+filepath.Join(c.dir, "state"),
		"XDG_CONFIG_HOME="+filepath.Join(c.dir, "config"), "KUBECONFIG=", "SSH_AUTH_SOCK=", crashNode+"="+node,
		crashKubeconfig+"="+file("kubeconfig", string(kubeconfig)), crashConfig+"="+file("config.yaml", w.Config()))
	return c
}

// killed brings an action of so many steps to its end over all its deaths.
func (c *killing) killed(t *testing.T, kind actions.Kind, steps int) {
	t.Helper()
	died := map[string]bool{}
	action, death := string(kind), afterPlan
	for n := 0; ; n++ {
		c.child(t, action, death)
		entries := c.entries(t)
		last := entries[len(entries)-1]
		died[entryName(last)] = true
		switch {
		case last.Event == "rest":
			c.everywhere(t, kind, entries, died, steps)
			return
		case n > 4*steps+4:
			t.Fatalf("%s comes to no end: %+v", kind, entries[max(0, len(entries)-4):])
		case last.Event == "plan":
			death = afterTake
		case last.Event == "begin" && kind == forensics.InspectKind: // whose steps have no effect
			death = afterEnd
		case last.Event == "begin" && death == afterStep:
			death = beforeEnd
		case death == beforeEnd:
			death = afterEnd
		default:
			death = afterStep
		}
		action = "resume"
	}
}

func entryName(e actions.Entry) string { return string(e.Event) + " " + e.Step }

// everywhere checks that a run is done, and that a process died at each entry
// and each step of it.
func (c *killing) everywhere(t *testing.T, kind actions.Kind, entries []actions.Entry, died map[string]bool, steps int) {
	t.Helper()
	ends := map[string]bool{}
	for _, e := range entries {
		if !died[entryName(e)] {
			t.Errorf("%s: nobody died at %q", kind, entryName(e))
		}
		if e.Event == "end" {
			ends[e.Step] = true
		}
	}
	if last := entries[len(entries)-1]; last.State != actions.Done || len(ends) != steps {
		t.Errorf("%s is %s (%s) after %d steps, want %d: %v", kind, last.State, last.Reason, len(ends), steps, ends)
	}
}

// child does an action in a process of its own, which kills itself.
func (c *killing) child(t *testing.T, action, death string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestCrashChild$", "-test.v")
	cmd.Env = append(slices.Clone(c.env), crashAction+"="+action, crashDeath+"="+death)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("%s was not killed %s: %v\n%s", action, death, err, out)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("%s, to be killed %s, ended by itself: %v\n%s", action, death, err, out)
	}
}

// newest is the folder of the newest run.
func (c *killing) newest(t *testing.T) string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(filepath.Join(c.dir, "state"), func(path string, _ os.DirEntry, err error) error {
		if filepath.Base(path) == "journal.jsonl" {
			found = append(found, path)
		}
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("journals %v, %v", found, err)
	}
	return filepath.Dir(slices.Max(found)) // runs are named by their time
}

// entries are those of the newest run's journal.
func (c *killing) entries(t *testing.T) []actions.Entry {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.newest(t), "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var out []actions.Entry
	for line := range bytes.Lines(text) {
		var e actions.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// left checks how the node was left.
func (c *killing) left(t *testing.T, version string, cordoned bool) {
	t.Helper()
	n, err := admin(t, c.w).CoreV1().Nodes().Get(t.Context(), c.node, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := n.Status.NodeInfo.KubeletVersion; got != version || n.Spec.Unschedulable != cordoned {
		t.Errorf("%s is left with %s, cordoned %v; want %s, %v", c.node, got, n.Spec.Unschedulable, version, cordoned)
	}
}

// once checks how often each thing was done, and that no pod was evicted twice.
func (c *killing) once(t *testing.T, want map[string]int) {
	t.Helper()
	got := map[string]int{"patch": c.w.Requests("patch", "nodes")}
	for deed, n := range c.w.Deeds() {
		what, to, _ := strings.Cut(deed, " ")
		got[what] += n
		if what == "evict" && n > 1 {
			t.Errorf("pod %s was evicted %d times", to, n)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("done to the world: %v, want %v", got, want)
	}
}

// TestCrashChild is the process that is killed, and the one that goes on; it
// does nothing unless a parent asks.
func TestCrashChild(t *testing.T) {
	action := os.Getenv(crashAction)
	if action == "" {
		return
	}
	s := crashSession(t, os.Getenv(crashDeath))
	defer s.close(t.Context())
	var id string
	var err error
	if action == "resume" {
		id = s.runner.Runs()[0].ID
		err = s.runner.Resume(t.Context(), id)
	} else {
		id, err = s.runner.Start(t.Context(), crashingAction(t, s, actions.Kind(action)))
	}
	if err != nil {
		t.Fatal(err)
	}
	r, _ := s.runner.Wait(id, t.Context().Done())
	t.Fatalf("%s lived on and is %s: %s", action, r.State, r.Err)
}

// crashSession is openSession, with a death in it and in a hurry.
func crashSession(t *testing.T, death string) *session {
	t.Helper()
	f := flags{kubeconfig: os.Getenv(crashKubeconfig), config: os.Getenv(crashConfig), theme: "dark"}
	cfg, err := f.settings()
	if err != nil {
		t.Fatal(err)
	}
	log, logs := openLog(logDir())
	client, err := kube.Connect(kube.Options{Kubeconfig: f.kubeconfig, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := history.Dir(client.ContextName(), client.Identity())
	if err != nil {
		t.Fatal(err)
	}
	die := func(at string, e actions.Entry) {
		step := death == afterStep && at == "after" && (e.Event == "begin" || e.Event == "end" || e.Event == "rest")
		if step || death == at+" "+string(e.Event) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal may reach another thread a moment later
		}
	}
	s, err := startSession(t.Context(), client, dir, cfg, &session{log: log, logs: logs, hooks: hooks{
		journaling: func(e actions.Entry) { die("before", e) },
		journaled:  func(_ int, e actions.Entry) { die("after", e) },
	}})
	if err != nil {
		t.Fatal(err)
	}
	hurried(s.upgrade)
	return s
}

func crashingAction(t *testing.T, s *session, kind actions.Kind) actions.Action {
	t.Helper()
	node := os.Getenv(crashNode)
	if what, ok := strings.CutPrefix(string(kind), string(forensics.CleanKind)+" "); ok {
		return crashingCleanup(t, s, node, forensics.What(what))
	}
	switch kind {
	case forensics.InspectKind:
		return crashingForensics(t, s, node)
	case cordon.KindCordon:
		return cordonOf(t, s, node)
	case cordon.KindUncordon:
		return cordon.Lift(s.operator, node)
	case drain.Kind:
		p, err := drain.Look(t.Context(), s.drains.Cluster, node, drain.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return drain.New(s.drains, p)
	case upgrade.Kind:
		u := &upgrading{t: t, s: s}
		p := u.plan(patchVersion)
		p.Nodes = slices.DeleteFunc(p.Nodes, func(n upgrade.NodePlan) bool { return n.Name != node })
		return upgrade.New(s.upgrade, p)
	case upgrade.BackKind:
		run := s.runner.Runs()[0]
		a, err := s.runner.Action(run.ID)
		if err != nil {
			t.Fatal(err)
		}
		return a.(*upgrade.Action).Offers(run)[0].Action
	}
	t.Fatalf("no such action: %s", kind)
	return nil
}
