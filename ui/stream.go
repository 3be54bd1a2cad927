package ui

import (
	"fmt"
	"strconv"

	"daytwo/actions"

	tea "charm.land/bubbletea/v2"
)

// mostRows is how many lines a stream keeps for scrolling back and searching:
// more than a tape, so that a gap is seen between what was read before it and
// after it.
const mostRows = 20_000

// Stream shows what runs by: it follows the newest line, scrolls back,
// searches, wraps what is in sight, copies and saves. It reads a tape when it
// is drawn, so who shows it watches the tape (Watcher); nothing is sent for a
// line. What it cannot show is said, with the number of lines. The zero value
// is ready.
type Stream struct {
	// File is where the whole of the stream is on the disk; "" if it is not.
	File string
	// Name is proposed as the file to save to where there is no File.
	Name string
	// Nothing is said while there is no line; "" is that none was written yet.
	Nothing string

	tape   *actions.Tape
	rows   []row  // the newest lines, oldest first
	part   string // the line that has no end yet
	next   int64  // number of the line to read next
	gone   int64  // lines that are no longer, or never were, in rows
	missed int64  // of them, those that never were
	held   int64  // lines not read yet, because the reader looks at old ones
	live   bool

	back   bool // scrolled back: does not follow
	top    int  // first line in sight, if back
	sub    int  // rows of it above the edge, if wrapped
	wrap   bool
	width  int // of the last Render
	height int

	find   line
	typing bool
	asked  string // what is searched for; "" for nothing
	hit    int    // line of the last hit; -1: none
	failed string // what could not be found
}

// row is one line, or a gap of lines that were never read.
type row struct {
	text string
	gap  int64
}

// Typing reports whether the search takes the keys.
func (s *Stream) Typing() bool { return s.typing }

// Searching reports whether hits of a search are in sight, which esc ends.
func (s *Stream) Searching() bool { return s.asked != "" }

// Following reports whether the newest line is in sight.
func (s *Stream) Following() bool { return !s.back }

// Read takes what is new on a tape; another tape than before begins anew. nil
// is a stream that is not there (yet).
func (s *Stream) Read(tape *actions.Tape) {
	if tape != s.tape {
		s.tape, s.rows, s.part, s.next, s.gone, s.missed, s.held = tape, nil, "", 0, 0, 0, 0
		s.back, s.top, s.sub, s.hit = false, 0, 0, -1
	}
	if tape == nil {
		s.live = false
		return
	}
	s.live = !tape.Ended()
	if s.back && len(s.rows) >= mostRows {
		s.held = tape.Count() - s.next // what is looked at must not move away
		return
	}
	first, lines := tape.After(s.next)
	if n := first - s.next; n > 0 {
		s.gone += n
		s.missed += n
		if len(s.rows) > 0 {
			s.rows = append(s.rows, row{gap: n})
		}
	}
	for _, text := range lines {
		s.rows = append(s.rows, row{text: text})
	}
	s.next, s.held, s.part = first+int64(len(lines)), 0, tape.Partial()
	if !s.back {
		s.forget(len(s.rows) - mostRows)
	}
}

// forget drops the oldest n rows.
func (s *Stream) forget(n int) {
	if n <= 0 {
		return
	}
	for _, r := range s.rows[:n] {
		if r.gap == 0 {
			s.gone++
		}
	}
	clear(s.rows[:n])
	s.rows = s.rows[n:]
	s.top, s.hit = max(s.top-n, 0), max(s.hit-n, -1)
}

// count is how many lines can be drawn, the unfinished one too.
func (s *Stream) count() int {
	if s.part != "" && s.held == 0 {
		return len(s.rows) + 1
	}
	return len(s.rows)
}

// at is one of them.
func (s *Stream) at(i int) row {
	if i < len(s.rows) {
		return s.rows[i]
	}
	return row{text: s.part}
}

// Total is how many lines the stream had so far.
func (s *Stream) Total() int64 { return s.next + s.held }

// Follow shows the newest line again.
func (s *Stream) Follow() {
	s.back, s.top, s.sub, s.failed = false, 0, 0, ""
	if s.tape != nil {
		s.Read(s.tape)
	}
}

// Top shows the oldest line.
func (s *Stream) Top() { s.back, s.top, s.sub = true, 0, 0 }

// Commands moves, searches, wraps, copies and saves.
func (s *Stream) Commands(f Frame) []Command {
	k, page := f.Keys, max(s.height-1, 1)
	by := func(c Command, n int) Command {
		c.Minor, c.Do = true, func() tea.Cmd { s.move(n); return nil }
		return c
	}
	do := func(c Command, what func()) Command {
		c.Do = func() tea.Cmd { what(); return nil }
		return c
	}
	out := []Command{
		do(Command{Key: k.Stream.Search}, func() { s.typing, s.find = true, line{} }),
	}
	if s.asked != "" {
		clears := k.Global.Back
		clears.Words = "end search"
		out = append(out,
			do(Command{Key: k.Stream.Next}, func() { s.seek(1) }),
			do(Command{Key: k.Stream.Previous, Minor: true}, func() { s.seek(-1) }),
			do(Command{Key: clears}, func() { s.asked, s.failed, s.hit = "", "", -1 }))
	}
	follow := do(Command{Key: k.Stream.Follow, Minor: !s.back}, s.Follow)
	if !s.back {
		follow.WhyNot = "it follows already"
	}
	return append(out, follow,
		do(Command{Key: k.Stream.Wrap, Minor: true}, func() { s.wrap, s.sub = !s.wrap, 0 }),
		Command{Key: k.Stream.Copy, Minor: true, Do: func() tea.Cmd { return s.copy(f) }},
		Command{Key: k.Stream.Save, Minor: true, Do: s.save},
		by(Command{Key: k.List.Up}, -1), by(Command{Key: k.List.Down}, 1),
		by(Command{Key: k.List.PageUp}, -page), by(Command{Key: k.List.PageDown}, page),
		do(Command{Key: k.List.Top, Minor: true}, s.Top),
		do(Command{Key: k.List.Bottom, Minor: true}, s.Follow))
}

// Update takes what is typed into the search, and the mouse wheel.
func (s *Stream) Update(msg tea.Msg, f Frame) tea.Cmd {
	switch m := msg.(type) {
	case tea.MouseWheelMsg:
		s.move(wheelStep(m, 3))
	case tea.PasteMsg:
		if s.typing {
			s.find.update(m)
		}
	case tea.KeyPressMsg:
		if s.typing {
			s.typed(m, f)
		}
	}
	return nil
}

// move scrolls by rows of the screen; at the end it follows again.
func (s *Stream) move(n int) {
	if n == 0 || s.count() == 0 {
		return
	}
	if !s.back {
		if n > 0 {
			return
		}
		s.top, s.sub = s.lastTop()
		s.back = true
	}
	for ; n < 0 && (s.top > 0 || s.sub > 0); n++ {
		if s.sub > 0 {
			s.sub--
			continue
		}
		s.top--
		s.sub = s.rowsOf(s.top) - 1
	}
	for ; n > 0; n-- {
		if s.sub+1 < s.rowsOf(s.top) {
			s.sub++
			continue
		}
		s.top, s.sub = min(s.top+1, s.count()-1), 0
	}
	if top, sub := s.lastTop(); s.top > top || s.top == top && s.sub >= sub {
		s.Follow()
	}
}

// lastTop is where the top would be if the newest line were at the bottom.
func (s *Stream) lastTop() (top, sub int) {
	left := max(s.height, 1)
	for top = s.count() - 1; top > 0; top-- {
		rows := s.rowsOf(top)
		if left <= rows {
			return top, rows - left
		}
		left -= rows
	}
	return 0, max(s.rowsOf(0)-left, 0)
}

// rowsOf is how many rows of the screen a line takes.
func (s *Stream) rowsOf(i int) int {
	if !s.wrap || i >= s.count() {
		return 1
	}
	return len(wrapStyled(s.at(i).text, s.width))
}

// Note is the stream in a few words for the edge of its box, within room
// cells: what was lost is said before how much there was.
func (s *Stream) Note(f Frame, room int) string {
	t := f.Theme
	total := grouped(s.Total()) + " lines"
	if s.Total() == 1 {
		total = "1 line"
	}
	pieces := []piece{{t.Dim.Render(total), 3}}
	if s.missed > 0 {
		pieces = append(pieces, piece{t.Warning.Render(grouped(s.missed) + " lines skipped"), 1})
	}
	state, style := "ended", t.Dim
	if s.live {
		state, style = "live", t.OK
	}
	switch {
	case s.tape == nil:
		return ""
	case s.back && s.below() > 0:
		follows := t.Key.Render(f.Keys.Stream.Follow.Shown) + " " + t.Dim.Render("follows")
		pieces = append(pieces, piece{t.Warning.Render(grouped(s.below())+" below") + " " + follows, 2}, piece{style.Render(state), 4})
	case s.live:
		pieces = append(pieces, piece{style.Render(state) + t.Dim.Render(", follows"), 2})
	default:
		pieces = append(pieces, piece{style.Render(state), 2})
	}
	return fitPieces(pieces, max(room, 0), t.Dim.Render(" · "))
}

// below is how many lines are under the lower edge.
func (s *Stream) below() int64 {
	return max(int64(s.count()-s.top-s.height), 0) + s.held
}

// grouped is a number as people read it: 12,345.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// gapText says what is not here.
func (s *Stream) gapText(n int64, why string) string {
	where := ""
	if s.File != "" {
		where = "; they are in the whole log"
	}
	lines := "lines"
	if n == 1 {
		lines = "line"
	}
	return fmt.Sprintf("%s %s %s%s", grouped(n), lines, why, where)
}
