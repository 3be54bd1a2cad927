package views_test

import (
	"strings"
	"testing"

	"daytwo/sources"
	"daytwo/ui"
)

// TestNearestDeadlineOfADisk: the pane names the deadline that comes first,
// whatever room there is.
func TestNearestDeadlineOfADisk(t *testing.T) {
	t.Parallel()
	fill := func(used int64) func(world) sources.Edit {
		return func(w world) sources.Edit {
			return func(s *sources.Snapshot) {
				w.incident()(s)
				r := s.Stats["worker-0"]
				r.Value.FS.Used, r.Value.FS.Available = used*gb, (300-used)*gb
				s.Stats["worker-0"] = r
			}
		}
	}
	noConfig := func(world) sources.Edit { return func(s *sources.Snapshot) { s.Configs = nil } }
	for want, build := range map[string][]func(world) sources.Edit{
		"evict 4 d":  {world.incident},
		"evicts now": {fill(290)},
		"full 11 d":  {world.incident, noConfig},
	} {
		for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 50}} {
			d, _ := open(t, size[0], size[1], ui.Options{Color: true}, build...)
			d.Press("2")
			d.See(want)
			if l := line(t, d, "master-0"); size[0] == 80 && !strings.Contains(l, " >1 y") {
				t.Errorf("what is far away is not named short: %q", l)
			}
		}
	}
}

// TestEvictionBeforeFull: where one of the two must go, the one that comes
// first stays.
func TestEvictionBeforeFull(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 80, 24, ui.Options{Color: true}, world.incident)
	d.Press("2", "enter")
	d.See("eviction   full in")
	d.Resize(52, 24)
	d.See("eviction")
	d.NotSee("full in")
}

// TestLevelsOfADisk: one precision for a time wherever it is said, and the
// same rounding as in the evidence.
func TestLevelsOfADisk(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 60, ui.Options{Color: true}, world.incident, func(world) sources.Edit {
		return func(s *sources.Snapshot) {
			for _, name := range []string{"worker-0", "worker-1"} {
				r := s.Stats[name]
				r.Value.FS.Capacity = 310 * gb // ten are reserved, so that levels are not round
				s.Stats[name] = r
			}
		}
	})
	d.Press("2", "enter", "enter")
	d.See("eviction at 94.8 % by df", "eviction  94.8 % ", "full      100.0 %", "in 4 d")
	d.Press("esc", "down", "down", "enter")
	d.See("disk of node worker-1", "full      100.0 %  in 5 y   2031\n", "full in 5 y")
	d.NotSee("in >1 y")
}
