package views

import (
	"slices"

	"daytwo/actions"
	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// Cordon keeps pods off a node, or lets them on again, as a run.
type Cordon struct {
	Runs Runs
	// Make makes the action for a node; lift is to uncordon it.
	Make func(node string, lift bool) actions.Action
}

// Tool offers for a node what it is not yet.
func (w Cordon) Tool(f ui.Frame, about sources.Ref) []ui.Command {
	if about.Kind != "Node" {
		return nil
	}
	nodes := f.Snapshot.Nodes.Value
	i := slices.IndexFunc(nodes, func(n sources.Node) bool { return n.Name == about.Name })
	if i < 0 {
		return nil
	}
	lift := nodes[i].Unschedulable
	key, what := f.Keys.Tools.Cordon, "New pods stay away from it; those that run there go on."
	if lift {
		key, what = f.Keys.Tools.Uncordon, "New pods may come to it again; none moves by itself."
	}
	return []ui.Command{{Key: key, Risk: keymap.Changes, Do: func() tea.Cmd {
		a := w.Make(about.Name, lift)
		lines := []string{what, ""}
		for _, s := range a.Steps() {
			lines = append(lines, "$ "+s.Command)
		}
		return w.Runs.Begin(a, lines...)
	}}}
}
