package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"daytwo/actions"
	"daytwo/actions/upgrade"
	"daytwo/sources"
	"daytwo/sources/demo"
	"daytwo/ui/uitest"
)

const (
	wasVersion   = "v1.33.4+k3s1"
	patchVersion = "v1.33.6+k3s1"
	minorVersion = "v1.34.2+k3s1"
)

// upgrading is a session on a demo world whose time goes fast.
type upgrading struct {
	t    *testing.T
	w    *demo.World
	s    *session
	f    flags
	term *uitest.Terminal
}

func upgradeWorld(t *testing.T) *upgrading {
	t.Helper()
	return upgradeWorldFor(t, "admin")
}

// upgradeWorldFor is the world of an admin, or of a viewer who may do what the
// rules say and nothing else.
func upgradeWorldFor(t *testing.T, user string, rules ...rbac.PolicyRule) *upgrading {
	t.Helper()
	return upgradeWorldWith(t, user, demo.Options{ViewerRules: rules})
}

// upgradeWorldWith is the world of a user, with what o says beside.
func upgradeWorldWith(t *testing.T, user string, o demo.Options) *upgrading {
	t.Helper()
	t.Parallel()
	dir := t.TempDir()
	began := time.Now()
	clock := func() time.Time { return began.Add(hurry * time.Since(began)) }
	tick := time.NewTicker(time.Second / hurry)
	t.Cleanup(tick.Stop)
	o.Scenario, o.Clock, o.Tick = demo.Healthy, clock, tick.C
	w, err := demo.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	kubeconfig, err := w.Kubeconfig(user)
	if err != nil {
		t.Fatal(err)
	}
	u := &upgrading{t: t, w: w, f: flags{kubeconfig: filepath.Join(dir, "kubeconfig"), config: filepath.Join(dir, "config.yaml"), theme: "dark"}}
	for path, text := range map[string]string{u.f.kubeconfig: string(kubeconfig), u.f.config: w.Config()} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := u.f.settings()
	if err != nil {
		t.Fatal(err)
	}
	if u.s, err = openDemoSession(t.Context(), u.f, cfg, dir, w, openLog); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.s.close(context.WithoutCancel(t.Context())) })
	hurried(u.s.upgrade)
	return u
}

// hurried lets an upgrade wait by a clock as fast as its world's.
func hurried(k *upgrade.Kit) {
	began := time.Now()
	k.Clock, k.Soak, k.Ready = func() time.Time { return began.Add(hurry * time.Since(began)) }, 5*time.Second, 5*time.Minute
	k.Ticker = func(every time.Duration) (<-chan time.Time, func()) {
		t := time.NewTicker(every / hurry)
		return t.C, t.Stop
	}
}

// screen opens the program's screen.
func (u *upgrading) screen() *uitest.Terminal {
	u.t.Helper()
	cfg, err := u.f.settings()
	if err != nil {
		u.t.Fatal(err)
	}
	o := screen(u.s, u.f, cfg)
	u.term = uitest.Open(u.t, o, 120, 44)
	u.term.Wait("the cluster", shows("5 of 5 ready", "kubelets 5/5"))
	return u.term
}

// plan looks at everything for a target, as the wizard does.
func (u *upgrading) plan(target string) upgrade.Plan {
	u.t.Helper()
	u.settled()
	p, err := u.s.upgrade.Draft(u.t.Context(), u.s.store.Snapshot(), target)
	if err != nil {
		u.t.Fatal(err)
	}
	p.NotesRead, p.BackupReason = true, "this is a test"
	return p
}

// settled waits until the picture has nodes and backups.
func (u *upgrading) settled() {
	u.t.Helper()
	for s := u.s.store.Snapshot(); len(s.Nodes.Value) == 0 || len(s.Judged.Backups) == 0; s = u.s.store.Snapshot() {
		select {
		case <-u.s.store.Changed():
		case <-u.t.Context().Done():
			u.t.Fatal("no picture")
		}
	}
}

// run starts an action and waits until its run rests.
func (u *upgrading) run(a actions.Action) actions.Run {
	u.t.Helper()
	id, err := u.s.runner.Start(u.t.Context(), a)
	if err != nil {
		u.t.Fatal(err)
	}
	return u.rests(id)
}

func (u *upgrading) resume(id string) actions.Run {
	u.t.Helper()
	if err := u.s.runner.Resume(u.t.Context(), id); err != nil {
		u.t.Fatal(err)
	}
	return u.rests(id)
}

// patience bounds what a test waits for; it is reached only when it fails.
const testPatience = 3 * time.Minute

func (u *upgrading) rests(id string) actions.Run {
	u.t.Helper()
	ctx, stop := context.WithTimeout(u.t.Context(), testPatience)
	defer stop()
	r, ok := u.s.runner.Wait(id, ctx.Done())
	if !ok || ctx.Err() != nil {
		u.t.Fatalf("the run did not rest: %+v", r)
	}
	return r
}

// said is a run's whole log.
func (u *upgrading) said(r actions.Run) string {
	u.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.Dir, "output.log"))
	if err != nil {
		u.t.Fatal(err)
	}
	return string(text)
}

func (u *upgrading) is(r actions.Run, want actions.State, texts ...string) {
	u.t.Helper()
	if r.State != want || !shows(texts...)(r.Err) {
		u.t.Fatalf("the run is %s (%s), want %s with %q\n%s", r.State, r.Err, want, texts, u.said(r))
	}
}

// versions asks the world what each node runs, and who is cordoned.
func (u *upgrading) versions() (map[string]string, []string) {
	u.t.Helper()
	list, err := admin(u.t, u.w).CoreV1().Nodes().List(u.t.Context(), metav1.ListOptions{})
	if err != nil {
		u.t.Fatal(err)
	}
	out, cordoned := map[string]string{}, []string(nil)
	for _, n := range list.Items {
		out[n.Name] = n.Status.NodeInfo.KubeletVersion
		if n.Spec.Unschedulable {
			cordoned = append(cordoned, n.Name)
		}
	}
	return out, cordoned
}

func (u *upgrading) all(version string) {
	u.t.Helper()
	got, cordoned := u.versions()
	for node, v := range got {
		if v != version {
			u.t.Errorf("%s runs %s, want %s", node, v, version)
		}
	}
	if len(cordoned) > 0 {
		u.t.Errorf("%v are cordoned", cordoned)
	}
}

// on runs a line on a node as root.
func (u *upgrading) on(node, line string) string {
	u.t.Helper()
	var out strings.Builder
	if err := u.s.hosts.Host(node).Run(u.t.Context(), sources.Command{Line: line, Root: true, Stdout: &out}); err != nil {
		u.t.Fatal(err)
	}
	return strings.TrimSpace(out.String())
}

// order is the order in which nodes were restarted.
func order(r actions.Run) []string {
	steps := slices.Clone(r.Steps)
	slices.SortStableFunc(steps, func(a, b actions.StepStatus) int { return a.Began.Compare(b.Began) })
	var out []string
	for _, s := range steps {
		if strings.HasSuffix(s.ID, "/restart") && s.State == actions.Done {
			out = append(out, s.Group)
		}
	}
	return out
}

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
