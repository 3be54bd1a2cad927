package views

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"daytwo/actions/trail"
	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// fanned is what both views of a running command have.
type fanned struct{ fan *trail.Fan }

// newTrailRun shows a command that runs: on one target its output, on several
// a line for each.
func newTrailRun(fan *trail.Fan) ui.View {
	if stands := fan.Stands(); len(stands) == 1 {
		return &trailStream{fanned: fanned{fan}, owner: true}
	}
	v := &trailFan{fanned: fanned{fan}}
	type column = ui.Column[trail.Stand]
	v.table = ui.Table[trail.Stand]{
		ID:    func(s trail.Stand) string { return s.Name },
		Match: func(s trail.Stand) string { return s.Name + " " + string(s.State) + " " + s.Why + " " + s.Last },
		Empty: func(ui.Frame) string { return "it runs nowhere" },
		Columns: []column{
			{Width: 1, Cell: func(f ui.Frame, s trail.Stand) ui.Cell {
				return judged(f, standSeverity(s), f.Theme.Glyph(standSeverity(s)))
			}},
			{Title: "node", Width: 16, Cell: func(f ui.Frame, s trail.Stand) ui.Cell { return strong(f, s.Name) }},
			{Title: "state", Width: 9, Cell: func(f ui.Frame, s trail.Stand) ui.Cell {
				return judged(f, standSeverity(s), standWord(s))
			}},
			{Title: "lines", Width: 6, Right: true, Cell: func(f ui.Frame, s trail.Stand) ui.Cell { return plain(f, fmt.Sprint(s.Lines)) }},
			{Title: "took", Width: 6, Right: true, Priority: 1, Cell: func(f ui.Frame, s trail.Stand) ui.Cell {
				return dim(f, clock(standTook(s, f.Now)))
			}},
			{Title: "last line, or why", Cell: func(f ui.Frame, s trail.Stand) ui.Cell {
				if s.Exit != 0 && s.Last != "" {
					return judged(f, sources.Critical, ui.Clean(s.Last))
				}
				if s.Why != "" {
					return judged(f, sources.Critical, s.Why)
				}
				return dim(f, ui.Clean(s.Last))
			}},
		},
	}
	return v
}

func standSeverity(s trail.Stand) sources.Severity {
	switch s.State {
	case trail.Done:
		return sources.OK
	case trail.Failed:
		return sources.Critical
	case trail.Cancelled:
		return sources.Warning
	case trail.Waiting, trail.Running, trail.Reading, trail.Ended:
	}
	return sources.Unknown
}

// standWord is a state in a word: of one that ended otherwise than it should,
// its exit code.
func standWord(s trail.Stand) string {
	if s.State == trail.Failed && s.Exit > 0 {
		return fmt.Sprintf("exit %d", s.Exit)
	}
	return string(s.State)
}

func standTook(s trail.Stand, now time.Time) time.Duration {
	if s.Began.IsZero() {
		return 0
	}
	if !s.Ended.IsZero() {
		now = s.Ended
	}
	return max(now.Sub(s.Began), 0)
}

// steering is what can be done with a command that runs. leave guards the way
// out while something runs that may be changing things.
func (v fanned) steering(f ui.Frame, leave bool) []ui.Command {
	k := f.Keys.Trail
	stop := ui.Command{Key: k.Stop, WhyNot: "nothing runs any more", Do: func() tea.Cmd { v.fan.Cancel(); return nil }}
	running := v.fan.Running()
	if running {
		stop.WhyNot = ""
	}
	keep := ui.Command{Key: k.Keep, Do: func() tea.Cmd {
		return ui.Work(func(context.Context) tea.Msg {
			path, trouble := v.fan.Keep()
			if trouble != "" {
				return ui.Toast(sources.Warning, strings.TrimSpace("not all is kept: "+trouble+" "+path))()
			}
			return ui.Toast(sources.OK, "kept: "+path)()
		})
	}}
	out := []ui.Command{stop, keep}
	if leave && running && !v.fan.Line().ReadsOnly() {
		back := f.Keys.Global.Back
		out = append(out, ui.Command{
			Key:    keymap.Binding{Keys: slices.Concat(back.Keys, f.Keys.Global.Quit.Keys), Shown: back.Shown, Words: back.Words},
			WhyNot: "it still runs; " + k.Stop.Shown + " stops it",
		})
	}
	return out
}

// note is where the output is kept, or "" if it is not.
func (v fanned) note(f ui.Frame, width int) string {
	path, trouble := v.fan.Kept()
	switch {
	case trouble != "":
		return f.Theme.Warning.Render(ui.Cut(trouble, width))
	case path != "":
		return f.Theme.Dim.Render(ui.Cut("kept: "+ui.Clean(path), width))
	}
	return ""
}

func (v fanned) close() tea.Cmd {
	return ui.Work(func(context.Context) tea.Msg { v.fan.Close(); return nil })
}

// trailFan is a command on several nodes: a line for each.
type trailFan struct {
	fanned

	table ui.Table[trail.Stand]
}

// Title names the command.
func (v *trailFan) Title() string { return v.fan.Line().Name }

// Typing reports whether the filter takes the keys.
func (v *trailFan) Typing() bool { return v.table.Typing() }

// Watch is what the root waits on to draw again.
func (v *trailFan) Watch() <-chan struct{} { return v.fan.Changed() }

// Close ends what still runs.
func (v *trailFan) Close() tea.Cmd { return v.close() }

// Commands open the output of one, and steer all.
func (v *trailFan) Commands(f ui.Frame) []ui.Command {
	stands := v.fan.Stands()
	open := ui.Command{Key: f.Keys.List.Open, WhyNot: "there is no output to open"}
	if s, ok := v.table.Selected(stands); ok {
		open.WhyNot, open.Do = "", func() tea.Cmd { return v.open(s) }
	}
	return slices.Concat([]ui.Command{open}, v.table.Commands(f, stands), v.steering(f, true))
}

func (v *trailFan) open(s trail.Stand) tea.Cmd {
	return ui.Open(&trailStream{fanned: v.fanned, node: s.Name})
}

// Update takes the filter's text and the mouse.
func (v *trailFan) Update(msg tea.Msg, f ui.Frame) tea.Cmd {
	stands := v.fan.Stands()
	cmd := v.table.Update(ui.Shift(msg, 1, 1), f, stands)
	if s, ok := v.table.Selected(stands); ok && v.table.Opened() {
		return tea.Batch(cmd, v.open(s))
	}
	return cmd
}

// Render draws a line for each node, and below them what is typed on the one
// under the cursor.
func (v *trailFan) Render(f ui.Frame) string {
	stands, width := v.fan.Stands(), textWidth(f)
	foot := []string{}
	if s, ok := v.table.Selected(stands); ok {
		foot = append(foot, " "+f.Theme.Accent.Render(ui.Cut("$ "+ui.Clean(s.Typed), width)))
	}
	if note := v.note(f, width); note != "" {
		foot = append(foot, " "+note)
	}
	height := max(f.Height-len(foot), 3)
	inner := ui.Rect{W: f.Width, H: height}.Inner()
	lines := v.table.Render(f, stands, inner.W, inner.H, true, true)
	box := ui.Box(f.Theme, ui.Clean(v.fan.Line().Name)+" on "+count(len(stands), "node"), tally(f, stands), true, lines, f.Width, height)
	return strings.Join(append(strings.Split(box, "\n"), foot...), "\n")
}

// tally counts how the targets stand.
func tally(f ui.Frame, stands []trail.Stand) string {
	var parts []string
	for _, state := range []trail.State{trail.Failed, trail.Cancelled, trail.Waiting, trail.Running, trail.Done} {
		n, severity := 0, sources.Unknown
		for _, s := range stands {
			if s.State == state {
				n, severity = n+1, standSeverity(s)
			}
		}
		if n > 0 {
			parts = append(parts, f.Theme.Severity(severity).Render(fmt.Sprintf("%d %s", n, state)))
		}
	}
	return strings.Join(parts, f.Theme.Dim.Render(" "+bullet(f)+" "))
}

// trailStream is the output on one target.
type trailStream struct {
	fanned

	node   string // "" is the cluster, or the only one
	owner  bool   // nothing else shows the command
	stream ui.Stream
	read   bool
}

func (v *trailStream) stand() trail.Stand {
	stands := v.fan.Stands()
	for _, s := range stands {
		if s.Name == v.node {
			return s
		}
	}
	return stands[0]
}

// Title names the command, and the node.
func (v *trailStream) Title() string {
	return strings.TrimSpace(v.fan.Line().Name + " " + v.stand().Name)
}

// Typing reports whether the search takes the keys.
func (v *trailStream) Typing() bool { return v.stream.Typing() }

// Watch is what the root waits on to draw again.
func (v *trailStream) Watch() <-chan struct{} { return v.stand().Tape.Changed() }

// Close ends the command, unless a line for it is still in sight below.
func (v *trailStream) Close() tea.Cmd {
	if !v.owner {
		return nil
	}
	return v.close()
}

// Commands are what a stream can do, and what steers the command.
func (v *trailStream) Commands(f ui.Frame) []ui.Command {
	return append(v.stream.Commands(f), v.steering(f, v.owner)...)
}

// Update takes the search's text and the mouse.
func (v *trailStream) Update(msg tea.Msg, f ui.Frame) tea.Cmd { return v.stream.Update(msg, f) }

// Render draws the output in a box.
func (v *trailStream) Render(f ui.Frame) string {
	s := v.stand()
	v.stream.Name = "daytwo-" + strings.NewReplacer(" ", "-", "/", "-").Replace(v.Title()) + ".txt"
	v.stream.Read(s.Tape)
	if !v.read && !v.fan.Line().Node {
		v.stream.Top() // a table is read from its head
	}
	v.read = true
	foot := []string{}
	if note := v.note(f, textWidth(f)); note != "" {
		foot = append(foot, " "+note)
	}
	height := max(f.Height-len(foot), 3)
	inner := ui.Rect{W: f.Width, H: height}.Inner()
	title := ui.Clean(v.Title()) + " " + bullet(f) + " " + standWord(s) + " " + clock(standTook(s, f.Now))
	box := ui.Box(f.Theme, title, v.stream.Note(f, inner.W-ui.Width(title)-4), true, v.stream.Render(f, inner.W, inner.H), f.Width, height)
	return strings.Join(append(strings.Split(box, "\n"), foot...), "\n")
}
