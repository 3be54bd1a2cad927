package ui

import (
	"context"
	"strings"

	"daytwo/keymap"

	tea "charm.land/bubbletea/v2"
)

// Question is asked before something is done: what will happen, and what must
// be typed first. It is opened by a key of the person, never by itself.
type Question struct {
	Title string   // "Drain worker-0"
	Lines []string // what will happen and what to know; wrapped, "" is a gap
	Yes   string   // what enter does: "drain"
	// Name must be typed or pasted exactly. "" asks for enter only, unless
	// Label says what free text is asked for.
	Name   string
	Label  string // "why is it skipped?": free text, which must not be empty
	Text   string // free text to begin with
	Secret bool   // free text that is not shown
	Danger bool   // the title in the colour of what cannot be undone
	Wrong  string // said until something is typed
	// Try does something that waits with what was typed, while the dialog
	// stays; an error is said there and asked for again. nil: nothing to try.
	Try func(ctx context.Context, text string) error
	// Do goes on with what was typed.
	Do func(text string) tea.Cmd
	// No is what leaving it does; nil: nothing.
	No func() tea.Cmd
}

// triedMsg says to an overlay what came of what it waited for.
type triedMsg struct {
	of   overlay
	text string  // what was tried
	err  error   // why it is asked for again
	next tea.Cmd // what comes after it
}

// Ask opens a question above the view.
func Ask(q Question) tea.Cmd {
	return func() tea.Msg { return dialogMsg{&question{q: q, line: line{text: q.Text}, wrong: q.Wrong}} }
}

// Confirm is the question before an action: the name typed exactly where
// there is one, else enter.
func Confirm(title, name, yes string, lines []string, do func() tea.Cmd) Question {
	return Question{
		Title: title, Name: name, Yes: yes, Lines: lines, Danger: name != "",
		Do: func(string) tea.Cmd { return do() },
	}
}

// question is a Question in sight.
type question struct {
	q      Question
	line   line
	wrong  string // why enter did not go on
	trying bool   // what was typed; keys wait for nothing but esc
	scroll Scroll
}

func (d *question) typing() bool { return d.q.Name != "" || d.q.Label != "" }

func (d *question) hints(k keymap.Map) []Command {
	yes, no := k.List.Open, k.Global.Back
	yes.Words, no.Words = d.q.Yes, "cancel"
	return []Command{{Key: yes}, {Key: no}, {Key: k.Global.Interrupt}}
}

func (d *question) update(msg tea.Msg, f Frame) (bool, tea.Cmd) {
	switch m := msg.(type) {
	case tea.MouseWheelMsg:
		return false, d.scroll.Update(m, f)
	case triedMsg:
		return d.tried(m)
	case tea.PasteMsg:
		if d.typing() && !d.trying {
			d.line.update(m)
			d.wrong = ""
		}
	case tea.KeyPressMsg:
		return d.key(m, f)
	}
	return false, nil
}

func (d *question) key(m tea.KeyPressMsg, f Frame) (bool, tea.Cmd) {
	switch s := m.String(); {
	case f.Keys.Global.Back.Matches(s):
		return true, d.leave()
	case d.trying:
	case f.Keys.List.Open.Matches(s):
		if d.wrong = d.missing(); d.wrong != "" {
			return false, nil
		}
		if d.q.Try != nil {
			return false, d.try()
		}
		return true, d.q.Do(d.answer())
	case s == "up", s == "down", s == "pgup", s == "pgdown":
		step := map[string]int{"up": -1, "down": 1, "pgup": -8, "pgdown": 8}[s]
		d.scroll.move(step)
	case d.typing():
		d.line.update(m)
		d.wrong = ""
	}
	return false, nil
}

// try tries what was typed, off the screen's thread.
func (d *question) try() tea.Cmd {
	d.trying = true
	text := d.answer()
	return Work(func(ctx context.Context) tea.Msg { return triedMsg{of: d, text: text, err: d.q.Try(ctx, text)} })
}

func (d *question) tried(m triedMsg) (bool, tea.Cmd) {
	d.trying = false
	if m.err == nil {
		return true, d.q.Do(m.text)
	}
	d.wrong = m.err.Error()
	if d.q.Secret {
		d.line.text = ""
	}
	return false, nil
}

// holds reports that what wants the screen waits: a passphrase must not go on
// into a page or question that came in between.
func (d *question) holds() bool { return d.typing() || d.trying }

// leave is what closing it without an answer does.
func (d *question) leave() tea.Cmd {
	if d.q.No == nil {
		return nil
	}
	return d.q.No()
}

func (d *question) answer() string {
	if d.q.Secret {
		return d.line.text
	}
	return strings.TrimSpace(d.line.text)
}

// missing says what has to be typed before enter goes on; "" if nothing.
func (d *question) missing() string {
	switch {
	case d.q.Name != "" && d.answer() != d.q.Name:
		return "type " + d.q.Name + " to go on, esc to leave it"
	case d.q.Secret && d.answer() == "":
		return "type it, esc to leave it"
	case d.q.Label != "" && d.answer() == "":
		return "it needs some words, esc to leave it"
	}
	return ""
}

func (d *question) box(f Frame, width, height int) ([]string, Rect) {
	t := f.Theme
	inner := max(min(width, 88)-4, 8)
	text := d.text(t, inner)
	foot := d.foot(f, inner)
	at := centred(width, height, inner+4, len(text)+len(foot)+2)
	room := max(at.H-2-len(foot), 0)
	lines := d.scroll.Render(f, text, inner, room)
	lines = append(lines, foot...)
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	title := t.Key.Render(Clean(d.q.Title))
	if d.q.Danger {
		title = t.Critical.Bold(true).Render(Clean(d.q.Title))
	}
	return boxLines(t, title, d.scroll.Position(), lines, at), at
}

func (d *question) text(t Theme, width int) []string {
	out := []string{}
	for _, l := range d.q.Lines {
		if l == "" {
			out = append(out, "")
			continue
		}
		for _, w := range Wrap(Clean(l), width) {
			out = append(out, t.Text.Render(w))
		}
	}
	if len(out) > 0 {
		out = append(out, "")
	}
	return out
}

// foot is what is asked and what was typed so far; it never scrolls away.
func (d *question) foot(f Frame, width int) []string {
	t := f.Theme
	var out []string
	caret := t.Selected.Render(" ")
	if !t.Color {
		caret = "_"
	}
	shown := d.line.text
	if d.q.Secret {
		shown = strings.Repeat("*", len([]rune(shown)))
	}
	if over := Width(shown) - (width - 3); over > 0 {
		shown = tail(shown, width-3)
	}
	switch {
	case d.q.Name != "":
		out = append(out, t.Dim.Render("type ")+t.Strong.Render(Clean(d.q.Name))+t.Dim.Render(" to "+d.q.Yes),
			t.Key.Render(">")+" "+t.Text.Render(shown)+caret)
	case d.q.Label != "":
		out = append(out, t.Dim.Render(Clean(d.q.Label)), t.Key.Render(">")+" "+t.Text.Render(shown)+caret)
	}
	switch {
	case d.trying:
		return append(out, t.Accent.Render("a moment"))
	case d.wrong != "":
		for _, l := range Wrap(Clean(d.wrong), width) {
			out = append(out, t.Warning.Render(l))
		}
		return out
	}
	k := f.Keys
	return append(out, t.Key.Render(k.List.Open.Shown)+" "+t.Dim.Render(d.q.Yes)+"   "+
		t.Key.Render(k.Global.Back.Shown)+" "+t.Dim.Render("cancel"))
}

// tail is the end of s that fits in width cells.
func tail(s string, width int) string {
	r := []rune(s)
	for len(r) > 0 && Width(string(r)) > width {
		r = r[1:]
	}
	return string(r)
}
