package sources

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CleanStream makes a line of foreign output safe for a terminal: like Clean,
// but it keeps tabs and colours, and does not shorten. The line must not hold
// its own end.
func CleanStream(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	marks := 0
	for i := 0; i < len(s); {
		if n := sequence(s[i:]); n > 0 {
			if colour(s[i : i+n]) {
				b.WriteString(s[i : i+n])
			}
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		if r == '\t' {
			b.WriteByte('\t')
			continue
		}
		r = safe(r)
		if r < 0 {
			continue
		}
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if marks++; marks > mostMarks {
				continue
			}
		} else {
			marks = 0
		}
		b.WriteRune(r)
	}
	return b.String()
}

// colour reports whether an escape sequence only changes how text looks.
func colour(seq string) bool {
	body, ok := strings.CutPrefix(seq, "\x1b[")
	if !ok || !strings.HasSuffix(body, "m") {
		return false
	}
	return strings.Trim(body[:len(body)-1], "0123456789;:") == ""
}
