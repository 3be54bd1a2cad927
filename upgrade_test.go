package main

import (
	"slices"
	"strings"
	"testing"

	policy "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"daytwo/actions"
	"daytwo/actions/upgrade"
	"daytwo/sources"
	"daytwo/sources/demo"
)

// TestUpgradeOnTheDemoWorld is the whole way by keys: from the cockpit to the
// notes, in canary order.
func TestUpgradeOnTheDemoWorld(t *testing.T) {
	u := upgradeWorld(t)
	term := u.screen()
	term.Keys("1")
	term.Keys("u")
	term.Wait("the versions", shows("To which version", "v1.33.6+k3s1", "patch step, workers first", "v1.34.2+k3s1", "minor step, servers first"))
	term.Keys("\r")
	term.Wait("the plan", shows("Plan: v1.33.4+k3s1", "Order: workers first", "master-0", "not ticked as read"))
	picture(t, term, "upgrade")
	term.Keys("n")
	term.Wait("the tick", func(s string) bool { return !strings.Contains(s, "not ticked as read") })
	if strings.Contains(term.Screen(), "backups are not fresh") {
		t.Fatalf("the healthy world has stale backups:\n%s", term.Screen())
	}
	term.Wait("a plan that may start", shows("ready to start"))
	term.Keys("\r")
	term.Wait("the question", shows("to upgrade", "one after the other"))
	term.Keys(u.s.client.ContextName() + "\r")
	var id string
	for id == "" {
		for _, r := range u.s.runner.Runs() {
			id = r.ID
		}
		if t.Context().Err() != nil {
			t.Fatal("no run began")
		}
	}
	r := u.rests(id)
	u.is(r, actions.Done)
	u.all(patchVersion)
	if got, want := order(r), []string{"worker-0", "worker-1", "worker-2", "worker-3", "master-0"}; !slices.Equal(got, want) {
		t.Errorf("restarted in the order %v, want %v", got, want)
	}
	if kept := u.on("worker-0", "ls /usr/local/bin"); !strings.Contains(kept, "k3s."+wasVersion) || strings.Contains(kept, "k3s.next") {
		t.Errorf("worker-0 has %s", kept)
	}
	for _, want := range []string{"kubectl drain worker-0", "sha256 ", "verified: /usr/local/bin/k3s.next", "systemctl restart k3s-agent", "saved in /var/lib/rancher/daytwo/datastore-" + r.ID} {
		if !strings.Contains(u.said(r), want) {
			t.Errorf("the log does not say %q:\n%s", want, u.said(r))
		}
	}
	notes, err := u.s.records.LastUpgrade()
	if err != nil || notes.To != patchVersion || len(notes.Nodes) != 5 || notes.Nodes[0].Name != "worker-0" || notes.Nodes[0].Version != patchVersion || notes.Nodes[0].Args == nil {
		t.Errorf("notes %+v, %v", notes, err)
	}
}

func TestUpgradeOfAMinorGoesServersFirst(t *testing.T) {
	u := upgradeWorld(t)
	p := u.plan(minorVersion)
	r := u.run(upgrade.New(u.s.upgrade, p))
	u.is(r, actions.Done)
	u.all(minorVersion)
	if got := order(r); len(got) != 5 || got[0] != "master-0" {
		t.Errorf("restarted in the order %v", got)
	}
	back := u.s.upgrade.Action(p).(*upgrade.Action).Offers(r)
	for _, o := range back {
		if !strings.Contains(o.Title, "master-0") {
			continue
		}
		if _, err := u.s.runner.Start(t.Context(), o.Action); err == nil || !strings.Contains(err.Error(), "only together with its datastore") {
			t.Errorf("a server went back across a minor: %v", err)
		}
		if lines := strings.Join(o.Action.(*upgrade.Back).Lines(), "\n"); !shows("systemctl stop k3s", "state.db", "token", r.ID)(lines) {
			t.Errorf("the way back by hand is not written out:\n%s", lines)
		}
	}
}

// TestUpgradeOfAClusterWithACrashLoop says what it cannot compare.
func TestUpgradeOfAClusterWithACrashLoop(t *testing.T) {
	u := upgradeWorld(t)
	u.settled()
	seen := *u.s.store.Snapshot()
	looping := sources.RestartStory{Row: sources.Row{About: sources.Ref{Kind: "Deployment", Namespace: "shop", Name: "web"}, Severity: sources.Warning}}
	seen.Judged.Restarts = []sources.RestartStory{looping}
	p, err := u.s.upgrade.Draft(t.Context(), &seen, patchVersion)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(p.Problems(), func(x upgrade.Problem) bool { return strings.HasSuffix(x.Text, "cannot be told: shop/web") }) {
		t.Errorf("the plan does not name shop/web: %+v", p.Problems())
	}
}

// TestUpgradeRefusesAWrongChecksum: the node is as it was, and goes on once
// the release server is right.
func TestUpgradeRefusesAWrongChecksum(t *testing.T) {
	u := upgradeWorld(t)
	p := u.plan(patchVersion)
	before := u.on("worker-0", "ls /usr/local/bin; sha256sum /usr/local/bin/k3s")
	lift := u.w.ReleaseFault(demo.WrongChecksum)
	r := u.run(upgrade.New(u.s.upgrade, p))
	u.is(r, actions.Failed, "fetch", "65")
	if !strings.Contains(u.said(r), "the checksum does not match") {
		t.Errorf("the log does not say why:\n%s", u.said(r))
	}
	if after := u.on("worker-0", "ls /usr/local/bin; sha256sum /usr/local/bin/k3s"); after != before {
		t.Errorf("worker-0 was touched:\n%s\nwas\n%s", after, before)
	}
	lift()
	u.is(u.resume(r.ID), actions.Done)
	u.all(patchVersion)
}

// TestUpgradeStopsAtANodeThatDoesNotComeBack, says what to look at, and takes
// it back.
func TestUpgradeStopsAtANodeThatDoesNotComeBack(t *testing.T) {
	u := upgradeWorld(t)
	p := u.plan(patchVersion)
	lift := u.w.NotBack("worker-1")
	r := u.run(upgrade.New(u.s.upgrade, p))
	u.is(r, actions.Failed, "worker-1")
	if why := r.Err; !shows("journalctl -u k3s-agent", "worker-1")(why + u.said(r)) {
		t.Errorf("it does not say what to look at first: %s", why)
	}
	versions, _ := u.versions()
	if versions["worker-0"] != patchVersion || versions["worker-2"] != wasVersion {
		t.Errorf("it did not stop there: %v", versions)
	}
	lift()
	offers := u.s.upgrade.Action(p).(*upgrade.Action).Offers(r)
	if len(offers) == 0 || offers[0].Title != "roll back worker-1 to "+wasVersion {
		t.Fatalf("offered %+v", offers)
	}
	u.is(u.run(offers[0].Action), actions.Done)
	versions, cordoned := u.versions()
	if versions["worker-1"] != wasVersion || len(cordoned) > 0 {
		t.Errorf("after the way back: %v, cordoned %v", versions, cordoned)
	}
}

// TestUpgradeIsHeldByABudget: the plan says so, with a way out, and goes on
// once it is open.
func TestUpgradeIsHeldByABudget(t *testing.T) {
	u := upgradeWorld(t)
	pdbs := admin(t, u.w).PolicyV1().PodDisruptionBudgets("shop")
	list, err := pdbs.List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) == 0 {
		t.Fatalf("the shop has no budgets: %v", err)
	}
	was := list.Items[0]
	none := intstr.FromInt32(0)
	set := func(spec policy.PodDisruptionBudgetSpec) {
		t.Helper()
		now, err := pdbs.Get(t.Context(), was.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		now.Spec = spec
		if _, err := pdbs.Update(t.Context(), now, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		u.w.Step()
	}
	set(policy.PodDisruptionBudgetSpec{MaxUnavailable: &none, Selector: was.Spec.Selector})
	p := u.plan(patchVersion)
	blocked := slices.IndexFunc(p.Problems(), func(x upgrade.Problem) bool { return strings.Contains(x.Text, was.Name) })
	if !p.Blocked() || blocked < 0 || p.Problems()[blocked].Way == "" {
		t.Fatalf("the budget is no problem of %+v", p.Problems())
	}
	if _, err := u.s.runner.Start(t.Context(), upgrade.New(u.s.upgrade, p)); err == nil || !strings.Contains(err.Error(), was.Name) {
		t.Errorf("it started: %v", err)
	}
	set(was.Spec)
	u.is(u.run(upgrade.New(u.s.upgrade, u.plan(patchVersion))), actions.Done)
	u.all(patchVersion)
}

// TestUpgradeOverALineThatIsCut while a node restarts.
func TestUpgradeOverALineThatIsCut(t *testing.T) {
	u := upgradeWorld(t)
	id, err := u.s.runner.Start(t.Context(), upgrade.New(u.s.upgrade, u.plan(patchVersion)))
	if err != nil {
		t.Fatal(err)
	}
	cut := map[string]bool{}
	for {
		r, _ := u.s.runner.Run(id)
		if r.State != actions.Running {
			break
		}
		for _, s := range r.Steps {
			if strings.HasSuffix(s.ID, "/restart") && s.State == actions.Running && !cut[s.Group] {
				cut[s.Group] = true
				u.w.CutSSH(s.Group)
			}
		}
		select {
		case <-u.s.runner.Changed():
		case <-t.Context().Done():
			t.Fatal("it hangs")
		}
	}
	r := u.rests(id)
	u.is(r, actions.Done)
	u.all(patchVersion)
	if len(cut) == 0 {
		t.Error("no line was cut: the test shows nothing")
	}
	for _, s := range r.Steps {
		if s.Tries > 1 {
			t.Errorf("%s was done %d times", s.ID, s.Tries)
		}
	}
}
