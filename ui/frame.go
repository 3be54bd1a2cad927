package ui

import (
	"context"
	"time"

	"daytwo/actions"
	"daytwo/keymap"
	"daytwo/sources"

	tea "charm.land/bubbletea/v2"
)

// Frame is all that a view may look at when it updates or renders: one
// immutable value a message. Width and Height are the view's own area.
type Frame struct {
	Snapshot *sources.Snapshot
	Runs     []actions.Run // copies, newest first
	Now      time.Time
	Theme    Theme
	Keys     keymap.Map
	Width    int
	Height   int
	ReadOnly bool

	tools []func(Frame, sources.Ref) []Command
}

// For lists what can be done about an object (a zero one is the cluster) with
// the tools that the program was started with. A view adds it to its own
// commands for the object under its cursor.
func (f Frame) For(about sources.Ref) []Command {
	var out []Command
	for _, tool := range f.tools {
		out = append(out, tool(f, about)...)
	}
	return out
}

// Command is one thing a view can do now. The same list makes dispatch,
// footer, help and palette.
type Command struct {
	Key  keymap.Binding
	Risk keymap.Risk
	// WhyNot says why it cannot be done now; "" if it can.
	WhyNot string
	// Minor commands (movement, sorting) are dispatched, in the help and in
	// the palette, but not in the footer.
	Minor bool
	Do    func() tea.Cmd
}

// View is one screen. Values it keeps are cursor, filter and form text;
// everything else comes with the Frame.
type View interface {
	Title() string
	Commands(Frame) []Command
	// Update sees every message that no command answered: text while typing,
	// mouse events (in the view's own coordinates), and its own messages.
	Update(tea.Msg, Frame) tea.Cmd
	Render(Frame) string
}

// Typer is a view that may be taking text: while Typing is true the root
// passes every key but ctrl+c to Update instead of looking for commands.
type Typer interface{ Typing() bool }

// Watcher is a view that shows something which changes by itself, faster than
// the snapshot: while it is on top, the root draws it again when its channel
// has something, at most every 33 ms. The channel has capacity one and means
// "look again"; nil for nothing to watch now.
type Watcher interface{ Watch() <-chan struct{} }

// Looker is a view that has something to do when there may be a newer snapshot,
// also while another view covers it.
type Looker interface{ Look(Frame) tea.Cmd }

// Passing is a view that is true only until what it leads to has begun, such
// as a plan: nobody goes back to it from there.
type Passing interface{ Passing() }

// Closer is a view that holds something open: it is told when it is taken
// off. What waits goes through Work.
type Closer interface{ Close() tea.Cmd }

// Entry is one line of the palette that is not a command: an object.
type Entry struct {
	Title string // "node worker-0"
	Hint  string // what is known in three words
	Open  func() tea.Cmd
}

// Message types the root answers. A view asks by returning these commands.
type (
	openMsg struct {
		view View
		then tea.Cmd
		past bool // the Passing views below it go
	}
	backMsg  struct{}
	toastMsg struct {
		severity sources.Severity
		text     string
	}
	workMsg      struct{ do func(context.Context) tea.Msg }
	heartbeatMsg struct{}
	changedMsg   struct{}
	watchedMsg   struct{ from <-chan struct{} }
	dialogMsg    struct{ over overlay }
	failedMsg    struct{ err error }
)

// Heartbeat is the message of a second that has passed. Only a driver that
// set Options.Driven sends it.
func Heartbeat() tea.Msg { return heartbeatMsg{} }

// Changed is the message that there is a newer snapshot. Only a driver that
// set Options.Driven sends it.
func Changed() tea.Msg { return changedMsg{} }

// RunsChanged is the message that runs are not as they were. Only a driver
// that set Options.Driven sends it.
func RunsChanged() tea.Msg { return RunsMsg{} }

// RunsMsg tells every view that runs are not as they were; how they are now is
// in the frame.
type RunsMsg struct{}

// Open puts a view on top, and then does what it begins with: an answer to that
// reaches the view however soon it comes.
func Open(v View, then ...tea.Cmd) tea.Cmd {
	return func() tea.Msg { return openMsg{view: v, then: tea.Batch(then...)} }
}

// OpenPast is Open in place of the Passing views that led to it.
func OpenPast(v View, then ...tea.Cmd) tea.Cmd {
	return func() tea.Msg { return openMsg{view: v, then: tea.Batch(then...), past: true} }
}

// Back takes the top view off.
func Back() tea.Cmd { return func() tea.Msg { return backMsg{} } }

// Work does something that waits, outside the screen's thread: its context
// ends with the program, its message comes back to every view.
func Work(do func(context.Context) tea.Msg) tea.Cmd {
	return func() tea.Msg { return workMsg{do} }
}

// Toast shows one line for a few seconds.
func Toast(s sources.Severity, text string) tea.Cmd {
	return func() tea.Msg { return toastMsg{s, text} }
}

// Copy puts text on the clipboard of the terminal (OSC 52) and says so.
func Copy(text string) tea.Cmd {
	return tea.Batch(tea.SetClipboard(text), Toast(sources.OK, "copied: "+text))
}
