package ui

import (
	"slices"
	"strconv"
	"strings"

	"daytwo/keymap"
	"daytwo/sources"

	tea "charm.land/bubbletea/v2"
	"github.com/sahilm/fuzzy"
)

// mostFound is how many hits the palette keeps: nobody scrolls further.
const mostFound = 200

// palette finds commands and objects by a few letters. What it searches is
// made once, when it opens.
type palette struct {
	root  *Root
	query line
	items []item
	found []fuzzy.Match
	at    int
	top   int
	rows  int
}

// item is one thing that can be chosen.
type item struct {
	title  string
	object bool // not a command
	hint   string
	key    string
	whyNot string
	choose func() tea.Cmd
}

func newPalette(r *Root) *palette {
	p := &palette{root: r}
	moves := r.o.Keys.List
	for _, c := range r.anywhere() {
		if isMovement(moves, c.Key) || sameKey(c.Key, r.o.Keys.Global.Palette) || sameKey(c.Key, r.o.Keys.Global.Interrupt) {
			continue
		}
		p.items = append(p.items, item{
			title: c.Key.Words, key: c.Key.Shown, whyNot: Clean(c.WhyNot),
			choose: func() tea.Cmd { return r.run(c) },
		})
	}
	if r.o.Objects != nil {
		for _, e := range r.o.Objects(r.frame) {
			p.items = append(p.items, item{title: Clean(e.Title), object: true, hint: Clean(e.Hint), choose: e.Open})
		}
	}
	p.search()
	return p
}

// anywhere is all that can be done now, and what the tools offer for the
// cluster in views that have no object for them. Those have no key there.
func (r *Root) anywhere() []Command {
	out := r.commands()
	for _, c := range r.frame.For(sources.Ref{}) {
		if slices.ContainsFunc(out, func(o Command) bool { return o.Key.Words == c.Key.Words }) {
			continue
		}
		c.Key.Shown = ""
		out = append(out, c)
	}
	return out
}

// isMovement reports whether a key only moves within a list.
func isMovement(l keymap.List, b keymap.Binding) bool {
	return slices.ContainsFunc([]keymap.Binding{l.Up, l.Down, l.PageUp, l.PageDown, l.Top, l.Bottom},
		func(m keymap.Binding) bool { return sameKey(m, b) })
}

func sameKey(a, b keymap.Binding) bool { return slices.Equal(a.Keys, b.Keys) }

// String and Len make the palette a source for the fuzzy search.
func (p *palette) String(i int) string { return p.items[i].title }

// Len is how many items there are.
func (p *palette) Len() int { return len(p.items) }

// search finds what the query asks for, best first; commands before objects
// where they are equally good.
func (p *palette) search() {
	p.at, p.top = 0, 0
	query := strings.ReplaceAll(p.query.text, " ", "")
	if query == "" {
		p.found = p.found[:0]
		for i := range min(len(p.items), mostFound) {
			p.found = append(p.found, fuzzy.Match{Index: i})
		}
		return
	}
	found := p.named(fuzzy.FindFromNoSort(query, p))
	slices.SortStableFunc(found, func(a, b fuzzy.Match) int { return b.Score - a.Score })
	p.found = found[:min(len(found), mostFound)]
}

func (p *palette) hints(k keymap.Map) []Command {
	open := k.List.Open
	open.Words = "do or open"
	return overlayHints(k, open)
}

func (p *palette) update(msg tea.Msg, f Frame) (bool, tea.Cmd) {
	switch m := msg.(type) {
	case tea.KeyPressMsg:
		return p.key(m, f)
	case tea.PasteMsg:
		if p.query.update(m) {
			p.search()
		}
	case tea.MouseWheelMsg:
		p.move(wheelStep(m, 3))
	case tea.MouseClickMsg:
		if i := p.top + m.Mouse().Y - 2; m.Mouse().Y >= 2 && m.Mouse().Y < 2+p.rows && i < len(p.found) {
			p.at = i
			return p.choose()
		}
	}
	return false, nil
}

func (p *palette) key(m tea.KeyPressMsg, f Frame) (bool, tea.Cmd) {
	switch s := m.String(); {
	case f.Keys.Global.Back.Matches(s):
		return true, nil
	case f.Keys.List.Open.Matches(s):
		return p.choose()
	case s == "up", s == "ctrl+p", s == "shift+tab":
		p.move(-1)
	case s == "down", s == "ctrl+n", s == "tab":
		p.move(1)
	case s == "pgup":
		p.move(-p.rows)
	case s == "pgdown":
		p.move(p.rows)
	case s == "backspace" && p.query.text == "":
		return true, nil
	default:
		if p.query.update(m) {
			p.search()
		}
	}
	return false, nil
}

func (p *palette) move(n int) { p.at = min(max(p.at+n, 0), max(len(p.found)-1, 0)) }

// choose closes the palette first, so that what was chosen may open another
// overlay.
func (p *palette) choose() (bool, tea.Cmd) {
	if p.at >= len(p.found) {
		return false, nil
	}
	p.root.over = nil
	chosen := p.items[p.found[p.at].Index]
	if chosen.choose == nil {
		return false, nil
	}
	return false, chosen.choose()
}

func (p *palette) box(f Frame, width, height int) ([]string, Rect) {
	at := centred(width, height, 76, 18)
	inner := at.Inner()
	t := f.Theme
	caret := t.Selected.Render(" ")
	if !t.Color {
		caret = "_"
	}
	lines := []string{t.Key.Render(":") + " " + t.Text.Render(p.query.text) + caret}
	p.rows = max(inner.H-1, 0)
	p.top = max(min(p.top, p.at), p.at-p.rows+1, 0)
	for i := p.top; i < min(p.top+p.rows, len(p.found)); i++ {
		lines = append(lines, p.line(t, p.found[i], i == p.at, inner.W))
	}
	if len(p.found) == 0 {
		lines = append(lines, "  "+t.Dim.Render("nothing matches"))
	}
	return boxLines(t, "Command", p.count(), lines, at), at
}

func (p *palette) count() string {
	n := strconv.Itoa(len(p.found))
	if len(p.found) == mostFound {
		n += "+"
	}
	return n + " of " + strconv.Itoa(len(p.items))
}

// line is one hit: mark, title with the letters that were found, hint, key.
func (p *palette) line(t Theme, m fuzzy.Match, selected bool, width int) string {
	it := p.items[m.Index]
	mark := "  "
	if selected {
		mark = t.Accent.Render("▌") + " "
	}
	key := FitRight(t.Key.Render(it.key), 10)
	left := width - 2 - 10 - 1
	if it.whyNot != "" {
		return mark + Fit(t.Dim.Render(it.title+": "+it.whyNot), left) + key + " "
	}
	text := p.highlit(t, it.title, m.MatchedIndexes)
	if it.hint != "" {
		text += "  " + t.Dim.Render(it.hint)
	}
	return mark + Fit(text, left) + key + " "
}

// boxLines is a focused box as lines, for an overlay.
func boxLines(t Theme, title, note string, lines []string, at Rect) []string {
	return strings.Split(Box(t, title, note, true, lines, at.W, at.H), "\n")
}
