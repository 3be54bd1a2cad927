package views

import (
	"fmt"
	"strings"

	"daytwo/actions/upgrade"
	"daytwo/sources"
	"daytwo/ui"

	"charm.land/lipgloss/v2"
)

// Render draws the plan: what is in the way first, then the order, then what
// is good to know.
func (v *upgradePlan) Render(f ui.Frame) string {
	width := max(f.Width-4, 8)
	lines, at := v.lines(f, width)
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	v.height, v.total = max(f.Height-2, 0), len(lines)
	if v.follow && at >= 0 {
		v.top = min(max(v.top, at-v.height+2), max(at-1, 0))
	}
	v.top = min(max(v.top, 0), max(v.total-v.height, 0))
	note := v.summary(f)
	if v.total > v.height {
		note += f.Theme.Dim.Render(fmt.Sprintf(" · %d–%d of %d", v.top+1, min(v.top+v.height, v.total), v.total))
	}
	title := "Plan: " + strings.Join(v.plan.From(), ", ") + " → " + v.plan.Target
	return ui.Box(f.Theme, ui.Clean(title), note, true, lines[v.top:], f.Width, f.Height)
}

// summary is how ready the plan is, in the edge.
func (v *upgradePlan) summary(f ui.Frame) string {
	n := 0
	for _, p := range v.plan.Problems() {
		if p.Severity == sources.Critical {
			n++
		}
	}
	switch {
	case v.again:
		return f.Theme.Accent.Render("looking again…")
	case n > 0:
		return f.Theme.Critical.Render(fmt.Sprintf("%s %d in the way", f.Theme.Glyph(sources.Critical), n))
	}
	return f.Theme.OK.Render(f.Theme.Glyph(sources.OK) + " ready to start")
}

// lines is the whole page, and the line of the cursor.
func (v *upgradePlan) lines(f ui.Frame, width int) (out []string, cursor int) {
	t, p := f.Theme, v.plan
	if v.note != "" {
		out = append(out, wrapped(t.Critical.Render, v.note, width, "")...)
	}
	first, later := v.problems(f, width)
	out = append(out, first...)
	cursor = -1
	if len(p.Verdict.Refused) > 0 {
		return out, cursor
	}
	out = append(out, heading(f, "Order: "+string(p.Style), width))
	for i, n := range p.Nodes {
		if i == v.cursor {
			cursor = len(out)
		}
		out = append(out, v.nodeLine(f, n, i, width))
	}
	out = append(out, wrapped(t.Dim.Render, p.Verdict.Why.Text+cited(p.Verdict.Why.Source), width, "  ")...)
	for _, l := range p.Verdict.TradeOff {
		out = append(out, wrapped(t.Dim.Render, l, width, "  ")...)
	}
	if len(later) > 0 {
		out = append(out, heading(f, "Good to know", width))
		out = append(out, later...)
	}
	out = append(out, v.decided(f, width)...)
	return append(out, v.steps(f, width)...), cursor
}

func cited(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

func heading(f ui.Frame, text string, width int) string {
	rule := "─"
	if f.Theme.ASCII {
		rule = "-"
	}
	text = ui.Cut(ui.Clean(text), width-2)
	return f.Theme.Accent.Render(text) + " " + f.Theme.Edge.Render(strings.Repeat(rule, max(width-ui.Width(text)-1, 0)))
}

// wrapped breaks a text into styled lines behind an indent.
func wrapped(style func(...string) string, text string, width int, indent string) []string {
	var out []string
	for _, l := range ui.Wrap(ui.Clean(text), max(width-len(indent), 8)) {
		out = append(out, indent+style(l))
	}
	return out
}

// hung wraps text after a mark: what continues stands under its beginning, so
// that a command that is copied has one prompt.
func hung(style func(...string) string, mark, text string, width int) []string {
	out := wrapped(style, text, width, strings.Repeat(" ", lipgloss.Width(mark)))
	if len(out) > 0 {
		out[0] = mark + strings.TrimLeft(out[0], " ")
	}
	return out
}

// problems are what forbids the start, with the key that answers it, and what
// is only good to know.
func (v *upgradePlan) problems(f ui.Frame, width int) (first, later []string) {
	t := f.Theme
	for _, p := range v.plan.Problems() {
		text := inTheWay(p)
		style := t.Severity(p.Severity)
		mark := style.Render(t.Glyph(p.Severity)) + " "
		block := hung(style.Render, mark, text, width)
		if p.Severity != sources.Critical {
			block = hung(t.Text.Render, mark, text+cited(p.Why), width)
		}
		if p.Severity != sources.Critical {
			later = append(later, block...)
			continue
		}
		if p.Why != "" {
			block = append(block, wrapped(t.Dim.Render, p.Why, width, "  ")...)
		}
		if p.Way != "" {
			block = append(block, wrapped(t.Text.Render, p.Way, width, "  ")...)
		}
		if p.Command != "" {
			block = append(block, hung(t.Strong.Render, "  $ ", p.Command, width)...)
		}
		if key, words := answerKey(f, p); key != "" {
			block = append(block, "  "+t.Key.Render(key)+" "+t.Dim.Render(words))
		}
		first = append(first, block...)
	}
	if len(first) > 0 {
		first = append([]string{heading(f, "In the way", width)}, first...)
	}
	return first, later
}

// answerKey is the key that answers a problem in the plan itself.
func answerKey(f ui.Frame, p upgrade.Problem) (key, words string) {
	k := f.Keys.Upgrade
	switch p.Answer {
	case upgrade.ReadNotes:
		return k.Notes.Shown, "they were read"
	case upgrade.SayBackup, upgrade.SayDatastore:
		return k.Reason.Shown, "say why it goes on"
	case upgrade.LeavePods:
		return k.KeepPods.Shown, "with the cursor on " + p.Node + ": do not drain it"
	case upgrade.NoAnswer:
	}
	return "", ""
}

// nodeLine is one node in the order.
func (v *upgradePlan) nodeLine(f ui.Frame, n upgrade.NodePlan, i, width int) string {
	t := f.Theme
	lead, name := "  ", t.Text
	if i == v.cursor {
		lead, name = t.Accent.Render(marker(t)+" "), t.Strong
	}
	role := "agent"
	if n.Server {
		role = "server"
	}
	return ui.Fit(lead+t.Dim.Render(fmt.Sprintf("%2d ", i+1))+name.Render(ui.Fit(ui.Clean(n.Name), min(20, max(width/4, 8))))+" "+
		t.Dim.Render(ui.Fit(role, 7))+t.Text.Render(ui.Fit(ui.Clean(n.From), 15))+t.Dim.Render(moves(v.plan, n)), width)
}

// moves says in a few words what becomes of the node's pods.
func moves(p upgrade.Plan, n upgrade.NodePlan) string {
	switch {
	case p.There(n):
		return "is there already, and left alone"
	case n.NoDrain:
		return "is not drained"
	case n.Drain == nil:
		return "its drain is not planned"
	}
	text := "drains " + count(len(n.Drain.Leaving()), "pod")
	if n.Drain.Cordoned {
		text += ", stays cordoned as before"
	}
	return text
}

// decided is what the plan rests on.
func (v *upgradePlan) decided(f ui.Frame, width int) []string {
	t, p := f.Theme, v.plan
	tick := func(ok bool, text string) []string {
		s := sources.Unknown
		if ok {
			s = sources.OK
		}
		lines := wrapped(t.Text.Render, text, width-2, "")
		lines[0] = t.Severity(s).Render(t.Glyph(s)) + " " + lines[0]
		for i := range lines[1:] {
			lines[i+1] = "  " + lines[i+1]
		}
		return lines
	}
	out := []string{heading(f, "What it rests on", width)}
	read := "release notes not ticked: "
	if p.NotesRead {
		read = "release notes read: "
	}
	out = append(out, tick(p.NotesRead, read+p.Notes())...)
	fresh := 0
	for _, b := range p.Backups {
		if b.Fresh {
			fresh++
		}
	}
	out = append(out, tick(fresh > 0 && fresh == len(p.Backups), fmt.Sprintf("%d of %s fresh", fresh, count(len(p.Backups), "backup")))...)
	if p.Datastore != upgrade.Elsewhere {
		out = append(out, tick(true, "datastore: "+string(p.Datastore)+", "+p.DatastoreWhy+"; it is saved with the token before the first server")...)
	}
	out = append(out, tick(true, fmt.Sprintf("each node has %s to come back; then the cluster must stay as before for %s (%s changes that)",
		sources.Span(p.Ready), sources.Span(p.Soak), f.Keys.Upgrade.Soak.Shown))...)
	for arch, r := range p.Releases {
		sum := "checksum not known here; each node checks it by the release server's"
		if len(r.SHA256) >= 12 {
			sum = "sha256 " + r.SHA256[:12] + "…"
		}
		out = append(out, tick(r.SHA256 != "", arch+": "+r.Binary+", "+sum)...)
	}
	return out
}

// steps are what is done on each node, and the way back.
func (v *upgradePlan) steps(f ui.Frame, width int) []string {
	n, ok := v.node()
	if !ok {
		return nil
	}
	t := f.Theme
	out := []string{heading(f, "On "+n.Name, width)}
	back := ""
	for _, s := range v.tools.Action(v.plan).Steps() {
		if s.Group != n.Name {
			continue
		}
		out = append(out, t.Text.Render(ui.Fit(s.Title, 22))+" "+t.Dim.Render(ui.Cut(ui.Clean(s.Command), max(width-23, 8))))
		if s.ID == n.Name+"/swap" {
			back = s.WayBack
		}
	}
	if back != "" {
		out = append(out, wrapped(t.Warning.Render, "way back: "+back, width, "")...)
	}
	return out
}
