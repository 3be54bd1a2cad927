package views

import (
	"context"
	"errors"

	"daytwo/actions"
	"daytwo/actions/trail"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// Runner starts runs: actions.Runner. What waits or reads a disk is called off
// the screen's thread.
type Runner interface {
	ui.Runner
	Start(ctx context.Context, a actions.Action) (id string, err error)
	TakeOver(ctx context.Context, who string) error
	Action(id string) (actions.Action, error)
	Steerer
}

// Steerer steers runs that were started.
type Steerer interface {
	Resume(ctx context.Context, id string) error
	Pause(id string) error
	Stop(id string) error
	Skip(id, step, reason string) error
	Abandon(id, reason string) error
}

// Runs shows runs, and lets wizards begin them.
type Runs struct {
	Runner Runner
	Door   Door
	ByHand func() ([]trail.ByHand, error) // what was done by hand, the newest first; nil: nobody keeps it
}

// Tool offers the list of runs, wherever one is.
func (w Runs) Tool(f ui.Frame, _ sources.Ref) []ui.Command {
	c := ui.Command{Key: f.Keys.Tools.Runs, Do: w.list}
	if len(f.Runs) == 0 && w.ByHand == nil {
		c.WhyNot = "nothing was run on this cluster yet"
	}
	return []ui.Command{c}
}

// list shows all runs, and what was done by hand.
func (w Runs) list() tea.Cmd {
	v := newRunList(w)
	if w.ByHand == nil {
		return ui.Open(v)
	}
	return ui.Work(func(context.Context) tea.Msg {
		v.hand, v.err = w.ByHand()
		return ui.Open(v)()
	})
}

// Open shows a run, with what the disk knows of it.
func (w Runs) Open(id string) tea.Cmd { return w.open(id, ui.Open) }

func (w Runs) open(id string, open func(ui.View, ...tea.Cmd) tea.Cmd) tea.Cmd {
	v := &runView{with: w, id: id}
	return open(v, v.fetch())
}

// Begin asks what must be asked before an action (its name typed, or enter),
// starts it and shows its run. lines say what will happen.
func (w Runs) Begin(a actions.Action, lines ...string) tea.Cmd {
	yes := string(a.Kind())
	return ui.Ask(ui.Confirm(a.Title(), a.Confirm(), yes, lines, func() tea.Cmd { return w.Start(a) }))
}

// Start starts an action that was confirmed already and shows its run in place
// of its plan, or why it was not started.
func (w Runs) Start(a actions.Action) tea.Cmd {
	return w.Door.Around(a, actions.Run{}, ui.Work(func(ctx context.Context) tea.Msg {
		id, err := w.Runner.Start(ctx, a)
		if err != nil {
			return w.refused(a.Title(), err, w.Start(a))()
		}
		return w.open(id, ui.OpenPast)()
	}))
}

// resume goes on with a run: with what its action has left to do.
func (w Runs) resume(r actions.Run) tea.Cmd {
	begin := ui.Work(func(ctx context.Context) tea.Msg {
		if err := w.Runner.Resume(ctx, r.ID); err != nil {
			return w.refused(r.Title, err, w.resume(r))()
		}
		return nil
	})
	return ui.Work(func(context.Context) tea.Msg {
		a, err := w.Runner.Action(r.ID)
		if err != nil {
			return begin() // it says what is wrong with it
		}
		return w.Door.Around(a, r, begin)()
	})
}

// refused says why something was not started. If a holder that gave no sign of
// life is in the way, its name can be typed to take over, and again is done.
func (w Runs) refused(title string, err error, again tea.Cmd) tea.Cmd {
	var held *sources.HeldError
	if !errors.As(err, &held) || !held.Orphaned {
		return ui.Ask(ui.Question{
			Title: title + ": not started", Lines: []string{err.Error()}, Yes: "close", Danger: true,
			Do: func(string) tea.Cmd { return nil },
		})
	}
	return ui.Ask(ui.Question{
		Title: "Take over from " + held.By.Who, Danger: true, Name: held.By.Who, Yes: "take over",
		Lines: []string{err.Error(), "", "If it still runs somewhere, two runs would change the cluster at once. What it left half done stays as it is."},
		Do: func(who string) tea.Cmd {
			return ui.Work(func(ctx context.Context) tea.Msg {
				if err := w.Runner.TakeOver(ctx, who); err != nil {
					return ui.Toast(sources.Critical, err.Error())()
				}
				return again()
			})
		},
	})
}
