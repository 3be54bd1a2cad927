package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// findings is the attention list: what is wrong, worst first, each with the
// key that shows why.
type findings struct {
	table ui.Table[sources.Finding]
	width int // for which the table has its columns

	// The row that enter would open; "" without the focus.
	chosen string
	// How many findings of each severity the last snapshot had: there may be
	// thousands, and a screen is drawn after every message.
	from  *sources.Snapshot
	tally [sources.Critical + 1]int
}

func newFindings() *findings {
	a := &findings{}
	a.table = ui.Table[sources.Finding]{
		ID:    func(fi sources.Finding) string { return fi.Rule + " " + fi.About.Kind + "/" + fi.About.String() },
		Match: func(fi sources.Finding) string { return fi.Rule + " " + fi.About.String() + " " + fi.Summary },
	}
	return a
}

func (a *findings) title() string { return "Attention" }

func (a *findings) rows(f ui.Frame) []sources.Finding { return f.Snapshot.Judged.Findings }

func (a *findings) worst(f ui.Frame) sources.Severity {
	n := a.counted(f)
	for s := sources.Critical; s > sources.OK; s-- {
		if n[s] > 0 {
			return s
		}
	}
	if _, calm := a.silence(f); !calm {
		return sources.Unknown
	}
	return sources.OK
}

// counted is how many findings there are of each severity.
func (a *findings) counted(f ui.Frame) [sources.Critical + 1]int {
	if a.from != f.Snapshot {
		a.from, a.tally = f.Snapshot, [sources.Critical + 1]int{}
		for i := range f.Snapshot.Judged.Findings {
			a.tally[f.Snapshot.Judged.Findings[i].Severity]++
		}
	}
	return a.tally
}

func (a *findings) typing() bool { return a.table.Typing() }

func (a *findings) commands(f ui.Frame) []ui.Command {
	rows := a.rows(f)
	open := ui.Command{Key: reword(f.Keys.List.Open, "evidence"), WhyNot: "there is no finding to show the evidence of"}
	copyName := ui.Command{Key: reword(f.Keys.Global.Copy, "copy name"), Minor: true, WhyNot: "there is no finding"}
	var about sources.Ref
	if fi, ok := a.table.Selected(rows); ok {
		about = fi.About
		open.WhyNot, copyName.WhyNot = "", ""
		open.Do = func() tea.Cmd { return ui.Open(newEvidence(fi)) }
		copyName.Do = func() tea.Cmd { return ui.Copy(fi.About.String()) }
	}
	return slices.Concat([]ui.Command{open, copyName}, f.For(about), a.table.Commands(f, rows))
}

func (a *findings) update(msg tea.Msg, f ui.Frame) tea.Cmd {
	rows := a.rows(f)
	cmd := a.table.Update(msg, f, rows)
	if fi, ok := a.table.Selected(rows); ok && a.table.Opened() {
		return tea.Batch(cmd, ui.Open(newEvidence(fi)))
	}
	return cmd
}

func (a *findings) render(f ui.Frame, focused bool, width, height int) string {
	rows := a.rows(f)
	inner := ui.Rect{W: width, H: height}
	edges := height >= 4
	if edges {
		inner = inner.Inner()
	}
	lines := a.lines(f, rows, focused, inner.W, inner.H)
	if !edges {
		return strings.Join(lines[:min(len(lines), height)], "\n")
	}
	return ui.Box(f.Theme, a.title(), a.counts(f), focused, lines, width, height)
}

func (a *findings) lines(f ui.Frame, rows []sources.Finding, focused bool, width, height int) []string {
	if len(rows) == 0 {
		return a.quietLines(f, width)
	}
	if a.width != width {
		a.width, a.table.Columns = width, a.columns(width)
	}
	a.chosen = ""
	if fi, ok := a.table.Selected(rows); ok && focused {
		a.chosen = a.table.ID(fi)
	}
	room := height
	if len(rows) > height && height > 2 {
		room--
	}
	lines := a.table.Render(f, rows, width, room, false, focused)
	if hidden := a.table.Count(rows) - room; room < height && hidden > 0 {
		lines = append(lines, f.Theme.Dim.Render("   +"+strconv.Itoa(hidden)+" more"))
	}
	return lines
}

// columns are glyph, topic, object, summary, and the key that opens the
// evidence, which is bright where it would work now.
func (a *findings) columns(width int) []ui.Column[sources.Finding] {
	object := min(max(width/7, 14), 36)
	type column = ui.Column[sources.Finding]
	all := [...]column{
		{Width: 1, Cell: func(f ui.Frame, fi sources.Finding) ui.Cell { return glyph(f, fi.Severity) }},
		{Title: "topic", Width: 8, Priority: 2, Cell: func(f ui.Frame, fi sources.Finding) ui.Cell {
			style := f.Theme.Severity(fi.Severity)
			return ui.Cell{Text: fi.Topic(), Style: style.Bold(fi.Severity == sources.Critical || style.GetBold())}
		}},
		{Title: "object", Width: object, Cell: func(f ui.Frame, fi sources.Finding) ui.Cell { return strong(f, fi.About.String()) }},
		{Title: "summary", Cell: func(f ui.Frame, fi sources.Finding) ui.Cell { return plain(f, fi.Summary) }},
		a.keyColumn(width),
	}
	if width < gridWidth {
		return all[:len(all)-1]
	}
	return all[:]
}

// keyColumn is the key that opens the evidence, with its word where there is
// room for it.
func (a *findings) keyColumn(width int) ui.Column[sources.Finding] {
	words, room := "", 5
	if width >= 140 {
		words, room = " evidence", 14
	}
	cell := func(f ui.Frame, fi sources.Finding) ui.Cell {
		key := styleIf(a.table.ID(fi) == a.chosen, f.Theme.Key, f.Theme.Dim)
		return ui.Cell{Text: f.Keys.List.Open.Shown + words, Style: key}
	}
	return ui.Column[sources.Finding]{Title: "key", Width: room, Right: true, Priority: 1, Cell: cell}
}

// counts is the edge's note: how many there are of each severity.
func (a *findings) counts(f ui.Frame) string {
	n := a.counted(f)
	var words []string
	if waitingFor(everything(f.Snapshot)) != "" && len(f.Snapshot.Judged.Findings) > 0 {
		words = append(words, f.Theme.Unknown.Render("still loading"))
	}
	for s := sources.Critical; s > sources.OK; s-- {
		if n[s] > 0 {
			words = append(words, f.Theme.Severity(s).Render(strconv.Itoa(n[s])+" "+s.String()))
		}
	}
	return strings.Join(words, f.Theme.Dim.Render(" "+bullet(f)+" "))
}

// quietLines is what the list says when it is empty: calm only if everything
// was looked at.
func (a *findings) quietLines(f ui.Frame, width int) []string {
	text, calm := a.silence(f)
	style, severity := f.Theme.Unknown, sources.Unknown
	if calm {
		style, severity = f.Theme.OK, sources.OK
	}
	wrapped := ui.Wrap(ui.Clean(text), max(width-4, 8))
	lines := make([]string, 0, len(wrapped))
	for i, line := range wrapped {
		lead := "   "
		if i == 0 {
			lead = " " + f.Theme.Severity(severity).Render(f.Theme.Glyph(severity)) + " "
		}
		lines = append(lines, lead+style.Render(line))
	}
	return lines
}

// silence is what it means that there are no findings, and whether it means
// that all is well.
func (a *findings) silence(f ui.Frame) (text string, calm bool) {
	s := f.Snapshot
	if err := serverGone(s); err != nil {
		return "could not look: " + err.Error(), false
	}
	all := everything(s)
	for _, src := range all {
		if src.err != nil {
			return "could not look at " + src.what + ": " + src.err.Error(), false
		}
	}
	if names := waitingFor(all); names != "" {
		return "waiting for " + names + fromServer(s), false
	}
	if unread := unreadDisks(s); unread > 0 {
		return "waiting for the kubelets of " + number(unread) + " of " + count(len(s.Nodes.Value), "node"), false
	}
	words := []string{
		"nothing needs attention",
		"looked at " + count(len(s.Nodes.Value), "node") + ", " + count(len(s.Pods.Value), "pod") + ", " +
			count(len(s.Judged.Disks), "disk") + ", " + count(len(s.Judged.Certs), "certificate") + ", " +
			count(len(s.Judged.Backups), "backup"),
		"oldest reading " + ago(oldest(all), f.Now),
	}
	return strings.Join(words, " "+bullet(f)+" "), true
}

// unreadDisks is of how many disks nothing was ever read.
func unreadDisks(s *sources.Snapshot) int {
	n := 0
	for i := range s.Judged.Disks {
		if d := &s.Judged.Disks[i]; d.Percent < 0 && !d.Images {
			n++
		}
	}
	return n
}

// oldest is the time of the reading that was read longest ago.
func oldest(all []source) time.Time {
	var at time.Time
	for _, src := range all {
		if !src.absent && !src.at.IsZero() && (at.IsZero() || src.at.Before(at)) {
			at = src.at
		}
	}
	return at
}

// clusterCommands are what one would type about the cluster as a whole, a
// source or a permission.
func clusterCommands(about sources.Ref) []string {
	switch about.Kind {
	case "Permission":
		return []string{"kubectl auth whoami", "kubectl auth can-i --list"}
	case "Source", "Cluster":
		return []string{"kubectl get --raw '/readyz?verbose'", "kubectl version", "kubectl get nodes -o wide"}
	}
	return []string{typed("kubectl", "get", cmp.Or(kindWord(about.Kind), "all"), "-A")}
}
