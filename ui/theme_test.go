package ui_test

import (
	"image/color"
	"math"
	"testing"

	"daytwo/sources"
	"daytwo/ui"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
)

// luminance and contrast are those of WCAG 2.2.
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		x := float64(v) / 0xffff
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// hue is the angle on the colour wheel and how much colour there is, 0 for a
// grey.
func hue(c color.Color) (angle, chroma float64) {
	r16, g16, b16, _ := c.RGBA()
	r, g, b := float64(r16)/0xffff, float64(g16)/0xffff, float64(b16)/0xffff
	chroma = max(r, g, b) - min(r, g, b)
	switch {
	case chroma == 0:
		return 0, 0
	case r >= g && r >= b:
		angle = math.Mod((g-b)/chroma+6, 6)
	case g >= b:
		angle = (b-r)/chroma + 2
	default:
		angle = (r-g)/chroma + 4
	}
	return 60 * angle, chroma
}

// TestTextIsReadable: every colour of text on the backgrounds it may stand on.
func TestTextIsReadable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dark    bool
		grounds []string
	}{
		"dark":  {true, []string{"#000000", "#1e1e1e"}},
		"light": {false, []string{"#ffffff"}},
	} {
		for _, profile := range []colorprofile.Profile{colorprofile.TrueColor, colorprofile.ANSI256} {
			th := ui.NewTheme(c.dark, true, false)
			for what, style := range map[string]lipgloss.Style{
				"critical": th.Critical, "warning": th.Warning, "ok": th.OK, "unknown": th.Unknown,
				"accent": th.Accent, "text": th.Text, "strong": th.Strong, "dim": th.Dim, "key": th.Key, "letter": th.Letter,
			} {
				text := profile.Convert(style.GetForeground())
				for _, ground := range c.grounds {
					if got := contrast(text, lipgloss.Color(ground)); got < 4.5 {
						t.Errorf("%s, %v: %s has %.2f:1 on %s", name, profile, what, got, ground)
					}
				}
				if got := contrast(text, profile.Convert(th.Selected.GetBackground())); got < 3 {
					t.Errorf("%s, %v: %s has %.2f:1 in the selected row", name, profile, what, got)
				}
			}
			alarm := contrast(profile.Convert(th.Alarm.GetForeground()), profile.Convert(th.Alarm.GetBackground()))
			if alarm < 4.5 {
				t.Errorf("%s, %v: an alarm has %.2f:1", name, profile, alarm)
			}
		}
	}
}

// TestSeveritiesKeepTheirColour: a terminal with 256 colours rounds; red must
// stay red there, and no two severities may become one.
func TestSeveritiesKeepTheirColour(t *testing.T) {
	t.Parallel()
	between := map[sources.Severity][2]float64{ // degrees on the colour wheel
		sources.Critical: {0, 15}, sources.Warning: {25, 50}, sources.OK: {90, 140}, sources.Unknown: {220, 260},
	}
	for name, dark := range map[string]bool{"dark": true, "light": false} {
		th := ui.NewTheme(dark, true, false)
		seen := map[color.Color]sources.Severity{}
		for severity, degrees := range between {
			meant := th.Severity(severity).GetForeground()
			shown := colorprofile.ANSI256.Convert(meant)
			angle, chroma := hue(shown)
			if chroma < 0.25 {
				t.Errorf("%s: %s is a grey with 256 colours: %v of %v", name, severity, shown, meant)
			}
			if angle < degrees[0] || angle > degrees[1] {
				t.Errorf("%s: %s is at %.0f° with 256 colours, want %v", name, severity, angle, degrees)
			}
			if other, taken := seen[shown]; taken {
				t.Errorf("%s: %s and %s are one colour with 256 colours", name, severity, other)
			}
			seen[shown] = severity
		}
	}
}
