package ui

import (
	"slices"

	"daytwo/keymap"
	"daytwo/sources"

	tea "charm.land/bubbletea/v2"
)

// key is a key's way: interrupt, overlay, a view that is typing, the top
// view's commands, the global ones, the top view itself.
func (r *Root) key(m tea.KeyPressMsg) tea.Cmd { return r.atOnce(r.keyed(m)) }

// atOnce answers what a key asked for before the next key comes: the page or
// dialog that it opens gets what is typed after it, however fast. Commands can
// be called here: what waits goes through Work.
func (r *Root) atOnce(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	switch msg := cmd().(type) {
	case nil:
		return nil
	case tea.BatchMsg:
		rest := make([]tea.Cmd, 0, len(msg))
		for _, c := range msg {
			rest = append(rest, r.atOnce(c))
		}
		return tea.Batch(rest...)
	case dialogMsg, openMsg, backMsg, toastMsg:
		return r.answer(msg)
	default:
		return func() tea.Msg { return msg }
	}
}

func (r *Root) keyed(m tea.KeyPressMsg) tea.Cmd {
	stroke := m.String()
	if r.o.Keys.Global.Interrupt.Matches(stroke) {
		return tea.Quit
	}
	if r.over != nil {
		return r.input(m)
	}
	if r.typing() {
		return r.top().Update(m, r.frame)
	}
	for _, c := range r.commands() {
		if c.Key.Matches(stroke) {
			return r.run(c)
		}
	}
	return r.top().Update(m, r.frame)
}

// typing reports whether the top view takes text.
func (r *Root) typing() bool {
	t, ok := r.top().(Typer)
	return ok && t.Typing()
}

// run does a command, or says why not.
func (r *Root) run(c Command) tea.Cmd {
	switch {
	case c.WhyNot != "":
		r.say(sources.Warning, c.Key.Words+": "+c.WhyNot)
		return nil
	case r.o.ReadOnly && c.Risk >= keymap.Changes:
		r.say(sources.Warning, "read-only mode: "+c.Key.Words+" would change the cluster")
		return nil
	case c.Do == nil:
		return nil
	}
	return c.Do()
}

// commands is all that can be done now, the top view's first.
func (r *Root) commands() []Command {
	own := r.top().Commands(r.frame)
	return append(slices.Clip(own), r.globals()...)
}

// globals is what works in every view.
func (r *Root) globals() []Command {
	k := r.o.Keys.Global
	do := func(b keymap.Binding, minor bool, f func() tea.Cmd) Command {
		return Command{Key: b, Minor: minor, Do: f}
	}
	out := []Command{
		do(k.Palette, false, r.openPalette),
		do(k.Help, false, r.openHelp),
	}
	if len(r.views) > 1 {
		quit := k.Quit
		quit.Words = k.Back.Words
		out = append(out, do(k.Back, false, r.goBack), do(quit, true, r.goBack))
	} else {
		out = append(out, do(k.Quit, false, func() tea.Cmd { return tea.Quit }))
	}
	return append(out,
		do(k.Redraw, true, redraw),
		do(k.Suspend, true, func() tea.Cmd { return tea.Suspend }),
		do(k.Interrupt, true, func() tea.Cmd { return tea.Quit }))
}

func (r *Root) openHelp() tea.Cmd {
	r.over = &help{root: r}
	return nil
}

func (r *Root) openPalette() tea.Cmd {
	r.over = newPalette(r)
	return nil
}

// footerClick does the command that was clicked on.
func (r *Root) footerClick(x int) tea.Cmd {
	for _, item := range r.footerItems() {
		if x >= item.x && x < item.x+item.w {
			return r.run(item.command)
		}
	}
	return nil
}
