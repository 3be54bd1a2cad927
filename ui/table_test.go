package ui_test

import (
	"slices"
	"strings"
	"testing"

	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

func frame() ui.Frame {
	return ui.Frame{Theme: ui.NewTheme(true, true, false), Keys: keymap.Default(), Snapshot: &sources.Snapshot{}}
}

func TestCursorFollowsItsRow(t *testing.T) {
	t.Parallel()
	v := newListView(things(10))
	d := open(t, v, 80, 24)
	d.Press("down", "down", "down")
	d.See("▌● worker-3")
	v.rows = append([]thing{{name: "aaa"}, {name: "bbb"}}, v.rows...)
	d.Publish()
	d.See("▌● worker-3")
	v.rows = slices.DeleteFunc(slices.Clone(v.rows), func(t thing) bool { return t.name == "worker-3" })
	d.Publish()
	d.See("▌● worker-4")
	v.rows = nil
	d.Publish()
	d.See("no node has reported yet")
	d.Press("enter", "down", "pgdown", "end", "home")
}

func TestFilterIsLive(t *testing.T) {
	t.Parallel()
	v := newListView(things(100))
	d := open(t, v, 80, 24)
	d.Press("/")
	d.Type("9 AGENT")
	d.See("/9 AGENT", "19 of 100", "worker-9 ", "worker-89")
	d.NotSee("worker-8 ")
	d.Press("down", "enter")
	d.See("▌● worker-19", "esc clear filter")
	d.Press("enter")
	d.See("all about worker-19")
	d.Press("esc")
	d.See("19 of 100")
	d.Press("esc")
	d.NotSee("of 100")
	d.See("▌● worker-19")
}

func TestFilterIsEdited(t *testing.T) {
	t.Parallel()
	d := open(t, newListView(things(20)), 80, 24)
	d.Press("/")
	d.Paste("worker\n\x1b[31m1 e\u0301")
	d.See("/worker 1 e\u0301")
	d.Press("backspace", "backspace")
	d.See("/worker 1   11 of 20")
	d.Press("ctrl+w")
	d.See("/worker    20 of 20")
	d.Press("ctrl+u", "backspace")
	d.NotSee("of 20")
	d.See("q quit")
}

func TestSorting(t *testing.T) {
	t.Parallel()
	v := newListView(things(10))
	d := open(t, v, 80, 24)
	first := func() string {
		for line := range strings.SplitSeq(d.Screen(), "\n") {
			if strings.Contains(line, "worker-") {
				return strings.Fields(strings.Trim(line, "│▌"))[1]
			}
		}
		return ""
	}
	steps := []struct{ key, first, sees string }{
		{"L", "worker-0", "load▴"},
		{"L", "worker-9", "load▾"},
		{"N", "worker-0", "name▴"},
		{"i", "worker-9", "name▾"},
		{"o", "worker-0", "load▴"},
		{"o", "worker-0", "load"},
	}
	for _, step := range steps {
		d.Press(step.key)
		d.See(step.sees)
		if got := first(); got != step.first {
			t.Fatalf("after %s the first row is %s, want %s:\n%s", step.key, got, step.first, d.Screen())
		}
	}
}

func TestNarrowTableDropsColumns(t *testing.T) {
	t.Parallel()
	table, rows := thingTable(), things(3)
	for _, c := range []struct {
		width      int
		kind, load bool
	}{{60, true, true}, {30, false, true}, {20, false, false}} {
		got := ansi.Strip(strings.Join(table.Render(frame(), rows, c.width, 5, true, true), "\n"))
		if strings.Contains(got, "kind") != c.kind || strings.Contains(got, "load") != c.load || !strings.Contains(got, "worker-0") {
			t.Errorf("%d cells:\n%s", c.width, got)
		}
	}
}

// nasty are names that break tables.
func nasty() []string {
	return []string{
		"データベース-0", "👩‍🚀-astronaut", "👍🏽👍🏽", "🇩🇪-fsn1", "e\u0301\u0301\u0301tude", "z" + strings.Repeat("\u0317", 5000),
		strings.Repeat("x", 10000), strings.Repeat("表", 10000), "a\nb\tc", "\x1b[2Jgone\x07", "\u202eevil", "\xff\xfe",
		"❤️ heart", "한국어", "ไทย", "", "\u200b", "क्षि",
	}
}

func TestTableHoldsWithAnyText(t *testing.T) {
	t.Parallel()
	var rows []thing
	for _, name := range nasty() {
		rows = append(rows, thing{name: name, kind: name})
	}
	table := thingTable()
	for width := 1; width < 90; width += 8 {
		for i, line := range table.Render(frame(), rows, width, len(rows)+1, true, true) {
			g, wc := ansi.StringWidth(line), ansi.StringWidthWc(line)
			if g != width || wc != width {
				t.Errorf("row %d is %d or %d cells wide, want %d: %q", i, g, wc, width, ansi.Strip(line))
			}
			if strings.ContainsAny(ansi.Strip(line), "\n\t\x07\x1b\u202e") {
				t.Errorf("row %d holds control characters: %q", i, line)
			}
			if len(line) > 60*width+400 {
				t.Errorf("row %d takes %d bytes for %d cells", i, len(line), width)
			}
		}
	}
}

// BenchmarkTableFrame is one frame of 15,000 rows on 50 lines: it must cost
// as much as one of 100 rows.
func BenchmarkTableFrame(b *testing.B) {
	for name, n := range map[string]int{"100": 100, "15000": 15000} {
		b.Run(name, func(b *testing.B) {
			table, rows, f := thingTable(), things(n), frame()
			for b.Loop() {
				table.Render(f, rows, 200, 50, true, true)
			}
		})
	}
}

// BenchmarkTableFilter is a letter typed into the filter of 15,000 rows and
// taken back, with their frames.
func BenchmarkTableFilter(b *testing.B) {
	rows, f := things(15000), frame()
	table := thingTable()
	for _, c := range table.Commands(f, rows) {
		if c.Key.Matches("/") {
			c.Do()
		}
	}
	for b.Loop() {
		for _, key := range []tea.KeyPressMsg{{Code: '9', Text: "9"}, {Code: tea.KeyBackspace}} {
			table.Update(key, f, rows)
			table.Render(f, rows, 200, 50, true, true)
			table.Update(tea.KeyPressMsg{Code: 'w', Text: "w"}, f, rows)
			table.Update(tea.KeyPressMsg{Code: tea.KeyBackspace}, f, rows)
		}
	}
}
