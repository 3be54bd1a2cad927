// Package keymap names every key once: its strokes, the words shown beside
// it and the risk of what it does. Footers, help and the palette read them
// from here through a view's commands.
package keymap

import "slices"

// Risk says what a command may do to the world.
type Risk int8

// The three risks. Read-only mode refuses all but Safe; Destroys asks for the
// object's name to be typed.
const (
	Safe Risk = iota
	Changes
	Destroys
)

// Binding is one key: the strokes as Bubble Tea spells them, the stroke as
// shown, and what it does in one or two words.
type Binding struct {
	Keys  []string // "enter", "ctrl+l", "j"
	Shown string   // "enter", "↑↓"
	Words string   // "open", "filter"
}

// Matches reports whether a pressed key is this binding.
func (b Binding) Matches(stroke string) bool {
	return slices.Contains(b.Keys, stroke)
}

// Map holds all bindings, grouped by where they work. It is passed by value:
// nothing changes it.
type Map struct {
	Global Global
	List   List
	Panes  Panes
	Find   Find
	Tools  Tools
	Run    Run
	Stream Stream
	Logs   Logs

	Upgrade Upgrade
	Drain   Drain
	Trail   Trail
}

// Drain decides what the plan of a drain may do.
type Drain struct{ Force, LeavePending Binding }

// Trail chooses and steers commands of the terminal trail.
type Trail struct{ Run, Mark, All, Ask, Nodes, Keep, Stop Binding }

// Global works everywhere.
type Global struct{ Quit, Interrupt, Back, Help, Palette, Redraw, Copy, Suspend Binding }

// List moves within a list, a table or a text.
type List struct{ Up, Down, PageUp, PageDown, Top, Bottom, Open Binding }

// Panes moves between panes.
type Panes struct{ Attention, One, Two, Three, Four, Five, Next, Previous, Left, Right Binding }

// Find narrows and orders lists.
type Find struct{ Filter, Sort, Reverse Binding }

// Tools do something about the object under the cursor, wherever it is listed.
type Tools struct{ Drain, Upgrade, Forensics, Trail, Logs, Shell, Exec, Cordon, Uncordon, Runs Binding }

// Run steers a run while it is in sight.
type Run struct{ Pause, GoOn, Stop, Retry, Resume, Skip, Abandon, WholeLog, CopyCommand Binding }

// Stream moves in and keeps what runs by.
type Stream struct{ Search, Next, Previous, Follow, Wrap, Copy, Save Binding }

// Logs chooses which logs of an object are read, and how much of them.
type Logs struct{ Container, Since, Before, Present Binding }

// Upgrade changes the plan of an upgrade while it is in sight.
type Upgrade struct{ Start, Typed, Earlier, Later, Order, KeepPods, Method, Notes, Reason, Soak, Again Binding }

// Default returns the keys as documented.
func Default() Map {
	return Map{
		Global: Global{
			Quit:      Binding{[]string{"q"}, "q", "quit"},
			Interrupt: Binding{[]string{"ctrl+c"}, "ctrl+c", "quit"},
			Back:      Binding{[]string{"esc"}, "esc", "back"},
			Help:      Binding{[]string{"?", "f1"}, "?", "help"},
			Palette:   Binding{[]string{":"}, ":", "command"},
			Redraw:    Binding{[]string{"ctrl+l"}, "ctrl+l", "redraw"},
			Copy:      Binding{[]string{"y"}, "y", "copy"},
			Suspend:   Binding{[]string{"ctrl+z"}, "ctrl+z", "suspend"},
		},
		List: List{
			Up:       Binding{[]string{"up", "k"}, "↑/k", "up"},
			Down:     Binding{[]string{"down", "j"}, "↓/j", "down"},
			PageUp:   Binding{[]string{"pgup", "ctrl+b"}, "pgup", "page up"},
			PageDown: Binding{[]string{"pgdown", "ctrl+f", "space"}, "pgdn", "page down"},
			Top:      Binding{[]string{"home", "g"}, "g", "top"},
			Bottom:   Binding{[]string{"end", "G"}, "G", "bottom"},
			Open:     Binding{[]string{"enter"}, "enter", "open"},
		},
		Panes: Panes{
			Attention: Binding{[]string{"0"}, "0", "attention"},
			One:       Binding{[]string{"1"}, "1", "nodes"},
			Two:       Binding{[]string{"2"}, "2", "disk"},
			Three:     Binding{[]string{"3"}, "3", "restarts"},
			Four:      Binding{[]string{"4"}, "4", "certificates"},
			Five:      Binding{[]string{"5"}, "5", "backups"},
			Next:      Binding{[]string{"tab"}, "tab", "next pane"},
			Previous:  Binding{[]string{"shift+tab"}, "shift+tab", "previous pane"},
			Left:      Binding{[]string{"left"}, "←", "pane left"},
			Right:     Binding{[]string{"right"}, "→", "pane right"},
		},
		Find: Find{
			Filter:  Binding{[]string{"/"}, "/", "filter"},
			Sort:    Binding{[]string{"o"}, "o", "sort by next column"},
			Reverse: Binding{[]string{"i"}, "i", "reverse order"},
		},
		Tools:   defaultTools(),
		Run:     defaultRun(),
		Stream:  defaultStream(),
		Logs:    defaultLogs(),
		Drain:   defaultDrain(),
		Trail:   defaultTrail(),
		Upgrade: defaultUpgrade(),
	}
}

func defaultTools() Tools {
	return Tools{
		Drain:     Binding{[]string{"d"}, "d", "drain"},
		Upgrade:   Binding{[]string{"u"}, "u", "upgrade"},
		Forensics: Binding{[]string{"f"}, "f", "forensics"},
		Trail:     Binding{[]string{"t"}, "t", "trail"},
		Logs:      Binding{[]string{"l"}, "l", "logs"},
		Shell:     Binding{[]string{"s"}, "s", "shell"},
		Exec:      Binding{[]string{"x"}, "x", "exec"},
		Cordon:    Binding{[]string{"c"}, "c", "cordon"},
		Uncordon:  Binding{[]string{"U"}, "U", "uncordon"},
		Runs:      Binding{[]string{"r"}, "r", "runs"},
	}
}

func defaultRun() Run {
	return Run{
		Pause:       Binding{[]string{"space"}, "space", "pause after step"},
		GoOn:        Binding{[]string{"space"}, "space", "go on"},
		Stop:        Binding{[]string{"x"}, "x", "stop"},
		Retry:       Binding{[]string{"R"}, "R", "retry step"},
		Resume:      Binding{[]string{"R"}, "R", "resume"},
		Skip:        Binding{[]string{"S"}, "S", "skip step"},
		Abandon:     Binding{[]string{"A"}, "A", "abandon"},
		WholeLog:    Binding{[]string{"o"}, "o", "whole log"},
		CopyCommand: Binding{[]string{"y"}, "y", "copy command"},
	}
}

func defaultStream() Stream {
	return Stream{
		Search:   Binding{[]string{"/"}, "/", "search"},
		Next:     Binding{[]string{"n"}, "n", "next hit"},
		Previous: Binding{[]string{"N"}, "N", "previous hit"},
		Follow:   Binding{[]string{"F"}, "F", "follow"},
		Wrap:     Binding{[]string{"w"}, "w", "wrap"},
		Copy:     Binding{[]string{"Y"}, "Y", "copy what is in sight"},
		Save:     Binding{[]string{"ctrl+s"}, "ctrl+s", "save"},
	}
}

func defaultLogs() Logs {
	return Logs{
		Container: Binding{[]string{"c"}, "c", "container"},
		Since:     Binding{[]string{"s"}, "s", "since"},
		Before:    Binding{[]string{"p"}, "p", "run before"},
		Present:   Binding{[]string{"p"}, "p", "present run"},
	}
}

func defaultTrail() Trail {
	return Trail{
		Run:   Binding{[]string{"enter"}, "enter", "run"},
		Mark:  Binding{[]string{"space"}, "space", "mark"},
		All:   Binding{[]string{"a"}, "a", "all nodes"},
		Ask:   Binding{[]string{"e"}, "e", "kubectl line"},
		Nodes: Binding{[]string{"tab"}, "tab", "choose nodes"},
		Keep:  Binding{[]string{"K"}, "K", "keep output"},
		Stop:  Binding{[]string{"x"}, "x", "stop"},
	}
}

func defaultDrain() Drain {
	return Drain{
		Force:        Binding{[]string{"D"}, "D", "delete unmanaged"},
		LeavePending: Binding{[]string{"P"}, "P", "leave pending"},
	}
}

func defaultUpgrade() Upgrade {
	return Upgrade{
		Start:    Binding{[]string{"enter"}, "enter", "start"},
		Typed:    Binding{[]string{"e"}, "e", "exact version"},
		Earlier:  Binding{[]string{"["}, "[", "node earlier"},
		Later:    Binding{[]string{"]"}, "]", "node later"},
		Order:    Binding{[]string{"o"}, "o", "other order"},
		KeepPods: Binding{[]string{"p"}, "p", "drain or not"},
		Method:   Binding{[]string{"m"}, "m", "method"},
		Notes:    Binding{[]string{"n"}, "n", "notes read"},
		Reason:   Binding{[]string{"b"}, "b", "say why"},
		Soak:     Binding{[]string{"w"}, "w", "watch for"},
		Again:    Binding{[]string{"a"}, "a", "plan again"},
	}
}
