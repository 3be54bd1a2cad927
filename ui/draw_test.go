package ui_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"
	"daytwo/ui/uitest"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// diskStory is a slow disk: 141 days that grow in teeth, and the days ahead.
func diskStory(t ui.Theme) ui.Chart {
	now := uitest.Start()
	c := ui.Chart{
		Now: now, High: 100, Unit: sources.Percent,
		Lines: []ui.ChartLine{
			{Label: "eviction 95 %", Value: 95, Style: t.Critical},
			{Label: "image GC 85 %", Value: 85, Style: t.Warning},
		},
	}
	for i := range 141 {
		c.Points = append(c.Points, sources.Point{At: now.AddDate(0, 0, i-141), Value: float64(40 + i*36/100 - i%14)})
	}
	for i := range 20 {
		c.Forecast = append(c.Forecast, sources.Point{At: now.AddDate(0, 0, i), Value: 92 + float64(i)})
	}
	return c
}

func TestDrawings(t *testing.T) {
	t.Parallel()
	now := uitest.Start()
	for name, ascii := range map[string]bool{"ui-drawings": false, "ui-drawings-ascii": true} {
		theme := ui.NewTheme(true, true, ascii)
		lines := diskStory(theme).Render(theme, 90, 14)
		marks := []sources.Point{
			{At: now.Add(-20 * time.Hour), Value: 1},
			{At: now.Add(-3 * time.Hour), Value: 4},
			{At: now.Add(-3 * time.Hour), Value: 7},
			{At: now, Value: 2},
			{At: now.Add(time.Hour), Value: 5},
		}
		lines = append(lines, ui.Timeline(theme, marks, now.Add(-24*time.Hour), now, 80, theme.Warning)...)
		for _, percent := range []float64{-1, 0, 0.1, 50, 92, 99.9, 100, 300, math.NaN()} {
			lines = append(lines, ui.Bar(theme, percent, 20, theme.OK)+fmt.Sprintf(" %g", percent))
		}
		lines = append(lines,
			ui.Spark(theme, []float64{0, 10, 20, math.NaN(), 40, 60, 80, 100, 120}, 0, 100, 12, theme.OK),
			ui.Box(theme, "2 Disk", "growth 14 d", true, []string{"one", strings.Repeat("long", 20)}, 40, 4),
			ui.Box(theme, "a title that is too long for it", "note", false, nil, 20, 2))
		uitest.Golden(t, name, ansi.Strip(strings.Join(lines, "\n")))
	}
}

func TestChartsOfAnySize(t *testing.T) {
	t.Parallel()
	theme := ui.NewTheme(true, true, false)
	charts := []ui.Chart{diskStory(theme), {}, {Points: []sources.Point{{At: uitest.Start(), Value: 3}}}, {
		Points: []sources.Point{{At: uitest.Start(), Value: math.NaN()}, {At: uitest.Start().Add(time.Hour), Value: math.Inf(1)}},
	}}
	for _, c := range charts {
		for w := range 60 {
			for h := range 12 {
				lines := c.Render(theme, w, h)
				if len(lines) != h {
					t.Fatalf("%d lines, want %d", len(lines), h)
				}
				for _, line := range lines {
					if got := ansi.StringWidth(line); got != w {
						t.Fatalf("a chart of %d cells is %d wide: %q", w, got, line)
					}
				}
			}
		}
	}
}

func TestScrollKeepsWithinTheText(t *testing.T) {
	t.Parallel()
	var lines []string
	for i := range 30 {
		lines = append(lines, fmt.Sprintf("line %d", i+1))
	}
	var s ui.Scroll
	f := frame()
	press := func(key string) string {
		for _, c := range s.Commands(f) {
			if c.Key.Matches(key) {
				c.Do()
			}
		}
		return strings.TrimSpace(s.Render(f, lines, 20, 10)[0])
	}
	s.Render(f, lines, 20, 10)
	for _, step := range [][2]string{
		{"up", "line 1"}, {"down", "line 2"}, {"pgdown", "line 11"}, {"end", "line 21"}, {"pgdown", "line 21"}, {"home", "line 1"},
	} {
		if got := press(step[0]); got != step[1] {
			t.Errorf("after %s the text begins with %q, want %q", step[0], got, step[1])
		}
	}
	if s.Position() != "1–10 of 30" {
		t.Errorf("position %q", s.Position())
	}
	if got := s.Render(f, lines[:3], 20, 10); len(got) != 10 || s.Position() != "" {
		t.Errorf("a short text: %d lines, position %q", len(got), s.Position())
	}
}

// BenchmarkPalette15000 is one letter typed into the palette over 15,000
// objects.
func BenchmarkPalette15000(b *testing.B) {
	var entries []ui.Entry
	for i := range 15000 {
		entries = append(entries, ui.Entry{Title: fmt.Sprintf("pod namespace-%d/deployment-%d-7f9c5", i%40, i)})
	}
	clock := uitest.NewClock()
	o := options(newListView(things(100)), clock)
	o.Keys, o.Driven, o.Objects = keymap.Default(), true, func(ui.Frame) []ui.Entry { return entries }
	root := ui.New(o)
	root.Update(tea.WindowSizeMsg{Width: 200, Height: 50})
	root.Update(tea.KeyPressMsg{Code: ':', Text: ":"})
	for b.Loop() {
		root.Update(tea.KeyPressMsg{Code: 'd', Text: "d"})
		root.Update(tea.KeyPressMsg{Code: tea.KeyBackspace})
	}
}

// BenchmarkScreen is one whole screen at 200×50.
func BenchmarkScreen(b *testing.B) {
	o := options(newListView(things(15000)), uitest.NewClock())
	o.Keys, o.Driven = keymap.Default(), true
	root := ui.New(o)
	root.Update(tea.WindowSizeMsg{Width: 200, Height: 50})
	for b.Loop() {
		root.Update(ui.Heartbeat())
		root.View()
	}
}
