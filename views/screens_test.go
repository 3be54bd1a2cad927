package views_test

import (
	"testing"

	"daytwo/sources"
	"daytwo/ui"
)

// TestCockpitScreens keeps pictures of the home in the sizes and states that
// people meet.
func TestCockpitScreens(t *testing.T) {
	t.Parallel()
	colour := ui.Options{Color: true}
	cases := []struct {
		name   string
		w, h   int
		o      ui.Options
		states []func(world) sources.Edit
	}{
		{"cockpit-80x24", 80, 24, colour, []func(world) sources.Edit{world.incident}},
		{"cockpit-120x40", 120, 40, colour, []func(world) sources.Edit{world.incident}},
		{"cockpit-200x50", 200, 50, colour, []func(world) sources.Edit{world.incident}},
		{"cockpit-ascii-120x40", 120, 40, ui.Options{ASCII: true}, []func(world) sources.Edit{world.incident}},
		{"cockpit-loading-120x40", 120, 40, colour, nil},
		{"cockpit-loading-80x24", 80, 24, colour, nil},
		{"cockpit-down-120x40", 120, 40, colour, []func(world) sources.Edit{world.incident, world.down}},
		{"cockpit-down-80x24", 80, 24, colour, []func(world) sources.Edit{world.incident, world.down}},
		{"cockpit-healthy-120x40", 120, 40, colour, []func(world) sources.Edit{world.healthy}},
		{"cockpit-tiny-20x5", 20, 5, colour, []func(world) sources.Edit{world.incident}},
		{"cockpit-low-60x10", 60, 10, colour, []func(world) sources.Edit{world.incident}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, _ := open(t, c.w, c.h, c.o, c.states...)
			d.Golden(c.name)
		})
	}
}
