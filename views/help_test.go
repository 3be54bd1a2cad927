package views_test

import (
	"testing"

	"daytwo/ui"
)

// TestHelpSaysWhatItLists: no word of sorting where nothing can be sorted,
// and copying is not moving.
func TestHelpSaysWhatItLists(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 120, 50, ui.Options{Color: true}, world.incident)
	d.Press("?")
	d.See(" daytwo ", "  y           copy name ", " Move ")
	d.NotSee("Move and sort")
	d.Press("esc", "2", "enter", "?")
	d.See("Move and sort")
}
