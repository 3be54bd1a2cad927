package views

import (
	"strings"

	"daytwo/sources"
	"daytwo/ui"

	"charm.land/lipgloss/v2"
)

// section is one titled part of a detail.
type section struct {
	title string
	lines []string
}

// sheet is a small table within a detail: all rows shown, columns as wide as
// their widest cell, the last one cut at the edge.
type sheet struct {
	titles []string
	rows   [][]ui.Cell
}

// plain is a cell in the ordinary style.
func plain(f ui.Frame, text string) ui.Cell { return ui.Cell{Text: text, Style: f.Theme.Text} }

// dim is a cell that stands back.
func dim(f ui.Frame, text string) ui.Cell { return ui.Cell{Text: text, Style: f.Theme.Dim} }

// strong is the one bold cell of a row.
func strong(f ui.Frame, text string) ui.Cell { return ui.Cell{Text: text, Style: f.Theme.Strong} }

// judged is a cell in a severity's colour.
func judged(f ui.Frame, s sources.Severity, text string) ui.Cell {
	return ui.Cell{Text: text, Style: f.Theme.Severity(s)}
}

// glyph is a severity's sign as a cell.
func glyph(f ui.Frame, s sources.Severity) ui.Cell { return judged(f, s, f.Theme.Glyph(s)) }

// widest is the most that one column of a sheet takes, so that one long name
// does not push the rest off the screen.
const widest = 44

// narrowest is the least that a column cut at the edge takes: "30…" would be
// read as a figure.
const narrowest = 6

// lines renders the sheet at a width.
func (s sheet) lines(f ui.Frame, width int) []string {
	widths := make([]int, len(s.titles))
	for i, t := range s.titles {
		widths[i] = ui.Width(t)
		for _, r := range s.rows {
			widths[i] = max(widths[i], min(ui.Width(r[i].Text), widest))
		}
	}
	out := make([]string, 0, len(s.rows)+1)
	header := make([]ui.Cell, len(s.titles))
	for i, t := range s.titles {
		header[i] = dim(f, t)
	}
	out = append(out, sheetLine(header, widths, width))
	for _, r := range s.rows {
		out = append(out, sheetLine(r, widths, width))
	}
	return out
}

func sheetLine(cells []ui.Cell, widths []int, width int) string {
	var b strings.Builder
	left := width
	for i, c := range cells {
		w := min(widths[i], left)
		if i == len(cells)-1 {
			w = left
		}
		if w < min(max(widths[i], 1), narrowest) {
			break
		}
		b.WriteString(c.Style.Render(ui.Fit(c.Text, w)))
		left -= w
		if i < len(cells)-1 && left >= 2 {
			b.WriteString("  ")
			left -= 2
		}
	}
	return b.String()
}

// pair is one labelled value of a detail.
type pair struct {
	label string
	cell  ui.Cell
}

// pairs renders labelled values; those with an empty text are left out.
// Long values go on in the next line below themselves.
func pairs(f ui.Frame, width int, ps ...pair) []string {
	const labelWidth = 14
	out := make([]string, 0, len(ps))
	for _, p := range ps {
		if p.cell.Text == "" {
			continue
		}
		label := p.label
		for _, line := range ui.Wrap(ui.Clean(p.cell.Text), max(width-labelWidth, 8)) {
			out = append(out, f.Theme.Dim.Render(ui.Fit(label, labelWidth))+p.cell.Style.Render(line))
			label = ""
		}
	}
	return out
}

// factLines renders evidence: what was seen, and beside it (below it on a
// narrow screen) where, and how old it is.
func factLines(f ui.Frame, facts []sources.Fact, width int) []string {
	const most = 48 // of the column that says where
	from, beside := make([]string, len(facts)), 0
	for i, fact := range facts {
		from[i] = ui.Clean(fact.From)
		if !fact.At.IsZero() {
			from[i] += " " + bullet(f) + " " + agoWords(fact.At, f.Now)
		}
		beside = max(beside, min(ui.Width(from[i]), most))
	}
	room := width - 2
	if width >= gridWidth {
		room -= beside + 2
	}
	var out []string
	for i, fact := range facts {
		for n, line := range ui.Wrap(ui.Clean(fact.Text), max(room, 8)) {
			lead, tail := "  ", ""
			if n == 0 {
				lead = bullet(f) + " "
			}
			if n == 0 && width >= gridWidth {
				tail = "  " + f.Theme.Dim.Render(ui.Cut(from[i], beside))
			}
			out = append(out, f.Theme.Dim.Render(lead)+f.Theme.Text.Render(ui.Fit(line, room))+tail)
		}
		if width < gridWidth {
			out = append(out, "  "+f.Theme.Dim.Render(from[i]))
		}
	}
	return out
}

func bullet(f ui.Frame) string {
	if f.Theme.ASCII {
		return "-"
	}
	return "·"
}

// styleIf is a style where something holds, else another.
func styleIf(cond bool, yes, no lipgloss.Style) lipgloss.Style {
	if cond {
		return yes
	}
	return no
}
