package ui

import (
	"daytwo/sources"

	"charm.land/lipgloss/v2"
)

// Theme is every style by its meaning. All styling comes from here.
type Theme struct {
	Dark  bool
	ASCII bool // no glyphs outside ASCII
	Color bool // false: glyph, word, bold and reverse carry the meaning

	Critical  lipgloss.Style
	Warning   lipgloss.Style
	OK        lipgloss.Style
	Unknown   lipgloss.Style
	Accent    lipgloss.Style // keys, focus
	Text      lipgloss.Style
	Strong    lipgloss.Style // the one bold thing in a row
	Dim       lipgloss.Style
	Edge      lipgloss.Style // border of a pane without focus
	EdgeFocus lipgloss.Style
	Selected  lipgloss.Style // behind the name of the selected row
	Key       lipgloss.Style // a key to press, a focused title
	Track     lipgloss.Style // the empty part of a bar
	Letter    lipgloss.Style // in a column's title: the key that sorts by it
	Alarm     lipgloss.Style // a whole line that must not be overlooked
}

// ThemeName is what --theme takes.
type ThemeName string

// The themes. Auto asks the terminal for its background.
const (
	Auto  ThemeName = "auto"
	Dark  ThemeName = "dark"
	Light ThemeName = "light"
	None  ThemeName = "none"
)

type colours struct{ critical, warning, ok, unknown, accent, text, dim, edge, selection, onAlarm string }

// Palettes by meaning. What carries meaning is a colour that a terminal with
// 256 colours has exactly, for rounding to the nearest turns a dark red grey.
// Text has a contrast of at least 4.5:1, the light one on white, the dark one
// on #1e1e1e and all that is darker; edges and tracks carry no meaning.
func darkColours() colours {
	return colours{
		critical: "#ff5f5f", warning: "#ffaf5f", ok: "#87d75f", unknown: "#8787d7", accent: "#5fd7ff",
		text: "#dadada", dim: "#8a8a8a", edge: "#39405e", selection: "#1f2540", onAlarm: "#121212",
	}
}

func lightColours() colours {
	return colours{
		critical: "#d70000", warning: "#af5f00", ok: "#008700", unknown: "#5f5faf", accent: "#005faf",
		text: "#262626", dim: "#6c6c6c", edge: "#bcbcbc", selection: "#e4e4e4", onAlarm: "#ffffff",
	}
}

// basicColours names colours of the terminal's own sixteen, whose user chose
// them to be readable; rounding the true colours to them would lose edges.
func basicColours(dark bool) colours {
	if dark {
		return colours{
			critical: "9", warning: "11", ok: "10", unknown: "7", accent: "14",
			text: "15", dim: "7", edge: "8", selection: "4", onAlarm: "0",
		}
	}
	return colours{
		critical: "1", warning: "5", ok: "2", unknown: "8", accent: "4",
		text: "0", dim: "8", edge: "7", selection: "7", onAlarm: "15",
	}
}

// NewTheme returns the styles for a background. Without colour only bold,
// faint and reverse are used.
func NewTheme(dark, color, ascii bool) Theme {
	if !color {
		return plainTheme(dark, ascii)
	}
	p := lightColours()
	if dark {
		p = darkColours()
	}
	return p.theme(dark, ascii)
}

// NewBasicTheme is NewTheme for a terminal with sixteen colours.
func NewBasicTheme(dark, ascii bool) Theme { return basicColours(dark).theme(dark, ascii) }

func (p colours) theme(dark, ascii bool) Theme {
	fg := func(c string) lipgloss.Style { return lipgloss.NewStyle().Foreground(lipgloss.Color(c)) }
	return Theme{
		Dark: dark, ASCII: ascii, Color: true,
		Critical: fg(p.critical), Warning: fg(p.warning), OK: fg(p.ok), Unknown: fg(p.unknown),
		Accent: fg(p.accent), Text: fg(p.text), Strong: fg(p.text).Bold(true), Dim: fg(p.dim),
		Edge: fg(p.edge), EdgeFocus: fg(p.accent),
		Selected: lipgloss.NewStyle().Background(lipgloss.Color(p.selection)),
		Key:      fg(p.accent).Bold(true), Track: fg(p.edge), Letter: fg(p.dim).Underline(true),
		Alarm: fg(p.onAlarm).Background(lipgloss.Color(p.critical)).Bold(true),
	}
}

func plainTheme(dark, ascii bool) Theme {
	plain := lipgloss.NewStyle()
	bold := plain.Bold(true)
	return Theme{
		Dark: dark, ASCII: ascii,
		Critical: bold, Warning: bold, OK: plain, Unknown: plain, Accent: bold,
		Text: plain, Strong: bold, Dim: plain, Edge: plain, EdgeFocus: bold,
		Selected: plain.Reverse(true), Key: bold, Track: plain, Letter: plain.Underline(true),
		Alarm: plain.Reverse(true).Bold(true),
	}
}

// Severity is the style of a severity's glyph, word and number.
func (t Theme) Severity(s sources.Severity) lipgloss.Style {
	switch s {
	case sources.Critical:
		return t.Critical
	case sources.Warning:
		return t.Warning
	case sources.OK:
		return t.OK
	case sources.Unknown:
		return t.Unknown
	}
	return t.Unknown
}

// Glyph is the severity's sign: one cell wide.
func (t Theme) Glyph(s sources.Severity) string {
	unicode, ascii := "○", "?"
	switch s {
	case sources.Critical:
		unicode, ascii = "✖", "X"
	case sources.Warning:
		unicode, ascii = "▲", "!"
	case sources.OK:
		unicode, ascii = "●", "."
	case sources.Unknown:
	}
	if t.ASCII {
		return ascii
	}
	return unicode
}
