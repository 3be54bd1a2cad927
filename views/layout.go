package views

import "daytwo/ui"

// The parts of the cockpit that can have the focus: the attention list, then
// the panes by the digit in their title.
const (
	attention = iota
	nodes
	disks
	restarts
	certs
	backups
	parts // how many there are
)

// The least size at which the panes stand side by side.
const (
	gridWidth  = 100
	gridHeight = 28
)

// layout says where each part of the cockpit is. A part that is not shown has
// no height.
type layout struct {
	part   [parts]ui.Rect
	tabs   ui.Rect // one line that names the panes, where only one is shown
	edges  bool    // whether there is room for boxes
	narrow bool    // one pane at a time
}

// arrange places the parts on an area: a pure function of its size, the part
// that has the focus, the pane shown last and the number of findings.
func arrange(width, height, focus, shown, findings int) layout {
	if height < 9 {
		return arrangeTiny(width, height, focus)
	}
	most := height / 3
	if width < gridWidth || height < gridHeight {
		most = height * 2 / 5
	}
	top := min(max(findings, 4)+2, max(most, 6))
	if height < 14 {
		top = min(findings+2, height/2)
	}
	l := layout{edges: true}
	l.part[attention] = ui.Rect{W: width, H: top}
	if width < gridWidth || height < gridHeight {
		l.narrow = true
		l.tabs = ui.Rect{Y: top, W: width, H: 1}
		l.part[shown] = ui.Rect{Y: top + 1, W: width, H: height - top - 1}
		return l
	}
	rest := height - top
	upper := (rest + 1) / 2
	row(&l, nodes, []int{54, 46}, ui.Rect{Y: top, W: width, H: upper})
	row(&l, restarts, []int{31, 30, 39}, ui.Rect{Y: top + upper, W: width, H: rest - upper})
	return l
}

// arrangeTiny gives all lines to the part that has the focus: on such a
// terminal boxes would take more than they give.
func arrangeTiny(width, height, focus int) layout {
	l := layout{narrow: true}
	if height > 2 {
		l.tabs = ui.Rect{W: width, H: 1}
	}
	l.part[focus] = ui.Rect{Y: l.tabs.H, W: width, H: max(height-l.tabs.H, 0)}
	return l
}

// row puts neighbouring parts, from first on, side by side by their shares
// of a hundred.
func row(l *layout, first int, shares []int, area ui.Rect) {
	x := area.X
	for i, share := range shares {
		w := area.W * share / 100
		if i == len(shares)-1 {
			w = area.X + area.W - x
		}
		l.part[first+i] = ui.Rect{X: x, Y: area.Y, W: w, H: area.H}
		x += w
	}
}

// at returns the part under a cell, or -1.
func (l layout) at(x, y int) int {
	for i, r := range l.part {
		if r.Contains(x, y) {
			return i
		}
	}
	return -1
}

// beside is the part to the left (-1) or right (+1) of another: its
// neighbour on the screen, and at the end of a row the next in reading order,
// so that the keys are never dead. It stops at both ends.
func beside(part, step int) int { return min(max(part+step, attention), backups) }
