package views_test

import (
	"regexp"
	"testing"
	"time"

	"daytwo/ui"
)

// TestClockJumps: when the clock is set, back or forth, the picture stays and
// no age on it is negative.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	negative := regexp.MustCompile(`(^|\s)-\d+(\.\d+)? ?(ms|s|min|h|d|y)\b`)
	for _, by := range []time.Duration{-3 * 365 * day, -time.Hour, time.Hour, 3 * 365 * day} {
		d, _ := open(t, 120, 40, ui.Options{Color: true}, world.incident)
		d.Advance(by)
		for _, pane := range []string{"0", "1", "2", "3", "4", "5"} {
			d.Press(pane, "enter")
			if m := negative.FindString(d.Screen()); m != "" {
				t.Errorf("after %s, pane %s says %q:\n%s", by, pane, m, d.Screen())
			}
			d.Press("esc")
		}
		d.See("worker-0", "mysql")
		d.Advance(-by)
		d.Publish()
		d.See("92 % used", "last success 31 h ago")
	}
}
