package ui

import (
	"fmt"

	"daytwo/keymap"

	tea "charm.land/bubbletea/v2"
)

// Scroll is a text that may be longer than its area. The zero value shows the
// beginning. The lines come with every Render.
type Scroll struct {
	top    int
	height int // of the last Render
	total  int
}

// Commands moves the text; all of them are Minor.
func (s *Scroll) Commands(f Frame) []Command {
	k := f.Keys.List
	page := max(s.height-1, 1)
	return []Command{
		s.by(k.Up, -1), s.by(k.Down, 1), s.by(k.PageUp, -page), s.by(k.PageDown, page),
		s.by(k.Top, -s.total), s.by(k.Bottom, s.total),
	}
}

func (s *Scroll) by(b keymap.Binding, n int) Command {
	return Command{Key: b, Minor: true, Do: func() tea.Cmd { s.move(n); return nil }}
}

func (s *Scroll) move(n int) { s.top = min(max(s.top+n, 0), max(s.total-s.height, 0)) }

// Update moves the text with the mouse wheel.
func (s *Scroll) Update(msg tea.Msg, _ Frame) tea.Cmd {
	if wheel, ok := msg.(tea.MouseWheelMsg); ok {
		s.move(wheelStep(wheel, 3))
	}
	return nil
}

// Reset shows the beginning again.
func (s *Scroll) Reset() { s.top = 0 }

// Render returns exactly height lines of width cells from where the text was
// moved to. Lines are cut; wrap them before.
func (s *Scroll) Render(_ Frame, lines []string, width, height int) []string {
	s.height, s.total = max(height, 0), len(lines)
	s.move(0)
	return area(lines[s.top:], width, s.height)
}

// Position says which lines are in sight: "1–20 of 200"; "" if all are.
func (s *Scroll) Position() string {
	if s.total <= s.height {
		return ""
	}
	return fmt.Sprintf("%d–%d of %d", s.top+1, min(s.top+s.height, s.total), s.total)
}

// wheelStep is n lines in the direction of the wheel; sideways is none.
func wheelStep(msg tea.MouseWheelMsg, n int) int {
	switch msg.Mouse().Button {
	case tea.MouseWheelUp:
		return -n
	case tea.MouseWheelDown:
		return n
	default:
		return 0
	}
}

// Shift moves a mouse message to the coordinates of an area whose first cell
// is at x, y. Other messages stay as they are.
func Shift(msg tea.Msg, x, y int) tea.Msg {
	switch m := msg.(type) {
	case tea.MouseClickMsg:
		m.X, m.Y = m.X-x, m.Y-y
		return m
	case tea.MouseReleaseMsg:
		m.X, m.Y = m.X-x, m.Y-y
		return m
	case tea.MouseWheelMsg:
		m.X, m.Y = m.X-x, m.Y-y
		return m
	case tea.MouseMotionMsg:
		m.X, m.Y = m.X-x, m.Y-y
		return m
	}
	return msg
}
