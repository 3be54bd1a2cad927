package ui

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// longestCluster bounds the bytes of one cell, so that a pile of combining
// marks cannot flood the wire.
const longestCluster = 24

// Fit cuts s with … or pads it with spaces to exactly width cells. Styles in
// s stay; control characters and text that terminals disagree on are replaced
// as by Clean.
func Fit(s string, width int) string {
	if width <= 0 {
		return ""
	}
	s, w := cut(s, width)
	return s + blank(width-w)
}

// FitRight is Fit with the padding on the left.
func FitRight(s string, width int) string {
	if width <= 0 {
		return ""
	}
	s, w := cut(s, width)
	return blank(width-w) + s
}

// Cut shortens s with … to at most width cells without padding it.
func Cut(s string, width int) string {
	s, _ = cut(s, max(width, 0))
	return s
}

// Width is how many cells s takes.
func Width(s string) int {
	if n := singles(s); n >= 0 {
		return n
	}
	return ansi.StringWidth(s)
}

// Wrap breaks s between words into lines of at most width cells; longer words
// are broken anywhere. Line breaks in s are kept.
func Wrap(s string, width int) []string {
	if width <= 0 {
		return nil
	}
	return strings.Split(ansi.Wrap(s, width, ""), "\n")
}

// Clean makes text from outside safe to draw: no control or formatting
// characters, line breaks as spaces, and nothing that terminals draw in
// different widths, so that columns hold everywhere.
func Clean(s string) string {
	if singles(s) >= 0 {
		return s
	}
	s = ansi.Strip(strings.ToValidUTF8(s, "?"))
	if steady(s) {
		return s
	}
	s = strings.Map(drawable, s)
	var b strings.Builder
	for len(s) > 0 {
		cluster, _ := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		if cluster == "" {
			break
		}
		b.WriteString(steadyCluster(cluster))
		s = s[len(cluster):]
	}
	return b.String()
}

// cut returns s shortened to at most width cells, and its width.
func cut(s string, width int) (string, int) {
	if n := singles(s); n >= 0 {
		return cutSingles(s, n, width)
	}
	if strings.IndexByte(s, '\x1b') < 0 {
		s = Clean(s)
	} else if strings.ContainsFunc(s, straying) {
		s = strings.Map(stay, s)
	}
	w := ansi.StringWidth(s)
	if w > width {
		s = ansi.Truncate(s, width, "…")
		w = ansi.StringWidth(s)
	}
	return s, w
}

// straying reports controls, other than the start of a style, that would move
// the cursor off its line.
func straying(r rune) bool { return r != '\x1b' && unicode.IsControl(r) }

func stay(r rune) rune {
	if straying(r) {
		return ' '
	}
	return r
}

// singles is the number of runes of s if every one takes one cell on every
// terminal and joins with none: ASCII, and what bars, charts and marks are
// drawn with. -1 if not. It spares most cells the look-up of their clusters.
func singles(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r >= ' ' && r <= '~', r >= 0x2500 && r <= 0x259F: // box drawing, blocks
		case r == '·', r == '…', r == '●', r == '○', r == '▲', r == '✖':
		default:
			return -1
		}
		n++
	}
	return n
}

// cutSingles is cut for n runes of one cell each.
func cutSingles(s string, n, width int) (string, int) {
	switch {
	case n <= width:
		return s, n
	case width == 0:
		return "", 0
	}
	left := width - 1
	for i := range s {
		if left == 0 {
			return s[:i] + "…", width
		}
		left--
	}
	return s, n
}

// steady reports whether all terminals give s the same width.
func steady(s string) bool {
	for _, r := range s {
		if drawable(r) != r {
			return false
		}
	}
	return len(s) < 4*longestCluster && alone(s)
}

// alone reports whether all terminals give s the same width, also between
// other text: some characters join with what follows or precedes them.
func alone(s string) bool {
	amid := " " + s + " "
	w := ansi.StringWidth(s)
	return w == ansi.StringWidthWc(s) && ansi.StringWidth(amid) == w+2 && ansi.StringWidthWc(amid) == w+2
}

// drawable maps line breaks to spaces and drops what has no picture of its
// own: controls, joiners, direction marks, variation selectors, skin tones.
func drawable(r rune) rune {
	switch {
	case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
		return -1
	case unicode.Is(unicode.Variation_Selector, r), r >= 0x1F3FB && r <= 0x1F3FF:
		return -1
	}
	return r
}

func steadyCluster(cluster string) string {
	if len(cluster) <= longestCluster && alone(cluster) {
		return cluster
	}
	r, size := utf8.DecodeRuneInString(cluster)
	first := cluster[:size]
	if r != utf8.RuneError && alone(first) {
		return first
	}
	return "?"
}

// blank is n spaces; none if n is negative.
func blank(n int) string {
	if n <= 0 {
		return ""
	}
	return strings.Repeat(" ", n)
}
