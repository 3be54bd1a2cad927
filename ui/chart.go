package ui

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"daytwo/sources"

	"charm.land/lipgloss/v2"
)

// ChartLine is a level drawn across a chart, with its name at the right.
type ChartLine struct {
	Label string
	Value float64
	Style lipgloss.Style
}

// Chart is a history over time with a forecast and levels. Low and High are
// the values at its lower and upper edge; both zero: as the data needs.
type Chart struct {
	Points   []sources.Point // oldest first
	Forecast []sources.Point // oldest first, drawn dashed
	Lines    []ChartLine
	From, To time.Time // both zero: as the data needs
	Now      time.Time // marked below the axis; zero: not marked
	Low      float64
	High     float64
	Unit     func(float64) string // writes a value at the axis
}

// plot is a chart's area in the making: dots of the two curves, and the
// level that runs through each line of cells.
type plot struct {
	c      Chart
	w, h   int     // cells
	past   []uint8 // braille dots a cell
	future []uint8
	level  [][]int // indexes of Lines, by line of cells
}

// Render draws the chart on width×height cells: values at the left, times
// below, levels with their names, braille dots (ASCII: * and .) between.
func (c Chart) Render(t Theme, width, height int) []string {
	c = c.scaled()
	left, right := c.margins(width)
	w, h := width-left-right, height-2
	if w < 8 || h < 2 || !c.To.After(c.From) {
		return area([]string{t.Dim.Render("no room for the chart")}, width, height)
	}
	p := &plot{c: c, w: w, h: h, past: make([]uint8, w*h), future: make([]uint8, w*h), level: make([][]int, h)}
	p.draw()
	out := make([]string, 0, height)
	for y := range h {
		out = append(out, FitRight(p.value(t, y), left-1)+p.edge(t)+p.cells(t, y)+p.label(t, y, right))
	}
	out = append(out, blank(left-1)+t.Edge.Render(axis(t, w)))
	return area(append(out, blank(left)+timeAxis(t, c.From, c.To, c.Now, w)), width, height)
}

// scaled fills in what was left to the data.
func (c Chart) scaled() Chart {
	all := slices.Concat(c.Points, c.Forecast)
	if c.From.IsZero() && c.To.IsZero() && len(all) > 0 {
		c.From, c.To = all[0].At, all[len(all)-1].At
	}
	if c.Low == 0 && c.High == 0 {
		c.Low, c.High = math.Inf(1), math.Inf(-1)
		for _, p := range all {
			c.Low, c.High = min(c.Low, p.Value), max(c.High, p.Value)
		}
		for _, l := range c.Lines {
			c.Low, c.High = min(c.Low, l.Value), max(c.High, l.Value)
		}
	}
	if c.High <= c.Low || math.IsInf(c.Low, 0) {
		if math.IsInf(c.Low, 0) {
			c.Low = 0
		}
		c.High = c.Low + 1
	}
	if c.Unit == nil {
		c.Unit = func(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
	}
	return c
}

// margins is the room for values at the left and names of levels at the
// right; the names go first when it is narrow.
func (c Chart) margins(width int) (left, right int) {
	left = max(Width(c.Unit(c.Low)), Width(c.Unit(c.High)), Width(c.Unit((c.Low+c.High)/2))) + 1
	for _, l := range c.Lines {
		right = max(right, Width(l.Label)+1)
	}
	if width-left-right < 24 {
		right = 0
	}
	return left + 1, right
}

// draw sets the dots of both curves and finds the line of each level.
func (p *plot) draw() {
	for i, l := range p.c.Lines {
		if y := p.dotY(l.Value); y >= 0 && y < 4*p.h {
			p.level[y/4] = append(p.level[y/4], i)
		}
	}
	p.curve(p.c.Points, p.past, false)
	p.curve(p.c.Forecast, p.future, true)
}

// curve joins points with dots; dashed leaves every third and fourth out.
func (p *plot) curve(points []sources.Point, on []uint8, dashed bool) {
	for i, q := range points {
		x, y := p.dotX(q.At), p.dotY(q.Value)
		if i == 0 {
			p.set(on, x, y)
			continue
		}
		px, py := p.dotX(points[i-1].At), p.dotY(points[i-1].Value)
		steps := min(max(abs(x-px), abs(y-py), 1), 8*(p.w+p.h))
		for s := 1; s <= steps; s++ {
			dx := px + (x-px)*s/steps
			if dashed && dx%4 > 1 {
				continue
			}
			p.set(on, dx, py+(y-py)*s/steps)
		}
	}
}

func (p *plot) dotX(at time.Time) int {
	span := p.c.To.Sub(p.c.From)
	share := float64(at.Sub(p.c.From)) / float64(span)
	return int(math.Round(min(max(share, -9), 9) * float64(2*p.w-1)))
}

func (p *plot) dotY(v float64) int {
	share := (p.c.High - v) / (p.c.High - p.c.Low)
	if math.IsNaN(share) {
		return -1
	}
	return int(math.Round(min(max(share, -9), 9) * float64(4*p.h-1)))
}

// set sets a dot unless it lies outside. Bits as in Unicode's braille block.
func (p *plot) set(on []uint8, x, y int) {
	if x < 0 || y < 0 || x >= 2*p.w || y >= 4*p.h {
		return
	}
	bits := [4][2]uint8{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}
	on[y/4*p.w+x/2] |= bits[y%4][x%2]
}

// cells is one line of the plot. Runs of the same style are styled at once.
func (p *plot) cells(t Theme, y int) string {
	var out, run []byte
	var style lipgloss.Style
	kind := -1
	flush := func() {
		if len(run) > 0 {
			out = append(out, style.Render(string(run))...)
			run = run[:0]
		}
	}
	for x := range p.w {
		glyph, k, s := p.cell(t, x, y)
		if k != kind {
			flush()
			kind, style = k, s
		}
		run = append(run, glyph...)
	}
	flush()
	return string(out)
}

// cell is one cell: history before forecast before level.
func (p *plot) cell(t Theme, x, y int) (glyph string, kind int, style lipgloss.Style) {
	i := y*p.w + x
	switch {
	case p.past[i] != 0:
		return dots(t, p.past[i]|p.future[i], "*"), 1, t.Accent
	case p.future[i] != 0:
		return dots(t, p.future[i], "."), 2, t.Text
	case len(p.level[y]) > 0:
		if t.ASCII {
			return "-", 3, p.c.Lines[p.level[y][0]].Style
		}
		return "╌", 3, p.c.Lines[p.level[y][0]].Style
	}
	return " ", 0, t.Dim
}

func dots(t Theme, bits uint8, ascii string) string {
	if t.ASCII {
		return ascii
	}
	return string(rune(0x2800) + rune(bits))
}

// value writes the axis value of the top, middle and bottom line.
func (p *plot) value(t Theme, y int) string {
	switch y {
	case 0:
		return t.Dim.Render(p.c.Unit(p.c.High))
	case p.h / 2:
		if p.h >= 5 {
			return t.Dim.Render(p.c.Unit(p.c.High - (p.c.High-p.c.Low)*float64(p.h/2)/float64(p.h-1)))
		}
	case p.h - 1:
		return t.Dim.Render(p.c.Unit(p.c.Low))
	}
	return ""
}

func (p *plot) edge(t Theme) string {
	if t.ASCII {
		return t.Edge.Render("|")
	}
	return t.Edge.Render("│")
}

// label names the levels that run through a line; two that share one line
// share its room.
func (p *plot) label(t Theme, y, width int) string {
	if len(p.level[y]) == 0 || width == 0 {
		return blank(width)
	}
	var names []string
	for _, i := range p.level[y] {
		l := p.c.Lines[i]
		names = append(names, l.Style.Render(Clean(l.Label)))
	}
	return Fit(" "+strings.Join(names, t.Dim.Render(", ")), width)
}

func axis(t Theme, width int) string {
	corner, line := "╰", "─"
	if t.ASCII {
		corner, line = "+", "-"
	}
	return corner + strings.Repeat(line, width)
}

func abs(n int) int { return max(n, -n) }
