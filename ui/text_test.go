package ui_test

import (
	"strings"
	"testing"
	"unicode"

	"daytwo/ui"

	"github.com/charmbracelet/x/ansi"
)

func TestFit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in    string
		width int
		want  string
	}{
		{"disk", 6, "disk  "},
		{"worker-0", 8, "worker-0"},
		{"worker-10", 8, "worker-…"},
		{"worker", 1, "…"},
		{"worker", 0, ""},
		{"worker", -1, ""},
		{"表表表", 5, "表表…"},
		{"表表表", 4, "表… "},
		{"a\nb", 4, "a b "},
		{"\x1b[1mbold\x1b[m", 6, "\x1b[1mbold\x1b[m  "},
	} {
		if got := ui.Fit(c.in, c.width); got != c.want {
			t.Errorf("Fit(%q, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
	}
	if got := ui.FitRight("92%", 5); got != "  92%" {
		t.Errorf("FitRight = %q", got)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	got := strings.Join(ui.Wrap("the picture is old because nothing answers", 16), "|")
	if want := "the picture is|old because|nothing answers"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzFit holds that any text fills exactly its cells on every terminal, and
// that nothing in it moves the cursor.
func FuzzFit(f *testing.F) {
	for _, s := range nasty() {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		if width < 0 || width > 300 || len(s) > 5000 {
			return
		}
		got := ui.Fit(ui.Clean(s), width)
		if g, wc := ansi.StringWidth(got), ansi.StringWidthWc(got); g != width || wc != width {
			t.Errorf("%q on %d cells takes %d or %d: %q", s, width, g, wc, got)
		}
		if strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q keeps a control character: %q", s, got)
		}
	})
}
