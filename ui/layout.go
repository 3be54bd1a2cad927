package ui

// Rect is an area of the screen in cells.
type Rect struct{ X, Y, W, H int }

// Contains reports whether a cell lies in the area.
func (r Rect) Contains(x, y int) bool {
	return x >= r.X && x < r.X+r.W && y >= r.Y && y < r.Y+r.H
}

// Inner is the area within a box's edge.
func (r Rect) Inner() Rect {
	return Rect{X: r.X + 1, Y: r.Y + 1, W: max(r.W-2, 0), H: max(r.H-2, 0)}
}

// The smallest terminal that a whole screen is drawn for.
const (
	minWidth  = 40
	minHeight = 8
)

// screen is where the root's parts go.
type screen struct {
	header, banner, body, footer Rect
	tiny                         bool // too small for more than a summary
}

// arrange divides the terminal: header, a banner if there is something to
// say there, the view, footer.
func arrange(width, height int, banner bool) screen {
	if width < minWidth || height < minHeight {
		return screen{tiny: true, body: Rect{W: max(width, 0), H: max(height, 0)}}
	}
	s := screen{header: Rect{W: width, H: 1}, footer: Rect{Y: height - 1, W: width, H: 1}}
	top := 1
	if banner {
		s.banner = Rect{Y: 1, W: width, H: 1}
		top = 2
	}
	s.body = Rect{Y: top, W: width, H: height - 1 - top}
	return s
}

// centred is an area of at most w×h in the middle of the screen, a little
// above the centre, where the eye looks first.
func centred(width, height, w, h int) Rect {
	w, h = min(w, width), min(h, height)
	return Rect{X: (width - w) / 2, Y: (height - h) / 3, W: w, H: h}
}
