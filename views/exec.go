package views

import (
	"context"

	"daytwo/actions/trail"
	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// Exec gives the terminal to a shell in a container.
type Exec struct {
	Hand Hand
	Run  sources.Exec
}

// inside is one container that a shell can be had in.
type inside struct {
	ask   sources.ExecAsk
	image string
	node  string
}

func (i inside) name() string { return i.ask.Pod.String() + "/" + i.ask.Container }

// insides are the containers that run, of a pod or of all pods of an owner.
func insides(s *sources.Snapshot, about sources.Ref) []inside {
	var out []inside
	for _, p := range podsOf(s, about) {
		for _, c := range p.Containers {
			if c.State == "running" {
				out = append(out, inside{sources.ExecAsk{Pod: p.Ref(), Container: c.Name}, c.Image, p.Node})
			}
		}
	}
	return out
}

// Tool offers a shell in a container of a pod, or of an owner's pods.
func (w Exec) Tool(f ui.Frame, about sources.Ref) []ui.Command {
	switch about.Kind {
	case "Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob":
	default:
		return nil
	}
	c := ui.Command{Key: f.Keys.Tools.Exec, Risk: keymap.Changes}
	all := insides(f.Snapshot, about)
	switch {
	case f.ReadOnly:
		c.WhyNot = mayAnything
	case len(all) == 0:
		c.WhyNot = about.String() + " has no container that runs"
	}
	c.Do = func() tea.Cmd {
		if len(all) == 1 {
			return w.enter(all[0])
		}
		return ui.Open(newExecChoice(w, about))
	}
	return []ui.Command{c}
}

func (w Exec) enter(i inside) tea.Cmd {
	return w.Hand.aside("shell in "+i.name(), trail.Deed{What: "exec", On: []string{i.name()}}, func(ctx context.Context, t ui.Terminal) error {
		return w.Run.Exec(ctx, i.ask, t.In, t.Out, t.Size, t.Resize)
	})
}

// execChoice is where one of several containers is chosen.
type execChoice struct {
	with  Exec
	about sources.Ref
	table ui.Table[inside]
}

func newExecChoice(w Exec, about sources.Ref) *execChoice {
	v := &execChoice{with: w, about: about}
	v.table = ui.Table[inside]{
		ID:    inside.name,
		Match: func(i inside) string { return i.name() + " " + i.image + " " + i.node },
		Empty: func(ui.Frame) string { return about.String() + " has no container that runs" },
		Columns: []ui.Column[inside]{
			{Title: "container", Width: 16, Cell: func(f ui.Frame, i inside) ui.Cell { return strong(f, i.ask.Container) }},
			{Title: "pod", Cell: func(f ui.Frame, i inside) ui.Cell { return plain(f, i.ask.Pod.String()) }},
			{Title: "node", Width: 16, Priority: 1, Cell: func(f ui.Frame, i inside) ui.Cell { return dim(f, i.node) }},
			{Title: "image", Width: 44, Priority: 2, Cell: func(f ui.Frame, i inside) ui.Cell { return dim(f, i.image) }},
		},
	}
	return v
}

// Title names the choice, and whose containers they are.
func (v *execChoice) Title() string { return "exec " + v.about.String() }

// Typing reports whether the filter takes the keys.
func (v *execChoice) Typing() bool { return v.table.Typing() }

// Commands enter a container, and move and filter.
func (v *execChoice) Commands(f ui.Frame) []ui.Command {
	rows := insides(f.Snapshot, v.about)
	enter := ui.Command{Key: reword(f.Keys.List.Open, "shell"), Risk: keymap.Changes, WhyNot: "there is no container"}
	if i, ok := v.table.Selected(rows); ok {
		enter.WhyNot, enter.Do = "", func() tea.Cmd { return v.with.enter(i) }
	}
	return append([]ui.Command{enter}, v.table.Commands(f, rows)...)
}

// Update takes the filter's text and the mouse.
func (v *execChoice) Update(msg tea.Msg, f ui.Frame) tea.Cmd {
	rows := insides(f.Snapshot, v.about)
	cmd := v.table.Update(ui.Shift(msg, 1, 1), f, rows)
	if i, ok := v.table.Selected(rows); ok && v.table.Opened() {
		return tea.Batch(cmd, v.with.enter(i))
	}
	return cmd
}

// Render draws the containers in a box.
func (v *execChoice) Render(f ui.Frame) string {
	rows := insides(f.Snapshot, v.about)
	inner := ui.Rect{W: f.Width, H: f.Height}.Inner()
	note := f.Theme.Dim.Render(count(len(rows), "container"))
	return ui.Box(f.Theme, "A shell in which container?", note, true, v.table.Render(f, rows, inner.W, inner.H, true, true), f.Width, f.Height)
}
