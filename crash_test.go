package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/actions"
	"daytwo/actions/cordon"
	"daytwo/actions/drain"
	"daytwo/sources/demo"
	"daytwo/sources/history"
	"daytwo/sources/kube"
)

// What the parent tells its children.
const (
	crashKubeconfig = "DAYTWO_CRASH_KUBECONFIG"
	crashConfig     = "DAYTWO_CRASH_CONFIG"
	crashAction     = "DAYTWO_CRASH_ACTION" // an action's kind, or resume
	crashAfter      = "DAYTWO_CRASH_AFTER"  // the journal entry to die after; 0: none
)

const crashNode = "worker-2"

// TestKilledAfterEveryEntry kills a real process with SIGKILL right after each
// entry of an action's journal, and goes on in a new one: the world ends as
// after a run that nobody killed, and nothing was done to it twice.
func TestKilledAfterEveryEntry(t *testing.T) {
	for _, kind := range []actions.Kind{cordon.KindCordon, drain.Kind} {
		t.Run(string(kind), func(t *testing.T) {
			whole := newKilling(t)
			whole.child(t, string(kind), 0)
			want, entries := whole.effects(t), whole.entries(t)
			if entries < 5 || !strings.Contains(want, "cordoned [worker-2]") {
				t.Fatalf("an uninterrupted run has %d entries and leaves %s", entries, want)
			}
			t.Logf("%d entries; %s", entries, want)
			for n := 1; n <= entries; n++ {
				t.Run(strconv.Itoa(n), func(t *testing.T) {
					t.Parallel()
					c := newKilling(t)
					c.child(t, string(kind), n)
					if got := c.entries(t); got != n {
						t.Fatalf("killed after entry %d, the journal has %d", n, got)
					}
					if n < entries { // the last says that the run is over
						c.child(t, "resume", 0)
					}
					if got := c.effects(t); got != want {
						t.Errorf("resumed after entry %d: %s\nuninterrupted: %s", n, got, want)
					}
				})
			}
		})
	}
}

// killing is a world, and the environment of the processes that work on it.
type killing struct {
	w   *demo.World
	dir string
	env []string
}

func newKilling(t *testing.T) *killing {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(time.Second / hurry)
	t.Cleanup(tick.Stop)
	w, err := demo.Start(t.Context(), demo.Options{
		Scenario: demo.Healthy, Tick: tick.C, Clock: func() time.Time { return began.Add(hurry * time.Since(began)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	kubeconfig, err := w.Kubeconfig("admin")
	if err != nil {
		t.Fatal(err)
	}
	c := &killing{w: w, dir: t.TempDir()}
	file := func(name, text string) string {
		path := filepath.Join(c.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	c.env = append(os.Environ(), "HOME="+c.dir, "XDG_STATE_HOME="+filepath.Join(c.dir, "state"),
		"XDG_CONFIG_HOME="+filepath.Join(c.dir, "config"), "KUBECONFIG=",
		crashKubeconfig+"="+file("kubeconfig", string(kubeconfig)), crashConfig+"="+file("config.yaml", w.Config()))
	return c
}

// child does an action in a process of its own, which kills itself after an
// entry of the journal unless that is 0.
func (c *killing) child(t *testing.T, action string, after int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestCrashChild$", "-test.v")
	cmd.Env = append(slices.Clone(c.env), crashAction+"="+action, fmt.Sprintf("%s=%d", crashAfter, after))
	out, err := cmd.CombinedOutput()
	if after == 0 {
		if err != nil {
			t.Fatalf("%s: %v\n%s", action, err, out)
		}
		return
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("%s was not killed after entry %d: %v\n%s", action, after, err, out)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("%s ended by itself: %v\n%s", action, err, out)
	}
}

// entries counts the lines of the only run's journal.
func (c *killing) entries(t *testing.T) int {
	t.Helper()
	var found []string
	err := filepath.WalkDir(filepath.Join(c.dir, "state"), func(path string, _ os.DirEntry, err error) error {
		if filepath.Base(path) == "journal.jsonl" {
			found = append(found, path)
		}
		return err
	})
	if err != nil || len(found) != 1 {
		t.Fatalf("journals %v, %v", found, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("\n"))
}

// effects is what was done to the world, and how it stands: evictions that
// were asked for count, be they granted or not.
func (c *killing) effects(t *testing.T) string {
	t.Helper()
	nodePatches, evictions := c.w.Requests("patch", "nodes"), c.w.Requests("create", "pods")
	client := admin(t, c.w).CoreV1()
	nodes, err := client.Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var off []string
	for _, n := range nodes.Items {
		if n.Spec.Unschedulable {
			off = append(off, n.Name)
		}
	}
	pods, err := client.Pods("").List(t.Context(), metav1.ListOptions{FieldSelector: "spec.nodeName=" + crashNode})
	if err != nil {
		t.Fatal(err)
	}
	var on []string
	for _, p := range pods.Items {
		for _, o := range p.OwnerReferences {
			on = append(on, p.Namespace+"/"+o.Kind+"/"+o.Name)
		}
	}
	slices.Sort(on)
	return fmt.Sprintf("%d patches of nodes, %d evictions, cordoned %v, %d pods on %s: %v", nodePatches, evictions, off, len(pods.Items), crashNode, on)
}

// TestCrashChild is the process that is killed, and the one that goes on; it
// does nothing unless a parent asks.
func TestCrashChild(t *testing.T) {
	action := os.Getenv(crashAction)
	switch action {
	case "":
		return
	case "resume":
		daytwo(t, "resume", "last", "--kubeconfig", os.Getenv(crashKubeconfig), "--config", os.Getenv(crashConfig)).says(t, 0, "done")
		return
	}
	after, err := strconv.Atoi(os.Getenv(crashAfter))
	if err != nil {
		t.Fatal(err)
	}
	s := crashSession(t, after)
	defer s.close(t.Context())
	if r := begin(t, s, crashingAction(t, s, actions.Kind(action))); r.State != actions.Done {
		t.Fatalf("%s is %s: %s", action, r.State, r.Err)
	}
}

// crashSession is openSession, with a death in it.
func crashSession(t *testing.T, after int) *session {
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
	s, err := startSession(t.Context(), client, dir, cfg, &session{log: log, logs: logs, journaled: func(n int) {
		if n == after {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal may reach another thread a moment later
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func crashingAction(t *testing.T, s *session, kind actions.Kind) actions.Action {
	t.Helper()
	switch kind {
	case cordon.KindCordon:
		return cordonOf(t, s, crashNode)
	case drain.Kind:
		kit := s.drains
		p, err := drain.Look(t.Context(), kit.Cluster, crashNode, drain.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return drain.New(kit, p)
	}
	t.Fatalf("no such action: %s", kind)
	return nil
}
