package views_test

import (
	"testing"

	"daytwo/sources"
	"daytwo/ui"
)

// TestListScreens keeps a picture of each pane at full size.
func TestListScreens(t *testing.T) {
	t.Parallel()
	for key, name := range map[string]string{"1": "nodes", "2": "disk", "3": "restarts", "4": "certificates", "5": "backups"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident)
			d.Press(key, "enter")
			d.Golden("list-" + name + "-120x40")
			d.Resize(200, 50)
			d.Golden("list-" + name + "-200x50")
			d.Resize(80, 24)
			d.Golden("list-" + name + "-80x24")
		})
	}
}

// TestDetailScreens keeps a picture of each kind of detail, as the palette
// opens it.
func TestDetailScreens(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string][]string{
		"node": {"1", "enter", "down", "enter"}, "disk": {"2", "enter", "enter"}, "restarts": {"3", "enter", "enter"},
		"certificate": {"4", "enter", "enter"}, "backup": {"5", "enter", "enter"}, "evidence-disk": {"enter"},
		"evidence-unknown": {"G", "enter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident)
			d.Press(keys...)
			d.Golden("detail-" + name + "-120x40")
			d.Resize(80, 24)
			d.Golden("detail-" + name + "-80x24")
			d.Resize(20, 5)
			d.Resize(200, 50)
			d.Golden("detail-" + name + "-200x50")
		})
	}
}

// TestDetailOfPod goes to a pod by its name in the palette.
func TestDetailOfPod(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident)
	d.Press(":")
	d.Type("pod api-6d5f7c9b8-x2x7k")
	d.Press("enter")
	d.See("CrashLoopBackOff", "kubectl -n shop logs api-6d5f7c9b8-x2x7k --tail=200 -c api -p")
	d.Golden("detail-pod-120x40")
}

// TestDetailOfWhatIsGone keeps the last picture of an object that
// disappeared, and says how old it is.
func TestDetailOfWhatIsGone(t *testing.T) {
	t.Parallel()
	d, w := open(t, 120, 40, ui.Options{Color: true}, world.incident)
	d.Press("1", "enter", "enter")
	d.See("master-0", "kubectl describe node master-0")
	d.Publish(func(s *sources.Snapshot) { s.Nodes = sources.Read(w.nodes()[1:], w.now) })
	d.Advance(3 * day)
	d.See("no longer in the cluster; this is the last picture of it, 3 d ago", "containerd://2.0.5-k3s2")
	d.Publish(w.incident())
	d.NotSee("no longer in the cluster")
}
