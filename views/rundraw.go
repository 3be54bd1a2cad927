package views

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"daytwo/actions"
	"daytwo/sources"
	"daytwo/ui"
)

// Render draws what the run is, its steps by node, how it stands, its stream,
// and the way back.
func (v *runView) Render(f ui.Frame) string {
	r, ok := v.run(f)
	if !ok {
		return " " + f.Theme.Dim.Render("waiting for the run")
	}
	head := []string{v.headline(f, r)}
	if f.Height >= 20 {
		head = append(head, "")
	}
	head = append(head, runSteps(f, r, max(f.Height/4, 2))...)
	head = append(head, v.standing(f, r)...)
	var foot []string
	if back := r.WayBack(); back != "" {
		foot = wayBack(f, back)
	}
	if most := max(f.Height-len(foot)-4, 1); len(head) > most {
		head = head[:most] // the stream keeps some lines
	}
	lines := append(head, v.box(f, r, f.Height-len(head)-len(foot))...)
	lines = append(lines, foot...)
	return strings.Join(lines[:min(len(lines), f.Height)], "\n")
}

// headline is the run's title, and at the right its name and how long it took.
func (v *runView) headline(f ui.Frame, r actions.Run) string {
	t := f.Theme
	verb, rest, _ := strings.Cut(ui.Clean(r.Title), " ")
	left := " " + t.Key.Render(verb) + " " + t.Strong.Render(rest)
	right := t.Strong.Render(clock(elapsed(r, f.Now)))
	for _, more := range []string{"journal saved", "run " + r.ID} {
		longer := t.Dim.Render(more+"  ") + right
		if ui.Width(left)+ui.Width(longer)+4 > f.Width {
			break
		}
		right = longer
	}
	return ui.Fit(left, f.Width-ui.Width(right)-1) + right + " "
}

func elapsed(r actions.Run, now time.Time) time.Duration {
	end := r.Ended
	if end.IsZero() && r.State != actions.Running {
		for _, s := range r.Steps {
			if s.Ended.After(end) {
				end = s.Ended
			}
		}
	}
	if end.IsZero() {
		end = now
	}
	if r.Began.IsZero() {
		return 0
	}
	return max(end.Sub(r.Began), 0)
}

// clock is a time as a stopwatch shows it: 04:12, 1:02:03.
func clock(d time.Duration) string {
	s := int(d / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

// stepGroup is the steps of one node, or one step of the cluster.
type stepGroup struct {
	name        string
	first, last int // of the steps
}

func groupsOf(r actions.Run) []stepGroup {
	var out []stepGroup
	for i, s := range r.Steps {
		if n := len(out) - 1; n >= 0 && s.Group != "" && out[n].name == s.Group {
			out[n].last = i
			continue
		}
		out = append(out, stepGroup{name: s.Group, first: i, last: i})
	}
	return out
}

// runSteps are the nodes in a row, and below them the steps of the one the
// run is at; at most so many lines, those around the present one.
func runSteps(f ui.Frame, r actions.Run, most int) []string {
	groups := groupsOf(r)
	items, here := make([]string, 0, len(groups)), 0
	at := min(r.At, len(r.Steps)-1)
	for i, g := range groups {
		if at >= g.first && at <= g.last {
			here = i
		}
		items = append(items, groupItem(f, r, g))
	}
	out := flowed(f, items, here, 1, max(most/2, 1))
	if len(groups) == 0 || groups[here].name == "" {
		return out
	}
	items = items[:0]
	g := groups[here]
	for _, s := range r.Steps[g.first : g.last+1] {
		items = append(items, stepItem(f, s, r.At < len(r.Steps) && s.ID == r.Steps[r.At].ID, s.Title))
	}
	return append(out, flowed(f, items, at-g.first, 3, max(most-len(out), 1))...)
}

// groupItem is a node with how far it is.
func groupItem(f ui.Frame, r actions.Run, g stepGroup) string {
	here := r.At >= g.first && r.At <= g.last
	if g.name == "" {
		return stepItem(f, r.Steps[g.first], here, r.Steps[g.first].Title)
	}
	state, through := actions.Waiting, 0
	for _, s := range r.Steps[g.first : g.last+1] {
		switch s.State {
		case actions.Done, actions.AlreadyTrue, actions.Skipped:
			through++
		case actions.Waiting:
		case actions.Running, actions.Failed, actions.Interrupted, actions.Paused, actions.Abandoned:
			state = s.State
		}
	}
	n := g.last - g.first + 1
	if through == n {
		state = actions.Done
	} else if through > 0 && state == actions.Waiting {
		state = actions.Running
	}
	t := f.Theme
	name := styleIf(here, t.Key, t.Dim).Render(ui.Clean(g.name))
	text := ui.StateStyle(t, state).Render(t.StateGlyph(state)) + " " + name
	if here {
		text += t.Dim.Render(fmt.Sprintf(" %d/%d", min(through+1, n), n))
	}
	return text
}

// stepItem is a step: its glyph, its title, how long it took, and a word where
// the glyph does not say all.
func stepItem(f ui.Frame, s actions.StepStatus, here bool, title string) string {
	t := f.Theme
	style := t.Dim
	switch {
	case here:
		style = t.Key
	case s.State == actions.Done || s.State == actions.AlreadyTrue:
		style = t.Text
	}
	text := ui.StateStyle(t, s.State).Render(t.StateGlyph(s.State)) + " " + style.Render(ui.Clean(title))
	switch s.State {
	case actions.AlreadyTrue, actions.Skipped, actions.Failed, actions.Interrupted:
		text += " " + ui.StateStyle(t, s.State).Render(string(s.State))
	case actions.Waiting, actions.Running, actions.Done, actions.Paused, actions.Abandoned:
	}
	end := s.Ended
	if s.State == actions.Running {
		end = f.Now
	}
	if d := end.Sub(s.Began); !s.Began.IsZero() && !end.IsZero() && s.State != actions.AlreadyTrue && s.State != actions.Skipped {
		text += " " + styleIf(here, t.Key, t.Dim).Render(sources.Span(max(d, 0).Round(time.Second)))
	}
	return text
}

// flowed puts items in lines; of more than most lines those around the item
// that matters.
func flowed(f ui.Frame, items []string, here, indent, most int) []string {
	var lines []string
	pad := strings.Repeat(" ", indent)
	line, at := pad, 0
	for i, it := range items {
		if line != pad && ui.Width(line)+ui.Width(it)+3 > f.Width-1 {
			lines, line = append(lines, line), pad
		}
		if line != pad {
			line += "   "
		}
		line += it
		if i == here {
			at = len(lines)
		}
	}
	lines = append(lines, line)
	if len(lines) <= most {
		return lines
	}
	from := min(max(at-most/2, 0), len(lines)-most)
	return lines[from : from+most]
}

// rests says in words why a run does not go on; "" while it does.
func rests(f ui.Frame, r actions.Run) string {
	switch r.State {
	case actions.Failed:
		return strings.TrimSpace("failed " + at(r) + ": " + orUnsure(r.Err))
	case actions.Interrupted:
		return strings.TrimSuffix("interrupted "+at(r)+": "+r.Err, ": ")
	case actions.Paused:
		return strings.TrimSuffix("paused before "+next(r)+": "+r.Err, ": ")
	case actions.Done:
		return "done, " + agoWords(r.Ended, f.Now)
	case actions.Abandoned:
		return strings.TrimSuffix("abandoned: "+r.Err, ": ")
	case actions.Running, actions.Waiting, actions.Skipped, actions.AlreadyTrue:
	}
	return ""
}

// aftermath says what a run leaves, what helps, and what was noted.
func (v *runView) aftermath(f ui.Frame, r actions.Run) []string {
	t := f.Theme
	var out []string
	for i, l := range r.Leaves {
		lead := "   it leaves as it is: "
		if i > 0 {
			lead = "                       "
		}
		out = append(out, t.Dim.Render(lead)+t.Warning.Render(ui.Clean(l)))
	}
	for i, o := range v.offers {
		if i == 9 || r.State == actions.Running {
			break
		}
		out = append(out, fmt.Sprintf("   %s %s  %s", t.Key.Render(fmt.Sprint(i+1)), t.Text.Render(ui.Clean(o.Title)), t.Dim.Render(ui.Clean(o.Why))))
	}
	for _, n := range r.Notes {
		out = append(out, " "+t.Warning.Render(t.Glyph(sources.Warning))+" "+t.Dim.Render(ui.Clean(n)))
	}
	return out
}

// standing says what a person must know: why the run rests, what helps, who
// else runs it, what it left.
func (v *runView) standing(f ui.Frame, r actions.Run) []string {
	t := f.Theme
	var out []string
	say := func(s actions.State, text string) {
		for i, l := range ui.Wrap(ui.Clean(text), max(f.Width-4, 8)) {
			lead := "   "
			if i == 0 {
				lead = " " + ui.StateStyle(t, s).Render(t.StateGlyph(s)) + " "
			}
			out = append(out, lead+ui.StateStyle(t, s).Render(l))
		}
	}
	if why := rests(f, r); why != "" {
		say(r.State, why)
	}
	if r.State == actions.Running {
		out = append(out, v.runningLines(f, r)...)
	}
	for _, s := range r.Steps {
		if s.State == actions.Skipped {
			say(s.State, stepName(s)+" "+s.Reason)
		}
	}
	out = append(out, v.aftermath(f, r)...)
	for i := range out {
		out[i] = ui.Fit(out[i], f.Width)
	}
	return out
}

// runningLines say what was asked of a run that goes on, and who has it.
func (v *runView) runningLines(f ui.Frame, r actions.Run) []string {
	t := f.Theme
	switch {
	case !r.Mine:
		return []string{" " + t.Warning.Render(t.Glyph(sources.Warning)) + " " +
			t.Text.Render("runs in "+ui.Clean(orUnsure(r.Holder))+"; this screen only looks at it")}
	case r.Stopping:
		return []string{" " + t.Warning.Render(t.StateGlyph(actions.Interrupted)+" stopping: the step is being interrupted")}
	case r.Pausing:
		return []string{" " + t.Warning.Render(t.StateGlyph(actions.Paused)+" pauses after this step")}
	}
	return nil
}

// at names the step a run stands at.
func at(r actions.Run) string {
	if r.At >= len(r.Steps) {
		return ""
	}
	return "at " + stepName(r.Steps[r.At])
}

// next is the step that comes when a run goes on.
func next(r actions.Run) string {
	if r.At >= len(r.Steps) {
		return "its end"
	}
	return stepName(r.Steps[r.At])
}

// box is the stream, with the command of the step in its edge.
func (v *runView) box(f ui.Frame, r actions.Run, height int) []string {
	tape := r.Output
	if tape == nil {
		tape = v.tail
	}
	v.stream.File = filepath.Join(r.Dir, logName)
	v.stream.Read(tape)
	title := r.Title
	if r.At < len(r.Steps) {
		title = r.Steps[r.At].Group
		if title == "" {
			title = r.Steps[r.At].Title
		}
	}
	title = ui.Clean(title)
	room := f.Width - ui.Width(title) - 10
	note := v.stream.Note(f, room)
	if c := ui.Clean(stepCommand(r)); c != "" && ui.Width(note)+12 < room {
		c, _, _ = strings.Cut(c, "\n")
		note = f.Theme.Dim.Render(ui.Cut(c, room-ui.Width(note)-3)+" "+bullet(f)+" ") + note
	}
	inner := ui.Rect{W: f.Width, H: height}.Inner()
	lines := v.stream.Render(f, max(inner.W-2, 1), inner.H)
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	return strings.Split(ui.Box(f.Theme, title, note, true, lines, f.Width, height), "\n")
}

// wayBack is what a person would type to undo what was done so far; never cut
// short of what can be read in two lines.
func wayBack(f ui.Frame, command string) []string {
	const label = " way back "
	t := f.Theme
	lines := ui.Wrap(ui.Clean(command), max(f.Width-len(label)-1, 8))
	lines = slices.Clip(lines[:min(len(lines), 2)])
	for i, l := range lines {
		lead := strings.Repeat(" ", len(label))
		if i == 0 {
			lead = t.Warning.Render(label)
		}
		lines[i] = lead + t.Text.Render(l)
	}
	return lines
}
