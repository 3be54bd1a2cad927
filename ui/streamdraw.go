package ui

import (
	"cmp"
	"regexp"
	"strings"

	"daytwo/sources"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// Render draws the lines in sight: exactly height lines of width cells. Only
// they are cleaned, coloured and wrapped.
func (s *Stream) Render(f Frame, width, height int) []string {
	s.width, s.height = max(width, 1), max(height, 0)
	if s.typing || s.failed != "" || s.asked != "" {
		s.height = max(s.height-1, 0)
	}
	lines := s.visible(f)
	if s.height < height {
		lines = append(area(lines, width, s.height), s.findLine(f))
	}
	return area(lines, width, height)
}

// visible is the rows in sight, from the top of the area on.
func (s *Stream) visible(f Frame) []string {
	top, sub := s.top, s.sub
	if !s.back {
		top, sub = s.lastTop()
	} else if last, lastSub := s.lastTop(); top > last || top == last && sub > lastSub {
		top, sub = last, lastSub // it became higher, or the search ended
	}
	var out []string
	if top == 0 && sub == 0 && s.gone > 0 && s.back {
		out = append(out, s.gapLine(f, s.firstGap(), "earlier"))
	}
	for i := top; i < s.count() && len(out) < s.height; i++ {
		rows := s.draw(f, i)
		out = append(out, rows[min(sub, len(rows)-1):]...)
		sub = 0
	}
	if len(out) == 0 {
		out = append(out, " "+f.Theme.Dim.Render(cmp.Or(s.Nothing, "nothing was written yet")))
	}
	return out[:min(len(out), max(s.height, 0))]
}

// firstGap is how many lines are before the first that is kept.
func (s *Stream) firstGap() int64 {
	n := s.gone
	for _, r := range s.rows {
		n -= r.gap
	}
	return n
}

func (s *Stream) gapLine(f Frame, n int64, why string) string {
	rule := "──"
	if f.Theme.ASCII {
		rule = "--"
	}
	return " " + f.Theme.Edge.Render(rule) + " " + f.Theme.Warning.Render(s.gapText(n, why)) + " " + f.Theme.Edge.Render(rule)
}

// draw is one line as rows of the screen.
func (s *Stream) draw(f Frame, i int) []string {
	r := s.at(i)
	if r.gap > 0 {
		return []string{s.gapLine(f, r.gap, "skipped: too fast for the screen")}
	}
	text := s.painted(f, r.text, i)
	if !s.wrap {
		return []string{Cut(text, s.width)}
	}
	return wrapStyled(text, s.width)
}

// painted is a line that is safe to draw: with its own colours if it has any,
// else with those of what it looks like; hits of the search stand out.
func (s *Stream) painted(f Frame, text string, i int) string {
	text = strings.ReplaceAll(sources.CleanStream(text), "\t", "    ")
	plain := ansi.Strip(text)
	switch {
	case s.asked != "" && len(s.hits(plain)) > 0:
		style := f.Theme.Selected
		if i == s.hit {
			style = f.Theme.Alarm
		}
		return marked(f, plain, s.hits(plain), style)
	case plain != text && f.Theme.Color:
		return ownColours(text)
	}
	return paint(f.Theme, plain)
}

// marked is text with some parts of it in a style.
func marked(f Frame, text string, spans [][2]int, style lipgloss.Style) string {
	var b strings.Builder
	at := 0
	for _, sp := range spans {
		b.WriteString(f.Theme.Text.Render(text[at:sp[0]]))
		b.WriteString(style.Render(text[sp[0]:sp[1]]))
		at = sp[1]
	}
	return b.String() + f.Theme.Text.Render(text[at:])
}

// How lines of syslog and of the journal begin (time, machine, who speaks),
// and those that only say when.
var (
	journalPattern = regexp.MustCompile(`^((?:[A-Z][a-z]{2} [ 0-9]\d )?\d\d:\d\d:\d\d(?:\.\d+)? \S+ )([^\s:\[]+(?:\[\d+\])?: )`)
	stampPattern   = regexp.MustCompile(`^(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)? `)
)

// paint colours a line by what it looks like: a remark of ours, what a person
// would type, a step's heading, a journal's line, or plain text.
func paint(t Theme, s string) string {
	switch {
	case remark(s), strings.HasPrefix(s, ">> "):
		return t.Warning.Render(s)
	case strings.HasPrefix(s, "unknown: "), strings.HasPrefix(s, "not all of it: "):
		return t.Severity(sources.Unknown).Render(s)
	case strings.HasPrefix(s, "$ "):
		return t.Accent.Render(s)
	case strings.HasPrefix(s, "# "):
		return t.Strong.Render(s)
	}
	if m := journalPattern.FindStringSubmatchIndex(s); m != nil {
		return t.Dim.Render(s[:m[3]]) + t.Accent.Render(s[m[4]:m[5]]) + loud(t, s[m[5]:])
	}
	if m := stampPattern.FindStringIndex(s); m != nil {
		return t.Dim.Render(s[:m[1]]) + loud(t, s[m[1]:])
	}
	return loud(t, s)
}

// remark reports whether a line is daytwo's own among others, with or without
// the label of whose it is. In the middle of a line it is somebody else's.
func remark(s string) bool {
	const mark = "-- daytwo: "
	_, rest, labelled := strings.Cut(s, " | ")
	return strings.HasPrefix(s, mark) || labelled && strings.HasPrefix(rest, mark)
}

// loud lets a line that says how bad it is be seen as that.
func loud(t Theme, s string) string {
	for _, w := range [...]struct {
		word     string
		severity sources.Severity
	}{{"level=error", sources.Critical}, {"level=fatal", sources.Critical}, {"level=warning", sources.Warning}} {
		if i := strings.Index(s, w.word); i >= 0 {
			return t.Text.Render(s[:i]) + t.Severity(w.severity).Render(w.word) + t.Text.Render(s[i+len(w.word):])
		}
	}
	if strings.HasPrefix(s, "error:") || strings.HasPrefix(s, "Error") {
		return t.Critical.Render(s)
	}
	return t.Text.Render(s)
}

// ownColours keeps of a line's own styles the foreground colours that can be read
// on any background, and bold: nothing blinks, hides or fills.
func ownColours(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "\x1b[")
		if i < 0 {
			break
		}
		end := strings.IndexByte(s[i:], 'm')
		if end < 0 {
			break
		}
		b.WriteString(s[:i])
		b.WriteString(readable(s[i+2 : i+end]))
		s = s[i+end+1:]
	}
	return b.String() + s + "\x1b[m"
}

// readable is a style sequence with only what may stay of it.
func readable(parameters string) string {
	if parameters == "" {
		return "\x1b[m"
	}
	var kept []string
	words := strings.FieldsFunc(parameters, func(r rune) bool { return r == ';' || r == ':' })
	for i := 0; i < len(words); i++ {
		switch w := words[i]; {
		case w == "38" || w == "48" || w == "58": // and its colour
			if i++; i < len(words) && words[i] == "2" {
				i += 2
			}
			i++
		case w == "0", w == "1", w == "22", w == "39", len(w) == 2 && (w[0] == '3' || w[0] == '9') && w[1] >= '1' && w[1] <= '6':
			kept = append(kept, w)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	return "\x1b[" + strings.Join(kept, ";") + "m"
}

// wrapStyled breaks a line into rows of at most width cells, anywhere: a log
// is read by columns. Each row has its styles in itself.
func wrapStyled(s string, width int) []string {
	if Width(s) <= width {
		return []string{s}
	}
	rows := strings.Split(ansi.Hardwrap(s, max(width, 1), true), "\n")
	open := ""
	for i, r := range rows {
		rows[i] = open + r
		for _, seq := range styleSequences(r) {
			if open += seq; seq == "\x1b[m" || seq == "\x1b[0m" {
				open = ""
			}
		}
		if open != "" {
			rows[i] += "\x1b[m"
		}
	}
	return rows
}

// styleSequences are the style sequences of a text in order.
func styleSequences(s string) []string {
	var out []string
	for {
		i := strings.Index(s, "\x1b[")
		if i < 0 {
			return out
		}
		end := strings.IndexByte(s[i:], 'm')
		if end < 0 {
			return out
		}
		out = append(out, s[i:i+end+1])
		s = s[i+end+1:]
	}
}
