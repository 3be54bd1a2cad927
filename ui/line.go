package ui

import (
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// longestLine bounds what can be typed or pasted into one line.
const longestLine = 200

// line is one line of text being typed, edited at its end.
type line struct{ text string }

// update takes a key or a paste; it reports whether the text changed.
func (l *line) update(msg tea.Msg) bool {
	before := l.text
	switch m := msg.(type) {
	case tea.PasteMsg:
		l.add(m.Content)
	case tea.KeyPressMsg:
		l.key(m)
	}
	return l.text != before
}

func (l *line) key(m tea.KeyPressMsg) {
	switch m.String() {
	case "backspace", "ctrl+h":
		l.dropLast()
	case "ctrl+u":
		l.text = ""
	case "ctrl+w", "alt+backspace":
		trimmed := strings.TrimRight(l.text, " ")
		l.text = trimmed[:strings.LastIndexByte(trimmed, ' ')+1]
	default:
		l.add(m.Text)
	}
}

func (l *line) add(s string) {
	s = Clean(s)
	for len(l.text)+len(s) > longestLine && s != "" {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	l.text += s
}

// dropLast removes the last character as a reader counts them.
func (l *line) dropLast() {
	rest, last := l.text, 0
	for rest != "" {
		cluster, _ := ansi.FirstGraphemeCluster(rest, ansi.GraphemeWidth)
		last = max(len(cluster), 1)
		rest = rest[last:]
	}
	l.text = l.text[:len(l.text)-last]
}
