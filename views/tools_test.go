package views_test

import (
	"slices"
	"testing"

	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// TestToolsGetTheObjectUnderTheCursor in the attention list, a pane, a list
// at full size and a detail; a tool is in the footer where it can be used.
func TestToolsGetTheObjectUnderTheCursor(t *testing.T) {
	t.Parallel()
	var got []string
	tool := func(f ui.Frame, about sources.Ref) []ui.Command {
		return []ui.Command{{Key: f.Keys.Tools.Logs, Do: func() tea.Cmd {
			got = append(got, about.Kind+" "+about.String())
			return nil
		}}}
	}
	d, _ := open(t, 120, 40, ui.Options{Tools: []func(ui.Frame, sources.Ref) []ui.Command{tool}}, world.incident)
	d.See("l logs")
	d.Press("l", "3", "l", "enter", "l", "down", "l", "enter", "l")
	want := []string{"Node worker-0", "Deployment shop/api", "Deployment shop/api", "Deployment shop/worker", "Deployment shop/worker"}
	if !slices.Equal(got, want) {
		t.Errorf("the tool was told %q, want %q", got, want)
	}
}
