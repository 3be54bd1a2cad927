package ui

import (
	"slices"
	"strings"
)

// order is what a table made of one slice of rows: which of them pass the
// filter, in which order. It is kept until the slice, the filter or the
// sorting is another, so that a frame costs only the rows in sight.
type order[T any] struct {
	first   *T
	count   int
	filter  string
	sorted  int
	reverse bool
	valid   bool
	rows    []int // nil: all, as they come
	all     bool
}

// view is rows in a table's order.
type view[T any] struct {
	rows  []T
	order []int
	all   bool
}

func (v view[T]) len() int {
	if v.all {
		return len(v.rows)
	}
	return len(v.order)
}

func (v view[T]) at(i int) T {
	if v.all {
		return v.rows[i]
	}
	return v.rows[v.order[i]]
}

// view orders rows, or takes the order from the last time.
func (t *Table[T]) view(rows []T) view[T] {
	var first *T
	if len(rows) > 0 {
		first = &rows[0]
	}
	o := &t.order
	same := o.valid && o.first == first && o.count == len(rows) &&
		o.filter == t.filter.text && o.sorted == t.sorted && o.reverse == t.back
	if !same {
		*o = order[T]{
			first: first, count: len(rows), filter: t.filter.text, sorted: t.sorted, reverse: t.back, valid: true,
		}
		o.all = t.filter.text == "" && t.sorted == 0 && !t.back
		if !o.all {
			o.rows = t.arranged(rows)
		}
	}
	return view[T]{rows: rows, order: o.rows, all: o.all}
}

// arranged filters and sorts. Rows that compare equal stay as they came.
func (t *Table[T]) arranged(rows []T) []int {
	words := strings.Fields(strings.ToLower(t.filter.text))
	out := make([]int, 0, len(rows))
	for i, row := range rows {
		if t.Match == nil || matches(t.Match, row, words) {
			out = append(out, i)
		}
	}
	if t.sorted > 0 && t.sorted <= len(t.Columns) {
		if compare := t.Columns[t.sorted-1].Compare; compare != nil {
			slices.SortStableFunc(out, func(a, b int) int {
				if t.back {
					a, b = b, a
				}
				return compare(rows[a], rows[b])
			})
			return out
		}
	}
	if t.back {
		slices.Reverse(out)
	}
	return out
}

// matches reports whether every word is in the row's text.
func matches[T any](text func(T) string, row T, words []string) bool {
	if len(words) == 0 {
		return true
	}
	in := strings.ToLower(text(row))
	for _, w := range words {
		if !strings.Contains(in, w) {
			return false
		}
	}
	return true
}
