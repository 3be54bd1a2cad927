package views_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"daytwo/actions"
	"daytwo/actions/drain"
	"daytwo/actions/upgrade"
	"daytwo/sources"
	"daytwo/ui"
	"daytwo/ui/uitest"
	"daytwo/views"

	tea "charm.land/bubbletea/v2"
)

// upgrades plans on the picture alone: what machines and drains say is made
// up, what the policy says is not.
type upgrades struct {
	blocked string // the node whose drain a budget blocks
	away    error  // of the release server
	started []upgrade.Plan
	chosen  []upgrade.Style
}

func (u *upgrades) Channels(context.Context) ([]sources.Channel, error) {
	return []sources.Channel{
		{Name: "latest", Latest: "v1.35.0+k3s1"},
		{Name: "stable", Latest: "v1.33.6+k3s1"},
		{Name: "v1.32", Latest: "v1.32.9+k3s1"},
		{Name: "v1.33", Latest: "v1.33.6+k3s1"},
		{Name: "v1.34", Latest: "v1.34.2+k3s1"},
	}, u.away
}

func (u *upgrades) Ask(s *sources.Snapshot, target string, heads []sources.Channel) upgrade.Verdict {
	return (&upgrade.Kit{}).Ask(s, target, heads)
}

func (u *upgrades) Draft(ctx context.Context, s *sources.Snapshot, target string) (upgrade.Plan, error) {
	heads, _ := u.Channels(ctx)
	at := sources.DefaultReleaseServer()
	p := upgrade.Plan{
		Cluster: s.Cluster.Value.Name, Taken: s.At, Target: target, API: s.Cluster.Value.Version, Verdict: u.Ask(s, target, heads),
		Method: upgrade.Swap, Server: at, Ready: 5 * time.Minute, Soak: 30 * time.Second, Datastore: upgrade.SQLite, DatastoreWhy: "a single server",
		Releases: map[string]sources.Release{"amd64": {
			Tag: target, Arch: "amd64", File: "k3s", SHA256: strings.Repeat("5ec7", 16), Size: 70 << 20,
			Notes: at.URL + "/tag/" + strings.ReplaceAll(target, "+", "%2B"), Binary: at.URL + "/download/" + target + "/k3s",
			Sums: at.URL + "/download/" + target + "/sha256sum-amd64.txt",
		}},
		Backups: []upgrade.BackupSeen{{Name: "mysql", Trouble: "last success 31 h ago (limit 25 h)"}, {Name: "media", Fresh: true}},
	}
	for _, n := range s.Nodes.Value {
		unit := "k3s-agent"
		if n.Server() {
			unit = "k3s"
		}
		d := drain.Plan{Node: n.Name, Cordoned: n.Unschedulable, Moves: make([]drain.Move, 7)}
		if n.Name == u.blocked {
			d.Blockers = []drain.Problem{{
				Title: "disruption budget shop/api can never be met: it holds shop/api", Why: "minAvailable 2 of 2 pods",
				Ways: []drain.Way{{Text: "run one more, so that one may go", Command: "kubectl scale deployment/api -n shop --replicas=3"}},
			}}
		}
		p.Nodes = append(p.Nodes, upgrade.NodePlan{
			Name: n.Name, Server: n.Server(), Arch: n.Arch, From: n.Version, Args: []string{unit}, Drain: &d,
			Machine: upgrade.Machine{Arch: "x86_64", Unit: unit, Binary: "/usr/local/bin/k3s", Version: n.Version, Free: 90 << 30, Curl: true, Systemd: true},
		})
	}
	if len(p.Verdict.Orders) > 0 {
		p.Follow(p.Verdict.Orders[0].Style)
	}
	return p, nil
}

func (u *upgrades) Action(p upgrade.Plan) actions.Action { return upgrade.New(&upgrade.Kit{}, p) }
func (u *upgrades) Remember(p upgrade.Plan)              { u.chosen = append(u.chosen, p.Style) }

// wizard opens the upgrade wizard on a healthy cluster.
func (u *upgrades) wizard(t *testing.T, width, height int) *uitest.Driver {
	t.Helper()
	start := func(a actions.Action) tea.Cmd {
		u.started = append(u.started, a.(*upgrade.Action).Plan)
		return ui.Toast(sources.OK, "started "+a.Title())
	}
	o := ui.Options{Color: true, Tools: []func(ui.Frame, sources.Ref) []ui.Command{views.UpgradeTool(u, views.Door{}, start)}}
	d, _ := open(t, width, height, o, world.healthy)
	d.Press("1", "u")
	return d
}

func TestUpgradeWizardFromKeyToStart(t *testing.T) {
	t.Parallel()
	u := &upgrades{blocked: "worker-2"}
	d := u.wizard(t, 120, 40)
	d.See("What runs now", "v1.33.4+k3s1  master-0 (server), worker-0", "▌ v1.33.6+k3s1", "stable, v1.33", "patch step, workers first",
		"v1.34.2+k3s1", "minor step, servers first", "v1.35.0+k3s1", "refused: v1.33.4+k3s1 → v1.35.0+k3s1 skips v1.34")
	d.NotSee("v1.32.9")

	d.Press("enter")
	d.See("Plan: v1.33.4+k3s1 → v1.33.6+k3s1", "✖ 3 in the way", "the release notes are not ticked as read", "backups are not fresh: mysql (last success 31 h ago",
		"worker-2: its drain is blocked: disruption budget shop/api can never be met", "kubectl scale deployment/api -n shop --replicas=3")
	d.Press("enter")
	d.See("not ticked as read")
	d.NotSee("type prod-fsn1")

	d.Press("n", "b")
	d.See("Say why it goes on")
	d.Type("dump was made by hand")
	d.Press("enter")
	d.See("✖ 1 in the way")
	for range 3 { // worker-0, worker-1, worker-2
		d.Press("down")
	}
	d.Press("up", "p")
	d.See("ready to start", "goes on without fresh backups: dump was made by hand", "worker-2: it is not drained")

	d.Press("w")
	d.Type("soon")
	d.Press("enter")
	d.See("write 30s or 5m", "stay as before for 30 s")
	d.Press("w")
	d.Type("2m")
	d.Press("enter")
	d.See("stay as before for 2 min")

	d.Press("enter")
	d.See("Upgrade v1.33.4+k3s1 → v1.33.6+k3s1", "worker-0, worker-1, worker-2,", "worker-3, master-0.", "type prod-fsn1 to upgrade")
	d.Type("prod")
	d.Press("enter")
	if len(u.started) != 0 {
		t.Fatal("it started though the name was not typed whole")
	}
	d.Type("-fsn1")
	d.Press("enter")
	d.See("started Upgrade v1.33.4+k3s1 → v1.33.6+k3s1")
	if len(u.started) != 1 || !u.started[0].NotesRead || u.started[0].BackupReason != "dump was made by hand" || !u.started[0].Nodes[2].NoDrain {
		t.Errorf("started %+v", u.started)
	}
	if !slices.Equal(u.chosen, []upgrade.Style{upgrade.WorkersFirst}) {
		t.Errorf("remembered %v", u.chosen)
	}
}

func TestUpgradeOrderIsEdited(t *testing.T) {
	t.Parallel()
	u := &upgrades{}
	d := u.wizard(t, 120, 50)
	d.Press("enter")
	d.See("Order: workers first", "workers first: one worker shows", "servers first: k3s's own order")
	d.Press("o")
	d.See("Order: servers first", "1 master-0", "2 worker-0")
	d.Press("]")
	d.See("Order: own order", "1 worker-0", "2 master-0")
	d.Press("[")
	d.See("Order: servers first")
}

func TestUpgradeMinorKeepsServersFirst(t *testing.T) {
	t.Parallel()
	u := &upgrades{}
	d := u.wizard(t, 120, 50)
	d.Press("down", "enter")
	d.See("v1.34.2+k3s1", "Order: servers first", "a kubelet must not be newer than the API server", "version-skew-policy")
	d.Press("]")
	d.See("worker-0 cannot come before the server master-0", "1 master-0")
	d.Press("o")
	d.See("there is no other order")
}

func TestUpgradeTypedVersionAndRefusal(t *testing.T) {
	t.Parallel()
	u := &upgrades{away: errors.New("asking http://mirror/channels: connection refused")}
	d := u.wizard(t, 100, 30)
	d.See("connection refused")
	d.Press("e")
	d.Type("v1.33.2+k3s1")
	d.Press("enter")
	d.See("▌ v1.33.2+k3s1", "would go down from v1.33.4+k3s1 to v1.33.2+k3s1")
	d.Press("enter")
	d.NotSee("Plan:")
	d.Press("e")
	d.Type("v1.33.5+k3s1")
	d.Press("enter")
	d.See("Plan: v1.33.4+k3s1 → v1.33.5+k3s1")
}

func TestUpgradeScreens(t *testing.T) {
	t.Parallel()
	for _, size := range sizes() {
		t.Run(size.name, func(t *testing.T) {
			t.Parallel()
			u := &upgrades{blocked: "worker-2"}
			d := u.wizard(t, size.width, size.height)
			d.Golden("upgrade-target-" + size.name)
			d.Press("enter")
			d.Golden("upgrade-plan-" + size.name)
			u.blocked = ""
			d.Press("n", "b")
			d.Type("tested by hand")
			d.Press("enter", "a")
			d.Golden("upgrade-ready-" + size.name)
			d.Press("enter")
			d.Golden("upgrade-confirm-" + size.name)
		})
	}
}
