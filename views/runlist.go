package views

import (
	"fmt"
	"strings"
	"time"

	"daytwo/actions"
	"daytwo/actions/trail"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// runList is all runs of this cluster on this machine and what was done by
// hand, the newest first.
type runList struct {
	with  Runs
	table ui.Table[listed]
	hand  []trail.ByHand
	err   error // why what was done by hand is not known
}

// listed is one row: a run, or something that was done by hand.
type listed struct {
	run  actions.Run
	hand *trail.ByHand
}

func newRunList(w Runs) *runList {
	v := &runList{with: w}
	v.table = ui.Table[listed]{
		ID: func(l listed) string { return l.id() },
		Match: func(l listed) string {
			return strings.Join([]string{l.run.ID, l.title(), l.state(), l.who()}, " ")
		},
		Empty:   func(ui.Frame) string { return "nothing was run on this cluster yet" },
		Columns: runColumns(),
	}
	return v
}

func runColumns() []ui.Column[listed] {
	return []ui.Column[listed]{
		{Width: 1, Cell: func(f ui.Frame, l listed) ui.Cell {
			if l.hand != nil {
				return dim(f, bullet(f))
			}
			return ui.Cell{Text: f.Theme.StateGlyph(l.run.State), Style: ui.StateStyle(f.Theme, l.run.State)}
		}},
		{Title: "state", Width: 11, Cell: func(f ui.Frame, l listed) ui.Cell {
			if l.hand != nil {
				return dim(f, l.state())
			}
			return ui.Cell{Text: l.state(), Style: ui.StateStyle(f.Theme, l.run.State)}
		}},
		{Title: "run", Cell: func(f ui.Frame, l listed) ui.Cell { return strong(f, l.title()) }},
		{Title: "step", Width: 26, Priority: 2, Cell: func(f ui.Frame, l listed) ui.Cell { return dim(f, l.step()) }},
		{Title: "by", Width: 18, Priority: 3, Cell: func(f ui.Frame, l listed) ui.Cell { return dim(f, l.who()) }},
		{Title: "took", Width: 7, Right: true, Priority: 4, Cell: func(f ui.Frame, l listed) ui.Cell {
			return dim(f, l.took(f))
		}},
		{Title: "began", Width: 12, Right: true, Priority: 1, Cell: func(f ui.Frame, l listed) ui.Cell {
			return dim(f, agoWords(l.began(), f.Now))
		}},
	}
}

func (l listed) id() string {
	if l.hand != nil {
		return "by hand " + l.hand.Began.String() + l.hand.Title()
	}
	return l.run.ID
}

func (l listed) title() string {
	if l.hand != nil {
		return l.hand.Title()
	}
	return l.run.Title
}

func (l listed) state() string {
	if l.hand != nil {
		return "by hand"
	}
	return string(l.run.State)
}

func (l listed) step() string {
	switch {
	case l.hand == nil:
		return runStep(l.run)
	case l.hand.Ended.IsZero():
		return "its end is not known"
	}
	return l.hand.How
}

func (l listed) who() string {
	if l.hand != nil {
		return l.hand.Who
	}
	return l.run.Who
}

func (l listed) began() time.Time {
	if l.hand != nil {
		return l.hand.Began
	}
	return l.run.Began
}

func (l listed) took(f ui.Frame) string {
	switch {
	case l.hand == nil:
		return clock(elapsed(l.run, f.Now))
	case l.hand.Ended.IsZero():
		return ""
	}
	return clock(l.hand.Ended.Sub(l.hand.Began))
}

// rows are the runs and what was done by hand, in the order of their time.
func (v *runList) rows(f ui.Frame) []listed {
	out := make([]listed, 0, len(f.Runs)+len(v.hand))
	hand := v.hand
	for _, r := range f.Runs {
		for ; len(hand) > 0 && hand[0].Began.After(r.Began); hand = hand[1:] {
			out = append(out, listed{hand: &hand[0]})
		}
		out = append(out, listed{run: r})
	}
	for i := range hand {
		out = append(out, listed{hand: &hand[i]})
	}
	return out
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
	rows := v.rows(f)
	open := ui.Command{Key: f.Keys.List.Open, WhyNot: "there is no run to open"}
	switch l, ok := v.table.Selected(rows); {
	case !ok:
	case l.hand != nil:
		open.WhyNot = "of what is done by hand only that it was is written down"
	default:
		open.WhyNot, open.Do = "", func() tea.Cmd { return v.with.Open(l.run.ID) }
	}
	return append([]ui.Command{open}, v.table.Commands(f, rows)...)
}

// Update takes the filter's text and the mouse.
func (v *runList) Update(msg tea.Msg, f ui.Frame) tea.Cmd {
	rows := v.rows(f)
	cmd := v.table.Update(ui.Shift(msg, 1, 1), f, rows)
	if l, ok := v.table.Selected(rows); ok && l.hand == nil && v.table.Opened() {
		return tea.Batch(cmd, v.with.Open(l.run.ID))
	}
	return cmd
}

// Render draws the table in a box.
func (v *runList) Render(f ui.Frame) string {
	inner := ui.Rect{W: f.Width, H: f.Height}.Inner()
	lines := v.table.Render(f, v.rows(f), inner.W, inner.H, true, true)
	return ui.Box(f.Theme, "Runs", v.note(f), true, lines, f.Width, f.Height)
}

// note is how many there are, or what asks for somebody.
func (v *runList) note(f ui.Frame) string {
	left := 0
	for _, r := range f.Runs {
		if !r.State.Over() {
			left++
		}
	}
	switch {
	case left > 0 && v.err != nil:
		return f.Theme.Warning.Render(fmt.Sprintf("%d unfinished · %s", left, ui.Clean(v.err.Error())))
	case left > 0:
		return f.Theme.Warning.Render(fmt.Sprintf("%d unfinished", left))
	case v.err != nil:
		return f.Theme.Warning.Render(ui.Clean(v.err.Error()))
	case len(v.hand) > 0:
		return f.Theme.Dim.Render(fmt.Sprintf("%s, %d by hand", count(len(f.Runs), "run"), len(v.hand)))
	}
	return f.Theme.Dim.Render(count(len(f.Runs), "run"))
}
