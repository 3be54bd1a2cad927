package ui

import (
	"image/color"
	"math"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
)

// drawing shows a layout with one letter a part.
func drawing(s screen, width, height int) string {
	var b strings.Builder
	for y := range height {
		for x := range width {
			switch {
			case s.header.Contains(x, y):
				b.WriteByte('h')
			case s.banner.Contains(x, y):
				b.WriteByte('!')
			case s.body.Contains(x, y):
				b.WriteByte('v')
			case s.footer.Contains(x, y):
				b.WriteByte('f')
			default:
				b.WriteByte('?')
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func rows(width int, letters string) string {
	var b strings.Builder
	for _, l := range letters {
		b.WriteString(strings.Repeat(string(l), width) + "\n")
	}
	return b.String()
}

func TestArrange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		width, height int
		banner        bool
		want          string
	}{
		{40, 8, false, "hvvvvvvf"},
		{40, 8, true, "h!vvvvvf"},
		{39, 8, true, "vvvvvvvv"},
		{80, 7, false, "vvvvvvv"},
		{1, 1, true, "v"},
	} {
		if got := drawing(arrange(c.width, c.height, c.banner), c.width, c.height); got != rows(c.width, c.want) {
			t.Errorf("%d×%d:\n%s", c.width, c.height, got)
		}
	}
}

func TestCentredStaysOnScreen(t *testing.T) {
	t.Parallel()
	for w := range 90 {
		for h := range 30 {
			r := centred(w, h, 76, 18)
			if r.X < 0 || r.Y < 0 || r.X+r.W > w || r.Y+r.H > h {
				t.Fatalf("%+v leaves a screen of %d×%d", r, w, h)
			}
		}
	}
}

// luminance is WCAG 2's relative luminance.
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.03928 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestContrast(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		theme  Theme
		behind string
		least  float64
	}{
		"light": {NewTheme(false, true, false), "#ffffff", 4.5},
		"dark":  {NewTheme(true, true, false), "#16161e", 3.9},
	} {
		styles := map[string]lipgloss.Style{
			"critical": c.theme.Critical, "warning": c.theme.Warning, "ok": c.theme.OK, "unknown": c.theme.Unknown,
			"accent": c.theme.Accent, "text": c.theme.Text, "dim": c.theme.Dim,
		}
		for style, s := range styles {
			if got := contrast(s.GetForeground(), lipgloss.Color(c.behind)); got < c.least {
				t.Errorf("%s on the %s background: contrast %.1f, want %.1f", style, name, got, c.least)
			}
		}
	}
}

func TestEveryGlyphHasAnASCIIForm(t *testing.T) {
	t.Parallel()
	for _, g := range "│─╭╮╰╯·…–▌▾▴✖▲●○━╸┄╌×≥≤→↑↓←⏎" {
		if r := asciiFor(g); r >= 0x80 {
			t.Errorf("%q has no ASCII form", g)
		}
	}
}
