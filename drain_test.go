package main

import (
	"slices"
	"strings"
	"testing"

	policy "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"daytwo/sources/demo"
	"daytwo/ui/uitest"
)

// leavable are the pods on a node that a drain takes away.
func leavable(t *testing.T, w *demo.World, node string) []string {
	t.Helper()
	list, err := admin(t, w).CoreV1().Pods("").List(t.Context(), metav1.ListOptions{FieldSelector: "spec.nodeName=" + node})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range list.Items {
		owned := metav1.GetControllerOf(&p)
		if p.DeletionTimestamp == nil && (owned == nil || owned.Kind != "DaemonSet") {
			out = append(out, p.Namespace+"/"+p.Name)
		}
	}
	return out
}

// planDrain opens the wizard on a worker; the cursor of the attention list
// stands elsewhere.
func planDrain(term *uitest.Terminal, node string, down int) {
	term.Keys("1" + strings.Repeat("j", down))
	term.Wait("the key for "+node, shows("d drain"))
	term.Keys("d")
	term.Wait("the plan", shows("Plan: drain "+node, "Pods on "+node))
}

// TestDrainByKeysOnTheDemoWorld from the key to the proof.
func TestDrainByKeysOnTheDemoWorld(t *testing.T) {
	u := upgradeWorld(t)
	term := u.screen()
	before := leavable(t, u.w, "worker-2")
	if len(before) == 0 {
		t.Fatal("worker-2 has no pods to move")
	}
	planDrain(term, "worker-2", 3)
	term.Wait("a plan that may start", shows("● ready to start", "what happens", "stay: DaemonSet", "a first approximation"))
	term.Keys("\r")
	term.Wait("the question", shows("type worker-2 to drain", "As if you typed: kubectl drain worker-2 --ignore-daemonsets --delete-emptydir-data"))
	term.Keys("worker-1\r")
	term.Wait("the wrong name refused", shows("type worker-2 to go on"))
	if now := leavable(t, u.w, "worker-2"); !slices.Equal(now, before) {
		t.Errorf("pods moved before the name was typed: %v, were %v", now, before)
	}
	term.Keys("\x7f2\r")
	term.Wait("the run at its end", shows("Drain worker-2", "✔ done", "way back kubectl uncordon worker-2"))
	picture(t, term, "run")
	if left := leavable(t, u.w, "worker-2"); len(left) > 0 {
		t.Errorf("still on worker-2: %v", left)
	}
	if _, cordoned := u.versions(); !slices.Equal(cordoned, []string{"worker-2"}) {
		t.Errorf("cordoned are %v", cordoned)
	}
	said := u.said(u.s.runner.Runs()[0])
	for _, pod := range before {
		if !strings.Contains(said, "evicting pod "+pod) || !strings.Contains(said, "pod/"+pod[strings.IndexByte(pod, '/')+1:]+" evicted") {
			t.Errorf("the log does not say that %s was evicted:\n%s", pod, said)
		}
	}
	if !strings.Contains(said, "node/worker-2 drained") {
		t.Errorf("the log does not end in kubectl's words:\n%s", said)
	}
	term.Keys("\x1b")
	term.Wait("the cockpit, from where it was begun", shows("1 Nodes", "U uncordon"))
}

// TestDrainThatABudgetForbids is explained, refused, and goes on once the
// budget lets it.
func TestDrainThatABudgetForbids(t *testing.T) {
	u := upgradeWorld(t)
	term := u.screen()
	pdbs := admin(t, u.w).PolicyV1().PodDisruptionBudgets("shop")
	was, err := pdbs.Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	set := func(spec policy.PodDisruptionBudgetSpec) {
		t.Helper()
		now, err := pdbs.Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		now.Spec = spec
		if _, err := pdbs.Update(t.Context(), now, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		u.w.Step()
	}
	none := intstr.FromInt32(0)
	set(policy.PodDisruptionBudgetSpec{MaxUnavailable: &none, Selector: was.Spec.Selector})
	node := ""
	for i, name := range []string{"worker-0", "worker-1", "worker-2", "worker-3"} {
		if slices.ContainsFunc(leavable(t, u.w, name), func(p string) bool { return strings.HasPrefix(p, "shop/web-") }) {
			node = name
			planDrain(term, name, i+1)
			break
		}
	}
	if node == "" {
		t.Fatal("nobody runs shop/web")
	}
	term.Wait("what is in the way", shows("In the way", "disruption budget shop/web", "way out"))
	picture(t, term, "drain")
	term.Keys("\r")
	term.Wait("the refusal", shows("start: disruption budget shop/web"))
	if _, cordoned := u.versions(); len(cordoned) > 0 {
		t.Errorf("cordoned all the same: %v", cordoned)
	}
	set(was.Spec)
	term.Keys("a")
	term.Wait("a plan that may start", shows("● ready to start"))
	term.Keys("\r")
	term.Wait("the question", shows("type "+node+" to drain"))
	term.Keys(node + "\r")
	term.Wait("the run at its end", shows("Drain "+node, "✔ done"))
	if left := leavable(t, u.w, node); len(left) > 0 {
		t.Errorf("still on %s: %v", node, left)
	}
}

// TestDrainThatIsStopped while a budget holds it says what did not move, and
// takes back its own cordon.
func TestDrainThatIsStopped(t *testing.T) {
	w, term := onDemo(t, demo.Incident, flags{}, 120, 40)
	term.Wait("the cockpit", shows("5 of 5 ready", "kubelets 5/5"))
	planDrain(term, "worker-1", 2)
	term.Wait("the budget that allows nothing now", shows("▲ disruption budget shop/api allows no eviction now", "● ready to start"))
	term.Keys("\r")
	term.Wait("the question", shows("type worker-1 to drain"))
	term.Keys("worker-1\r")
	term.Wait("that the budget holds it", shows("Drain worker-1", "pod shop/api-", "waits: disruption budget api", "12/13 gone, 1 waiting"))
	term.Keys("x")
	term.Wait("the question before it stops", shows("Stop"))
	term.Keys("\r")
	term.Wait("where it stands", shows("interrupted", "1 uncordon worker-1"))
	if held := leavable(t, w, "worker-1"); !slices.ContainsFunc(held, func(p string) bool { return strings.HasPrefix(p, "shop/api-") }) {
		t.Errorf("the budget did not hold shop/api: left are %v", held)
	}
	term.Keys("1")
	term.Wait("the question of the way back", shows("Uncordon worker-1"))
	term.Keys("\r")
	term.Wait("the way back", shows("Uncordon worker-1", "✔ done"))
	node, err := admin(t, w).CoreV1().Nodes().Get(t.Context(), "worker-1", metav1.GetOptions{})
	if err != nil || node.Spec.Unschedulable {
		t.Errorf("worker-1 is still cordoned (%v)", err)
	}
}

// TestReadOnlyRefusesADrain before anything is asked.
func TestReadOnlyRefusesADrain(t *testing.T) {
	w, term := onDemo(t, demo.Incident, flags{readonly: true}, 120, 40)
	term.Wait("the cockpit", shows("5 of 5 ready"))
	term.Keys("1jd")
	term.Wait("the refusal", shows("read-only mode: drain would change the cluster"))
	if n := w.Requests("create", "pods"); n > 0 {
		t.Errorf("%d evictions were asked for", n)
	}
}
