package views_test

import (
	"strings"
	"testing"

	"daytwo/sources"
	"daytwo/ui"
	"daytwo/ui/uitest"
)

// line returns the first line of the screen with a text, or fails.
func line(t *testing.T, d *uitest.Driver, text string) string {
	t.Helper()
	for l := range strings.SplitSeq(d.Screen(), "\n") {
		if strings.Contains(l, text) {
			return l
		}
	}
	t.Fatalf("%q is not on the screen:\n%s", text, d.Screen())
	return ""
}

// marked fails unless the row with a text is the selected one.
func marked(t *testing.T, d *uitest.Driver, text string) {
	t.Helper()
	for l := range strings.SplitSeq(d.Screen(), "\n") {
		for _, piece := range strings.Split(l, "▌")[1:] {
			if strings.Contains(strings.SplitN(piece, "│", 2)[0], text) {
				return
			}
		}
	}
	t.Fatalf("the cursor is not on %q:\n%s", text, d.Screen())
}

// TestDigitsFocusPanes: each digit moves the cursor into its pane, 0 back to
// attention, and enter opens that pane at full size.
func TestDigitsFocusPanes(t *testing.T) {
	t.Parallel()
	for key, first := range map[string]string{
		"0": "92 % used", "1": "master-0", "2": "worker-0", "3": "shop/api", "4": "shop/shop-tls", "5": "mysql",
	} {
		d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident)
		d.Press(key)
		marked(t, d, first)
	}
}

// TestTabGoesRound: tab visits all six parts and comes back; shift+tab goes
// the other way.
func TestTabGoesRound(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident)
	for _, row := range []string{"master-0", "worker-0", "shop/api", "shop/shop-tls", "mysql", "92 % used"} {
		d.Press("tab")
		marked(t, d, row)
	}
	d.Press("shift+tab")
	marked(t, d, "mysql")
}

// TestArrowsMoveWithinAndBetween: up and down within the pane, left and right
// between panes; j and k do the same as up and down.
func TestArrowsMoveWithinAndBetween(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident)
	d.Press("1", "down", "j")
	marked(t, d, "worker-1")
	d.Press("right")
	marked(t, d, "worker-0")
	d.Press("k", "left")
	marked(t, d, "worker-1")
	d.Press("3", "right", "right")
	marked(t, d, "mysql")
	d.Press("left", "down")
	marked(t, d, "kubeconfig")
}

// TestNarrowTabs: on 80 columns the digits choose which pane is in sight.
func TestNarrowTabs(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 80, 24, ui.Options{Color: true}, world.incident)
	d.See("1 Nodes ▲ │ 2 Disk ✖ │ 3 Restarts ▲ │ 4 Certificates ▲ │ 5 Backups ✖", "master-0")
	d.Press("5")
	d.See("etcd-snapshot")
	d.NotSee("master-0")
	d.Press("0")
	marked(t, d, "92 % used")
	d.See("etcd-snapshot")
	d.ClickOn("3 Restarts")
	marked(t, d, "shop/api")
	d.NotSee("etcd-snapshot")
}

// TestEnterAndBack: attention → evidence → back; pane → list with the cursor
// on the same row → detail → back to where one was.
func TestEnterAndBack(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident)
	d.Press("down", "enter")
	d.See("✖ critical  backup mysql", "Evidence", "last success 31 h ago", "CronJob shop/mysql-backup · 12 s ago")
	d.Press("esc")
	marked(t, d, "mysql")
	d.Press("1", "G", "enter")
	marked(t, d, "worker-3")
	d.See("v1.33.4+k3s1", "age")
	d.Press("enter")
	d.See("node worker-3", "cordoned", "by kubectl-cordon, 3 d ago", "kubectl describe node worker-3")
	d.Press("esc")
	marked(t, d, "worker-3")
	d.Press("esc")
	d.See("Attention", "5 Backups")
	marked(t, d, "worker-3")
}

// TestFilter: / narrows live, in a pane and at full size; esc clears it
// before it goes back.
func TestFilter(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident)
	d.Press("1", "enter", "/")
	d.Type("cordon")
	d.See("worker-3", "/cordon", "1 of 5")
	d.NotSee("worker-1")
	d.Press("enter", "esc")
	d.See("worker-1", "state")
	d.Press("/")
	d.Type("nothing like it")
	d.See("no row matches the filter")
	d.Press("esc")
	d.See("worker-1")
	d.Press("esc", "0", "/")
	d.Type("q") // a letter, not the key that quits
	d.See("mysql", "/q")
	d.NotSee("cordoned 3 d ago")
	d.Press("esc")
	d.See("cordoned 3 d ago")
}

// TestSort: a column's letter orders by it, once more reverses.
func TestSort(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident)
	d.Press("1", "enter", "C", "g")
	marked(t, d, "worker-0") // 71 % CPU
	d.Press("C", "g")
	marked(t, d, "worker-3") // 8 %
	d.Press("N", "g")
	marked(t, d, "master-0")
}

// TestMouse: a click focuses and selects, a second one opens; the wheel
// scrolls what is under it without moving the focus.
func TestMouse(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident)
	d.ClickOn("infra/etcd")
	marked(t, d, "infra/etcd")
	d.ClickOn("infra/etcd")
	d.See("Backups", "limit")
	marked(t, d, "infra/etcd")
	d.ClickOn("infra/etcd")
	d.See("0 */6 * * *", "restore drill")
	d.Press("esc", "esc", "0")
	d.Wheel(20, 15, false)
	marked(t, d, "92 % used")
	d.Press("1")
	marked(t, d, "worker-0")
}

// TestCopy: y copies the chosen command line, and names in lists.
func TestCopy(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident)
	d.Press("2", "enter", "y")
	if got := d.Clipboard(); got != "worker-0" {
		t.Errorf("a list copies %q", got)
	}
	d.Press("enter", "y")
	if got := d.Clipboard(); got != "ssh worker-0 'df -h /; df -i /'" {
		t.Errorf("a detail copies %q", got)
	}
	d.Press("shift+tab", "y")
	if got := d.Clipboard(); got != "worker-0" {
		t.Errorf("the last line copies %q", got)
	}
}

// TestNothingIsCalmUnlessLookedAt: no findings mean calm only when every
// reading is there and whole.
func TestNothingIsCalmUnlessLookedAt(t *testing.T) {
	t.Parallel()
	d, w := open(t, 120, 40, ui.Options{Color: true})
	d.See("waiting for nodes, pods, certificates, TLS secrets, cron jobs and jobs")
	d.NotSee("nothing needs attention")
	d.Publish(func(s *sources.Snapshot) {
		s.Cluster = sources.Read(sources.Cluster{Server: "https://10.0.0.2:6443"}, w.now)
		s.Nodes = sources.Read([]sources.Node{}, w.now)
	})
	d.See("waiting for pods, certificates, TLS secrets, cron jobs and jobs from https://10.0.0.2:6443")
	d.Publish(w.healthy())
	d.See("nothing needs attention", "oldest reading 12 s")
	d.Publish(func(s *sources.Snapshot) {
		s.Jobs = s.Jobs.Failed(&sources.AccessError{Verb: "list", Group: "batch", Resource: "jobs"})
	})
	d.NotSee("nothing needs attention")
	d.See("no permission to list jobs.batch")
}

// TestOnePermissionMissing: what may not be read is named in its pane; the
// rest of the pane stays alive and is not green.
func TestOnePermissionMissing(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 160, 40, ui.Options{Color: true}, world.healthy, func(world) sources.Edit {
		return func(s *sources.Snapshot) {
			s.Cluster = s.Cluster.Failed(&sources.AccessError{Verb: "get", Resource: "version"})
			s.Secrets = sources.Reading[[]sources.TLSSecret]{}.Failed(&sources.AccessError{Verb: "list", Resource: "secrets"})
		}
	})
	d.See("media/media-tls", "TLS secrets: no permission to list secrets", "2 of 2 ok", "5 of 5 ready")
	d.NotSee(" old ─")
}

// TestFindingThatIsOver keeps the picture of a finding that no rule says any
// more, and says so.
func TestFindingThatIsOver(t *testing.T) {
	t.Parallel()
	d, w := open(t, 120, 40, ui.Options{Color: true}, world.incident, world.down)
	d.Press("enter")
	d.See("cluster prod-fsn1", "connection refused", "/readyz?verbose")
	d.Publish(w.incident())
	d.See("this finding is over; this is its last picture", "connection refused")
	d.Press("esc", "g", "enter")
	d.See("disk of node worker-0")
}

// TestEmptyPanesSayWhatItMeans: no rows are explained, not left blank.
func TestEmptyPanesSayWhatItMeans(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 40, ui.Options{Color: true}, world.healthy, func(w world) sources.Edit {
		return func(s *sources.Snapshot) {
			s.Settings.Backups = nil
			s.CronJobs = sources.Read([]sources.CronJob{}, w.now)
		}
	})
	d.See("no CronJob looks like a backup")
	line(t, d, "no container restarted in 24 h")
}

// TestManyRestarts: thousands of findings leave the panes their room and say
// how many there are.
func TestManyRestarts(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 40, ui.Options{Color: true}, func(w world) sources.Edit { return w.many(20, 5000) })
	d.Golden("cockpit-5000-restarts-120x40")
	d.Press("3", "enter", "G")
	marked(t, d, "shop/worker")
	d.Press("g", "enter")
	d.See("kubectl -n batch describe pod")
}

// TestForeignText: names and messages with wide, combining and control
// characters keep the columns and run nothing.
func TestForeignText(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident, func(w world) sources.Edit {
		return func(s *sources.Snapshot) {
			pods := w.pods()
			pods[0].Owner.Name = "日本語の名前がとても長い配備"
			pods[2].Owner.Name = "e\u0301\u0301\u0301\u0301clair-\x1b[31mred\x1b[0m\u202e"
			pods[2].Containers[0].Last.Reason = strings.Repeat("長い", 5000)
			s.Pods = sources.Read(pods, w.now)
			nodes := w.nodes()
			nodes[1].Name = "worker-0"
			nodes[1].Conditions[0].Message = strings.Repeat("x", 10_000)
			s.Nodes = sources.Read(nodes, w.now)
		}
	})
	d.Golden("cockpit-foreign-120x40")
	for _, size := range [][2]int{{80, 24}, {200, 50}, {20, 5}, {41, 9}, {120, 40}} {
		d.Resize(size[0], size[1])
		d.Press("3", "enter", "enter", "esc", "esc", "1", "enter", "down", "enter", "esc", "esc")
	}
}

// TestEverySize walks all views at odd sizes: each frame fills the terminal
// exactly, which the driver checks after every key.
func TestEverySize(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident)
	for _, width := range []int{1, 19, 40, 57, 79, 99, 101, 140, 230} {
		for _, height := range []int{1, 4, 8, 11, 15, 21, 30, 31, 60} {
			d.Resize(width, height)
			for _, key := range []string{"0", "1", "2", "3", "4", "5"} {
				d.Press(key, "enter", "enter", "pgdown", "esc", "esc")
			}
		}
	}
}
