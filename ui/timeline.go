package ui

import (
	"math"
	"strconv"
	"strings"
	"time"

	"daytwo/sources"

	"charm.land/lipgloss/v2"
)

// Timeline draws marks over time in two lines of width cells: how many there
// were in each cell's span (digits, + for more than nine), and the times.
func Timeline(t Theme, marks []sources.Point, from, to time.Time, width int, s lipgloss.Style) []string {
	if width <= 0 || !to.After(from) {
		return area(nil, max(width, 0), 2)
	}
	count := make([]float64, width)
	for _, m := range marks {
		if m.At.Before(from) || m.At.After(to) || math.IsNaN(m.Value) {
			continue
		}
		x := int(float64(m.At.Sub(from)) / float64(to.Sub(from)) * float64(width))
		count[min(x, width-1)] += m.Value
	}
	var b, run strings.Builder
	marked := false
	flush := func() {
		style := t.Dim
		if marked {
			style = s
		}
		b.WriteString(part(style.Render, run.String()))
		run.Reset()
	}
	for _, n := range count {
		if (n > 0) != marked {
			flush()
			marked = n > 0
		}
		run.WriteString(digit(t, n))
	}
	flush()
	return []string{b.String(), Fit(timeAxis(t, from, to, time.Time{}, width), width)}
}

func digit(t Theme, n float64) string {
	switch {
	case n <= 0 && t.ASCII:
		return "."
	case n <= 0:
		return "·"
	case n > 9:
		return "+"
	}
	return strconv.Itoa(max(int(n), 1))
}

// timeAxis writes the first, the last and what fits between, and "now".
func timeAxis(t Theme, from, to, now time.Time, width int) string {
	cells := []byte(strings.Repeat(" ", width))
	write := func(x int, text string) {
		x = min(max(x, 0), width-len(text))
		if x < 0 {
			return
		}
		start, end := max(x-1, 0), min(x+len(text)+1, width)
		if strings.TrimSpace(string(cells[start:end])) == "" {
			copy(cells[x:], text)
		}
	}
	layout := timeLayout(to.Sub(from))
	at := func(share float64) time.Time { return from.Add(time.Duration(share * float64(to.Sub(from)))) }
	write(0, from.Format(layout))
	write(width, to.Format(layout))
	if !now.IsZero() && now.After(from) && now.Before(to) {
		share := float64(now.Sub(from)) / float64(to.Sub(from))
		write(int(share*float64(width))-1, "now")
	}
	for _, share := range []float64{0.5, 0.25, 0.75} {
		text := at(share).Format(layout)
		write(int(share*float64(width))-len(text)/2, text)
	}
	return t.Dim.Render(string(cells))
}

// timeLayout is as exact as a span of time needs.
func timeLayout(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d <= 30*time.Hour:
		return "15:04"
	case d <= 4*day:
		return "Jan 2 15:04"
	case d <= 300*day:
		return "Jan 2"
	}
	return "Jan 2006"
}
