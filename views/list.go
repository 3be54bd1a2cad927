package views

import (
	"slices"
	"strings"

	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// list is a pane at full size: more columns, sorting, and the way to details.
type list[T any] struct {
	kind  kind[T]
	table ui.Table[T]
	width int // for which the table has its columns
}

func newList[T any](k kind[T]) *list[T] {
	l := &list[T]{kind: k}
	l.table = ui.Table[T]{
		Columns: k.wide(gridWidth), ID: k.id, Match: k.match,
		Empty: func(f ui.Frame) string { return whyEmpty(f, k, 0) },
	}
	return l
}

// Title names the list for the header's path.
func (l *list[T]) Title() string { return strings.ToLower(l.kind.name) }

// Typing reports whether the filter takes the keys.
func (l *list[T]) Typing() bool { return l.table.Typing() }

func (l *list[T]) rows(f ui.Frame) []T { return l.kind.rows(&f.Snapshot.Judged) }

// Commands opens details, copies names, and moves, filters and sorts.
func (l *list[T]) Commands(f ui.Frame) []ui.Command {
	rows := l.rows(f)
	open := ui.Command{Key: f.Keys.List.Open, WhyNot: "there is no row to open"}
	copyName := ui.Command{Key: reword(f.Keys.Global.Copy, "copy name"), WhyNot: "there is no row to copy the name of"}
	var about sources.Ref
	if row, ok := l.table.Selected(rows); ok {
		about = l.kind.row(&row).About
		open.WhyNot, copyName.WhyNot = "", ""
		open.Do = func() tea.Cmd { return l.open(row) }
		copyName.Do = func() tea.Cmd { return ui.Copy(l.kind.row(&row).About.String()) }
	}
	return slices.Concat([]ui.Command{open, copyName}, f.For(about), l.table.Commands(f, rows))
}

func (l *list[T]) open(row T) tea.Cmd {
	return ui.Open(newDetail(l.kind.topic, l.kind.row(&row).About))
}

// Update takes the filter's text and the mouse.
func (l *list[T]) Update(msg tea.Msg, f ui.Frame) tea.Cmd {
	rows := l.rows(f)
	cmd := l.table.Update(ui.Shift(msg, 1, 1), f, rows)
	if row, ok := l.table.Selected(rows); ok && l.table.Opened() {
		return tea.Batch(cmd, l.open(row))
	}
	return cmd
}

// Render draws the table in a box, and below it why it may be old.
func (l *list[T]) Render(f ui.Frame) string {
	rows := l.rows(f)
	src := paneSource(f.Snapshot, l.kind.part)
	inner := ui.Rect{W: f.Width, H: f.Height}.Inner()
	var foot []string
	shown := f
	if missing := missingLine(f, src, l.kind.topic); missing != "" && len(rows) > 0 {
		foot = []string{f.Theme.Unknown.Render(ui.Fit("   "+missing, inner.W))}
	}
	if src.stale() && len(rows) > 0 {
		foot, shown = staleLines(f, src, inner.W, inner.H), faded(f)
	}
	if l.width != inner.W {
		l.width, l.table.Columns = inner.W, l.kind.wide(inner.W-1)
	}
	lines := l.table.Render(shown, rows, inner.W, max(inner.H-len(foot), 1), true, true)
	note := ""
	switch {
	case src.stale() && !src.at.IsZero():
		note = f.Theme.Warning.Render(ago(src.at, f.Now) + " old")
	case len(rows) > 0 && l.kind.arriving(f.Snapshot) != "":
		note = f.Theme.Dim.Render(l.kind.arriving(f.Snapshot))
	case len(rows) > 0:
		worst := worstOf(l.kind, rows)
		if src.lacks() != "" {
			worst = max(worst, sources.Unknown)
		}
		note = f.Theme.Severity(worst).Render(l.kind.note(rows))
	}
	return ui.Box(f.Theme, l.kind.name, note, true, append(lines, foot...), f.Width, f.Height)
}
