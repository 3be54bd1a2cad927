package views_test

import (
	"strings"
	"testing"

	"daytwo/ui"
)

// TestSortMarks: the mark points the way the values go, and cuts no title.
func TestSortMarks(t *testing.T) {
	t.Parallel()
	d, _ := open(t, 200, 50, ui.Options{Color: true}, world.incident)
	d.Press("2", "enter")
	for _, c := range []struct{ key, head, first string }{
		{"N", " node▴ ", "master-0"},
		{"N", " node▾ ", "worker-3"},
		{"%", " %▾ ", "worker-0"},
		{"%", " %▴ ", "master-0"},
		{"E", " eviction▴ ", "worker-0"},
		{"F", " full in▴ ", "worker-0"},
		{"I", " inodes▾ ", ""},
		{"R", " growth▾ ", "worker-0"},
	} {
		d.Press(c.key)
		lines := strings.Split(d.Screen(), "\n")
		if !strings.Contains(lines[2], c.head) || !strings.Contains(lines[3], c.first) {
			t.Errorf("%s: want %q and %q first:\n%s\n%s", c.key, c.head, c.first, lines[2], lines[3])
		}
	}
}

// TestSortedTitlesStayWhole on every list, at every width.
func TestSortedTitlesStayWhole(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"1", "2", "3", "4", "5"} {
		d, _ := open(t, 200, 50, ui.Options{Color: true}, world.incident)
		d.Press(key, "enter")
		marks := 0
		for _, size := range [][2]int{{200, 50}, {120, 40}, {80, 24}} {
			d.Resize(size[0], size[1])
			for range 20 {
				d.Press("o")
				head := strings.Split(d.Screen(), "\n")[2]
				marks += strings.Count(head, "▴") + strings.Count(head, "▾")
				if strings.Contains(head, "…") {
					t.Errorf("list %s at %d: a title is cut: %s", key, size[0], head)
				}
			}
		}
		if marks == 0 {
			t.Errorf("list %s: no mark at all", key)
		}
	}
}
