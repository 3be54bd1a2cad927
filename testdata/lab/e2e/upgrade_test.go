//go:build lab

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"daytwolab/e2e/labenv"
)

// prepare gives the lab's server a datastore of k3s's shape, and brings every
// server back to the lab's own version when the test ends.
func (o operator) prepare() {
	o.t.Helper()
	o.on("master-0", `mkdir -p /var/lib/rancher/k3s/server/db && printf 'SQLite format 3\000of the lab' >/var/lib/rancher/k3s/server/db/state.db`)
	free := o.lab.AsAdmin("delete", "lease", "daytwo", "-n", "kube-system", "--ignore-not-found")
	o.lab.Run(o.t, free...) // of a test whose daytwo was killed
	o.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(o.t.Context()), 4*time.Minute)
		defer cancel()
		if _, err := o.lab.Try(ctx, free...); err != nil {
			o.t.Errorf("freeing the cluster: %v", err)
		}
		for _, n := range o.lab.Nodes {
			o.putBack(ctx, n.Name)
		}
	})
}

// putBack brings one server back to the lab's version by hand, whatever state
// a test left it in.
func (o operator) putBack(ctx context.Context, node string) {
	script := `set -e
v=` + o.lab.Version + ` b=/usr/local/bin/k3s
rm -f /etc/rancher/k3s/config.yaml.d/e2e.yaml $b.next*
u=k3s-agent; if systemctl is-enabled -q k3s; then u=k3s; fi
if [ "$($b --version | head -n 1 | cut -d' ' -f3)" != $v ]; then
  if [ -x $b.$v ]; then cp -p $b.$v $b.back; else curl -fsSL -o $b.back ` + o.lab.Releases + `/releases/download/` + strings.ReplaceAll(o.lab.Version, "+", "%2B") + `/k3s; chmod 755 $b.back; fi
  mv $b.back $b
fi
rm -f $b.v*
systemctl reset-failed $u || true
date -u +%FT%TZ
systemctl restart $u`
	said, err := o.lab.Try(ctx, o.lab.OnServer(node, script)...)
	if err != nil {
		o.t.Errorf("putting %s back: %v", node, err)
		return
	}
	since := strings.TrimSpace(said)
	for {
		out, err := o.lab.Try(ctx, o.lab.AsAdmin("get", "node", node, "-o", `jsonpath={.status.nodeInfo.kubeletVersion} {.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Ready")].lastHeartbeatTime}`)...)
		// What the kubelet said before its restart does not count.
		if heard, ok := strings.CutPrefix(out, o.lab.Version+" True "); err == nil && ok && heard >= since {
			break
		}
		select {
		case <-ctx.Done():
			o.t.Errorf("%s is not back at %s: %s %v", node, o.lab.Version, out, err)
			return
		case <-time.After(time.Second):
		}
	}
	if _, err := o.lab.Try(ctx, o.lab.AsAdmin("uncordon", node)...); err != nil {
		o.t.Errorf("uncordoning %s: %v", node, err)
	}
}

// plan goes through the wizard as far as the plan of a version.
func (o operator) plan(c cockpit, version string) {
	o.t.Helper()
	c.press("1")
	c.press("u", "To which version", "stable")
	c.press("e", "Upgrade to an exact version")
	c.press(version+"\r", "Plan: ", "→ "+version)
}

// ready answers what the plan asks for.
func (o operator) ready(c cockpit) {
	o.t.Helper()
	c.press("\x1b[5~n") // page up: what is in the way stands first
	c.until("the notes ticked as read", func(s string) bool { return strings.Contains(s, "n notes not read") })
	asked := func(s string) bool { return strings.Contains(s, "say why it goes on") }
	c.until("a plan that is ready, or asks why it goes on", func(s string) bool { return asked(s) || strings.Contains(s, "ready to start") })
	if asked(c.Screen()) {
		c.press("b", "Say why it goes on")
		c.press("the lab has nothing to lose\r")
	}
	c.see("ready to start")
}

// begin confirms the plan.
func (o operator) begin(c cockpit) {
	o.t.Helper()
	c.press("\r", "type lab to upgrade")
	c.press("lab\r")
	c.until("the run in sight", func(s string) bool {
		return strings.Contains(s, "Upgrade ") && !strings.Contains(s, "ready to start")
	})
}

// began is the order in which nodes were restarted, by the run's log.
func (o operator) began() []string {
	o.t.Helper()
	var order []string
	for line := range strings.Lines(o.log()) {
		fields := strings.Split(strings.TrimSpace(line), " · ")
		if len(fields) < 2 || !strings.HasSuffix(fields[1], "restart") {
			continue
		}
		words := strings.Fields(fields[0])
		if node := words[len(words)-1]; !slices.Contains(order, node) {
			order = append(order, node)
		}
	}
	return order
}

// TestPatchUpgradeInCanaryOrder: the whole way by the wizard, with a checksum
// that is wrong, a line that is cut while a node restarts, and daytwo killed
// and resumed elsewhere.
func TestPatchUpgradeInCanaryOrder(t *testing.T) {
	lab := labenv.Find(t)
	o := newOperator(t, lab)
	o.prepare()
	c := o.cockpit()
	to := lab.Versions[1]
	o.plan(c, to)
	c.see("Order: workers first", "1 worker-0", "4 master-0")
	o.ready(c)

	before := o.on("worker-0", "ls /usr/local/bin && sha256sum /usr/local/bin/k3s")
	lab.Fault(t, "release", "wrong-checksum")
	o.begin(c)
	o.awaitRun(patience, "failed", "fetch")
	if after := o.on("worker-0", "ls /usr/local/bin && sha256sum /usr/local/bin/k3s"); after != before {
		t.Errorf("a wrong checksum left its mark on worker-0:\n%s\nwas\n%s", after, before)
	}
	lab.Fault(t, "release", "ok")
	c.Close()

	going := o.startResume()
	o.whileStep("worker-0", "restart", func() { lab.Fault(t, "ssh-kill", "worker-0") })
	o.whileStep("worker-1", "restart", func() {
		if err := going.Process.Kill(); err != nil { // ip netns exec became daytwo itself
			t.Fatal(err)
		}
	})
	_ = going.Wait()
	out, err := o.resume(5 * time.Minute)
	if err != nil {
		t.Fatalf("resumed in another process: %v\n%s", err, out)
	}
	o.all(to)
	if got, want := o.began(), []string{"worker-0", "worker-1", "worker-2", "master-0"}; !slices.Equal(got, want) {
		t.Errorf("restarted in the order %v, want %v", got, want)
	}
	if kept := o.on("master-0", "ls /usr/local/bin /var/lib/rancher/daytwo/*"); !strings.Contains(kept, "k3s."+lab.Version) || !strings.Contains(kept, "state.db") || !strings.Contains(kept, "token") {
		t.Errorf("master-0 kept neither the old binary nor the datastore:\n%s", kept)
	}
	o.notesMatch(to)
}

// whileStep does something as soon as the run's log says that a step began.
func (o operator) whileStep(node, step string, do func()) {
	o.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		if strings.Contains(o.log(), " "+node+" · "+step+"\n") {
			do()
			return
		}
		select {
		case <-tick.C:
		case <-late:
			o.t.Fatalf("%s on %s does not begin; the log ends\n%s", step, node, o.log()[max(0, len(o.log())-2000):])
		}
	}
}

// notesMatch reads what was written down, and what the rule says to it.
func (o operator) notesMatch(version string) {
	o.t.Helper()
	notes := o.files("record", "upgrade-*.md")
	if len(notes) == 0 {
		o.t.Fatal("no notes were written")
	}
	text, err := os.ReadFile(notes[len(notes)-1])
	if err != nil {
		o.t.Fatal(err)
	}
	if !strings.Contains(string(text), "| worker-2 | agent |") || !strings.Contains(string(text), version) {
		o.t.Errorf("the notes do not tell what was done:\n%s", text)
	}
	out, err := o.try(o.t.Context(), "check", "-o", "json")
	if strings.Contains(out, "version.notes") {
		o.t.Errorf("the notes do not match right after the upgrade: %v\n%s", err, out)
	}
}

// TestMinorUpgradeServersFirst: a budget that blocks is explained and
// resolved, the server goes first, a node that does not come back stops the
// run, and goes back.
func TestMinorUpgradeServersFirst(t *testing.T) {
	lab := labenv.Find(t)
	o := newOperator(t, lab)
	o.prepare()
	to := lab.Versions[2]
	budget := func(spec string) {
		lab.Run(t, lab.AsAdmin("patch", "pdb", "web", "-n", "shop", "--type", "merge", "-p", `{"spec":{"maxUnavailable":`+spec+`}}`)...)
	}
	t.Cleanup(func() { // the test's own context is over by then
		_, _ = lab.Try(context.WithoutCancel(t.Context()), lab.AsAdmin("patch", "pdb", "web", "-n", "shop", "--type", "merge", "-p", `{"spec":{"maxUnavailable":1}}`)...)
	})
	budget("0")
	c := o.cockpit()
	o.plan(c, to)
	c.see("In the way", "its drain is blocked: disruption budget shop/web can never be met", "kubectl")
	c.press("\x1b[6~") // page down
	c.see("Order: servers first", "1 master-0", "a kubelet must not be newer than the API server")
	budget("1")
	labenv.Eventually(t, patience, "the budget lets go", func(ctx context.Context) error {
		if out, err := lab.Try(ctx, lab.AsAdmin("get", "pdb", "web", "-n", "shop", "-o", "jsonpath={.status.disruptionsAllowed}")...); err != nil || out == "0" {
			return fmt.Errorf("%s %w", out, err)
		}
		return nil
	})
	c.press("\x1b[5~", "its drain is blocked") // page up: in sight until the next plan is there
	c.press("a")
	c.until("a plan without that budget", func(s string) bool {
		return !strings.Contains(s, "its drain is blocked") && !strings.Contains(s, "looking again")
	})
	o.ready(c)
	const args = `systemctl show -p ExecStart --value k3s k3s-agent 2>/dev/null | grep -o 'argv\[\]=[^;]*'`
	before := map[string]string{"master-0": o.on("master-0", args), "worker-0": o.on("worker-0", args)}
	c.press("m")
	c.press("\r", "The install script is run with the arguments and environment that each unit has now.")
	c.press("\x1b", "ready to start")

	o.on("worker-1", "mkdir -p /etc/rancher/k3s/config.yaml.d && echo 'nonsense: true' >/etc/rancher/k3s/config.yaml.d/e2e.yaml")
	o.begin(c)
	o.awaitRun(6*time.Minute, "failed", "worker-1 did not come back", "journalctl -u k3s-agent")
	for node, want := range before {
		if got := o.on(node, args); got != want || want == "" {
			t.Errorf("the install script gave %s the arguments %q, they were %q", node, got, want)
		}
	}
	if got, want := o.began(), []string{"master-0", "worker-0", "worker-1"}; !slices.Equal(got, want) {
		t.Errorf("restarted in the order %v, want %v", got, want)
	}
	o.on("worker-1", "rm /etc/rancher/k3s/config.yaml.d/e2e.yaml")
	c.see("roll back worker-1 to " + lab.Version)
	c.press("1", "type worker-1 to")
	c.press("worker-1\r")
	o.awaitRun(patience, "Roll back worker-1", "done")
	labenv.Eventually(t, patience, "worker-1 takes pods again", func(ctx context.Context) error {
		out, err := lab.Try(ctx, lab.AsAdmin("get", "node", "worker-1", "-o", "jsonpath={.spec.unschedulable}")...)
		if err == nil && out != "" {
			err = errors.New("worker-1 is still cordoned")
		}
		return err
	})
	got := o.kubelets()
	if got["master-0"] != to || got["worker-0"] != to || got["worker-1"] != lab.Version || got["worker-2"] != lab.Version {
		t.Errorf("after the way back the nodes are %v", got)
	}
}
