package views

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"daytwo/actions"
	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// runTail is how much of the log of a run is shown that another process runs
// or ran.
const runTail = 256 << 10

// runView is one run: its steps, its stream, the way back, and what can be
// done about it now.
type runView struct {
	with   Runs
	id     string
	stream ui.Stream
	last   actions.Run // as it was when it was seen last

	// What was read from the disk, for a run that rests or is another's.
	offers []actions.Offer
	leaves []string
	tail   *actions.Tape
	asked  runStand // for which it was read, or is being read
}

// runStand is what an answer from the disk is true for.
type runStand struct {
	state actions.State
	at    int
	mine  bool
}

// runRead is what was read from the disk about a run.
type runRead struct {
	view   *runView
	offers []actions.Offer
	leaves []string
	tail   *actions.Tape
}

// Title names the run for the header's path.
func (v *runView) Title() string { return "run " + v.last.Title }

// Typing reports whether the search takes the keys.
func (v *runView) Typing() bool { return v.stream.Typing() }

// Watch is the run's stream.
func (v *runView) Watch() <-chan struct{} {
	if v.last.Output == nil {
		return nil
	}
	return v.last.Output.Changed()
}

// run is how the run stands now.
func (v *runView) run(f ui.Frame) (actions.Run, bool) {
	for _, r := range f.Runs {
		if r.ID == v.id {
			v.last = r
			return r, true
		}
	}
	return v.last, v.last.ID != ""
}

// Update takes what was read from the disk, news of runs, the search's text
// and the mouse.
func (v *runView) Update(msg tea.Msg, f ui.Frame) tea.Cmd {
	switch m := msg.(type) {
	case runRead:
		if m.view == v {
			v.take(m)
		}
		return nil
	case ui.RunsMsg:
		r, ok := v.run(f)
		if now := (runStand{r.State, r.At, r.Mine}); ok && v.asked != now {
			v.asked = now
			return v.fetch()
		}
		return nil
	}
	return v.stream.Update(msg, f)
}

func (v *runView) take(m runRead) { v.offers, v.leaves, v.tail = m.offers, m.leaves, m.tail }

// fetch reads what only the disk knows, off the screen's thread.
func (v *runView) fetch() tea.Cmd {
	return ui.Work(func(context.Context) tea.Msg { return v.read() })
}

// read reads what only the disk knows: the ways back that the action offers,
// what it would leave, and the log of a run that has no stream here.
func (v *runView) read() runRead {
	out := runRead{view: v}
	for _, r := range v.with.Runner.Runs() {
		if r.ID != v.id {
			continue
		}
		if r.Output == nil {
			out.tail = logTail(filepath.Join(r.Dir, logName))
		}
		a, err := v.with.Runner.Action(v.id)
		if err != nil || r.State == actions.Running {
			break
		}
		if u, ok := a.(actions.Undoer); ok {
			out.offers = u.Offers(r)
		}
		if l, ok := a.(actions.Leaver); ok {
			out.leaves = l.Leaves(r)
		}
	}
	return out
}

// logName is the file with all that a run wrote.
const logName = "output.log"

// logTail is the end of a log as a stream; nil if there is none.
func logTail(path string) *actions.Tape {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err == nil && info.Size() > runTail {
		_, _ = file.Seek(-runTail, io.SeekEnd)
	}
	tape := actions.NewTape()
	_, _ = io.Copy(tape, io.LimitReader(file, runTail))
	tape.End()
	return tape
}

// Commands are what can be done about the run as it stands, then those of its
// stream.
func (v *runView) Commands(f ui.Frame) []ui.Command {
	r, ok := v.run(f)
	if !ok {
		return nil
	}
	k := f.Keys
	out := v.steering(f, r)
	for i, o := range v.offers {
		if i == 9 {
			break
		}
		n := strconv.Itoa(i + 1)
		out = append(out, ui.Command{
			Key: keymap.Binding{Keys: []string{n}, Shown: n, Words: o.Title}, Risk: keymap.Changes,
			Do: func() tea.Cmd { return v.with.Begin(o.Action, o.Why) },
		})
	}
	if c := stepCommand(r); c != "" {
		out = append(out, ui.Command{Key: k.Run.CopyCommand, Do: func() tea.Cmd { return ui.Copy(c) }})
	}
	out = append(out, ui.Command{Key: k.Run.WholeLog, Do: func() tea.Cmd { return ui.Page(v.stream.File) }})
	out = append(out, v.stream.Commands(f)...)
	if v.stream.Searching() {
		return out
	}
	leave := k.Global.Back
	if r.Mine && r.State == actions.Running {
		leave.Words = "leave, it goes on"
	}
	return append(out, ui.Command{Key: leave, Do: ui.Back})
}

// steering are the commands that change how a run goes on.
func (v *runView) steering(f ui.Frame, r actions.Run) []ui.Command {
	k := f.Keys.Run
	switch {
	case r.State.Over():
		return nil
	case r.Mine && r.State == actions.Running:
		pause := k.Pause
		if r.Pausing {
			pause.Words = "do not pause"
		}
		return []ui.Command{
			{Key: pause, Do: func() tea.Cmd { return v.tell("pause", v.with.Runner.Pause(r.ID)) }},
			{Key: k.Stop, Do: func() tea.Cmd { return v.askStop(f, r) }, WhyNot: reasonIf(r.Stopping, "it is being stopped already")},
		}
	case r.State == actions.Running || r.State == actions.Waiting:
		why := "it runs in " + orUnsure(r.Holder) + "; only that process can steer it"
		return []ui.Command{{Key: k.Pause, WhyNot: why}, {Key: k.Stop, WhyNot: why}}
	}
	resume := k.Resume
	if r.State == actions.Failed {
		resume = k.Retry
	}
	if r.State == actions.Paused {
		resume = k.GoOn
	}
	skip := ui.Command{Key: k.Skip, Risk: keymap.Changes, Do: func() tea.Cmd { return v.askSkip(r) }}
	if r.At >= len(r.Steps) {
		skip.WhyNot = "there is no step left"
	} else if why := r.Steps[r.At].NoSkip; why != "" {
		skip.WhyNot = why
	}
	return []ui.Command{
		{Key: resume, Risk: keymap.Changes, Do: func() tea.Cmd { return v.with.resume(r) }},
		skip,
		{Key: k.Abandon, Do: func() tea.Cmd { return v.askAbandon(r) }},
	}
}

func reasonIf(cond bool, why string) string {
	if cond {
		return why
	}
	return ""
}

// stepCommand is what a person would type for the step the run stands at.
func stepCommand(r actions.Run) string {
	if len(r.Steps) == 0 {
		return ""
	}
	return r.Steps[min(r.At, len(r.Steps)-1)].Command
}

// tell says what could not be done.
func (v *runView) tell(what string, err error) tea.Cmd {
	if err != nil {
		return ui.Toast(sources.Warning, what+": "+err.Error())
	}
	return nil
}

// work does something that touches the disk or the cluster and says if it
// failed.
func (v *runView) work(what string, do func(ctx context.Context) error) tea.Cmd {
	return ui.Work(func(ctx context.Context) tea.Msg {
		if err := do(ctx); err != nil {
			return ui.Toast(sources.Critical, what+": "+err.Error())()
		}
		return nil
	})
}

func (v *runView) askStop(f ui.Frame, r actions.Run) tea.Cmd {
	step := "the step that runs"
	if r.At < len(r.Steps) {
		step = stepName(r.Steps[r.At])
	}
	return ui.Ask(ui.Question{
		Title: "Stop " + r.Title, Yes: "stop now",
		Lines: []string{
			"Interrupts " + step + " where it stands. Resuming looks at the cluster first and does again only what is not done.",
			"To let the step end first, leave this and press " + f.Keys.Run.Pause.Shown + ".",
		},
		Do: func(string) tea.Cmd { return v.tell("stop", v.with.Runner.Stop(r.ID)) },
	})
}

func (v *runView) askSkip(r actions.Run) tea.Cmd {
	step := r.Steps[r.At]
	return ui.Ask(ui.Question{
		Title: "Skip " + stepName(step), Yes: "skip", Danger: true,
		Lines: []string{"It is not done and not looked at; the run goes on with what follows. The reason goes into the record."},
		Label: "why is it skipped?",
		Do: func(reason string) tea.Cmd {
			return ui.Work(func(context.Context) tea.Msg {
				if err := v.with.Runner.Skip(r.ID, step.ID, reason); err != nil {
					return ui.Toast(sources.Critical, "skip: "+err.Error())()
				}
				return v.with.resume(r)()
			})
		},
	})
}

func (v *runView) askAbandon(r actions.Run) tea.Cmd {
	lines := []string{"The run ends here for good and cannot be resumed. Nothing is undone."}
	if len(v.leaves) > 0 {
		lines = append(lines, "", "It leaves as it is:")
		for _, l := range v.leaves {
			lines = append(lines, "- "+l)
		}
	}
	return ui.Ask(ui.Question{
		Title: "Abandon " + r.Title, Lines: lines, Label: "why is it abandoned?", Yes: "abandon", Danger: true,
		Do: func(reason string) tea.Cmd {
			return v.work("abandon", func(context.Context) error { return v.with.Runner.Abandon(r.ID, reason) })
		},
	})
}

// stepName is "worker-0: drain".
func stepName(s actions.StepStatus) string {
	if s.Group == "" {
		return s.Title
	}
	return s.Group + ": " + s.Title
}
