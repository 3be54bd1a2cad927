package views

import (
	"slices"
	"strconv"
	"strings"

	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

// kind is what there is to know about one sort of row, wherever it is shown:
// in a pane, at full size, or as a detail.
type kind[T any] struct {
	part  int    // which pane
	name  string // "Nodes"
	topic string // of its findings and of Judgement.Missing
	rows  func(*sources.Judgement) []T
	row   func(*T) *sources.Row
	id    func(T) string
	match func(T) string
	// Columns of the pane on some width within its edges, and at full size.
	narrow func(width int) []ui.Column[T]
	wide   func(width int) []ui.Column[T]
	note   func(rows []T) string // in the edge: the pane in three words
	quiet  func(T) bool          // not worth a line in the pane; nil: all are
	// How far a first reading of many has come, "" when it is through; nil:
	// all rows come at once.
	coming func(*sources.Snapshot) string
	// What it means that all rows are quiet; nil where none can be.
	calm func(f ui.Frame, quiet int) string
}

// arriving is what coming says, "" where rows come at once.
func (k kind[T]) arriving(s *sources.Snapshot) string {
	if k.coming == nil {
		return ""
	}
	return k.coming(s)
}

// pane is one of the five boxes below the attention list.
type pane interface {
	title() string
	worst(f ui.Frame) sources.Severity
	typing() bool
	commands(f ui.Frame) []ui.Command
	update(msg tea.Msg, f ui.Frame) tea.Cmd // mouse within the box's edges
	render(f ui.Frame, focused bool, width, height int) string
}

// board is a pane of rows.
type board[T any] struct {
	kind  kind[T]
	table ui.Table[T]
	width int // for which the table has its columns

	// What the last snapshot had to show, kept because the table knows its
	// order by the slice it gets.
	from  *sources.Snapshot
	shown []T
	calm  int // rows left out
	sum   sources.Severity
}

func newBoard[T any](k kind[T]) *board[T] {
	b := &board[T]{kind: k}
	b.table = ui.Table[T]{ID: k.id, Match: k.match, Empty: func(f ui.Frame) string { return whyEmpty(f, k, b.calm) }}
	return b
}

func (b *board[T]) title() string { return strconv.Itoa(b.kind.part) + " " + b.kind.name }

func (b *board[T]) typing() bool { return b.table.Typing() }

// rows picks what the pane shows of the newest snapshot.
func (b *board[T]) rows(f ui.Frame) []T {
	if b.from == f.Snapshot {
		return b.shown
	}
	all := b.kind.rows(&f.Snapshot.Judged)
	b.from, b.shown, b.calm, b.sum = f.Snapshot, all, 0, worstOf(b.kind, all)
	if b.kind.quiet == nil {
		return all
	}
	b.shown = make([]T, 0, len(all))
	for _, r := range all {
		if b.kind.quiet(r) {
			b.calm++
			continue
		}
		b.shown = append(b.shown, r)
	}
	return b.shown
}

func worstOf[T any](k kind[T], rows []T) sources.Severity {
	worst := sources.OK
	for i := range rows {
		worst = max(worst, k.row(&rows[i]).Severity)
	}
	return worst
}

// worst is the severity a tab shows: what could not be read is never ok.
func (b *board[T]) worst(f ui.Frame) sources.Severity {
	b.rows(f)
	src := paneSource(f.Snapshot, b.kind.part)
	if src.waiting || src.err != nil {
		return max(b.sum, sources.Unknown)
	}
	return b.sum
}

func (b *board[T]) commands(f ui.Frame) []ui.Command {
	rows := b.rows(f)
	row, some := b.table.Selected(rows)
	open := ui.Command{Key: f.Keys.List.Open, Do: func() tea.Cmd { return b.open(f) }}
	copyName := ui.Command{Key: reword(f.Keys.Global.Copy, "copy name"), Minor: true}
	var about sources.Ref
	if some {
		about = b.kind.row(&row).About
		copyName.Do = func() tea.Cmd { return ui.Copy(b.kind.row(&row).About.String()) }
	} else {
		copyName.WhyNot = "there is no row to copy the name of"
	}
	return slices.Concat([]ui.Command{open, copyName}, f.For(about), b.table.Commands(f, rows))
}

// open shows the pane at full size, the cursor on the same row.
func (b *board[T]) open(f ui.Frame) tea.Cmd {
	l := newList(b.kind)
	if row, ok := b.table.Selected(b.rows(f)); ok {
		l.table.Select(b.kind.id(row))
	}
	return ui.Open(l)
}

func (b *board[T]) update(msg tea.Msg, f ui.Frame) tea.Cmd {
	cmd := b.table.Update(msg, f, b.rows(f))
	if b.table.Opened() {
		return tea.Batch(cmd, b.open(f))
	}
	return cmd
}

// The least lines within a pane's edges for which column titles are worth one.
const titledFrom = 6

func (b *board[T]) render(f ui.Frame, focused bool, width, height int) string {
	rows := b.rows(f)
	inner := ui.Rect{W: width, H: height}
	edges := height >= 4
	if edges {
		inner = inner.Inner()
	}
	if b.width != inner.W {
		b.width, b.table.Columns = inner.W, b.kind.narrow(inner.W-1) // the table keeps a cell of air
	}
	src := paneSource(f.Snapshot, b.kind.part)
	foot, shown := b.foot(f, src, inner.W), f
	if src.stale() && len(rows) > 0 {
		foot, shown = staleLines(f, src, inner.W, inner.H), faded(f)
	}
	titled := inner.H >= titledFrom && len(rows) > 0
	room := max(inner.H-len(foot), 1)
	if len(foot) > 0 && b.table.Filter() == "" && !b.table.Typing() {
		room = min(room, len(rows)+1) // the foot belongs to the rows: right below them
	}
	lines := b.table.Render(shown, rows, inner.W, room, titled, focused)
	lines = append(lines, foot...)
	if !edges {
		return strings.Join(lines[:min(len(lines), height)], "\n")
	}
	return ui.Box(f.Theme, b.title(), b.edgeNote(f, src, rows), focused, lines, width, height)
}

// edgeNote is the pane in three words, or that it is old.
func (b *board[T]) edgeNote(f ui.Frame, src source, rows []T) string {
	switch {
	case src.stale() && !src.at.IsZero():
		return f.Theme.Warning.Render(ago(src.at, f.Now) + " old")
	case src.stale():
		return f.Theme.Unknown.Render("unknown")
	case src.waiting && !src.partly:
		return f.Theme.Unknown.Render("waiting")
	case len(rows)+b.calm == 0:
		return ""
	case b.kind.arriving(f.Snapshot) != "":
		return f.Theme.Dim.Render(b.kind.arriving(f.Snapshot))
	}
	return f.Theme.Severity(b.worst(f)).Render(b.kind.note(b.kind.rows(&f.Snapshot.Judged)))
}

// foot is the last line of a pane: how many rows are not shown because there
// is nothing to say of them, or why there are not all.
func (b *board[T]) foot(f ui.Frame, src source, width int) []string {
	if missing := missingLine(f, src, b.kind.topic); missing != "" && len(b.shown) > 0 {
		return []string{f.Theme.Unknown.Render(ui.Fit("   "+missing, width-1))}
	}
	if b.calm > 0 && (len(b.shown) > 0 || b.kind.calm == nil) {
		return []string{f.Theme.Dim.Render(ui.Fit("   "+strconv.Itoa(b.calm)+" more quiet", width))}
	}
	return nil
}

// missingLine says why there are not all rows; "" if there are.
func missingLine(f ui.Frame, src source, topic string) string {
	if why := src.lacks(); why != "" {
		return why
	}
	return f.Snapshot.Judged.Missing[topic]
}

// staleLines say why a pane shows an old picture.
func staleLines(f ui.Frame, src source, width, height int) []string {
	if height < 2 {
		return nil
	}
	return []string{f.Theme.Warning.Render(ui.Fit(" "+f.Theme.Glyph(sources.Warning)+" "+src.err.Error(), width-1))}
}

// faded is the frame without the colours that speak: what they say may no
// longer be true.
func faded(f ui.Frame) ui.Frame {
	t := &f.Theme
	for _, style := range []*lipgloss.Style{&t.Critical, &t.Warning, &t.OK, &t.Unknown, &t.Text, &t.Strong, &t.Accent} {
		*style = t.Dim
	}
	return f
}

// whyEmpty says what it means that a pane shows no rows, of which some may be
// quiet ones.
func whyEmpty[T any](f ui.Frame, k kind[T], quiet int) string {
	src := paneSource(f.Snapshot, k.part)
	missing := f.Snapshot.Judged.Missing[k.topic]
	switch {
	case src.err != nil:
		return src.what + ": " + src.err.Error()
	case src.waiting:
		return "waiting for " + src.what + fromServer(f.Snapshot)
	case k.calm != nil && k.calm(f, quiet) != "":
		return k.calm(f, quiet)
	case missing != "":
		return missing
	}
	return "nothing to show"
}

// okOf is "3 of 5 ok".
func okOf[T any](k kind[T], rows []T) string {
	n := 0
	for i := range rows {
		if k.row(&rows[i]).Severity == sources.OK {
			n++
		}
	}
	return strconv.Itoa(n) + " of " + strconv.Itoa(len(rows)) + " ok"
}

// paneKeys are the keys that focus the parts, by part.
func paneKeys(k keymap.Panes) [parts]keymap.Binding {
	return [parts]keymap.Binding{k.Attention, k.One, k.Two, k.Three, k.Four, k.Five}
}
