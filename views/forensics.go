package views

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"time"

	"daytwo/actions"
	"daytwo/actions/forensics"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// Forensics is what the forensics wizard works with.
type Forensics struct {
	Runner ForensicsRunner
	Door   Door
	Means  forensics.Means
	Record string // the folder of the operational record, where the checklist is
	WhyNot string // why no machine can be looked at; "" if it can
}

// ForensicsRunner is what the wizard needs of actions.Runner.
type ForensicsRunner interface {
	Start(ctx context.Context, a actions.Action) (string, error)
	Resume(ctx context.Context, id string) error
	Stop(id string) error
	Wait(id string, done <-chan struct{}) (actions.Run, bool)
}

// recent is how old a verdict may be to be shown at once; an older one is
// offered, but one would rather look again.
const recent = time.Hour

// Tool offers the forensics of a node.
func (w Forensics) Tool(f ui.Frame, about sources.Ref) []ui.Command {
	if about.Kind != "Node" {
		return nil
	}
	return []ui.Command{{
		Key: f.Keys.Tools.Forensics, WhyNot: w.WhyNot,
		Do: func() tea.Cmd { return w.open(f, about.Name) },
	}}
}

// open shows the run that goes on about a node, the verdict that is fresh, or
// the plan of a new look.
func (w Forensics) open(f ui.Frame, node string) tea.Cmd {
	v := &forensicsView{with: w, node: node, plan: forensics.Inspect(w.Means, f.Snapshot, node)}
	last, ok := lastForensics(f, node)
	switch {
	case ok && !last.State.Over() && last.Mine, ok && last.State == actions.Done && f.Now.Sub(last.Ended) < recent:
		v.run = last.ID
		return ui.Open(v, v.await(last.ID))
	case ok && last.State == actions.Done:
		v.before = last.ID
	}
	return ui.Open(v)
}

// lastForensics is the newest forensics of a node among the runs.
func lastForensics(f ui.Frame, node string) (actions.Run, bool) {
	for _, r := range f.Runs {
		if r.Kind == forensics.InspectKind && r.Target.Name == node {
			return r, true
		}
	}
	return actions.Run{}, false
}

// The pages of a verdict.
const (
	verdictPage = iota
	detailPage
	checklistPage
	pages
)

// forensicsView is the wizard: the plan, the look at the node, the verdict.
type forensicsView struct {
	with   Forensics
	node   string
	plan   *forensics.Inspection
	before string // the run of an old verdict, which is offered; "" if there is none
	run    string // "" until it was started
	err    string // why it could not be started, or what came of the last key
	busy   bool

	verdict *forensics.Verdict
	dir     string      // of the verdict's run
	rested  actions.Run // as it was when it was last waited for
	freed   map[string]forensics.Freed
	list    forensics.Checklist
	listErr string

	page   int
	chosen int // among the suggestions
	ticks  int // the chosen line of the checklist
	scroll ui.Scroll
	stream ui.Stream
	tape   *actions.Tape // of the look, while there is one
}

// Messages of the wizard: each says which view it is for, because every view
// gets them.
type (
	forensicsStarted struct {
		view *forensicsView
		run  string
		err  error
	}
	// forensicsKept says that a person let nothing be looked at: what was in
	// sight stays.
	forensicsKept struct {
		view    *forensicsView
		verdict *forensics.Verdict
	}
	forensicsLoaded struct {
		view    *forensicsView
		run     actions.Run
		verdict *forensics.Verdict
		freed   map[string]forensics.Freed
		list    forensics.Checklist
		listErr error
		tail    *actions.Tape // of a run that has no stream here
		err     error
	}
	checklistSaved struct {
		view *forensicsView
		list forensics.Checklist
		err  error
	}
)

// Title names the wizard and the node.
func (v *forensicsView) Title() string { return "forensics " + v.node }

// Watch is the stream of the look, while it goes on.
func (v *forensicsView) Watch() <-chan struct{} {
	if v.verdict != nil {
		return nil
	}
	return changes(v.tape)
}

// changes is what tells of more on a tape, if there is one.
func changes(tape *actions.Tape) <-chan struct{} {
	if tape == nil {
		return nil
	}
	return tape.Changed()
}

// Typing reports whether the search of the stream takes the keys.
func (v *forensicsView) Typing() bool {
	return v.run != "" && v.verdict == nil && v.stream.Typing()
}

// start begins the look, once the machine may be spoken to.
func (v *forensicsView) start(f ui.Frame) tea.Cmd {
	kept := forensicsKept{v, v.verdict}
	v.plan = forensics.Inspect(v.with.Means, f.Snapshot, v.node)
	v.verdict, v.err, v.busy, v.stream, v.tape = nil, "", true, ui.Stream{}, nil
	plan := v.plan
	return v.with.Door.Through([]string{v.node}, ui.Work(func(ctx context.Context) tea.Msg {
		id, err := v.with.Runner.Start(ctx, plan)
		return forensicsStarted{v, id, err}
	}), func() tea.Msg { return kept })
}

// resume goes on with a look that was stopped.
func (v *forensicsView) resume() tea.Cmd {
	v.err, v.busy = "", true
	id := v.run
	return v.with.Door.Through([]string{v.node}, ui.Work(func(ctx context.Context) tea.Msg {
		return forensicsStarted{v, id, v.with.Runner.Resume(ctx, id)}
	}), func() tea.Msg { return forensicsKept{v, nil} })
}

// await waits until a run rests, and reads what came of it.
func (v *forensicsView) await(id string) tea.Cmd {
	return ui.Work(func(ctx context.Context) tea.Msg {
		run, _ := v.with.Runner.Wait(id, ctx.Done())
		return v.load(run)
	})
}

func (v *forensicsView) load(run actions.Run) tea.Msg {
	m := forensicsLoaded{view: v, run: run}
	if run.Dir == "" {
		return m
	}
	if m.verdict, m.err = forensics.Load(run.Dir); m.err != nil || m.verdict == nil {
		if run.Output == nil { // another process ran it
			m.tail = logTail(filepath.Join(run.Dir, logName))
		}
		return m
	}
	m.freed, m.err = forensics.FreedSince(run.Dir, v.node, m.verdict.At)
	var ticked bool
	if m.list, ticked, m.listErr = forensics.ReadTicked(run.Dir); !ticked && m.listErr == nil {
		m.list, m.listErr = forensics.ReadChecklist(v.with.Record)
	}
	return m
}

// Update takes the wizard's own messages.
func (v *forensicsView) Update(msg tea.Msg, f ui.Frame) tea.Cmd {
	switch m := msg.(type) {
	case forensicsStarted:
		if m.view != v {
			return nil
		}
		if v.busy = false; m.err != nil {
			v.err = m.err.Error()
			return nil
		}
		v.run = m.run
		return v.await(m.run)
	case forensicsKept:
		if m.view == v {
			v.busy, v.verdict = false, m.verdict
		}
	case forensicsLoaded:
		if m.view == v {
			v.take(m)
		}
	case cleanupStarted, cleanupRests:
		return v.follow(m)
	case checklistSaved:
		if m.view == v {
			v.list, v.listErr = m.list, errorText(m.err)
			v.ticks = min(v.ticks, max(len(v.list.Lines)-1, 0))
		}
	case tea.MouseMsg:
		if v.run == "" || v.verdict != nil {
			return v.scroll.Update(m, f)
		}
	}
	return v.stream.Update(msg, f)
}

func (v *forensicsView) take(m forensicsLoaded) {
	v.err, v.rested, v.tape = errorText(m.err), m.run, cmp.Or(v.tape, m.tail)
	if m.verdict != nil && m.run.State == actions.Done {
		v.verdict, v.dir, v.run, v.stream = m.verdict, m.run.Dir, m.run.ID, ui.Stream{}
	} else if m.err == nil && m.run.State != actions.Running {
		v.err = m.run.Err
	}
	v.freed, v.list, v.listErr = m.freed, m.list, errorText(m.listErr)
	v.chosen = min(v.chosen, max(len(v.suggestions())-1, 0))
	v.ticks = firstBox(v.list, v.ticks)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (v *forensicsView) suggestions() []forensics.Suggestion {
	if v.verdict == nil {
		return nil
	}
	return v.verdict.Suggestions
}

// theRun is how the run stands, if there is one.
func (v *forensicsView) theRun(f ui.Frame) (actions.Run, bool) {
	i := slices.IndexFunc(f.Runs, func(r actions.Run) bool { return r.ID == v.run })
	if v.run == "" || i < 0 {
		return v.rested, v.rested.ID != "" && v.rested.ID == v.run
	}
	v.tape = cmp.Or(f.Runs[i].Output, v.tape)
	return f.Runs[i], true
}

// Commands are those of the stage: plan, look, verdict.
func (v *forensicsView) Commands(f ui.Frame) []ui.Command {
	switch {
	case v.verdict != nil:
		return v.verdictCommands(f)
	case v.run == "":
		return v.planCommands(f)
	}
	return v.lookCommands(f)
}

func (v *forensicsView) planCommands(f ui.Frame) []ui.Command {
	look := ui.Command{Key: reword(f.Keys.List.Open, "look"), Do: func() tea.Cmd { return v.start(f) }}
	if v.busy {
		look.WhyNot = "it is being started"
	}
	out := []ui.Command{look}
	if v.before != "" {
		out = append(out, ui.Command{
			Key: reword(f.Keys.Run.WholeLog, "last verdict"),
			Do:  func() tea.Cmd { return v.await(v.before) },
		})
	}
	out = append(out, ui.Command{
		Key: f.Keys.Global.Copy, Do: func() tea.Cmd { return ui.Copy(planText(v.plan)) },
	})
	return append(out, v.scroll.Commands(f)...)
}

func (v *forensicsView) lookCommands(f ui.Frame) []ui.Command {
	run, _ := v.theRun(f)
	out := []ui.Command{}
	switch run.State {
	case actions.Running, actions.Waiting:
		out = append(out, ui.Command{Key: f.Keys.Run.Stop, Do: func() tea.Cmd { return v.stop() }})
	case actions.Failed, actions.Interrupted, actions.Paused:
		out = append(out, ui.Command{Key: f.Keys.Run.Resume, Do: func() tea.Cmd { return v.resume() }},
			ui.Command{Key: reword(f.Keys.List.Open, "look from the start"), Do: func() tea.Cmd { return v.start(f) }})
	case actions.Done, actions.Abandoned, actions.AlreadyTrue, actions.Skipped:
		out = append(out, ui.Command{Key: reword(f.Keys.List.Open, "look again"), Do: func() tea.Cmd { return v.start(f) }})
	}
	return append(out, v.stream.Commands(f)...)
}

func (v *forensicsView) stop() tea.Cmd {
	id := v.run
	return ui.Work(func(context.Context) tea.Msg {
		if err := v.with.Runner.Stop(id); err != nil {
			return forensicsLoaded{view: v, err: err}
		}
		return nil
	})
}

// Render draws the stage.
func (v *forensicsView) Render(f ui.Frame) string {
	switch {
	case v.verdict != nil:
		return v.renderVerdict(f)
	case v.run == "":
		return v.renderPlan(f)
	}
	return v.renderLook(f)
}

// padded gives lines a cell of air on both sides, and cuts them to the area.
func padded(f ui.Frame, lines []string) []string {
	out := make([]string, 0, f.Height)
	for _, l := range lines[:min(len(lines), f.Height)] {
		out = append(out, " "+ui.Fit(l, textWidth(f))+" ")
	}
	return out
}

// stateWord is a run's state in its colour.
func stateWord(f ui.Frame, s actions.State) string {
	style := f.Theme.Text
	switch s {
	case actions.Done, actions.AlreadyTrue:
		style = f.Theme.OK
	case actions.Failed:
		style = f.Theme.Critical
	case actions.Interrupted, actions.Paused, actions.Abandoned, actions.Skipped:
		style = f.Theme.Warning
	case actions.Running, actions.Waiting:
		style = f.Theme.Accent
	}
	return style.Render(cmp.Or(string(s), "waiting"))
}
