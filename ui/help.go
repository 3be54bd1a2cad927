package ui

import (
	"daytwo/keymap"

	tea "charm.land/bubbletea/v2"
)

// help shows every key that works now, made of the same commands that are
// dispatched.
type help struct {
	root   *Root
	scroll Scroll
}

func (h *help) update(msg tea.Msg, f Frame) (bool, tea.Cmd) {
	switch m := msg.(type) {
	case tea.KeyPressMsg:
		g, stroke := f.Keys.Global, m.String()
		if g.Help.Matches(stroke) || g.Back.Matches(stroke) || g.Quit.Matches(stroke) {
			return true, nil
		}
		for _, c := range h.scroll.Commands(f) {
			if c.Key.Matches(stroke) {
				return false, c.Do()
			}
		}
	case tea.MouseWheelMsg:
		return false, h.scroll.Update(m, f)
	}
	return false, nil
}

func (h *help) hints(k keymap.Map) []Command { return overlayHints(k) }

func (h *help) box(f Frame, width, height int) ([]string, Rect) {
	lines := h.lines(f)
	at := centred(width, height, 64, len(lines)+2)
	inner := at.Inner()
	body := h.scroll.Render(f, lines, inner.W, inner.H)
	note := h.scroll.Position()
	if note == "" {
		note = f.Keys.Global.Back.Shown + " closes"
	}
	return boxLines(f.Theme, "Keys", note, body, at), at
}

// lines groups the commands: what the view does, how to move in it, and what
// works everywhere.
func (h *help) lines(f Frame) []string {
	var does, moves []Command
	moving := "Move"
	for _, c := range h.root.top().Commands(f) {
		if c.Minor && !sameKey(c.Key, f.Keys.Global.Copy) {
			moves = append(moves, c)
		} else {
			does = append(does, c)
		}
		if sameKey(c.Key, f.Keys.Find.Sort) {
			moving = "Move and sort"
		}
	}
	here := h.root.top().Title()
	if here == "" {
		here = h.root.o.Title // the home is what the program's name stands for
	}
	var lines []string
	section := func(title string, commands []Command) {
		if len(commands) == 0 {
			return
		}
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, " "+f.Theme.Strong.Render(Clean(title)))
		for _, c := range commands {
			lines = append(lines, helpLine(f, c))
		}
	}
	section(here, does)
	section(moving, moves)
	section("Everywhere", h.root.globals())
	return lines
}

// helpLine is key, words, and what keeps it from being done.
func helpLine(f Frame, c Command) string {
	t := f.Theme
	text := "  " + Fit(t.Key.Render(c.Key.Shown), 11) + " "
	switch {
	case c.WhyNot != "":
		return text + t.Dim.Render(c.Key.Words+": "+Clean(c.WhyNot))
	case f.ReadOnly && c.Risk >= keymap.Changes:
		return text + t.Dim.Render(c.Key.Words+": refused, read-only mode")
	case c.Risk >= keymap.Destroys:
		return text + t.Text.Render(c.Key.Words) + t.Critical.Render("  destroys")
	case c.Risk >= keymap.Changes:
		return text + t.Text.Render(c.Key.Words) + t.Warning.Render("  changes")
	}
	return text + t.Text.Render(c.Key.Words)
}
