package views

import (
	"context"
	"slices"
	"strings"

	"daytwo/actions/trail"
	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// LogReader begins to read logs together; name is for the file they are kept in.
type LogReader func(asks []sources.LogAsk, name string) *trail.Logs

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

// firstLines is how much of each log is read at first.
const firstLines = 200

// logs is the view of logs that are read together.
type logs struct {
	about    sources.Ref
	read     LogReader
	reading  *trail.Logs
	stream   ui.Stream
	previous bool // the containers' runs before the present ones
	all      bool // from the beginning
}

func newLogs(f ui.Frame, read LogReader, about sources.Ref) *logs {
	v := &logs{about: about, read: read}
	v.begin(f.Snapshot)
	return v
}

// asks are the logs of all containers of the pods that there are now.
func (v *logs) asks(s *sources.Snapshot) []sources.LogAsk {
	var out []sources.LogAsk
	for _, p := range podsOf(s, v.about) {
		for _, c := range p.Containers {
			if c.Init && c.State != "running" || v.previous && c.Last.Finished.IsZero() {
				continue
			}
			ask := sources.LogAsk{Pod: p.Ref(), Container: c.Name, Previous: v.previous, Follow: !v.previous, Tail: firstLines}
			if v.all {
				ask.Tail = 0
			}
			out = append(out, ask)
		}
	}
	return out
}

// begin reads anew; what was read until then is let go.
func (v *logs) begin(s *sources.Snapshot) tea.Cmd {
	before := v.close()
	v.reading = v.read(v.asks(s), v.about.String())
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
	again := func(key, words string, change func()) ui.Command {
		return ui.Command{
			Key: keymap.Binding{Keys: []string{key}, Shown: key, Words: words},
			Do:  func() tea.Cmd { change(); return v.begin(f.Snapshot) },
		}
	}
	previous, all := "run before", "from the beginning"
	if v.previous {
		previous = "present run"
	}
	if v.all {
		all = "last lines"
	}
	return slices.Concat([]ui.Command{
		again("p", previous, func() { v.previous = !v.previous }),
		again("a", all, func() { v.all = !v.all }),
	}, v.stream.Commands(f))
}

// Update takes the search's text and the mouse; pods that are new join.
func (v *logs) Update(msg tea.Msg, f ui.Frame) tea.Cmd {
	if !v.previous {
		v.reading.Join(v.asks(f.Snapshot)...)
	}
	return v.stream.Update(msg, f)
}

// Render draws the stream in a box.
func (v *logs) Render(f ui.Frame) string {
	v.stream.Read(v.reading.Tape())
	title := v.about.String()
	if v.previous {
		title += ", the run before"
	}
	inner := ui.Rect{W: f.Width, H: f.Height}.Inner()
	return ui.Box(f.Theme, title, v.stream.Note(f, inner.W-ui.Width(title)-4), true, v.stream.Render(f, inner.W, inner.H), f.Width, f.Height)
}
