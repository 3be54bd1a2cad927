package views

import (
	"strings"
	"testing"
)

// sketch shows a layout as letters: A for attention, the panes' digits, = for
// the tab line. Each letter stands for 4×2 cells, so that a screen fits here.
func sketch(l layout, width, height int) string {
	var rows []string
	for y := 0; y < height; y += 2 {
		var b strings.Builder
		for x := 0; x < width; x += 4 {
			switch part := l.at(x, y); {
			case l.tabs.Contains(x, y):
				b.WriteByte('=')
			case part < 0:
				b.WriteByte('.')
			default:
				b.WriteByte("A12345"[part])
			}
		}
		rows = append(rows, b.String())
	}
	return strings.Join(rows, "\n")
}

// TestArrange holds the layout by drawings.
func TestArrange(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name                                  string
		width, height, focus, shown, findings int
		want                                  []string
	}{
		{"home", 120, 38, 0, 1, 6, []string{
			"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
			"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
			"111111111111111122222222222222", "111111111111111122222222222222",
			"111111111111111122222222222222", "111111111111111122222222222222",
			"111111111111111122222222222222", "111111111111111122222222222222",
			"111111111111111122222222222222", "111111111111111122222222222222",
			"333333333344444444455555555555", "333333333344444444455555555555",
			"333333333344444444455555555555", "333333333344444444455555555555",
			"333333333344444444455555555555", "333333333344444444455555555555",
			"333333333344444444455555555555",
		}},
		{"many findings take a third at most", 100, 30, 0, 1, 500, []string{
			"AAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAA",
			"AAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAA",
			"1111111111111122222222222", "1111111111111122222222222", "1111111111111122222222222",
			"1111111111111122222222222", "1111111111111122222222222",
			"3333333344444444555555555", "3333333344444444555555555", "3333333344444444555555555",
			"3333333344444444555555555", "3333333344444444555555555",
		}},
		{"narrow shows the pane that was chosen", 80, 22, 0, 4, 6, []string{
			"AAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAA",
			"====================", "44444444444444444444", "44444444444444444444", "44444444444444444444",
			"44444444444444444444", "44444444444444444444", "44444444444444444444",
		}},
		{"low shows what has the focus", 60, 8, 3, 1, 6, []string{
			"===============", "333333333333333", "333333333333333", "333333333333333",
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := sketch(arrange(c.width, c.height, c.focus, c.shown, c.findings), c.width, c.height)
			if want := strings.Join(c.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestArrangeFills checks every size: parts never overlap, and together they
// cover the whole area.
func TestArrangeFills(t *testing.T) {
	t.Parallel()
	for width := 1; width <= 220; width += 3 {
		for height := 1; height <= 60; height++ {
			for _, findings := range []int{0, 1, 7, 5000} {
				l := arrange(width, height, restarts, restarts, findings)
				cells := l.tabs.W * l.tabs.H
				for _, r := range l.part {
					if r.H < 0 || r.W < 0 {
						t.Fatalf("%d×%d: negative part %+v", width, height, r)
					}
					cells += r.W * r.H
				}
				if cells != width*height {
					t.Fatalf("%d×%d with %d findings: %d cells are covered, not %d", width, height, findings, cells, width*height)
				}
			}
		}
	}
}
