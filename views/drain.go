package views

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"daytwo/actions"
	"daytwo/actions/drain"
	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// DrainTool offers the drain of the node under the cursor. start begins an
// action that was confirmed and shows its run.
func DrainTool(k drain.Kit, start func(actions.Action) tea.Cmd) func(ui.Frame, sources.Ref) []ui.Command {
	return func(f ui.Frame, about sources.Ref) []ui.Command {
		if about.Kind != "Node" {
			return nil
		}
		return []ui.Command{{Key: f.Keys.Tools.Drain, Risk: keymap.Changes, Do: func() tea.Cmd {
			v := &drainPlan{kit: k, start: start, node: about.Name}
			return ui.Open(v, v.look())
		}}}
	}
}

// drainPlan is the wizard's page: what blocks, what to know, who moves.
type drainPlan struct {
	kit    drain.Kit
	start  func(actions.Action) tea.Cmd
	node   string
	with   drain.Options
	plan   drain.Plan
	seen   bool // there is a plan
	again  bool // it is being looked at
	lacks  []error
	err    error
	scroll ui.Scroll
}

type drainMsg struct {
	of    *drainPlan
	plan  drain.Plan
	lacks []error
	err   error
}

// look plans the drain; nothing is changed, the rehearsal is a dry-run.
func (v *drainPlan) look() tea.Cmd {
	v.again = true
	with := v.with
	return ui.Work(func(ctx context.Context) tea.Msg {
		m := drainMsg{of: v}
		if m.lacks, m.err = v.kit.Cluster.Refused(ctx); m.err != nil {
			return m
		}
		if m.plan, m.err = drain.Look(ctx, v.kit.Cluster, v.node, with); m.err == nil && len(m.lacks) == 0 {
			m.plan = drain.Rehearse(ctx, v.kit.Cluster, m.plan)
		}
		return m
	})
}

// Title names the page for the header's path.
func (v *drainPlan) Title() string { return "drain " + v.node }

// Passing implements ui.Passing: what a drain has done makes its plan old.
func (*drainPlan) Passing() {}

// Commands decide about the plan and start it.
func (v *drainPlan) Commands(f ui.Frame) []ui.Command {
	k := f.Keys.Upgrade
	begin := ui.Command{Key: k.Start, Risk: keymap.Destroys, WhyNot: v.whyNot(), Do: v.confirm}
	out := []ui.Command{begin, {Key: k.Again, Do: v.look}}
	for _, p := range slices.Concat(v.plan.Blockers, v.plan.Warnings) {
		if key, option := v.accepting(f, p); option != nil {
			out = append(out, v.toggle(key, option))
		}
	}
	out = append(out, ui.Command{Key: reword(f.Keys.Global.Copy, "copy command"), Do: func() tea.Cmd { return ui.Copy(v.plan.Command()) }})
	return append(out, v.scroll.Commands(f)...)
}

// accepting is the key that accepts a problem and the option it sets; nil where
// nothing does.
func (v *drainPlan) accepting(f ui.Frame, p drain.Problem) (keymap.Binding, *bool) {
	switch p.Accept {
	case "force":
		return f.Keys.Drain.Force, &v.with.Force
	case "pending":
		return f.Keys.Drain.LeavePending, &v.with.LeavePending
	}
	return keymap.Binding{}, nil
}

func (v *drainPlan) toggle(b keymap.Binding, what *bool) ui.Command {
	if *what {
		b.Words = "do not " + b.Words
	}
	return ui.Command{Key: b, Do: func() tea.Cmd { *what = !*what; return v.look() }}
}

// whyNot says what keeps the drain from starting.
func (v *drainPlan) whyNot() string {
	switch {
	case v.again:
		return "the node is being looked at"
	case v.err != nil:
		return v.err.Error()
	case len(v.lacks) > 0:
		return v.lacks[0].Error()
	case len(v.plan.Blockers) > 0:
		return v.plan.Blockers[0].Title
	}
	return ""
}

// confirm asks for the node's name.
func (v *drainPlan) confirm() tea.Cmd {
	a := drain.New(v.kit, v.plan)
	lines := []string{
		fmt.Sprintf("%s leave %s; %d stay (DaemonSets, static pods).", count(len(v.plan.Leaving()), "pod"), v.node, v.plan.Count(drain.Stay)),
		"As if you typed: " + v.plan.Command(),
	}
	for _, w := range v.plan.Warnings {
		lines = append(lines, "· "+w.Title)
	}
	return ui.Ask(ui.Confirm(a.Title(), a.Confirm(), "drain", lines, func() tea.Cmd { return v.start(a) }))
}

// Update takes the plan.
func (v *drainPlan) Update(msg tea.Msg, f ui.Frame) tea.Cmd {
	if m, ok := msg.(drainMsg); ok {
		if m.of == v {
			v.again, v.err, v.lacks = false, m.err, m.lacks
			if m.err == nil {
				v.plan, v.seen = m.plan, true
			}
		}
		return nil
	}
	return v.scroll.Update(msg, f)
}

// Render draws the plan: what blocks first.
func (v *drainPlan) Render(f ui.Frame) string {
	t, width := f.Theme, max(f.Width-4, 8)
	var lines []string
	if v.err != nil {
		lines = wrapped(t.Critical.Render, v.err.Error(), width, "")
	}
	for _, l := range v.lacks {
		lines = append(lines, wrapped(t.Critical.Render, l.Error()+"; docs/rbac/operate.yaml has the role that a drain needs", width, "")...)
	}
	if v.seen {
		lines = append(lines, v.lines(f, width)...)
	}
	lines = v.scroll.Render(f, lines, width, max(f.Height-2, 0))
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	return ui.Box(t, "Plan: drain "+ui.Clean(v.node), v.summary(f), true, lines, f.Width, f.Height)
}

func (v *drainPlan) summary(f ui.Frame) string {
	t := f.Theme
	switch {
	case v.again:
		return t.Accent.Render("looking…")
	case v.err != nil, len(v.lacks) > 0:
		return t.Critical.Render(t.Glyph(sources.Critical) + " cannot start")
	case len(v.plan.Blockers) > 0:
		return t.Critical.Render(fmt.Sprintf("%s %d in the way", t.Glyph(sources.Critical), len(v.plan.Blockers)))
	}
	return t.OK.Render(t.Glyph(sources.OK) + " ready to start")
}

// lines is the whole plan.
func (v *drainPlan) lines(f ui.Frame, width int) []string {
	var out []string
	if p := v.plan.Blockers; len(p) > 0 {
		out = append(out, heading(f, "In the way", width))
		out = append(out, v.problems(f, p, sources.Critical, width)...)
	}
	if p := v.plan.Warnings; len(p) > 0 {
		out = append(out, heading(f, "To know before", width))
		out = append(out, v.problems(f, p, sources.Warning, width)...)
	}
	for _, u := range v.plan.Unread {
		out = append(out, wrapped(f.Theme.Unknown.Render, f.Theme.Glyph(sources.Unknown)+" not known: "+u, width, "")...)
	}
	if v.plan.Rehearsal != "" {
		out = append(out, wrapped(f.Theme.Unknown.Render, f.Theme.Glyph(sources.Unknown)+" not rehearsed: "+v.plan.Rehearsal, width, "")...)
	}
	out = append(out, heading(f, "Pods on "+v.node+" (where they would fit: a first approximation)", width))
	if width < gridWidth {
		return append(out, v.podsBelow(f, width)...)
	}
	return append(out, v.pods(f).lines(f, width)...)
}

func (v *drainPlan) problems(f ui.Frame, ps []drain.Problem, s sources.Severity, width int) []string {
	t := f.Theme
	var out []string
	for _, p := range ps {
		out = append(out, hung(t.Severity(s).Render, t.Severity(s).Render(t.Glyph(s))+" ", p.Title, width)...)
		out = append(out, wrapped(t.Dim.Render, p.Why, width, "  ")...)
		key, accepts := v.accepting(f, p)
		for i, w := range p.Ways {
			text := "way out: " + w.Text
			if accepts != nil && !*accepts && i == len(p.Ways)-1 {
				text += ", with " + key.Shown
			}
			out = append(out, wrapped(t.Text.Render, text, width, "  ")...)
			if w.Command != "" {
				out = append(out, hung(t.Strong.Render, "  $ ", w.Command, width)...)
			}
		}
	}
	return out
}

// pods is the table of what becomes of each.
func (v *drainPlan) pods(f ui.Frame) sheet {
	s := sheet{titles: []string{"pod", "what happens", "to", "grace", "budgets (allowed now)", "emptyDir"}}
	for _, m := range v.plan.Moves {
		s.rows = append(s.rows, []ui.Cell{
			strong(f, ui.Clean(m.String())), plain(f, fateOf(m)), dim(f, m.To), dim(f, sources.Span(m.Grace)), plain(f, v.budgets(m)), plain(f, scratchOf(m)),
		})
	}
	return s
}

func fateOf(m drain.Move) string {
	if m.Stays != "" {
		return string(m.Fate) + ": " + m.Stays
	}
	return string(m.Fate)
}

// podsBelow is the table on a narrow screen: what has no room beside a pod that
// leaves stands below it.
func (v *drainPlan) podsBelow(f ui.Frame, width int) []string {
	s := sheet{titles: []string{"pod", "what happens", "to"}}
	for _, m := range v.plan.Moves {
		s.rows = append(s.rows, []ui.Cell{strong(f, ui.Clean(m.String())), plain(f, fateOf(m)), dim(f, m.To)})
	}
	rows := s.lines(f, width)
	out := rows[:1:1]
	for i, m := range v.plan.Moves {
		out = append(out, rows[i+1])
		if m.Fate == drain.Stay {
			continue
		}
		more := []string{"grace " + sources.Span(m.Grace)}
		if b := v.budgets(m); b != "" {
			more = append(more, "budgets (allowed now): "+b)
		}
		if b := scratchOf(m); b != "" {
			more = append(more, "emptyDir "+b)
		}
		out = append(out, wrapped(f.Theme.Dim.Render, strings.Join(more, "; "), width, "  ")...)
	}
	return out
}

func (v *drainPlan) budgets(m drain.Move) string {
	var out []string
	for _, b := range v.plan.Budgets {
		for _, name := range m.Budgets {
			if b.Ref.Namespace == m.Namespace && b.Ref.Name == name {
				out = append(out, fmt.Sprintf("%s (%d)", name, b.Allowed))
			}
		}
	}
	if m.Probe != "" {
		out = append(out, "now refused")
	}
	return strings.Join(out, ", ")
}

func scratchOf(m drain.Move) string {
	var out []string
	for _, s := range m.Scratch {
		if s.Bytes < 0 {
			out = append(out, "size not known")
		} else {
			out = append(out, sources.Bytes(float64(s.Bytes)))
		}
	}
	return strings.Join(out, ", ")
}
