package ui

import (
	"cmp"
	"slices"
	"strings"
)

// The least width of a flexible column before columns with a priority go.
const leastFlexible = 12

// Render draws the table on exactly height lines of width cells: titles (with
// header), the rows around the cursor, and the filter if there is one. With
// focus the row under the cursor has a mark, and a background behind its
// glyph and name only: a bar across the screen would cost twice its width in
// bytes at every move.
func (t *Table[T]) Render(f Frame, rows []T, width, height int, header, focused bool) []string {
	if width <= 0 || height <= 0 {
		return area(nil, max(width, 0), max(height, 0))
	}
	v := t.view(rows)
	t.spans = t.layout(width - 1) // a cell of air at the right
	out := make([]string, 0, height)
	t.head = 0
	if header && height > 1 {
		out = append(out, t.titles(f, width, focused))
		t.head = 1
	}
	room := height - t.head
	status := t.typing || t.filter.text != ""
	if status && room > 1 {
		room--
	}
	t.height = room
	if v.len() == 0 {
		out = append(out, t.nothing(f, len(rows), width, room)...)
	} else {
		out = append(out, t.body(f, v, width, focused)...)
	}
	if len(out) < height {
		out = append(out, Fit(t.status(f, v.len(), len(rows)), width))
	}
	return out
}

// body is the rows in sight, and blank lines below them.
func (t *Table[T]) body(f Frame, v view[T], width int, focused bool) []string {
	cursor := t.locate(v)
	t.top = min(t.top, max(v.len()-t.height, 0))
	t.top = max(min(t.top, cursor), cursor-t.height+1, 0)
	out := make([]string, 0, t.height)
	for i := t.top; i < min(t.top+t.height, v.len()); i++ {
		out = append(out, t.row(f, v.at(i), width, focused && i == cursor))
	}
	for len(out) < t.height {
		out = append(out, blank(width))
	}
	return out
}

// row is one row: mark, then its cells.
func (t *Table[T]) row(f Frame, row T, width int, selected bool) string {
	var b strings.Builder
	chip := selected
	if selected {
		mark := "▌"
		if f.Theme.ASCII {
			mark = ">"
		}
		b.WriteString(f.Theme.Accent.Render(mark))
	} else {
		b.WriteByte(' ')
	}
	at := 1
	for _, s := range t.spans {
		column := t.Columns[s.column]
		gap := blank(s.x - at)
		if chip && gap != "" && at > 1 {
			gap = f.Theme.Selected.Render(gap)
		}
		b.WriteString(gap)
		cell := column.Cell(f, row)
		b.WriteString(drawCell(f.Theme, cell, s.w, column.Right, chip))
		chip = chip && column.Title == ""
		at = s.x + s.w
	}
	return b.String() + blank(width-at)
}

// drawCell styles the text, never the padding, so that blank cells stay equal
// from frame to frame.
func drawCell(t Theme, c Cell, width int, right, chip bool) string {
	text, w := cut(Clean(c.Text), width)
	style := c.Style
	if chip {
		style = style.Inherit(t.Selected)
	}
	if text != "" {
		text = style.Render(text)
	}
	if right {
		return blank(width-w) + text
	}
	return text + blank(width-w)
}

// titles is the header line: the letters that sort are underlined, the column
// that orders the rows has an arrow.
func (t *Table[T]) titles(f Frame, width int, focused bool) string {
	var b strings.Builder
	at := 0
	for _, s := range t.spans {
		c := t.Columns[s.column]
		if t.sorted == s.column+1 && Width(c.Title) == s.w {
			s.w++ // the mark takes a cell of the gap, not of the title
			if c.Right {
				s.x--
			}
		}
		b.WriteString(blank(s.x - at))
		b.WriteString(t.columnTitle(f, c, s, focused))
		at = s.x + s.w
	}
	return b.String() + blank(width-at)
}

func (t *Table[T]) columnTitle(f Frame, c Column[T], s span, focused bool) string {
	style, arrow := f.Theme.Dim, ""
	if t.sorted == s.column+1 {
		style, arrow = f.Theme.Text, f.Theme.sortArrow(c.Falls != t.back)
	}
	text, w := cut(c.Title, max(s.w-Width(arrow), 0))
	pad := blank(s.w - w - Width(arrow))
	i := -1
	if focused && c.Key != "" && c.Compare != nil && arrow == "" {
		i = strings.Index(strings.ToLower(text), strings.ToLower(c.Key))
	}
	styled := style.Render(text)
	if i >= 0 {
		end := i + len(c.Key)
		styled = part(style.Render, text[:i]) + f.Theme.Letter.Render(text[i:end]) + part(style.Render, text[end:])
	}
	styled += part(style.Render, arrow)
	if c.Right {
		return pad + styled
	}
	return styled + pad
}

// part renders text unless it is empty.
func part(render func(...string) string, s string) string {
	if s == "" {
		return ""
	}
	return render(s)
}

// sortArrow points to where the higher values are.
func (t Theme) sortArrow(falls bool) string {
	switch {
	case t.ASCII && falls:
		return "v"
	case t.ASCII:
		return "^"
	case falls:
		return "▾"
	}
	return "▴"
}

// nothing says why there are no rows.
func (t *Table[T]) nothing(f Frame, all, width, height int) []string {
	text := "nothing to show"
	switch {
	case all > 0:
		text = "no row matches the filter"
	case t.Empty != nil:
		text = t.Empty(f)
	}
	var lines []string
	for _, line := range Wrap(text, width-2) {
		lines = append(lines, " "+f.Theme.Dim.Render(line))
	}
	return area(lines, width, height)
}

// layout gives each column its place on width cells: first the mark, then the
// columns. Those with the highest priority number go first if there is no
// room; what is left is shared among the flexible ones.
func (t *Table[T]) layout(width int) []span {
	shown := make([]int, len(t.Columns))
	for i := range shown {
		shown[i] = i
	}
	for {
		fixed, flexible := t.needs(shown)
		if fixed+flexible*leastFlexible <= width || !t.drop(&shown) {
			return t.place(shown, width, width-fixed, flexible)
		}
	}
}

// needs is the width of the fixed columns with mark and gaps, and how many
// flexible ones there are.
func (t *Table[T]) needs(shown []int) (fixed, flexible int) {
	fixed = 1
	for i, column := range shown {
		if i > 0 {
			fixed += t.gap(shown[i-1])
		}
		fixed += t.Columns[column].Width
		if t.Columns[column].Width == 0 {
			flexible++
		}
	}
	return fixed, flexible
}

// drop removes the column that goes next; false if none may go.
func (t *Table[T]) drop(shown *[]int) bool {
	if len(*shown) == 0 {
		return false
	}
	last := slices.MaxFunc(*shown, func(a, b int) int {
		return cmp.Or(cmp.Compare(t.Columns[a].Priority, t.Columns[b].Priority), cmp.Compare(a, b))
	})
	if t.Columns[last].Priority == 0 {
		return false
	}
	*shown = slices.DeleteFunc(*shown, func(i int) bool { return i == last })
	return true
}

// place walks from left to right; what does not fit is cut off.
func (t *Table[T]) place(shown []int, width, free, flexible int) []span {
	out := make([]span, 0, len(shown))
	x := 1
	for i, column := range shown {
		if i > 0 {
			x += t.gap(shown[i-1])
		}
		w := t.Columns[column].Width
		if w == 0 {
			w = max(free/max(flexible, 1), 0)
			free, flexible = free-w, flexible-1
		}
		w = min(w, width-x)
		if w <= 0 {
			continue
		}
		out = append(out, span{column: column, x: x, w: w})
		x += w
	}
	return out
}

// gap is the space after a column: one cell after a glyph, else two.
func (t *Table[T]) gap(column int) int {
	if t.Columns[column].Width == 1 {
		return 1
	}
	return 2
}
