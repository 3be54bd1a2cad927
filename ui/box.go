package ui

import (
	"strings"
)

type edges struct{ topLeft, topRight, bottomLeft, bottomRight, across, down string }

func (t Theme) edges() edges {
	if t.ASCII {
		return edges{"+", "+", "+", "+", "-", "|"}
	}
	return edges{"╭", "╮", "╰", "╯", "─", "│"}
}

// Box draws lines within a thin rounded edge of width×height cells, the title
// in the edge at the left, the note at the right. Both may be styled already.
// The edge takes the accent when focused. Lines are cut or padded.
func Box(t Theme, title, note string, focused bool, lines []string, width, height int) string {
	if width < 4 || height < 2 {
		return strings.Join(area(lines, max(width, 0), max(height, 0)), "\n")
	}
	edge, e := t.Edge, t.edges()
	if focused {
		edge = t.EdgeFocus
	}
	side := edge.Render(e.down)
	out := make([]string, 0, height)
	out = append(out, boxTop(t, title, note, focused, width))
	for _, line := range area(lines, width-2, height-2) {
		out = append(out, side+line+side)
	}
	out = append(out, edge.Render(e.bottomLeft+strings.Repeat(e.across, width-2)+e.bottomRight))
	return strings.Join(out, "\n")
}

// boxTop is the upper edge. A note that does not fit beside the title is left
// out; a title that does not fit is cut.
func boxTop(t Theme, title, note string, focused bool, width int) string {
	edge, e := t.Edge, t.edges()
	if focused {
		edge = t.EdgeFocus
	}
	room := width - 4 // the corners, and one piece of edge beside each
	left, right := "", ""
	if title != "" {
		text, w := cut(title, room-2)
		left = " " + t.title(text, focused) + " "
		room -= w + 2
	}
	if w := Width(note); note != "" && w+3 <= room {
		right = " " + t.note(note) + " "
		room -= w + 2
	}
	return edge.Render(e.topLeft+e.across) + left + edge.Render(strings.Repeat(e.across, max(room, 0))) +
		right + edge.Render(e.across+e.topRight)
}

// title styles a title unless it is styled already.
func (t Theme) title(s string, focused bool) string {
	switch {
	case strings.Contains(s, "\x1b"):
		return s
	case focused:
		return t.Key.Render(s)
	}
	return t.Strong.Render(s)
}

func (t Theme) note(s string) string {
	if strings.Contains(s, "\x1b") {
		return s
	}
	return t.Dim.Render(s)
}

// area makes exactly height lines of exactly width cells.
func area(lines []string, width, height int) []string {
	out := make([]string, 0, height)
	for i := range height {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		out = append(out, Fit(line, width))
	}
	return out
}
