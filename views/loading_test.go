package views_test

import (
	"maps"
	"testing"

	"daytwo/sources"
	"daytwo/ui"
)

// TestDisksWhileKubeletsAreAsked: how many are read is no verdict, and
// nothing is called calm before all are.
func TestDisksWhileKubeletsAreAsked(t *testing.T) {
	t.Parallel()
	three := func(world) sources.Edit {
		return func(s *sources.Snapshot) {
			s.Stats = maps.Clone(s.Stats)
			delete(s.Stats, "worker-2")
			delete(s.Stats, "worker-3")
		}
	}
	d, w := open(t, 120, 40, ui.Options{Color: true}, world.healthy, three)
	d.See("reading 3 of 5 ─╮", "waiting for the kubelets of 2 of 5 nodes")
	d.NotSee("3 of 5 ok", "nothing needs attention")
	d.Press("2", "enter")
	d.See("reading 3 of 5 ─╮")
	d.Press("esc")
	d.Publish(w.healthy())
	d.See("5 of 5 ok", "nothing needs attention")
}

// TestCalmRestarts says what is watched, and that some restarted long ago.
func TestCalmRestarts(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 200, 50, ui.Options{Color: true}, world.healthy, func(w world) sources.Edit {
		return func(s *sources.Snapshot) { s.Pods = sources.Read(w.pods()[3:], w.now) }
	})
	d.See("no container restarted in 24 h · 21 pods watched, 1 owner", "restarted before")
	d.NotSee("nothing to show", "more quiet")
}
