package ui

import (
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
	From, To time.Time
	Now      time.Time // marked in the axis; zero: not marked
	Low      float64
	High     float64
	Unit     func(float64) string // writes a value at the axis
}

// Render draws the chart on width×height cells: values at the left, times
// below, braille dots (ASCII: * and .) between.
func (c Chart) Render(t Theme, width, height int) []string {
	return area(nil, width, height)
}

// Timeline draws marks over time in two lines of width cells: how many there
// were in each cell's span (digits, + for more than nine), and the times.
func Timeline(t Theme, marks []sources.Point, from, to time.Time, width int, s lipgloss.Style) []string {
	return area(nil, width, 2)
}
