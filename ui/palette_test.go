package ui_test

import (
	"strings"
	"testing"

	"daytwo/keymap"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

func named(names ...string) func(*ui.Options) {
	return func(o *ui.Options) {
		o.Objects = func(ui.Frame) []ui.Entry {
			var out []ui.Entry
			for _, n := range names {
				out = append(out, ui.Entry{Title: n, Open: func() tea.Cmd {
					return ui.Open(&textView{title: n, text: "this is " + n})
				}})
			}
			return out
		}
	}
}

// TestPaletteFindsNamesByTheirWords: a word that is not in a name does not
// open it because its letters are.
func TestPaletteFindsNamesByTheirWords(t *testing.T) {
	t.Parallel()
	const injector = "deployment cert-manager/cert-manager-cainjector"
	for query, found := range map[string]bool{
		"drain": false, "injector": true, "cainj": true, "cert-man": true, "cmca": true,
		"dep cain": true, "ctr": false, "certctor": false, "CAINJ": true, "manager-c": true, "dcmc": true,
	} {
		d := open(t, newListView(things(3)), 100, 30, named(injector))
		d.Press(":")
		d.Type(query)
		if got := strings.Contains(d.Screen(), injector); got != found {
			t.Errorf("%q finds it: %v, want %v", query, got, found)
		}
		d.Press("enter")
		if got := strings.Contains(d.Screen(), "this is "+injector); got != found {
			t.Errorf("%q opens it: %v, want %v:\n%s", query, got, found, d.Screen())
		}
	}
	d := open(t, newListView(things(3)), 100, 30, named(injector))
	d.Press(":")
	d.Type("drain")
	d.See("nothing matches")
}

// TestPaletteIsQuickOnEqualWords: a name that could be read in many ways.
func TestPaletteIsQuickOnEqualWords(t *testing.T) {
	t.Parallel()
	d := open(t, newListView(things(3)), 100, 30, named(strings.Repeat("aa-", 80)))
	d.Press(":")
	d.Paste(strings.Repeat("a", 100) + "b")
	d.See("nothing matches")
	d.Press("backspace")
	d.See("▌ aa-aa-")
}

// TestFooterOfAnOverlay names the keys that the overlay answers.
func TestFooterOfAnOverlay(t *testing.T) {
	t.Parallel()
	v := newListView(things(3))
	v.extra = []ui.Command{{Key: keymap.Binding{Keys: []string{"d"}, Shown: "d", Words: "drain"}}}
	d := open(t, v, 100, 30)
	for open, want := range map[string]string{
		":": "\n enter do or open   ↑↓ move   esc close   ctrl+c quit",
		"?": "\n ↑↓ move   esc close   ctrl+c quit",
	} {
		d.Press(open)
		d.See(want)
		d.NotSee("d drain ", "q quit\n")
		d.Press("esc")
		d.See("d drain ", "q quit")
	}
}
