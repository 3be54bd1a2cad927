package views

import (
	"fmt"
	"strings"

	"daytwo/actions"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// runList is all runs of this cluster on this machine, the newest first.
type runList struct {
	with  Runs
	table ui.Table[actions.Run]
}

func newRunList(w Runs) *runList {
	type column = ui.Column[actions.Run]
	v := &runList{with: w}
	v.table = ui.Table[actions.Run]{
		ID:    func(r actions.Run) string { return r.ID },
		Match: func(r actions.Run) string { return strings.Join([]string{r.ID, r.Title, string(r.State), r.Who}, " ") },
		Empty: func(ui.Frame) string { return "nothing was run on this cluster yet" },
		Columns: []column{
			{Width: 1, Cell: func(f ui.Frame, r actions.Run) ui.Cell {
				return ui.Cell{Text: f.Theme.StateGlyph(r.State), Style: ui.StateStyle(f.Theme, r.State)}
			}},
			{Title: "state", Width: 11, Cell: func(f ui.Frame, r actions.Run) ui.Cell {
				return ui.Cell{Text: string(r.State), Style: ui.StateStyle(f.Theme, r.State)}
			}},
			{Title: "run", Cell: func(f ui.Frame, r actions.Run) ui.Cell { return strong(f, r.Title) }},
			{Title: "step", Width: 26, Priority: 2, Cell: func(f ui.Frame, r actions.Run) ui.Cell { return dim(f, runStep(r)) }},
			{Title: "by", Width: 18, Priority: 3, Cell: func(f ui.Frame, r actions.Run) ui.Cell { return dim(f, r.Who) }},
			{Title: "took", Width: 7, Right: true, Priority: 4, Cell: func(f ui.Frame, r actions.Run) ui.Cell {
				return dim(f, clock(elapsed(r, f.Now)))
			}},
			{Title: "began", Width: 12, Right: true, Priority: 1, Cell: func(f ui.Frame, r actions.Run) ui.Cell {
				return dim(f, agoWords(r.Began, f.Now))
			}},
		},
	}
	return v
}

// runStep is how far a run came: "2/5 worker-0: drain".
func runStep(r actions.Run) string {
	if r.At >= len(r.Steps) {
		return fmt.Sprintf("%d of %d", len(r.Steps), len(r.Steps))
	}
	return fmt.Sprintf("%d/%d %s", r.At+1, len(r.Steps), stepName(r.Steps[r.At]))
}

// Title names the list for the header's path.
func (v *runList) Title() string { return "runs" }

// Typing reports whether the filter takes the keys.
func (v *runList) Typing() bool { return v.table.Typing() }

// Commands opens a run, and moves and filters.
func (v *runList) Commands(f ui.Frame) []ui.Command {
	open := ui.Command{Key: f.Keys.List.Open, WhyNot: "there is no run to open"}
	if r, ok := v.table.Selected(f.Runs); ok {
		open.WhyNot, open.Do = "", func() tea.Cmd { return v.with.Open(r.ID) }
	}
	return append([]ui.Command{open}, v.table.Commands(f, f.Runs)...)
}

// Update takes the filter's text and the mouse.
func (v *runList) Update(msg tea.Msg, f ui.Frame) tea.Cmd {
	cmd := v.table.Update(ui.Shift(msg, 1, 1), f, f.Runs)
	if r, ok := v.table.Selected(f.Runs); ok && v.table.Opened() {
		return tea.Batch(cmd, v.with.Open(r.ID))
	}
	return cmd
}

// Render draws the table in a box.
func (v *runList) Render(f ui.Frame) string {
	inner := ui.Rect{W: f.Width, H: f.Height}.Inner()
	lines := v.table.Render(f, f.Runs, inner.W, inner.H, true, true)
	left := 0
	for _, r := range f.Runs {
		if !r.State.Over() {
			left++
		}
	}
	note := f.Theme.Dim.Render(count(len(f.Runs), "run"))
	if left > 0 {
		note = f.Theme.Warning.Render(fmt.Sprintf("%d unfinished", left))
	}
	return ui.Box(f.Theme, "Runs", note, true, lines, f.Width, f.Height)
}
