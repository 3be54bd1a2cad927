package ui

import (
	"math"
	"strings"

	"charm.land/lipgloss/v2"
)

// Bar is a thin bar of width cells filled to percent (0 to 100) on a track.
// A negative or undefined percent is unknown: dots.
func Bar(t Theme, percent float64, width int, s lipgloss.Style) string {
	if width <= 0 {
		return ""
	}
	full, half, track, unknown := "━", "╸", "━", "┄"
	if t.ASCII {
		full, half, track, unknown = "#", "", "-", "."
	}
	if percent < 0 || math.IsNaN(percent) {
		return t.Dim.Render(strings.Repeat(unknown, width))
	}
	halves := int(math.Round(min(percent, 100) / 100 * float64(2*width)))
	if percent > 0 && halves == 0 {
		halves = 1
	}
	if percent < 100 {
		halves = min(halves, 2*width-1) // only what is full looks full
	}
	on := strings.Repeat(full, halves/2)
	if halves%2 == 1 {
		on += half
	}
	out := ""
	if on != "" {
		out = s.Render(on)
	}
	if rest := width - Width(on); rest > 0 {
		if !t.Color && !t.ASCII {
			track = "─"
		}
		out += t.Track.Render(strings.Repeat(track, rest))
	}
	return out
}

// Spark draws the newest values of a series as blocks between lo and hi, the
// newest at the right; width cells, padded at the left. NaN is a gap.
func Spark(t Theme, values []float64, lo, hi float64, width int, s lipgloss.Style) string {
	if width <= 0 {
		return ""
	}
	if len(values) > width {
		values = values[len(values)-width:]
	}
	levels := []rune("▁▂▃▄▅▆▇█")
	if t.ASCII {
		levels = []rune("_.-=+*%#")
	}
	var b strings.Builder
	for _, v := range values {
		if math.IsNaN(v) {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(levels[level(v, lo, hi, len(levels))])
	}
	pad := blank(width - len(values))
	if b.Len() == 0 {
		return pad
	}
	return pad + s.Render(b.String())
}

// level is which of n steps v takes between lo and hi.
func level(v, lo, hi float64, n int) int {
	if hi <= lo {
		return 0
	}
	return min(max(int((v-lo)/(hi-lo)*float64(n)), 0), n-1)
}
