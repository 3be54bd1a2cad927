package ui

import (
	"strings"
	"unicode"

	"daytwo/sources"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// typed is one key while the search takes them.
func (s *Stream) typed(m tea.KeyPressMsg, f Frame) {
	switch key := m.String(); {
	case f.Keys.Global.Back.Matches(key):
		s.typing = false
	case f.Keys.List.Open.Matches(key):
		s.typing, s.asked, s.hit, s.failed = false, s.find.text, -1, ""
		if s.asked != "" {
			s.seek(-1)
		}
	case key == "backspace" && s.find.text == "":
		s.typing = false
	default:
		s.find.update(m)
	}
}

// seek goes to the next hit downwards (1) or upwards (-1). Without a hit
// before, it begins at what is in sight: upwards from its lower edge.
func (s *Stream) seek(step int) {
	from := s.hit + step
	if s.hit < 0 {
		top := s.top
		if !s.back {
			top, _ = s.lastTop()
		}
		if from = top; step < 0 {
			from = min(top+max(s.height, 1), s.count()) - 1
		}
	}
	for i := from; i >= 0 && i < s.count(); i += step {
		if r := s.at(i); r.gap == 0 && len(s.hits(visibleText(r.text))) > 0 {
			s.show(i)
			return
		}
	}
	where := "before"
	if step > 0 {
		where = "after"
	}
	s.failed = "no hit " + where + " this"
	if s.hit < 0 {
		s.failed = "not in the newest " + grouped(int64(len(s.rows))) + " lines"
		if s.gone > 0 && s.File != "" {
			s.failed += "; older ones are in the whole log"
		}
	}
}

// show puts a line in the middle of what is in sight.
func (s *Stream) show(i int) {
	s.hit, s.failed, s.back, s.sub = i, "", true, 0
	s.top = max(i-s.height/2, 0)
}

func visibleText(s string) string { return ansi.Strip(sources.CleanStream(s)) }

// hits are where the searched text is in a line. Capitals count if one was
// typed.
func (s *Stream) hits(text string) [][2]int {
	needle := s.asked
	if needle == "" {
		return nil
	}
	if !strings.ContainsFunc(needle, unicode.IsUpper) {
		folded := strings.ToLower(text)
		if len(folded) != len(text) { // places would not be the same
			return exactHits(text, needle)
		}
		text = folded
	}
	return exactHits(text, needle)
}

func exactHits(text, needle string) [][2]int {
	var out [][2]int
	for at := 0; ; {
		i := strings.Index(text[at:], needle)
		if i < 0 {
			return out
		}
		out = append(out, [2]int{at + i, at + i + len(needle)})
		at += i + len(needle)
	}
}

// findLine shows what is searched for, or that it is not there.
func (s *Stream) findLine(f Frame) string {
	t := f.Theme
	if s.typing {
		caret := t.Selected.Render(" ")
		if !t.Color {
			caret = "_"
		}
		return t.Key.Render("/") + t.Text.Render(Clean(s.find.text)) + caret
	}
	text := t.Key.Render("/") + t.Text.Render(Clean(s.asked))
	if s.failed != "" {
		return text + "  " + t.Warning.Render(s.failed)
	}
	k := f.Keys.Stream
	return text + t.Dim.Render("  "+k.Next.Shown+" next, "+k.Previous.Shown+" previous")
}
