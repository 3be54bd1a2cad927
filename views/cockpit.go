package views

import (
	"strings"

	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// Cockpit is the home: the attention list and five panes.
type Cockpit struct {
	keys  keymap.Map
	parts [parts]pane
	memos [parts]memo // of the parts without the focus
	focus int         // which part the keys go to
	shown int         // which pane is in sight where there is room for one only
}

// NewCockpit returns the home view with the focus on the attention list.
func NewCockpit(keys keymap.Map) ui.View {
	return &Cockpit{
		keys:  keys,
		shown: nodes,
		parts: [parts]pane{
			newFindings(), newBoard(nodeKind()), newBoard(diskKind()),
			newBoard(restartKind()), newBoard(certKind()), newBoard(backupKind()),
		},
	}
}

// Title is empty: the home is what the program's name stands for.
func (c *Cockpit) Title() string { return "" }

// Typing reports whether the filter of the focused part takes the keys.
func (c *Cockpit) Typing() bool { return c.parts[c.focus].typing() }

// Commands are those of the focused part, then the moves between parts.
func (c *Cockpit) Commands(f ui.Frame) []ui.Command {
	out := c.parts[c.focus].commands(f)
	to := func(key keymap.Binding, part int) ui.Command {
		return ui.Command{Key: key, Minor: true, Do: func() tea.Cmd { c.move(part); return nil }}
	}
	for part, key := range paneKeys(c.keys.Panes) {
		out = append(out, to(key, part))
	}
	k := c.keys.Panes
	next := to(k.Next, (c.focus+1)%parts)
	next.Minor = false // one way round is in sight; the digits are on the panes
	return append(out, next, to(k.Previous, (c.focus+parts-1)%parts),
		to(k.Left, beside(c.focus, -1)), to(k.Right, beside(c.focus, 1)))
}

// move gives a part the focus; a pane also comes in sight.
func (c *Cockpit) move(part int) {
	c.focus = part
	if part != attention {
		c.shown = part
	}
}

func (c *Cockpit) layout(f ui.Frame) layout {
	return arrange(f.Width, f.Height, c.focus, c.shown, len(f.Snapshot.Judged.Findings))
}

// Update takes the filter's text for the focused part and the mouse for the
// part under it.
func (c *Cockpit) Update(msg tea.Msg, f ui.Frame) tea.Cmd {
	mouse, ok := msg.(tea.MouseMsg)
	if !ok {
		return c.parts[c.focus].update(msg, f)
	}
	at := mouse.Mouse()
	l := c.layout(f)
	if _, click := msg.(tea.MouseClickMsg); click && l.tabs.Contains(at.X, at.Y) {
		if part := c.tabAt(f, l, at.X); part >= 0 {
			c.move(part)
		}
		return nil
	}
	part := l.at(at.X, at.Y)
	if part < 0 {
		return nil
	}
	if _, click := msg.(tea.MouseClickMsg); click {
		c.move(part)
	}
	area := l.part[part]
	if area.H >= 4 {
		area = area.Inner()
	}
	c.memos[part] = memo{}
	return c.parts[part].update(ui.Shift(msg, area.X, area.Y), f)
}

// Render draws all parts that the layout has room for.
func (c *Cockpit) Render(f ui.Frame) string {
	l := c.layout(f)
	draw := func(part int) string { return c.draw(f, part, l.part[part]) }
	if !l.narrow {
		return strings.Join([]string{
			draw(attention),
			beSide(draw(nodes), draw(disks)),
			beSide(draw(restarts), draw(certs), draw(backups)),
		}, "\n")
	}
	var blocks []string
	if l.part[attention].H > 0 && l.edges {
		blocks = append(blocks, draw(attention))
	}
	if l.tabs.H > 0 {
		blocks = append(blocks, c.tabs(f, l))
	}
	shown := c.shown
	if !l.edges {
		shown = c.focus
	}
	return strings.Join(append(blocks, draw(shown)), "\n")
}

// draw renders a part, or takes its picture from the last time. What has the
// focus is always drawn: its cursor may have moved.
func (c *Cockpit) draw(f ui.Frame, part int, r ui.Rect) string {
	m := &c.memos[part]
	if part == c.focus {
		*m = memo{}
		return c.parts[part].render(f, true, r.W, r.H)
	}
	if key := keyOf(f, r.W, r.H); m.key != key {
		*m = memo{key: key, text: c.parts[part].render(f, false, r.W, r.H)}
	}
	return m.text
}

// beSide puts boxes of equal height next to each other.
func beSide(boxes ...string) string {
	columns := make([][]string, len(boxes))
	for i, b := range boxes {
		columns[i] = strings.Split(b, "\n")
	}
	var out strings.Builder
	for y := range columns[0] {
		if y > 0 {
			out.WriteByte('\n')
		}
		for _, column := range columns {
			if y < len(column) {
				out.WriteString(column[y])
			}
		}
	}
	return out.String()
}

// tab is one name in the tab line and where it begins.
type tab struct {
	part, x int
	name    string
	glyph   sources.Severity
}

// tabNames names the panes as long as the width allows: in full, cut to four
// letters, or by their digits.
func (c *Cockpit) tabNames(f ui.Frame, l layout) []tab {
	for _, length := range []int{99, 6, 4, 0} {
		tabs, x := make([]tab, 0, parts), 1
		for part, p := range c.parts {
			if part == attention && l.edges {
				continue // it is always in sight
			}
			name := p.title()
			if part == attention {
				name = c.keys.Panes.Attention.Shown + " " + name
			}
			number, word, _ := strings.Cut(name, " ")
			if word = word[:min(len(word), length)]; word != "" {
				number += " " + word
			}
			tabs = append(tabs, tab{part: part, x: x, name: number, glyph: p.worst(f)})
			x += len(number) + 2 + 3
		}
		if x-3 <= l.tabs.W || length == 0 {
			return tabs
		}
	}
	return nil
}

// tabs is the line that names the panes, each with its worst severity.
func (c *Cockpit) tabs(f ui.Frame, l layout) string {
	var b strings.Builder
	b.WriteByte(' ')
	for i, t := range c.tabNames(f, l) {
		if i > 0 {
			b.WriteString(f.Theme.Edge.Render(separator(f)))
		}
		style := f.Theme.Dim
		switch t.part {
		case c.focus:
			style = f.Theme.Key.Underline(true)
		case c.shown:
			style = f.Theme.Strong.Underline(true)
		}
		b.WriteString(style.Render(t.name) + " " + f.Theme.Severity(t.glyph).Render(f.Theme.Glyph(t.glyph)))
	}
	return ui.Fit(b.String(), l.tabs.W)
}

func separator(f ui.Frame) string {
	if f.Theme.ASCII {
		return " | "
	}
	return " │ "
}

// tabAt is the pane named at a column of the tab line, or -1.
func (c *Cockpit) tabAt(f ui.Frame, l layout, x int) int {
	for _, t := range c.tabNames(f, l) {
		if x >= t.x-1 && x <= t.x+len(t.name)+2 {
			return t.part
		}
	}
	return -1
}
