package ui

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"daytwo/sources"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// View draws the screen of the last message's frame.
func (r *Root) View() (v tea.View) {
	defer func() {
		if p := recover(); p != nil {
			r.broke(p)
			v = tea.View{AltScreen: true}
		}
	}()
	v = tea.View{Content: r.content(), AltScreen: true, WindowTitle: r.windowTitle()}
	if r.o.Mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	r.pace.soon()
	return v
}

// content is the screen as text: exactly height lines of width cells.
func (r *Root) content() string {
	s := r.arranged()
	var lines []string
	if s.tiny {
		lines = r.tiny()
	} else {
		lines = append(make([]string, 0, r.height), r.header())
		if s.banner.H > 0 {
			lines = append(lines, r.banner())
		}
		body := strings.Split(r.top().Render(r.frame), "\n")
		lines = append(lines, area(body, s.body.W, s.body.H)...)
		lines = append(lines, r.bottom())
	}
	if r.over != nil {
		box, at := r.over.box(r.frame, r.width, r.height)
		splice(lines, box, at, r.width)
	}
	text := strings.Join(lines, "\n")
	if r.o.ASCII {
		return asciiOnly(text)
	}
	return text
}

// bottom is the last line: a toast while there is one, else the footer.
func (r *Root) bottom() string {
	if r.toast.text == "" || !r.frame.Now.Before(r.toast.until) {
		return r.footer()
	}
	style := r.theme.Severity(r.toast.severity)
	line := " " + style.Render(r.theme.Glyph(r.toast.severity)) + " " + r.theme.Text.Render(Cut(r.toast.text, r.width-4))
	return Fit(line, r.width)
}

// tiny is what fits on a terminal too small for the screen: how bad it is,
// where, and the worst of it.
func (r *Root) tiny() []string {
	t := r.theme
	lines := []string{t.Strong.Render(Clean(r.clusterName()))}
	if stale(r.snapshot) {
		lines = append(lines, t.Alarm.Render("stale: no answer from the API"))
	}
	lines = append(lines, Tally(t, r.snapshot.Judged.Findings))
	for _, f := range r.snapshot.Judged.Findings {
		lines = append(lines, t.Severity(f.Severity).Render(t.Glyph(f.Severity))+" "+
			t.Text.Render(Clean(f.Topic()+" "+f.About.String()+" "+f.Summary)))
	}
	return area(lines, r.width, r.height)
}

// Tally counts findings by severity, worst first: "2 critical · 3 warning".
func Tally(t Theme, findings []sources.Finding) string {
	count := map[sources.Severity]int{}
	for _, f := range findings {
		count[f.Severity]++
	}
	var parts []string
	for _, s := range []sources.Severity{sources.Critical, sources.Warning, sources.Unknown} {
		if n := count[s]; n > 0 {
			parts = append(parts, t.Severity(s).Bold(true).Render(strconv.Itoa(n)+" "+s.String()))
		}
	}
	if len(parts) == 0 {
		return t.OK.Render("nothing found")
	}
	return strings.Join(parts, t.Dim.Render(" · "))
}

func (r *Root) windowTitle() string {
	title := r.o.Title + " " + Clean(r.clusterName())
	for _, s := range []sources.Severity{sources.Critical, sources.Warning} {
		n := 0
		for _, f := range r.snapshot.Judged.Findings {
			if f.Severity == s {
				n++
			}
		}
		if n > 0 {
			return title + ": " + strconv.Itoa(n) + " " + s.String()
		}
	}
	return title
}

// splice lays a box over lines of width cells.
func splice(lines, box []string, at Rect, width int) {
	for i, piece := range box {
		y := at.Y + i
		if y < 0 || y >= len(lines) {
			continue
		}
		under := lines[y]
		lines[y] = ansi.Truncate(under, at.X, "") + piece + ansi.Cut(under, at.X+at.W, width)
	}
}

// asciiOnly replaces every glyph of ours with one ASCII character. Widgets
// have their own ASCII forms; this catches the rest: dots, dashes, arrows.
func asciiOnly(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 {
			return r
		}
		return asciiFor(r)
	}, s)
}

// asciiGlyphs pairs each glyph with what stands for it.
const asciiGlyphs = "│|─-━-╸-┄.╌-╭+╮+╰+╯+├+┤+┬+┴+┼+·-•*–-—-−-…~→>←<↑^↓v⏎<▌>▸>▾v▴^✖X▲!●.○?✔+▪#█#×x≥>≤<±~µu"

func asciiFor(r rune) rune {
	i := strings.IndexRune(asciiGlyphs, r)
	if i < 0 {
		return r // a name from outside
	}
	return rune(asciiGlyphs[i+utf8.RuneLen(r)])
}
