package ui

import (
	"context"

	"daytwo/keymap"

	tea "charm.land/bubbletea/v2"
)

// Meanwhile does something that waits for a moment before the next page or
// dialog can come: keys typed until then reach nobody but esc, which leaves it
// for no. What it does returns what comes next. words say in the footer what
// is waited for: "asking worker-0".
func Meanwhile(words string, do func(context.Context) tea.Cmd, no tea.Cmd) tea.Cmd {
	p := &pending{words: words, no: no}
	p.do = Work(func(ctx context.Context) tea.Msg { return triedMsg{of: p, next: do(ctx)} })
	return func() tea.Msg { return dialogMsg{p} }
}

// pending keeps the keys until what is waited for has come. It draws nothing:
// mostly it is over before it could be read.
type pending struct {
	words  string
	do, no tea.Cmd
}

func (p *pending) hints(k keymap.Map) []Command {
	waits, no := k.List.Open, k.Global.Back
	waits.Shown, waits.Words = "…", Clean(p.words)
	no.Words = "cancel"
	return []Command{{Key: waits}, {Key: no}, {Key: k.Global.Interrupt}}
}

func (p *pending) update(msg tea.Msg, f Frame) (bool, tea.Cmd) {
	switch m := msg.(type) {
	case triedMsg:
		return true, m.next
	case tea.KeyPressMsg:
		if f.Keys.Global.Back.Matches(m.String()) {
			return true, p.no
		}
	}
	return false, nil
}

func (p *pending) leave() tea.Cmd { return p.no }
func (p *pending) holds() bool    { return true }

func (p *pending) box(Frame, int, int) ([]string, Rect) { return nil, Rect{} }
