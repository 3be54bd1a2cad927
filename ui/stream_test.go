package ui_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daytwo/actions"
	"daytwo/ui"
	"daytwo/ui/uitest"

	tea "charm.land/bubbletea/v2"
)

// flow is a view of one stream.
type flow struct {
	stream ui.Stream
	tape   *actions.Tape
	keys   chan struct{} // told of keys that nothing answers
}

func (v *flow) Title() string                    { return "log" }
func (v *flow) Typing() bool                     { return v.stream.Typing() }
func (v *flow) Watch() <-chan struct{}           { return v.tape.Changed() }
func (v *flow) Commands(f ui.Frame) []ui.Command { return v.stream.Commands(f) }
func (v *flow) Update(m tea.Msg, f ui.Frame) tea.Cmd {
	if _, ok := m.(tea.KeyPressMsg); ok && v.keys != nil {
		v.keys <- struct{}{}
	}
	return v.stream.Update(m, f)
}

func (v *flow) Render(f ui.Frame) string {
	v.stream.Read(v.tape)
	r := ui.Rect{W: f.Width, H: f.Height}.Inner()
	return ui.Box(f.Theme, "worker-0", v.stream.Note(f, f.Width-16), true, v.stream.Render(f, r.W, r.H), f.Width, f.Height)
}

func flowing(t *testing.T, width, height int) (*uitest.Driver, *flow) {
	t.Helper()
	v := &flow{tape: actions.NewTape()}
	return open(t, v, width, height), v
}

// say writes lines and lets the screen look.
func (v *flow) say(d *uitest.Driver, format string, from, to int) {
	for i := from; i < to; i++ {
		_, _ = fmt.Fprintf(v.tape, format+"\n", i)
	}
	d.Send(ui.Heartbeat())
}

func TestStreamFollows(t *testing.T) {
	t.Parallel()
	d, v := flowing(t, 80, 24)
	d.See("nothing was written yet", "0 lines", "live")
	v.say(d, "line %d.", 0, 100)
	d.See("line 99.", "line 80.", "100 lines · live, follows")
	d.NotSee("line 79.")
	_, _ = fmt.Fprint(v.tape, "10%\r20%\r30%")
	d.Send(ui.Heartbeat())
	d.See("line 81.", "30%")
	d.NotSee("10%", "20%", "line 80.")
	v.tape.End()
	d.Send(ui.Heartbeat())
	d.See("100 lines · ended")
}

func TestStreamScrollsBackAndStays(t *testing.T) {
	t.Parallel()
	d, v := flowing(t, 80, 24)
	v.say(d, "line %d.", 0, 100)
	d.Press("up", "k", "pgup")
	d.See("line 59.", "line 78.")
	d.NotSee("line 58.", "line 79.")
	v.say(d, "line %d.", 100, 9000)
	d.See("line 59.", "line 78.", "8,921 below F follows")
	d.Press("g")
	d.See("line 0.")
	// More than is kept: what is looked at stays, and what is lost is told.
	d.Press("F")
	d.See("line 8999.")
	for from := 9000; from < 27_000; from += 9000 {
		v.say(d, "line %d.", from, from+9000)
	}
	d.Press("g")
	d.See("7,000 lines earlier", "line 7000.")
	v.say(d, "line %d.", 27_000, 45_000)
	d.See("line 7000.", "below F follows")
	d.Press("G")
	d.See("line 44999.", "45,000 lines · 8,000 lines skipped")
	d.Press("up")
	for range 3 {
		d.Press("down")
	}
	d.See("live, follows")
}

func TestStreamSaysWhatItSkipped(t *testing.T) {
	t.Parallel()
	d, v := flowing(t, 80, 24)
	v.say(d, "line %d.", 0, 5)
	v.say(d, "line %d.", 5, 10_015)
	d.See("10 lines skipped", "line 10014.")
	d.Press("pgup")
	d.Press("g")
	d.See("10 lines skipped: too fast for the screen", "line 4.", "line 15.")
	d.NotSee("line 5.", "line 14.")
}

func TestStreamSearches(t *testing.T) {
	t.Parallel()
	d, v := flowing(t, 80, 24)
	v.say(d, "line %d.", 0, 300)
	d.Press("/")
	d.Type("LINE 1")
	d.See("/LINE 1")
	d.Press("enter")
	d.See("not in the newest 300 lines")
	d.Press("/")
	d.Type("line 1")
	d.Press("enter")
	d.See("line 199.", "/line 1  n next, N previous")
	d.NotSee("line 299.")
	d.Press("n")
	d.See("no hit after this")
	for range 100 {
		d.Press("N")
	}
	d.See("line 19.", "line 18.")
	d.Press("esc")
	d.NotSee("/line 1")
	d.Press("/", "esc", "F")
	d.See("line 299.")
}

func TestStreamWrapsWhatIsInSight(t *testing.T) {
	t.Parallel()
	d, v := flowing(t, 60, 12)
	_, _ = fmt.Fprintf(v.tape, "first\n\x1b[32m%s end\x1b[m\nlast\n", strings.Repeat("0123456789", 40))
	d.Send(ui.Heartbeat())
	d.See("first", "…", "last")
	d.Press("w")
	d.See(" end", "last")
	d.NotSee("first", "…")
	if s := d.Styled(); strings.Count(s, "\x1b[32m") < 7 {
		t.Errorf("the colour does not go on in wrapped rows: %q", s)
	}
	d.Press("k")
	d.See(" end")
	d.NotSee("last")
	d.Press("k", "k", "k")
	d.See("first")
	d.Press("j", "j")
	d.NotSee("first")
}

func TestStreamRunsNothing(t *testing.T) {
	t.Parallel()
	d, v := flowing(t, 80, 24)
	_, _ = fmt.Fprint(v.tape, "a\x1b[2Jb\x1b]0;title\x07c\x1b[5;31;41;8md\x1b[0me\x9b2Jf\u202eg\a\n\tx\n")
	d.Send(ui.Heartbeat())
	d.See("abcde", "    x")
	for _, bad := range []string{"\x1b[2J", "\x1b]0", "[5;", ";41", ";8m", "\u202e", "\a"} {
		if strings.Contains(d.Styled(), bad) {
			t.Errorf("%q of foreign output reached the screen", bad)
		}
	}
	if !strings.Contains(d.Styled(), "\x1b[31md") {
		t.Error("its colour did not stay")
	}
}

func TestStreamCopiesAndSaves(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, v := flowing(t, 80, 24)
	v.say(d, "\x1b[31mline\x1b[m %d.", 0, 100)
	d.Press("Y")
	if got := d.Clipboard(); !strings.HasPrefix(got, "line 80.\n") || !strings.HasSuffix(got, "line 99.\n") {
		t.Errorf("copied %q", got)
	}
	path := filepath.Join(dir, "kept.log")
	save := func() {
		d.Press("ctrl+s", "ctrl+u")
		d.Paste(path)
		d.Press("enter")
	}
	save()
	d.See("saved: ")
	if data, err := os.ReadFile(path); err != nil || strings.Count(string(data), "\n") != 100 {
		t.Errorf("%d lines were saved, %v", strings.Count(string(data), "\n"), err)
	}
	save()
	d.See("exists already")
	v.stream.File = path
	if err := os.WriteFile(path, []byte("the whole\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "whole.log")
	save()
	if data, err := os.ReadFile(path); err != nil || string(data) != "the whole\n" {
		t.Errorf("saved %q, %v", data, err)
	}
}

func TestStreamAtEverySize(t *testing.T) {
	t.Parallel()
	d, v := flowing(t, 80, 24)
	for i := range 200 {
		_, _ = fmt.Fprintf(v.tape, "日本語 \x1b[33m%d\x1b[m e\u0301 %s\n", i, strings.Repeat("長い x", i))
	}
	d.Send(ui.Heartbeat())
	for _, key := range []string{"w", "pgup", "/", "g", "F", "w"} {
		d.Press(key)
		if key == "/" {
			d.Type("長")
			d.Press("enter", "N")
		}
		for w := 1; w <= 130; w += 31 {
			for h := 1; h <= 45; h += 11 {
				d.Resize(w, h) // the driver measures
				d.Press("up", "down")
			}
		}
	}
}
