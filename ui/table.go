package ui

import (
	"fmt"
	"slices"
	"strings"

	"daytwo/keymap"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

// Cell is one value of a row: text without styles, and how it looks.
type Cell struct {
	Text  string
	Style lipgloss.Style
}

// Column is one column of a table. Its width does not depend on the data, so
// that nothing moves when the data does.
type Column[T any] struct {
	Title    string
	Width    int  // cells; 0: flexible, shares what the others leave
	Right    bool // numbers
	Priority int  // 0: always shown; the highest goes first when it is narrow
	Key      string
	Cell     func(Frame, T) Cell
	Compare  func(a, b T) int // nil: cannot be sorted by
	Falls    bool             // Compare puts the highest of what is shown first
}

// Table is a list of rows of which only those in sight are rendered. The rows
// come with every call; the table keeps where the cursor is (by ID, so that it
// stays on its row when data changes), what is filtered and how it is sorted.
//
// Rows must not be modified after they were passed: the table remembers the
// order it made of a slice until it gets another one.
type Table[T any] struct {
	Columns []Column[T]
	ID      func(T) string
	Match   func(T) string     // what the filter looks in; nil: no filter
	Empty   func(Frame) string // what an empty list means; may be several lines

	cursor string // ID; "" until it was moved: the first row
	index  int    // where the cursor was seen last
	top    int    // first row in sight
	height int    // rows in sight at the last Render
	head   int    // lines above the first row at the last Render
	spans  []span // of the columns at the last Render
	sorted int    // 1 + column; 0: as the rows come
	back   bool   // reverse
	filter line
	typing bool
	opened bool
	order  order[T]
}

// span is where a column is: from cell x on, w wide.
type span struct{ column, x, w int }

// Typing reports whether the filter takes the keys.
func (t *Table[T]) Typing() bool { return t.typing }

// Filter is the text the rows are filtered by; "" is all rows.
func (t *Table[T]) Filter() string { return t.filter.text }

// Opened reports whether the last Update was a click on the row that was
// already selected, which means what enter means.
func (t *Table[T]) Opened() bool { return t.opened }

// Select puts the cursor on the row with an ID.
func (t *Table[T]) Select(id string) { t.cursor = id }

// Selected is the row under the cursor; false if there is none.
func (t *Table[T]) Selected(rows []T) (T, bool) {
	v := t.view(rows)
	i := t.locate(v)
	if i < 0 {
		var none T
		return none, false
	}
	return v.at(i), true
}

// Count is how many rows pass the filter.
func (t *Table[T]) Count(rows []T) int { return t.view(rows).len() }

// Commands moves, filters and sorts. Movement is Minor.
func (t *Table[T]) Commands(f Frame, rows []T) []Command {
	k, page := f.Keys.List, max(t.height-1, 1)
	by := func(b keymap.Binding, n int) Command {
		return Command{Key: b, Minor: true, Do: func() tea.Cmd { t.move(rows, n); return nil }}
	}
	all := len(rows)
	out := []Command{
		by(k.Up, -1), by(k.Down, 1), by(k.PageUp, -page), by(k.PageDown, page), by(k.Top, -all), by(k.Bottom, all),
	}
	if t.filter.text != "" {
		out = append(out, Command{
			Key: keymap.Binding{Keys: f.Keys.Global.Back.Keys, Shown: f.Keys.Global.Back.Shown, Words: "clear filter"},
			Do:  func() tea.Cmd { t.clear(); return nil },
		})
	}
	if t.Match != nil {
		out = append(out, Command{Key: f.Keys.Find.Filter, Do: func() tea.Cmd { t.typing = true; return nil }})
	}
	return append(out, t.sorting(f)...)
}

// sorting is the part of the commands that orders rows.
func (t *Table[T]) sorting(f Frame) []Command {
	var out []Command
	for i, c := range t.Columns {
		if c.Compare == nil || c.Key == "" {
			continue
		}
		name := strings.TrimSpace(c.Title)
		out = append(out, Command{
			Key:   keymap.Binding{Keys: []string{c.Key}, Shown: c.Key, Words: "sort by " + name},
			Minor: true,
			Do:    func() tea.Cmd { t.sortBy(i); return nil },
		})
	}
	if slices.ContainsFunc(t.Columns, func(c Column[T]) bool { return c.Compare != nil }) {
		out = append(out,
			Command{Key: f.Keys.Find.Sort, Minor: true, Do: func() tea.Cmd { t.sortNext(); return nil }},
			Command{Key: f.Keys.Find.Reverse, Minor: true, Do: func() tea.Cmd { t.back = !t.back; return nil }})
	}
	return out
}

// sortBy orders by a column, or reverses if it is the one already.
func (t *Table[T]) sortBy(column int) {
	if t.sorted == column+1 {
		t.back = !t.back
		return
	}
	t.sorted, t.back = column+1, false
}

// sortNext goes to the next column that can be sorted by; after the last one
// the rows are as they come.
func (t *Table[T]) sortNext() {
	t.back = false
	for i := t.sorted; i < len(t.Columns); i++ {
		if t.Columns[i].Compare != nil {
			t.sorted = i + 1
			return
		}
	}
	t.sorted = 0
}

// Sorted names the column the rows are ordered by; "" if as they come.
func (t *Table[T]) Sorted() (title string, reverse bool) {
	if t.sorted == 0 {
		return "", t.back
	}
	return t.Columns[t.sorted-1].Title, t.back
}

// Update takes what is typed into the filter, and the mouse in coordinates of
// the table's own area.
func (t *Table[T]) Update(msg tea.Msg, f Frame, rows []T) tea.Cmd {
	t.opened = false
	switch m := msg.(type) {
	case tea.MouseWheelMsg:
		step := 1
		if t.view(rows).len() > t.height {
			step = 3
		}
		t.move(rows, wheelStep(m, step))
	case tea.MouseClickMsg:
		t.click(m.Mouse(), rows)
	case tea.KeyPressMsg:
		if t.typing {
			t.typed(m, f, rows)
		}
	case tea.PasteMsg:
		if t.typing {
			t.refilter(t.filter.update(m))
		}
	}
	return nil
}

// typed is one key while the filter takes them.
func (t *Table[T]) typed(m tea.KeyPressMsg, f Frame, rows []T) {
	switch s := m.String(); {
	case f.Keys.Global.Back.Matches(s):
		t.clear()
	case f.Keys.List.Open.Matches(s):
		t.typing = false
	case s == "up":
		t.move(rows, -1)
	case s == "down":
		t.move(rows, 1)
	case t.filter.text == "" && s == "backspace":
		t.typing = false
	default:
		t.refilter(t.filter.update(m))
	}
}

func (t *Table[T]) refilter(changed bool) {
	if changed {
		t.index, t.top = 0, 0
	}
}

func (t *Table[T]) clear() { t.filter, t.typing = line{}, false }

// click selects a row, or sorts by a column if its title was hit.
func (t *Table[T]) click(m tea.Mouse, rows []T) {
	if m.Button != tea.MouseLeft {
		return
	}
	if m.Y < t.head {
		for _, s := range t.spans {
			if m.X >= s.x && m.X < s.x+s.w && t.Columns[s.column].Compare != nil {
				t.sortBy(s.column)
			}
		}
		return
	}
	v := t.view(rows)
	i := t.top + m.Y - t.head
	if m.Y-t.head >= t.height || i >= v.len() {
		return
	}
	t.opened = i == t.locate(v)
	t.cursor, t.index = t.ID(v.at(i)), i
}

// move puts the cursor n rows further, within the list.
func (t *Table[T]) move(rows []T, n int) {
	v := t.view(rows)
	i := t.locate(v)
	if i < 0 || n == 0 {
		return
	}
	t.index = min(max(i+n, 0), v.len()-1)
	t.cursor = t.ID(v.at(t.index))
}

// locate finds the row of the cursor: by its ID, else where it was seen last.
// It is -1 only if there are no rows.
func (t *Table[T]) locate(v view[T]) int {
	n := v.len()
	switch {
	case n == 0:
		return -1
	case t.cursor == "":
		return 0
	case t.index < n && t.ID(v.at(t.index)) == t.cursor:
		return t.index
	}
	for i := range n {
		if t.ID(v.at(i)) == t.cursor {
			t.index = i
			return i
		}
	}
	t.index = min(t.index, n-1)
	return t.index
}

// status is the line that shows the filter.
func (t *Table[T]) status(f Frame, shown, all int) string {
	caret := ""
	if t.typing {
		caret = f.Theme.Selected.Render(" ")
		if !f.Theme.Color {
			caret = "_"
		}
	}
	return f.Theme.Key.Render("/") + f.Theme.Text.Render(Clean(t.filter.text)) + caret +
		f.Theme.Dim.Render(fmt.Sprintf("  %d of %d", shown, all))
}
