package sources

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds for text from outside, in bytes.
const (
	MaxName    = 253  // names of objects, hosts, labels
	MaxMessage = 1024 // conditions, events, errors
)

// mostMarks is how many combining marks may stand on one character: more than
// any script needs, less than it takes to climb over the lines above.
const mostMarks = 4

// Clean makes text from outside safe for one line of a terminal and bounds it
// to max bytes. Escape sequences, control characters, and invisible ones that
// turn the reading direction are removed; line breaks and tabs become one
// space; invalid UTF-8 becomes U+FFFD; what is cut ends with an ellipsis.
// Clean text is returned as it is, without a copy.
func Clean(s string, limit int) string {
	if limit <= 0 {
		return ""
	}
	if plain(s) {
		return cut(s, limit)
	}
	var b strings.Builder
	b.Grow(min(len(s), limit+utf8.UTFMax))
	marks, gap := 0, false
	for i := 0; i < len(s) && b.Len() <= limit; {
		if n := sequence(s[i:]); n > 0 {
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		r = safe(r)
		switch {
		case r < 0:
			continue
		case unicode.In(r, unicode.Mn, unicode.Me):
			if marks++; marks > mostMarks {
				continue
			}
		default:
			marks = 0
		}
		if breaks := n == 1 && r == ' ' && s[i-1] != ' '; breaks {
			if gap {
				continue
			}
			gap = true
		} else {
			gap = false
		}
		b.WriteRune(r)
	}
	return cut(b.String(), limit)
}

// plain reports whether s has nothing but printable ASCII.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// safe is what is shown of a rune; negative for nothing.
func safe(r rune) rune {
	switch {
	case r == '\n' || r == '\r' || r == '\t' || r == '\v' || r == '\f' || unicode.In(r, unicode.Zl, unicode.Zp):
		return ' '
	case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs):
		return -1
	}
	return r
}

// sequence is the length of the escape sequence s begins with; 0 if none. An
// unfinished one counts only its introducer, so that it cannot swallow what
// follows.
func sequence(s string) int {
	var intro int
	var kind byte
	switch {
	case len(s) >= 2 && s[0] == 0x1b:
		intro, kind = 2, s[1]
	case len(s) >= 2 && s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f: // C1
		intro, kind = 2, s[1]-0x40
	case s[0] == 0x1b:
		return 1
	default:
		return 0
	}
	switch kind {
	case '[':
		return intro + parameters(s[intro:])
	case ']', 'P', 'X', '^', '_':
		return intro + terminated(s[intro:])
	}
	if kind >= '0' && kind <= '~' || s[0] != 0x1b {
		return intro
	}
	return 1
}

// parameters is the length of a control sequence after its introducer.
func parameters(s string) int {
	for i := range len(s) {
		switch {
		case s[i] >= '@' && s[i] <= '~':
			return i + 1
		case s[i] < ' ' || s[i] > '?':
			return i
		}
	}
	return len(s)
}

// terminated is the length of a control string with its terminator; 0 if it
// does not end.
func terminated(s string) int {
	for i := range len(s) {
		switch {
		case s[i] == 0x07:
			return i + 1
		case s[i] == 0x1b && i+1 < len(s) && s[i+1] == '\\':
			return i + 2
		case s[i] == 0xc2 && i+1 < len(s) && s[i+1] == 0x9c:
			return i + 2
		}
	}
	return 0
}

// cut shortens s to limit bytes at a rune's edge.
func cut(s string, limit int) string {
	const ellipsis = "…"
	if len(s) <= limit {
		return s
	}
	if limit < len(ellipsis) {
		return strings.Repeat(".", limit)
	}
	end := limit - len(ellipsis)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}
