package views

import (
	"context"

	"daytwo/actions/trail"
	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// Hand gives the terminal to a shell on a node, and takes it back.
type Hand struct {
	Book *trail.Book
	Door Door
	// Shell runs the login's shell on a node.
	Shell func(ctx context.Context, node string, t ui.Terminal) error
}

// mayAnything is why read-only mode gives nobody a shell.
const mayAnything = "read-only mode: in a shell anything can be changed"

// Tool offers a shell on a node.
func (w Hand) Tool(f ui.Frame, about sources.Ref) []ui.Command {
	if about.Kind != "Node" {
		return nil
	}
	c := ui.Command{Key: f.Keys.Tools.Shell, Risk: keymap.Changes}
	if f.ReadOnly {
		c.WhyNot = mayAnything
	}
	c.Do = func() tea.Cmd {
		return w.Door.Through([]string{about.Name}, w.aside("shell on "+about.Name, trail.Deed{What: "shell", On: []string{about.Name}},
			func(ctx context.Context, t ui.Terminal) error { return w.Shell(ctx, about.Name, t) }), nil)
	}
	return []ui.Command{c}
}

// aside does something by hand on the whole terminal. What is written down of
// it is on the disk before it begins.
func (w Hand) aside(what string, d trail.Deed, run func(context.Context, ui.Terminal) error) tea.Cmd {
	var end trail.Ending
	return ui.StepAside(ui.Aside{
		Note: "daytwo steps aside for a " + what + ". exit brings it back; what it runs goes on. ctrl+c leaves while this connects.",
		Run: func(ctx context.Context, t ui.Terminal) error {
			end = w.Book.Does(d, func() error { return run(ctx, t) })
			return nil
		},
		Then: func(err error) tea.Msg {
			if err != nil {
				end.Err = err
			}
			return ended(what, end)()
		},
	})
}

// ended says how it ended: in a line, or, if it failed, for as long as that is
// being read.
func ended(what string, end trail.Ending) tea.Cmd {
	text := what + " ended " + end.String()
	switch {
	case end.Err != nil:
		return ui.Ask(ui.Question{
			Title: what, Lines: []string{"It ended " + end.String()}, Yes: "close", Danger: true,
			Do: func(string) tea.Cmd { return nil },
		})
	case end.Note != "":
		return ui.Toast(sources.Warning, text+"; it is not written down: "+end.Note)
	}
	return ui.Toast(sources.OK, text)
}
