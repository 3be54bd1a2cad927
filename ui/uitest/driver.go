// Package uitest drives a screen without a terminal: keys in, screen out.
// Commands run to their end before the next line of a test; nothing sleeps,
// and the clock is the test's.
package uitest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// mostMessages ends a test in which messages make messages for ever.
const mostMessages = 1000

// Driver is a person at a screen.
type Driver struct {
	t         testing.TB
	root      *ui.Root
	store     ui.Store
	clock     *Clock
	width     int
	height    int
	quit      bool
	clipboard string
	messages  []tea.Msg
}

// New opens a screen. What o leaves out gets the test's defaults: a store
// with nothing in it, the default keys, a fixed clock.
func New(t testing.TB, o ui.Options, width, height int) *Driver {
	t.Helper()
	return NewAt(t, o, NewClock(), width, height)
}

// NewAt is New with a clock that something else (a store) reads too.
func NewAt(t testing.TB, o ui.Options, clock *Clock, width, height int) *Driver {
	t.Helper()
	if o.Store == nil {
		o.Store = sources.NewStore(sources.DefaultSettings(), judgeNothing, clock.Now)
	}
	if len(o.Keys.Global.Quit.Keys) == 0 {
		o.Keys = keymap.Default()
	}
	o.Clock, o.Driven = clock.Now, true
	d := &Driver{t: t, root: ui.New(o), store: o.Store, clock: clock}
	d.run(d.root.Init())
	d.Resize(width, height)
	return d
}

func judgeNothing(_ *sources.Snapshot, now time.Time) sources.Judgement {
	return sources.Judgement{At: now}
}

// Now is the time on the screen.
func (d *Driver) Now() time.Time { return d.clock.Now() }

// Press presses keys, each spelled as Bubble Tea does: "enter", "ctrl+l", "j".
func (d *Driver) Press(strokes ...string) {
	d.t.Helper()
	for _, s := range strokes {
		m := keyPress(s)
		if m.String() != s {
			d.t.Fatalf("no such key: %q (understood as %q)", s, m.String())
		}
		d.Send(m)
	}
}

// Type presses a key for each character.
func (d *Driver) Type(text string) {
	d.t.Helper()
	for _, r := range text {
		d.Send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

// Paste pastes text.
func (d *Driver) Paste(text string) {
	d.t.Helper()
	d.Send(tea.PasteMsg{Content: text})
}

// Click clicks on a cell of the screen, counted from 0 at the top left.
func (d *Driver) Click(x, y int) {
	d.t.Helper()
	m := tea.Mouse{X: x, Y: y, Button: tea.MouseLeft}
	d.Send(tea.MouseClickMsg(m))
	d.Send(tea.MouseReleaseMsg(m))
}

// ClickOn clicks on the first cell of a text that is on the screen.
func (d *Driver) ClickOn(text string) {
	d.t.Helper()
	for y, line := range strings.Split(d.Screen(), "\n") {
		if before, _, ok := strings.Cut(line, text); ok {
			d.Click(ansi.StringWidth(before), y)
			return
		}
	}
	d.fail("nothing to click on: %q is not on the screen", text)
}

// Wheel turns the mouse wheel one notch over a cell.
func (d *Driver) Wheel(x, y int, up bool) {
	d.t.Helper()
	m := tea.Mouse{X: x, Y: y, Button: tea.MouseWheelDown}
	if up {
		m.Button = tea.MouseWheelUp
	}
	d.Send(tea.MouseWheelMsg(m))
}

// Resize makes the terminal another size.
func (d *Driver) Resize(width, height int) {
	d.t.Helper()
	d.width, d.height = width, height
	d.Send(tea.WindowSizeMsg{Width: width, Height: height})
}

// Advance lets time pass; the screen sees it at one heartbeat.
func (d *Driver) Advance(by time.Duration) {
	d.t.Helper()
	d.clock.Advance(by)
	d.Send(ui.Heartbeat())
}

// Publish publishes edits to the store and lets the screen look.
func (d *Driver) Publish(edits ...sources.Edit) {
	d.t.Helper()
	p, ok := d.store.(interface{ Publish(edits ...sources.Edit) })
	if !ok {
		d.t.Fatalf("the store of this screen takes no edits: %T", d.store)
	}
	p.Publish(edits...)
	<-d.store.Changed()
	d.Send(ui.Changed())
}

// Send hands the screen any message and runs what follows from it to its
// end. Afterwards the screen must fill the terminal exactly.
func (d *Driver) Send(msg tea.Msg) {
	d.t.Helper()
	d.messages = append(d.messages, msg)
	for n := 0; len(d.messages) > 0; n++ {
		if n == mostMessages {
			d.fail("more than %d messages follow from %T", mostMessages, msg)
		}
		next := d.messages[0]
		d.messages = d.messages[1:]
		_, cmd := d.root.Update(next)
		d.run(cmd)
	}
	d.measure()
}

// run does a command now and queues its message.
func (d *Driver) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			d.run(c)
		}
	case tea.QuitMsg:
		d.quit = true
	default:
		if fmt.Sprintf("%T", msg) == "tea.setClipboardMsg" {
			d.clipboard = reflect.ValueOf(msg).String()
		}
		d.messages = append(d.messages, msg)
	}
}

// measure checks that the screen has the terminal's size.
func (d *Driver) measure() {
	d.t.Helper()
	if d.width <= 0 || d.height <= 0 {
		return
	}
	lines := strings.Split(d.Styled(), "\n")
	if len(lines) != d.height {
		d.fail("the screen has %d lines on a terminal of %d", len(lines), d.height)
	}
	for i, line := range lines {
		if w := ansi.StringWidth(line); w != d.width {
			d.fail("line %d is %d cells wide on a terminal of %d: %q", i+1, w, d.width, ansi.Strip(line))
		}
	}
}

// Quit reports whether the screen asked to end the program.
func (d *Driver) Quit() bool { return d.quit }

// Clipboard is what was copied last.
func (d *Driver) Clipboard() string { return d.clipboard }

// Title is the terminal's window title.
func (d *Driver) Title() string { return d.root.View().WindowTitle }

// Styled is the screen with its styles.
func (d *Driver) Styled() string { return d.root.View().Content }

// Screen is the screen as text, without styles and trailing spaces.
func (d *Driver) Screen() string {
	lines := strings.Split(ansi.Strip(d.Styled()), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// See fails unless every text is on the screen.
func (d *Driver) See(texts ...string) {
	d.t.Helper()
	screen := d.Screen()
	for _, text := range texts {
		if !strings.Contains(screen, text) {
			d.fail("not on the screen: %q", text)
		}
	}
}

// NotSee fails if one of the texts is on the screen.
func (d *Driver) NotSee(texts ...string) {
	d.t.Helper()
	screen := d.Screen()
	for _, text := range texts {
		if strings.Contains(screen, text) {
			d.fail("on the screen, but should not be: %q", text)
		}
	}
}

// fail ends the test and shows the screen.
func (d *Driver) fail(format string, args ...any) {
	d.t.Helper()
	d.t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), framed(d.Screen(), d.width))
}

// framed draws an edge around a screen, so that its size can be seen.
func framed(screen string, width int) string {
	edge := "+" + strings.Repeat("-", max(width, 0)) + "+\n"
	var b strings.Builder
	b.WriteString(edge)
	for line := range strings.SplitSeq(screen, "\n") {
		b.WriteString("|" + line + strings.Repeat(" ", max(width-ansi.StringWidth(line), 0)) + "|\n")
	}
	return b.String() + edge
}
