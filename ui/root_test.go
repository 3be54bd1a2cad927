package ui_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"
	"daytwo/ui/uitest"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

func open(t *testing.T, v ui.View, width, height int, change ...func(*ui.Options)) *uitest.Driver {
	t.Helper()
	clock := uitest.NewClock()
	o := options(v, clock)
	for _, c := range change {
		c(&o)
	}
	d := uitest.NewAt(t, o, clock, width, height)
	d.Publish(cluster)
	return d
}

func TestWholeScreens(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{80, 24}, {120, 40}, {48, 10}, {20, 5}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			t.Parallel()
			d := open(t, newListView(things(12)), size[0], size[1])
			d.Golden(fmt.Sprintf("ui-list-%dx%d", size[0], size[1]))
		})
	}
}

func TestEverySizeIsFilledExactly(t *testing.T) {
	t.Parallel()
	d := open(t, newListView(things(30)), 80, 24)
	for w := 1; w <= 130; w += 3 {
		for h := 1; h <= 45; h += 4 {
			d.Resize(w, h) // the driver measures
		}
	}
	d.Press("?")
	d.Resize(1, 1)
	d.Resize(21, 9)
	d.Press("esc", ":")
	d.Type("worker")
	d.Resize(41, 8)
	d.Resize(2, 3)
}

func TestOneListMakesFooterHelpAndPalette(t *testing.T) {
	t.Parallel()
	v := newListView(things(3))
	ran := 0
	v.extra = []ui.Command{{
		Key: keymap.Binding{Keys: []string{"d"}, Shown: "d", Words: "drain"}, Risk: keymap.Changes,
		Do: func() tea.Cmd { ran++; return nil },
	}}
	d := open(t, v, 100, 30)
	d.See("d drain")
	d.Press("d")
	d.Press("?")
	d.See("Keys", "drain  changes", "Move and sort", "Everywhere", "ctrl+l")
	d.Press("esc", ":")
	d.Type("drn")
	d.See("drain")
	d.Press("enter")
	d.NotSee("Command")
	if ran != 2 {
		t.Fatalf("drain ran %d times, want once by key and once by palette", ran)
	}
}

func TestWhyNotIsSaidAndForgotten(t *testing.T) {
	t.Parallel()
	v := newListView(things(3))
	v.extra = []ui.Command{{
		Key:    keymap.Binding{Keys: []string{"d"}, Shown: "d", Words: "drain"},
		WhyNot: "already cordoned",
		Do:     func() tea.Cmd { t.Error("ran although it cannot"); return nil },
	}}
	d := open(t, v, 100, 30)
	d.NotSee("d drain")
	d.Press("d")
	d.See("▲ drain: already cordoned")
	d.Advance(3 * time.Second)
	d.See("already cordoned")
	d.Advance(time.Second)
	d.NotSee("already cordoned")
	d.See("q quit")
}

func TestReadOnlyRefusesWhatChanges(t *testing.T) {
	t.Parallel()
	v := newListView(things(3))
	v.extra = []ui.Command{{
		Key: keymap.Binding{Keys: []string{"d"}, Shown: "d", Words: "drain"}, Risk: keymap.Changes,
		Do: func() tea.Cmd { t.Error("changed in read-only mode"); return nil },
	}}
	d := open(t, v, 100, 30, func(o *ui.Options) { o.ReadOnly = true })
	d.See("[read-only]", "d drain")
	d.Press("d")
	d.See("read-only mode: drain would change the cluster")
	d.Press(":")
	d.Type("drain")
	d.Press("enter")
	d.See("read-only mode")
}

func TestBackAndQuit(t *testing.T) {
	t.Parallel()
	d := open(t, newListView(things(3)), 80, 24)
	for _, back := range []string{"esc", "q"} {
		d.Press("down", "enter")
		d.See("all about worker", "esc back")
		d.NotSee("q quit")
		d.Press(back)
		d.See("3 nodes", "q quit")
	}
	d.Press("esc")
	if d.Quit() {
		t.Fatal("esc in the bottom view ended the program")
	}
	d.Press("q")
	if !d.Quit() {
		t.Fatal("q in the bottom view did not end the program")
	}
}

func TestInterruptWorksEverywhere(t *testing.T) {
	t.Parallel()
	for _, before := range [][]string{nil, {"?"}, {":"}, {"/"}} {
		d := open(t, newListView(things(3)), 80, 24)
		d.Press(append(before, "ctrl+c")...)
		if !d.Quit() {
			t.Errorf("ctrl+c after %v did not end the program", before)
		}
	}
}

func TestTypingTakesEveryKey(t *testing.T) {
	t.Parallel()
	d := open(t, newListView(things(30)), 80, 24)
	d.Press("/")
	d.See("enter done", "esc cancel")
	d.Type("q?:1")
	d.See("/q?:1", "0 of 30", "no row matches the filter")
	d.Press("esc")
	d.See("30 nodes", "worker-0")
	if d.Quit() {
		t.Fatal("a key typed into the filter ended the program")
	}
}

func TestHelpScrollsAndCloses(t *testing.T) {
	t.Parallel()
	d := open(t, newListView(things(3)), 80, 14)
	d.Press("f1")
	d.See("Keys", "1–")
	d.NotSee("suspend")
	d.Press("end")
	d.See("suspend")
	d.Wheel(40, 6, true)
	for _, key := range []string{"?", "esc", "q"} {
		d.Press(key)
		d.NotSee("Keys")
		d.Press("?")
		d.See("Keys")
	}
	d.Click(0, 0)
	d.NotSee("Keys")
}

func TestPaletteFindsObjects(t *testing.T) {
	t.Parallel()
	d := open(t, newListView(things(3)), 100, 30, func(o *ui.Options) {
		o.Objects = func(f ui.Frame) []ui.Entry {
			var out []ui.Entry
			for _, n := range f.Snapshot.Nodes.Value {
				out = append(out, ui.Entry{
					Title: "node " + n.Name, Hint: "ready",
					Open: func() tea.Cmd { return ui.Open(&textView{title: n.Name, text: "this is " + n.Name}) },
				})
			}
			return out
		}
	})
	d.Press(":")
	d.Golden("ui-palette-100x30")
	d.Type("nw2")
	d.See("node worker-2")
	d.NotSee("node worker-1")
	d.Press("backspace")
	d.See("node worker-1")
	d.Type("3")
	d.Press("enter")
	d.See("this is worker-3")
	d.Press("esc", ":")
	d.Type("zzzz")
	d.See("nothing matches")
	d.Press("enter", "esc")
	d.NotSee("nothing matches")
}

func TestMouse(t *testing.T) {
	t.Parallel()
	v := newListView(things(100))
	d := open(t, v, 100, 30)
	d.ClickOn("worker-7 ")
	d.See("▌● worker-7")
	if v.opened != "" {
		t.Fatal("the first click opened a row that was not selected")
	}
	d.Click(50, 10) // the same row
	d.See("all about worker-7")
	d.ClickOn("esc back")
	d.Wheel(50, 10, false)
	d.See("▌● worker-10")
	d.ClickOn("load")
	d.See("load▴")
	d.ClickOn("? help")
	d.See("Keys")
}

func TestHeaderSaysHowWellOneSees(t *testing.T) {
	t.Parallel()
	d := open(t, newListView(things(3)), 150, 20)
	d.See(" daytwo  prod-fsn1  k3s v1.33.4  1 server · 4 agents  ● api 10ms   ● kubelets 5/5  ● history  ○ prometheus not set up")
	d.Publish(sources.SetHealth(sources.Health{
		Name: "kubelets", At: d.Now().Add(-41 * time.Second), Err: errors.New("timeout"), Note: "3/5",
	}))
	d.See("▲ kubelets 41 s old")
	d.Resize(60, 20)
	d.See("prod-fsn1", "▲ kubelets 41 s old", "15:04")
	d.NotSee("history", "agents")
}

func TestHeaderDoesNotFlicker(t *testing.T) {
	t.Parallel()
	d := open(t, newListView(things(3)), 140, 20)
	before := d.Screen()
	for _, ms := range []int{8, 9, 11, 13} {
		d.Publish(sources.SetHealth(sources.Health{Name: "api", At: d.Now(), Latency: time.Duration(ms) * time.Millisecond}))
		if d.Screen() != before {
			t.Fatalf("%d ms changed the header:\n%s", ms, d.Screen())
		}
	}
}

func TestStalePictureIsPlain(t *testing.T) {
	t.Parallel()
	d := open(t, newListView(things(3)), 120, 20)
	failed := sources.Health{Name: "api", At: d.Now().Add(-2 * time.Minute), Err: errors.New("connection refused\x1b[2J")}
	d.Publish(sources.SetHealth(failed))
	d.See("✖ stale: this picture is 2 min old (15:02:31); the API server does not answer: connection refused", "✖ api 2 min old")
	d.Golden("ui-stale-120x20")
	d.Resize(20, 5)
	d.See("stale")
	d.Resize(120, 20)
	d.Publish(sources.SetHealth(sources.Health{Name: "api", At: d.Now(), Latency: time.Millisecond}))
	d.NotSee("stale")
}

func TestASCIIOnly(t *testing.T) {
	t.Parallel()
	d := open(t, newListView(things(3)), 120, 30, func(o *ui.Options) { o.ASCII = true })
	d.Golden("ui-ascii-120x30")
	for _, keys := range [][]string{nil, {"?"}, {"esc", ":"}, {"esc", "/"}} {
		d.Press(keys...)
		for _, r := range d.Screen() {
			if r >= 0x80 {
				t.Fatalf("%q on an ASCII terminal after %v:\n%s", r, keys, d.Screen())
			}
		}
	}
}

func TestWithoutColour(t *testing.T) {
	t.Parallel()
	noColour := func(o *ui.Options) { o.Color = false }
	none := func(o *ui.Options) { o.Theme = ui.None }
	for _, change := range []func(*ui.Options){noColour, none} {
		d := open(t, newListView(things(3)), 100, 20, change)
		if s := d.Styled(); strings.Contains(s, "38;") || strings.Contains(s, "48;") || !strings.Contains(s, "\x1b[7") {
			t.Fatalf("colours, or no reverse, without colour: %q", s)
		}
	}
	d := open(t, newListView(things(3)), 100, 20)
	d.Send(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
	if strings.Contains(d.Styled(), "38;") {
		t.Fatal("colours on a terminal that has none")
	}
	d.Send(tea.ColorProfileMsg{Profile: colorprofile.ANSI})
	if s := d.Styled(); strings.Contains(s, "38;2") || !strings.Contains(s, "\x1b[96") {
		t.Fatalf("not the terminal's own sixteen colours: %q", s)
	}
}

func TestBackgroundIsAskedOnlyByAuto(t *testing.T) {
	t.Parallel()
	const lightText = "38;2;38;38;38"
	white := tea.BackgroundColorMsg{Color: ansi.RGBColor{R: 255, G: 255, B: 255}}
	for theme, light := range map[ui.ThemeName]bool{ui.Auto: true, ui.Light: true, ui.Dark: false} {
		d := open(t, newListView(things(3)), 100, 20, func(o *ui.Options) { o.Theme = theme })
		d.Send(white)
		if got := strings.Contains(d.Styled(), lightText); got != light {
			t.Errorf("theme %s on a white terminal: light is %v, want %v", theme, got, light)
		}
	}
}

func TestCopyAndTitle(t *testing.T) {
	t.Parallel()
	v := newListView(things(3))
	v.extra = []ui.Command{{Key: keymap.Default().Global.Copy, Do: func() tea.Cmd { return ui.Copy("kubectl drain worker-0") }}}
	d := open(t, v, 100, 20)
	d.Press("y")
	d.See("● copied: kubectl drain worker-0")
	if d.Clipboard() != "kubectl drain worker-0" {
		t.Fatalf("copied %q", d.Clipboard())
	}
	if d.Title() != "daytwo prod-fsn1: 1 critical" {
		t.Fatalf("window title %q", d.Title())
	}
}

// ownMsg is a message only views know.
type ownMsg struct{}

func TestAnswerReachesCoveredView(t *testing.T) {
	t.Parallel()
	v := newListView(things(3))
	d := open(t, v, 100, 20)
	d.Press("enter")
	v.seen = nil
	d.Send(ownMsg{})
	if len(v.seen) != 1 {
		t.Fatalf("the covered view saw %v, want its own message", v.seen)
	}
}
