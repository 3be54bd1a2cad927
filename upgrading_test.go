package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
