package ui

import (
	"slices"
	"strings"

	"daytwo/keymap"
)

// hinter is an overlay that says which keys it answers: those of the view
// below it would go into its input.
type hinter interface{ hints(keymap.Map) []Command }

// overlayHints is what the overlays have in common, after their own keys.
func overlayHints(k keymap.Map, own ...keymap.Binding) []Command {
	closes, arrows := k.Global.Back, keymap.Binding{Keys: []string{"up", "down"}, Shown: "↑↓", Words: "move"}
	closes.Words = "close"
	out := make([]Command, 0, len(own)+3)
	for _, b := range append(own, arrows, closes, k.Global.Interrupt) {
		out = append(out, Command{Key: b})
	}
	return out
}

// footerItem is one command in the footer and where it is.
type footerItem struct {
	command Command
	x, w    int
}

// footer names the commands that can be done now, the view's first.
func (r *Root) footer() string {
	t := r.theme
	var b strings.Builder
	at := 0
	for _, item := range r.footerItems() {
		b.WriteString(blank(item.x - at))
		b.WriteString(t.Key.Render(item.command.Key.Shown) + " " + t.Dim.Render(item.command.Key.Words))
		at = item.x + item.w
	}
	return Fit(b.String(), r.width)
}

// footerItems places as many commands as there is room for. The way out and
// the help always stay; the view's last commands go first.
func (r *Root) footerItems() []footerItem {
	if h, ok := r.over.(hinter); ok {
		return placeItems(h.hints(r.frame.Keys))
	}
	if r.typing() {
		return placeItems(r.typingHints())
	}
	var own, kept []Command
	for _, c := range r.top().Commands(r.frame) {
		if !c.Minor && c.WhyNot == "" {
			own = append(own, c)
		}
	}
	for _, c := range r.globals() {
		if c.Minor {
			continue
		}
		if i := slices.IndexFunc(own, func(o Command) bool { return sameKey(o.Key, c.Key) }); i >= 0 {
			c = own[i] // the view's own words for it; it stays all the same
			own = slices.Delete(own, i, i+1)
		}
		kept = append(kept, c)
	}
	for {
		items := placeItems(append(slices.Clip(own), kept...))
		last := items[len(items)-1]
		if last.x+last.w < r.width {
			return items
		}
		switch {
		case len(own) > 0:
			own = own[:len(own)-1]
		case len(kept) > 2: // the palette
			kept = kept[1:]
		default:
			return items
		}
	}
}

// typingHints is how to end typing; the view answers these keys itself.
func (r *Root) typingHints() []Command {
	done, cancel := r.o.Keys.List.Open, r.o.Keys.Global.Back
	done.Words, cancel.Words = "done", "cancel"
	return []Command{{Key: done}, {Key: cancel}, {Key: r.o.Keys.Global.Interrupt}}
}

func placeItems(commands []Command) []footerItem {
	items := make([]footerItem, 0, len(commands))
	x := 1
	for _, c := range commands {
		w := bindingWidth(c.Key)
		items = append(items, footerItem{command: c, x: x, w: w})
		x += w + 3
	}
	return items
}

func bindingWidth(b keymap.Binding) int { return Width(b.Shown) + 1 + Width(b.Words) }
