package views

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"daytwo/actions/forensics"
	"daytwo/keymap"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// checklistCommands tick boxes, and edit the list itself.
func (v *forensicsView) checklistCommands(f ui.Frame) []ui.Command {
	move := func(key keymap.Binding, step int) ui.Command {
		return ui.Command{Key: key, Minor: true, Do: func() tea.Cmd {
			v.ticks = nextBox(v.list, v.ticks, step)
			return nil
		}}
	}
	tick := keymap.Binding{Keys: []string{"space", "enter"}, Shown: "space", Words: "tick"}
	edit := keymap.Binding{Keys: []string{"e"}, Shown: "e", Words: "edit the list"}
	return []ui.Command{
		{Key: tick, Do: func() tea.Cmd { return v.tick() }},
		{Key: edit, Do: func() tea.Cmd { return v.edit() }},
		move(f.Keys.List.Up, -1), move(f.Keys.List.Down, 1),
	}
}

// tick turns a box over and saves the list with the run.
func (v *forensicsView) tick() tea.Cmd {
	list, dir := v.list.Tick(v.ticks), v.dir
	v.list = list
	return ui.Work(func(context.Context) tea.Msg {
		return checklistSaved{v, list, forensics.SaveTicked(dir, list)}
	})
}

// edit opens the record's own list in the editor; the next run has it, and
// this one as far as its boxes were ticked by the same words.
func (v *forensicsView) edit() tea.Cmd {
	record, before, dir := v.with.Record, v.list, v.dir
	path, err := forensics.EnsureChecklist(record)
	if err != nil {
		v.listErr = err.Error()
		return nil
	}
	return tea.ExecProcess(editor(path), func(err error) tea.Msg {
		if err != nil {
			return checklistSaved{v, before, fmt.Errorf("editing %s: %w; set $EDITOR to the editor of your choice", path, err)}
		}
		list, err := forensics.ReadChecklist(record)
		if err != nil {
			return checklistSaved{v, before, err}
		}
		list = list.TickedAs(before)
		return checklistSaved{v, list, forensics.SaveTicked(dir, list)}
	})
}

// editor is the user's editor with a file; its variable may have arguments.
func editor(path string) *exec.Cmd {
	words := strings.Fields(os.Getenv("VISUAL"))
	if len(words) == 0 {
		words = strings.Fields(os.Getenv("EDITOR"))
	}
	if len(words) == 0 {
		words = []string{"vi"}
	}
	return exec.Command(words[0], append(words[1:], path)...) //nolint:gosec,noctx // the user's own editor; it ends when the user ends it
}

// firstBox is the line of a box at or after a line.
func firstBox(c forensics.Checklist, at int) int {
	if at < len(c.Lines) && at >= 0 && c.Lines[at].Box {
		return at
	}
	return nextBox(c, -1, 1)
}

// nextBox is the next line with a box in a direction; the same if there is none.
func nextBox(c forensics.Checklist, at, step int) int {
	for i := at + step; i >= 0 && i < len(c.Lines); i += step {
		if c.Lines[i].Box {
			return i
		}
	}
	return max(at, 0)
}

// checklistLines draw the list around the chosen box.
func (v *forensicsView) checklistLines(f ui.Frame, width, height int) []string {
	t := f.Theme
	done, all := v.list.Count()
	lines := []string{t.Dim.Render(ui.Fit(fmt.Sprintf("%d of %d ticked, saved with this run; e edits the list itself, which is kept in the record",
		done, all), width))}
	if v.listErr != "" {
		lines = append(lines, t.Critical.Render(ui.Fit(ui.Clean(v.listErr), width)))
	}
	room := max(height-len(lines), 1)
	n := len(v.list.Lines)
	from := min(max(v.ticks-room/2, 0), max(n-room, 0))
	for i := from; i < min(from+room, n); i++ {
		l := v.list.Lines[i]
		text := ui.Clean(l.Text)
		switch {
		case l.Title:
			lines = append(lines, t.Accent.Render(ui.Fit(strings.TrimLeft(text, "# "), width)))
		case !l.Box:
			lines = append(lines, t.Dim.Render(ui.Fit(text, width)))
		default:
			lines = append(lines, boxLine(f, l, text, i == v.ticks, width))
		}
	}
	return lines
}

func boxLine(f ui.Frame, l forensics.CheckLine, text string, chosen bool, width int) string {
	t := f.Theme
	lead, style, box := "  ", t.Text, t.Dim.Render("[ ]")
	if l.Ticked {
		box, style = t.OK.Render("[x]"), t.Dim
	}
	if chosen {
		lead, style = t.Accent.Render(marker(t)+" "), t.Strong
	}
	return lead + box + " " + style.Render(ui.Fit(text, max(width-6, 1)))
}
