package views

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"daytwo/actions"
	"daytwo/actions/forensics"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// cleanupView shows a clean-up while it runs, above the verdict that it came
// from.
type cleanupView struct {
	from   *forensicsView
	clean  *forensics.Cleanup
	run    actions.Run // as it was last read, once it rests
	id     string
	err    string
	stream ui.Stream
	tape   *actions.Tape
}

type (
	cleanupStarted struct {
		view *cleanupView
		run  string
		err  error
	}
	cleanupRests struct {
		view *cleanupView
		run  actions.Run
	}
)

// openCleanup starts a clean-up and shows it.
func openCleanup(from *forensicsView, clean *forensics.Cleanup) tea.Cmd {
	v := &cleanupView{from: from, clean: clean}
	return ui.Open(v, v.begin(func(ctx context.Context) (string, error) {
		return from.with.Runner.Start(ctx, clean)
	}))
}

func (v *cleanupView) begin(start func(context.Context) (string, error)) tea.Cmd {
	v.err = ""
	return ui.Work(func(ctx context.Context) tea.Msg {
		id, err := start(ctx)
		return cleanupStarted{v, id, err}
	})
}

// follow waits for a clean-up, whose page may be left before it rests, and reads
// what it freed.
func (v *forensicsView) follow(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case cleanupStarted:
		if m.view.from == v && m.err == nil {
			return m.view.rests(m.run)
		}
	case cleanupRests:
		if m.view.from == v {
			return v.await(v.run)
		}
	}
	return nil
}

// rests waits until the clean-up rests.
func (v *cleanupView) rests(id string) tea.Cmd {
	return ui.Work(func(ctx context.Context) tea.Msg {
		run, _ := v.from.with.Runner.Wait(id, ctx.Done())
		return cleanupRests{v, run}
	})
}

// Title names what is cleaned up.
func (v *cleanupView) Title() string { return "clean up " + string(v.clean.What) }

// Watch is the stream of the clean-up.
func (v *cleanupView) Watch() <-chan struct{} { return changes(v.tape) }

// Typing reports whether the search of the stream takes the keys.
func (v *cleanupView) Typing() bool { return v.stream.Typing() }

func (v *cleanupView) theRun(f ui.Frame) actions.Run {
	i := slices.IndexFunc(f.Runs, func(r actions.Run) bool { return r.ID == v.id })
	if v.id == "" || i < 0 {
		return v.run
	}
	v.tape = cmp.Or(f.Runs[i].Output, v.tape)
	return f.Runs[i]
}

// Commands stop it, or go on with it.
func (v *cleanupView) Commands(f ui.Frame) []ui.Command {
	run := v.theRun(f)
	var out []ui.Command
	switch run.State {
	case actions.Running:
		out = append(out, ui.Command{Key: f.Keys.Run.Stop, Do: func() tea.Cmd {
			return ui.Work(func(context.Context) tea.Msg {
				if err := v.from.with.Runner.Stop(v.id); err != nil {
					return cleanupStarted{v, v.id, err}
				}
				return nil
			})
		}})
	case actions.Failed, actions.Interrupted, actions.Paused:
		out = append(out, ui.Command{Key: f.Keys.Run.Retry, Do: func() tea.Cmd {
			return v.from.with.Door.Around(v.clean, run, v.begin(func(ctx context.Context) (string, error) {
				return v.id, v.from.with.Runner.Resume(ctx, v.id)
			}))
		}})
	case actions.Waiting, actions.Done, actions.AlreadyTrue, actions.Skipped, actions.Abandoned:
	}
	if run.At < len(run.Steps) {
		out = append(out, ui.Command{Key: f.Keys.Run.CopyCommand, Do: func() tea.Cmd { return ui.Copy(run.Steps[run.At].Command) }})
	}
	return append(out, v.stream.Commands(f)...)
}

// Update takes the view's own messages.
func (v *cleanupView) Update(msg tea.Msg, f ui.Frame) tea.Cmd {
	switch m := msg.(type) {
	case cleanupStarted:
		if m.view != v {
			return nil
		}
		v.id, v.err = m.run, errorText(m.err)
		return nil
	case cleanupRests:
		if m.view == v {
			v.run = m.run
		}
		return nil
	}
	return v.stream.Update(msg, f)
}

// Render shows how far it is, what it says, and what it came to.
func (v *cleanupView) Render(f ui.Frame) string {
	t, width := f.Theme, textWidth(f)
	run := v.theRun(f)
	head := []string{t.Strong.Render(ui.Clean(v.clean.Title())) + "  " + stateWord(f, run.State)}
	if len(run.Steps) > 0 {
		head = append(head, stepsLine(f, run, width)...)
	}
	for _, text := range []string{v.err, run.Err} {
		if text != "" {
			for _, l := range ui.Wrap(ui.Clean(text), width) {
				head = append(head, t.Critical.Render(l))
			}
		}
	}
	if done, ok := v.from.freed[string(v.clean.What)]; ok && run.State == actions.Done {
		head = append(head, t.OK.Render(done.String()))
	}
	foot := "way back: " + ui.Clean(run.WayBack())
	if run.WayBack() == "" {
		foot = "no way back: what is removed is gone"
	}
	v.stream.Read(v.tape)
	all := append(head, streamBox(f, &v.stream, v.clean.Node, width, max(f.Height-len(head)-1, 3))...)
	return strings.Join(padded(f, append(all, t.Dim.Render(ui.Fit(foot, width)))), "\n")
}
