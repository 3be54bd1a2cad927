package views

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"daytwo/actions/trail"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

// Trail offers the commands that one types in an incident.
type Trail struct {
	Kit   trail.Kit
	Door  Door
	Start func(trail.Line, []sources.Node) *trail.Fan
}

// Tool opens the trail on a node, or on all of them where no node is meant.
func (w Trail) Tool(f ui.Frame, about sources.Ref) []ui.Command {
	node := ""
	if about.Kind == "Node" {
		node = about.Name
	}
	return []ui.Command{{
		Key: f.Keys.Tools.Trail, Minor: node == "",
		Do: func() tea.Cmd { return ui.Open(newTrailPage(f, w, node)) },
	}}
}

// trailPage is where a command is chosen, and where it runs.
type trailPage struct {
	with    Trail
	about   string // the node it was opened on; "" is the cluster
	all     []trail.Line
	lines   ui.Table[trail.Line]
	nodes   ui.Table[sources.Node]
	marked  map[string]bool
	onNodes bool // the keys are for the nodes
}

func newTrailPage(f ui.Frame, w Trail, node string) *trailPage {
	v := &trailPage{with: w, about: node, all: w.Kit.Lines(), marked: map[string]bool{}}
	for _, n := range f.Snapshot.Nodes.Value {
		v.marked[n.Name] = node == "" || n.Name == node
	}
	v.lines = ui.Table[trail.Line]{
		ID:    func(l trail.Line) string { return l.Name + "\n" + l.Command },
		Empty: func(ui.Frame) string { return "there are no commands" },
		Columns: []ui.Column[trail.Line]{
			{Title: "command", Width: 16, Cell: func(f ui.Frame, l trail.Line) ui.Cell { return strong(f, l.Name) }},
			{Title: "runs", Width: 10, Cell: func(f ui.Frame, l trail.Line) ui.Cell { return dim(f, lineWhere(l)) }},
			{Title: "risk", Width: 7, Priority: 1, Cell: lineRisk},
			{Title: "as typed", Cell: func(f ui.Frame, l trail.Line) ui.Cell { return plain(f, l.Shown()) }},
		},
	}
	v.nodes = ui.Table[sources.Node]{
		ID:    func(n sources.Node) string { return n.Name },
		Empty: func(ui.Frame) string { return "no nodes are known yet" },
		Columns: []ui.Column[sources.Node]{
			{Width: 3, Cell: v.mark},
			{Title: "node", Width: 24, Cell: func(f ui.Frame, n sources.Node) ui.Cell { return strong(f, n.Name) }},
			{Title: "role", Width: 7, Cell: func(f ui.Frame, n sources.Node) ui.Cell { return dim(f, nodeRole(n)) }},
			{Title: "state", Width: 18, Cell: func(f ui.Frame, n sources.Node) ui.Cell {
				return stateCell(f, sources.NodeHealth{Node: n})
			}},
			{Title: "address", Cell: func(f ui.Frame, n sources.Node) ui.Cell {
				return dim(f, cmp.Or(n.ExternalIP, n.InternalIP, unsure))
			}},
		},
	}
	v.nodes.Select(node)
	return v
}

func lineWhere(l trail.Line) string {
	if l.Node {
		return "on nodes"
	}
	return "cluster"
}

func lineRisk(f ui.Frame, l trail.Line) ui.Cell {
	switch {
	case l.WhyNot != "":
		return judged(f, sources.Unknown, "cannot")
	case l.ReadsOnly():
		return dim(f, "reads")
	}
	return judged(f, sources.Warning, "yours")
}

func (v *trailPage) mark(f ui.Frame, n sources.Node) ui.Cell {
	if v.marked[n.Name] {
		return ui.Cell{Text: "[x]", Style: f.Theme.Accent}
	}
	return dim(f, "[ ]")
}

// Title names the page, and the node if it is about one.
func (v *trailPage) Title() string { return strings.TrimSpace("trail " + v.about) }

// chosen are the nodes that are marked, in the order they are listed.
func (v *trailPage) chosen(f ui.Frame) []sources.Node {
	var out []sources.Node
	for _, n := range f.Snapshot.Nodes.Value {
		if v.marked[n.Name] {
			out = append(out, n)
		}
	}
	return out
}

// Commands run the command under the cursor, and choose the nodes.
func (v *trailPage) Commands(f ui.Frame) []ui.Command {
	k := f.Keys.Trail
	l, ok := v.lines.Selected(v.all)
	run := ui.Command{Key: k.Run, Do: func() tea.Cmd { return v.with.begin(f, l, v.chosen(f)) }}
	switch {
	case !ok:
		run.WhyNot = "there is no command"
	default:
		run.WhyNot = whyNotRun(f, l, v.chosen(f))
	}
	focus := k.Nodes
	if v.onNodes {
		focus.Words = "choose command"
	}
	out := []ui.Command{run, {Key: focus, Do: func() tea.Cmd { v.onNodes = !v.onNodes; return nil }}}
	if v.onNodes {
		out = append(out, ui.Command{Key: k.Mark, Do: func() tea.Cmd {
			if n, ok := v.nodes.Selected(f.Snapshot.Nodes.Value); ok {
				v.marked[n.Name] = !v.marked[n.Name]
			}
			return nil
		}})
	}
	out = append(out, v.allNodes(f),
		ui.Command{Key: k.Ask, Do: func() tea.Cmd { return v.ask(f) }},
		ui.Command{Key: reword(f.Keys.Global.Copy, "copy command"), Minor: true, Do: func() tea.Cmd { return ui.Copy(v.typed(f, l)) }})
	if v.onNodes {
		return append(out, v.nodes.Commands(f, f.Snapshot.Nodes.Value)...)
	}
	return append(out, v.lines.Commands(f, v.all)...)
}

// allNodes marks all, or if all are marked only the one it is about.
func (v *trailPage) allNodes(f ui.Frame) ui.Command {
	nodes := f.Snapshot.Nodes.Value
	whole := len(nodes) > 0 && len(v.chosen(f)) == len(nodes)
	key := f.Keys.Trail.All
	if whole {
		key.Words = "no node"
		if v.about != "" {
			key.Words = "only " + v.about
		}
	}
	return ui.Command{Key: key, Do: func() tea.Cmd {
		for _, n := range nodes {
			v.marked[n.Name] = !whole || n.Name == v.about
		}
		return nil
	}}
}

// ask takes a line of kubectl's and answers it.
func (v *trailPage) ask(f ui.Frame) tea.Cmd {
	return ui.Ask(ui.Question{
		Title: "kubectl", Label: "get, describe or top, with -A -n -l --field-selector -o wide", Yes: "ask", Text: "kubectl ",
		Lines: []string{"The line is answered here, in kubectl's columns; it only reads."},
		Do: func(text string) tea.Cmd {
			l := v.with.Kit.Ask(text)
			if l.WhyNot != "" {
				return ui.Toast(sources.Warning, l.WhyNot)
			}
			return v.with.begin(f, l, nil)
		},
	})
}

// whyNotRun says why a line does not run now.
func whyNotRun(f ui.Frame, l trail.Line, nodes []sources.Node) string {
	switch {
	case l.WhyNot != "":
		return l.WhyNot
	case l.Node && len(nodes) == 0:
		return "no node is marked"
	case f.ReadOnly && !l.ReadsOnly():
		return "read-only mode: daytwo does not know that " + l.Name + " only reads"
	}
	return ""
}

// begin runs a line, after its name was typed where it is not known to read
// only.
func (w Trail) begin(f ui.Frame, l trail.Line, nodes []sources.Node) tea.Cmd {
	var machines []string
	if l.Node {
		for _, n := range nodes {
			machines = append(machines, n.Name)
		}
	}
	start := func() tea.Cmd {
		return w.Door.Past(machines, ui.Work(func(context.Context) tea.Msg { return ui.Open(newTrailRun(w.Start(l, nodes)))() }), nil)
	}
	if l.ReadsOnly() {
		return start()
	}
	if f.ReadOnly {
		return ui.Toast(sources.Warning, whyNotRun(f, l, nodes))
	}
	lines := []string{
		"This is a command of your own: daytwo does not know what it does, and there is no plan and no way back.", "",
	}
	const most = 6
	for _, n := range nodes[:min(len(nodes), most)] {
		lines = append(lines, "$ "+l.Typed(n))
	}
	if more := len(nodes) - most; more > 0 {
		lines = append(lines, "and the same on "+count(more, "more node"))
	}
	return ui.Ask(ui.Confirm("Run "+l.Name+" on "+count(len(nodes), "node"), l.Name, "run", lines, start))
}

// Update moves by mouse; a click on the row under the cursor runs it.
func (v *trailPage) Update(msg tea.Msg, f ui.Frame) tea.Cmd {
	nodes := f.Snapshot.Nodes.Value
	_, _, top := v.split(f)
	if m, ok := msg.(tea.MouseMsg); ok {
		v.onNodes = m.Mouse().Y >= top
	}
	if v.onNodes {
		cmd := v.nodes.Update(ui.Shift(msg, 1, top+1), f, nodes)
		if n, ok := v.nodes.Selected(nodes); ok && v.nodes.Opened() {
			v.marked[n.Name] = !v.marked[n.Name]
		}
		return cmd
	}
	cmd := v.lines.Update(ui.Shift(msg, 1, 1), f, v.all)
	if l, ok := v.lines.Selected(v.all); ok && v.lines.Opened() {
		if why := whyNotRun(f, l, v.chosen(f)); why != "" {
			return tea.Batch(cmd, ui.Toast(sources.Warning, why))
		}
		return tea.Batch(cmd, v.with.begin(f, l, v.chosen(f)))
	}
	return cmd
}

// split divides the height: commands, what would run, nodes; and where the
// last begins.
func (v *trailPage) split(f ui.Frame) (lines, preview, top int) {
	preview = 3
	if f.Height < 18 {
		preview = 2
	}
	lines = min(len(v.all)+3, max((f.Height-preview)*3/5, 4))
	return lines, preview, lines + preview
}

// Render draws the commands, what would run where, and the nodes.
func (v *trailPage) Render(f ui.Frame) string {
	lines, preview, top := v.split(f)
	inner := ui.Rect{W: f.Width, H: lines}.Inner()
	out := strings.Split(ui.Box(f.Theme, "Commands", "", !v.onNodes,
		v.lines.Render(f, v.all, inner.W, inner.H, true, !v.onNodes), f.Width, lines), "\n")
	out = append(out, v.preview(f, preview)...)
	height := max(f.Height-top, 0)
	nodes, shown := f.Snapshot.Nodes.Value, f
	note := fmt.Sprintf("%d of %d marked", len(v.chosen(f)), len(nodes))
	if l, ok := v.lines.Selected(v.all); ok && !l.Node {
		note, shown = "the cluster is asked, not the nodes", faded(f)
	}
	if height >= 3 {
		box := v.nodes.Render(shown, nodes, inner.W, height-2, height > 4, v.onNodes)
		out = append(out, strings.Split(ui.Box(f.Theme, "Nodes", note, v.onNodes, box, f.Width, height), "\n")...)
	}
	return strings.Join(out[:min(len(out), f.Height)], "\n")
}

// typed is what a person would type for the command under the cursor.
func (v *trailPage) typed(f ui.Frame, l trail.Line) string {
	nodes := v.chosen(f)
	if l.Node && len(nodes) == 0 {
		return l.Shown()
	}
	return l.Typed(append(nodes, sources.Node{})[0])
}

// preview is what would run, and what is known of it: exactly height lines.
func (v *trailPage) preview(f ui.Frame, height int) []string {
	t, width := f.Theme, textWidth(f)
	l, ok := v.lines.Selected(v.all)
	if !ok {
		return make([]string, height)
	}
	command := ui.Wrap("$ "+ui.Clean(v.typed(f, l)), width)
	if room := height - 1; len(command) > room {
		command = append(command[:room-1:room-1], ui.Cut(strings.Join(command[room-1:], ""), width))
	}
	out := make([]string, 0, height)
	for _, c := range command {
		out = append(out, " "+t.Accent.Render(c))
	}
	text, style := v.fate(f, l)
	out = append(out, " "+style.Render(ui.Cut(ui.Clean(text), width)))
	return slices.Grow(out, height)[:height]
}

// fate is what becomes of the command under the cursor when it is run.
func (v *trailPage) fate(f ui.Frame, l trail.Line) (string, lipgloss.Style) {
	nodes := v.chosen(f)
	names := make([]string, 0, len(nodes))
	for _, n := range nodes {
		names = append(names, n.Name)
	}
	on := count(len(nodes), "node") + ": " + strings.Join(names, ", ")
	why := whyNotRun(f, l, nodes)
	switch {
	case why != "":
		return why, f.Theme.Warning
	case !l.Node:
		return "daytwo asks the cluster itself, kubectl is not needed; reads only", f.Theme.Dim
	case l.Own:
		return "yours: what it does is not known here; its name is typed first. On " + on, f.Theme.Warning
	case l.Root:
		return "over SSH, as root, reads only. On " + on, f.Theme.Dim
	}
	return "over SSH, reads only. On " + on, f.Theme.Dim
}
