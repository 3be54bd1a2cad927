package views

import (
	"fmt"
	"strings"

	"daytwo/actions/forensics"
	"daytwo/sources"
	"daytwo/ui"

	"charm.land/lipgloss/v2"
)

// letter names a row of the table in the bar above it.
func letter(i int) string { return string(rune('a' + i%26)) }

// shareStyle sets neighbours apart; what is unexplained is the alarm.
func shareStyle(f ui.Frame, a forensics.Account, i int) lipgloss.Style {
	s := a.Shares[i]
	switch {
	case s.Category == forensics.Unexplained && a.Loud():
		return f.Theme.Critical
	case s.Category == forensics.Unexplained:
		return f.Theme.Dim
	}
	return [...]lipgloss.Style{f.Theme.Accent, f.Theme.Warning, f.Theme.OK, f.Theme.Unknown, f.Theme.Text}[i%5]
}

// stackBar is the whole disk in one line, each share by its letter, what is
// free as dots.
func stackBar(f ui.Frame, a forensics.Account, width int) string {
	size := max(a.Mount.Used+a.Mount.Available, 1)
	var b strings.Builder
	at, drawn := int64(0), 0
	for i, s := range a.Shares {
		at += max(s.Bytes, 0)
		to := min(int(float64(at)/float64(size)*float64(width)+0.5), width)
		if n := to - drawn; n > 0 {
			b.WriteString(shareStyle(f, a, i).Render(strings.Repeat(letter(i), n)))
			drawn = to
		}
	}
	free := "·"
	if f.Theme.ASCII {
		free = "."
	}
	return b.String() + f.Theme.Dim.Render(strings.Repeat(free, width-drawn))
}

// shareLines is the account as a table; rows that do not fit are summed up in
// the last one, so that it always adds up.
func shareLines(f ui.Frame, a forensics.Account, width, room int) []string {
	last := len(a.Shares) - 1
	lines := make([]string, 0, room)
	barWidth := min(width/6, 30)
	if width < 100 {
		barWidth = 0 // a name says more than one more bar
	}
	for i := range a.Shares {
		if len(lines) == room-2 && i < last-1 {
			return append(lines, restLine(f, a.Shares[i:last]), shareLine(f, a, last, width, barWidth))
		}
		lines = append(lines, shareLine(f, a, i, width, barWidth))
	}
	return lines
}

func restLine(f ui.Frame, rest []forensics.Share) string {
	var n int64
	names := make([]string, 0, len(rest))
	for _, s := range rest {
		n += s.Bytes
		names = append(names, string(s.Category))
	}
	return f.Theme.Dim.Render(fmt.Sprintf("· %-20s %9s       %s", "together", bytesWord(n), strings.Join(names, ", ")))
}

func shareLine(f ui.Frame, a forensics.Account, i, width, barWidth int) string {
	t, s := f.Theme, a.Shares[i]
	style := shareStyle(f, a, i)
	name, value := t.Text, t.Strong
	if s.Category == forensics.Unexplained {
		name, value = style, style
	}
	share := 100 * float64(s.Bytes) / float64(max(a.Mount.Used, 1))
	line := style.Render(letter(i)) + " " + name.Render(ui.Fit(string(s.Category), 20)) + " " +
		value.Render(ui.FitRight(bytesWord(s.Bytes), 9)) + " " + t.Dim.Render(ui.FitRight(shareWord(share), 4)) + "  "
	if barWidth > 0 {
		line += ui.Bar(t, max(share, 0), barWidth, style) + "  "
	}
	return ui.Fit(line+shareNote(f, a, s), width)
}

func shareWord(p float64) string {
	if p > 0 && p < 1 {
		return "<1%"
	}
	return fmt.Sprintf("%d%%", int(p))
}

// shareNote is the most telling thing about a share: why it is not known, else
// its largest part.
func shareNote(f ui.Frame, a forensics.Account, s forensics.Share) string {
	t := f.Theme
	switch {
	case s.Unknown != "":
		return t.Unknown.Render(t.Glyph(sources.Unknown) + " unknown: " + ui.Clean(s.Unknown))
	case s.Category == forensics.Unexplained && a.Loud():
		return t.Critical.Render(t.Glyph(sources.Critical) + " " + a.Explain())
	case len(s.Parts) > 0:
		p := telling(s.Parts)
		return t.Dim.Render(ui.Clean(p.Path) + " " + bytesWord(p.Bytes))
	}
	return ""
}

// telling is the largest part, or the one file that makes up most of it.
func telling(parts []forensics.Size) forensics.Size {
	for _, p := range parts {
		if strings.Contains(p.Path, ": /") && p.Bytes > parts[0].Bytes/10*8 {
			return p
		}
	}
	return parts[0]
}
