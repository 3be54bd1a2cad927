package main

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/actions"
	"daytwo/actions/cordon"
	"daytwo/actions/upgrade"
)

// permitted fails if a run had to do without a permission.
func (u *upgrading) permitted(r actions.Run) {
	u.t.Helper()
	for _, text := range append(r.Notes, u.said(r)) {
		if strings.Contains(text, "no permission") || strings.Contains(text, "forbidden") {
			u.t.Errorf("%s had to do without a permission: %s", r.Title, text)
		}
	}
}

// TestOperatorRoleSuffices: with the two documented roles, and nothing else, a
// node is drained by keys, dry-run and lease included, made to take pods
// again, and the whole cluster is upgraded.
func TestOperatorRoleSuffices(t *testing.T) {
	u := upgradeWorldFor(t, "viewer", roles(t, "view.yaml", "operate.yaml")...)
	term := u.screen()
	planDrain(term, "worker-2", 3)
	term.Wait("a plan that may start", shows("● ready to start"))
	if s := term.Screen(); strings.Contains(s, "no permission") {
		t.Errorf("the roles do not suffice for the plan:\n%s", s)
	}
	rehearsed := u.w.Requests("create", "pods")
	if rehearsed == 0 {
		t.Error("no eviction was rehearsed")
	}
	term.Keys("\r")
	term.Wait("the question", shows("type worker-2 to drain"))
	term.Keys("worker-2\r")
	term.Wait("the run at its end", shows("Drain worker-2", "✔ done"))
	if u.w.Requests("create", "pods") == rehearsed || len(leavable(t, u.w, "worker-2")) > 0 {
		t.Error("nothing was evicted")
	}
	u.permitted(u.s.runner.Runs()[0])
	for _, verb := range []string{"get", "create", "update"} {
		if u.w.Requests(verb, "leases") == 0 {
			t.Errorf("no lease was asked for: %s", verb)
		}
	}
	lifted := u.run(cordon.Lift(u.s.operator, "worker-2"))
	u.is(lifted, actions.Done)
	u.permitted(lifted)
	r := u.run(upgrade.New(u.s.upgrade, u.plan(patchVersion)))
	u.is(r, actions.Done)
	u.permitted(r)
	u.all(patchVersion)
}

// TestViewerIsToldWhatChangesNeed: by name, before anything is asked of the
// cluster, and with the manifest that grants it.
func TestViewerIsToldWhatChangesNeed(t *testing.T) {
	u := upgradeWorldFor(t, "viewer", roles(t, "view.yaml")...)
	term := u.screen()
	planDrain(term, "worker-2", 3)
	term.Wait("what is lacking", shows("no permission to patch nodes", "no permission to create pods/eviction", "docs/rbac/operate.yaml"))
	term.Keys("\r")
	term.Wait("the refusal", shows("start: no permission to"))
	for what, a := range map[string]actions.Action{
		"get nodes":            cordon.New(u.s.operator, "worker-2"),
		"create pods/eviction": upgrade.New(u.s.upgrade, u.plan(patchVersion)),
	} {
		id, err := u.s.runner.Start(t.Context(), a)
		var text string
		if err != nil {
			text = err.Error()
		} else {
			text = u.rests(id).Err
		}
		if !strings.Contains(text, "no permission to "+what) {
			t.Errorf("%s: %s", a.Title(), text)
		}
	}
	if n := u.w.Requests("create", "pods"); n > 0 {
		t.Errorf("%d evictions were asked for", n)
	}
	nodes, err := admin(t, u.w).CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes.Items {
		if n.Spec.Unschedulable {
			t.Errorf("%s was cordoned", n.Name)
		}
	}
}
