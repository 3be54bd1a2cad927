package ui_test

import (
	"cmp"
	"fmt"
	"strings"

	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// thing is a row of the tests.
type thing struct {
	name     string
	kind     string
	n        int
	severity sources.Severity
}

func things(n int) []thing {
	out := make([]thing, n)
	for i := range out {
		out[i] = thing{name: fmt.Sprintf("worker-%d", i), kind: "agent", n: (i * 7) % 100}
	}
	return out
}

func thingTable() *ui.Table[thing] {
	return &ui.Table[thing]{
		ID:    func(t thing) string { return t.name },
		Match: func(t thing) string { return t.name + " " + t.kind },
		Empty: func(ui.Frame) string { return "no node has reported yet" },
		Columns: []ui.Column[thing]{
			{Width: 1, Cell: func(f ui.Frame, t thing) ui.Cell {
				return ui.Cell{Text: f.Theme.Glyph(t.severity), Style: f.Theme.Severity(t.severity)}
			}},
			{
				Title: "name", Key: "N",
				Cell:    func(f ui.Frame, t thing) ui.Cell { return ui.Cell{Text: t.name, Style: f.Theme.Strong} },
				Compare: func(a, b thing) int { return strings.Compare(a.name, b.name) },
			},
			{
				Title: "kind", Width: 8, Priority: 2,
				Cell: func(f ui.Frame, t thing) ui.Cell { return ui.Cell{Text: t.kind, Style: f.Theme.Dim} },
			},
			{
				Title: "load", Width: 6, Right: true, Key: "L", Priority: 1,
				Cell:    func(f ui.Frame, t thing) ui.Cell { return ui.Cell{Text: fmt.Sprint(t.n, "%"), Style: f.Theme.Text} },
				Compare: func(a, b thing) int { return cmp.Compare(a.n, b.n) },
			},
		},
	}
}

// listView is a view with one table in a box.
type listView struct {
	title    string
	table    *ui.Table[thing]
	rows     []thing
	opened   string
	seen     []tea.Msg
	panicsOn string
	broken   bool
	extra    []ui.Command
}

func newListView(rows []thing) *listView {
	return &listView{title: "Nodes", table: thingTable(), rows: rows}
}

func (v *listView) Title() string { return v.title }
func (v *listView) Typing() bool  { return v.table.Typing() }

func (v *listView) Commands(f ui.Frame) []ui.Command {
	open := ui.Command{Key: f.Keys.List.Open, Do: func() tea.Cmd { return v.open() }}
	return append([]ui.Command{open}, append(v.table.Commands(f, v.rows), v.extra...)...)
}

func (v *listView) open() tea.Cmd {
	row, ok := v.table.Selected(v.rows)
	if !ok {
		return nil
	}
	v.opened = row.name
	return ui.Open(&textView{title: row.name, text: "all about " + row.name})
}

func (v *listView) Update(msg tea.Msg, f ui.Frame) tea.Cmd {
	v.seen = append(v.seen, msg)
	if k, ok := msg.(tea.KeyPressMsg); ok && v.panicsOn != "" && k.String() == v.panicsOn {
		v.broken = true
	}
	cmd := v.table.Update(ui.Shift(msg, 1, 1), f, v.rows)
	if v.table.Opened() {
		return v.open()
	}
	return cmd
}

func (v *listView) Render(f ui.Frame) string {
	if v.broken {
		panic("a row without a node")
	}
	lines := v.table.Render(f, v.rows, f.Width-2, f.Height-2, true, true)
	return ui.Box(f.Theme, v.title, fmt.Sprint(len(v.rows), " nodes"), true, lines, f.Width, f.Height)
}

// textView is a view that only says something.
type textView struct{ title, text string }

func (v *textView) Title() string                    { return v.title }
func (v *textView) Commands(ui.Frame) []ui.Command   { return nil }
func (v *textView) Update(tea.Msg, ui.Frame) tea.Cmd { return nil }
func (v *textView) Render(ui.Frame) string           { return v.text }

type (
	edit     = sources.Edit
	snapshot = sources.Snapshot
)
