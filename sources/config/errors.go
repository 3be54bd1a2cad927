package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one thing wrong with the file.
type Error struct {
	File string
	Line int // from 1
	Col  int // from 1
	Text string
}

// Error is file:line:col and the text, as compilers write it.
func (e *Error) Error() string { return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Text) }

// Errors is all that is wrong with a file, from its top.
type Errors []*Error

// Error has one line for each.
func (e Errors) Error() string {
	lines := make([]string, 0, len(e))
	for _, one := range e {
		lines = append(lines, one.Error())
	}
	return strings.Join(lines, "\n")
}

func (e Errors) sort() {
	slices.SortStableFunc(e, func(a, b *Error) int { return cmp.Or(a.Line-b.Line, a.Col-b.Col) })
}

// nearest is the known word most like a wrong one, "" if none is near: at
// most a third of its letters differ, capitals and dashes apart.
func nearest(wrong string, known []string) string {
	plain := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }
	best, least := "", 1+max(2, len(wrong)/3)
	for _, k := range known {
		if d := distance(plain(wrong), plain(k)); d < least && d < len(k) {
			best, least = k, d
		}
	}
	return best
}

// distance is Levenshtein's: letters to insert, delete or replace. Words
// longer than any key are not worth the work.
func distance(a, b string) int {
	if len(a) > 40 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
