package views

import (
	"context"
	"slices"
	"strings"

	"daytwo/actions/trail"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// LogReader begins to read logs together; name is for the file they are kept
// in, open says that more may join.
type LogReader func(asks []sources.LogAsk, name string, open bool) *trail.Logs

// LogsTool offers the logs of a pod, or of all pods of an owner.
func LogsTool(read LogReader) func(ui.Frame, sources.Ref) []ui.Command {
	return func(f ui.Frame, about sources.Ref) []ui.Command {
		switch about.Kind {
		case "Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob":
		default:
			return nil
		}
		c := ui.Command{Key: f.Keys.Tools.Logs}
		if len(podsOf(f.Snapshot, about)) == 0 {
			c.WhyNot = about.String() + " has no pod now"
		}
		c.Do = func() tea.Cmd { return ui.Open(newLogs(f, read, about)) }
		return []ui.Command{c}
	}
}

// logs is the view of logs that are read together.
type logs struct {
	about   sources.Ref
	read    LogReader
	reading *trail.Logs
	stream  ui.Stream
	part    logPart
	seen    *sources.Snapshot // whose pods have joined
}

func newLogs(f ui.Frame, read LogReader, about sources.Ref) *logs {
	v := &logs{about: about, read: read}
	v.begin(f.Snapshot)
	return v
}

// begin reads anew; what was read until then is let go.
func (v *logs) begin(s *sources.Snapshot) tea.Cmd {
	before := v.close()
	open := v.about.Kind != "Pod" && !v.part.previous
	v.seen, v.reading = s, v.read(v.part.asks(podsOf(s, v.about)), v.about.String(), open)
	v.stream.File, v.stream.Name = v.reading.Path(), strings.ReplaceAll(v.about.String(), "/", "-")+".log"
	return before
}

// Title names whose logs they are.
func (v *logs) Title() string { return "logs " + v.about.String() }

// Typing reports whether the search takes the keys.
func (v *logs) Typing() bool { return v.stream.Typing() }

// Watch is what the root waits on to draw again.
func (v *logs) Watch() <-chan struct{} { return v.reading.Tape().Changed() }

// Close ends the reading.
func (v *logs) Close() tea.Cmd { return v.close() }

func (v *logs) close() tea.Cmd {
	if v.reading == nil {
		return nil
	}
	reading := v.reading
	return ui.Work(func(context.Context) tea.Msg { reading.Close(); return nil })
}

// Commands choose which part of the logs is read, and what a stream can do.
func (v *logs) Commands(f ui.Frame) []ui.Command {
	k, pods := f.Keys.Logs, podsOf(f.Snapshot, v.about)
	again := func(c ui.Command, change func()) ui.Command {
		c.Do = func() tea.Cmd { change(); return v.begin(f.Snapshot) }
		return c
	}
	container, run := ui.Command{Key: k.Container}, ui.Command{Key: k.Before}
	names := containerNames(pods)
	if len(names) < 2 && v.part.container == "" {
		container.WhyNot = v.about.String() + " has no other container"
	}
	switch {
	case v.part.previous:
		run.Key = k.Present
	case !slices.ContainsFunc(pods, func(p sources.Pod) bool { return len(logPart{previous: true}.asks([]sources.Pod{p})) > 0 }):
		run.WhyNot = "no container of " + v.about.String() + " ran before its present run"
	}
	whole := ui.Command{Key: f.Keys.Run.WholeLog, Minor: true, Do: func() tea.Cmd { return ui.Page(v.reading.Path()) }}
	if v.reading.Path() == "" {
		whole.WhyNot = v.reading.Trouble()
	}
	return slices.Concat([]ui.Command{
		again(container, func() { v.part.container = following(names, v.part.container) }),
		again(ui.Command{Key: k.Since}, func() { v.part.since = v.part.since.next() }),
		again(run, func() { v.part.previous, v.part.container = !v.part.previous, "" }),
		whole,
	}, v.stream.Commands(f))
}

// Look lets pods that are new join, with all they wrote. What has ended goes
// on only when it is opened again: a pod's successor of the same name.
func (v *logs) Look(f ui.Frame) tea.Cmd {
	if !v.part.previous && f.Snapshot != v.seen && !v.reading.Tape().Ended() {
		v.seen = f.Snapshot
		v.reading.Join(logPart{container: v.part.container, since: sinceEver}.asks(podsOf(f.Snapshot, v.about))...)
	}
	return nil
}

// Update takes the search's text and the mouse.
func (v *logs) Update(msg tea.Msg, f ui.Frame) tea.Cmd { return v.stream.Update(msg, f) }

// Render draws the stream in a box.
func (v *logs) Render(f ui.Frame) string {
	v.stream.Read(v.reading.Tape())
	v.stream.Nothing = v.nothing()
	inner := ui.Rect{W: f.Width, H: f.Height}.Inner()
	title := v.title(f, inner.W-forTheNote)
	return ui.Box(f.Theme, title, v.stream.Note(f, inner.W-ui.Width(title)-4), true, v.stream.Render(f, inner.W, inner.H), f.Width, f.Height)
}

// nothing is said where there is no line: only what was read can be empty.
func (v *logs) nothing() string {
	states := v.reading.States()
	switch {
	case len(states) == 0:
		return "no container to read"
	case slices.ContainsFunc(states, func(s trail.LogState) bool { return s.State == trail.Reading && !s.Opened }):
		return "nothing was read yet"
	}
	return v.part.nothing()
}

// forTheNote is what the stream needs to say how it stands.
const forTheNote = 28

// title says which logs of the object these are, the less important words only
// where there is room.
func (v *logs) title(f ui.Frame, room int) string {
	words := append([]string{v.about.String()}, v.words()...)
	for {
		text := strings.Join(words, " "+bullet(f)+" ")
		if len(words) <= 2 || ui.Width(text) <= room {
			return text
		}
		words = slices.Delete(words, 1, 2)
	}
}

// words say which logs of the object these are, the least important first.
func (v *logs) words() []string {
	states := v.reading.States()
	pods := map[string]bool{}
	over := 0
	for _, s := range states {
		pods[s.Ask.Pod.Name] = true
		if s.State != trail.Reading {
			over++
		}
	}
	var out []string
	if over > 0 && over < len(states) {
		out = append(out, count(over, "log")+" ended")
	}
	if v.about.Kind != "Pod" {
		out = append(out, count(len(pods), "pod"))
	}
	return append(out, v.part.words()...)
}
