package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"daytwo/actions"
	"daytwo/sources"

	"charm.land/lipgloss/v2"
)

// announceFor is how long the first words about unfinished runs stay: they
// are read by who has just come.
const announceFor = 8 * time.Second

// going reports whether a run of any process goes on now.
func going(runs []actions.Run) bool {
	return slices.ContainsFunc(runs, func(r actions.Run) bool { return r.State == actions.Running })
}

// unfinished are the runs that wait for a person: not over, and nobody's
// hands on them.
func unfinished(runs []actions.Run) []actions.Run {
	var out []actions.Run
	for _, r := range runs {
		if !r.State.Over() && r.State != actions.Running && r.State != actions.Waiting {
			out = append(out, r)
		}
	}
	return out
}

// announce says when the screen opens that something was begun and not ended.
func (r *Root) announce() {
	left := unfinished(r.runs)
	if len(left) == 0 {
		return
	}
	text := left[0].Title + " is " + string(left[0].State)
	if len(left) > 1 {
		text = counted(len(left), "run") + " are unfinished, the newest: " + text
	}
	r.say(sources.Warning, text+"; "+r.o.Keys.Tools.Runs.Shown+" shows it")
	r.toast.until = r.frame.Now.Add(announceFor)
}

// badge is the run of which one must know wherever one is: that which goes
// on, else that which waits for somebody; "" if there is none.
func (r *Root) badge() string {
	t := r.theme
	for _, run := range r.runs {
		if run.State == actions.Running {
			return t.Accent.Render(runGlyph(t, run.State)) + " " + t.Strong.Render(Cut(Clean(progress(run)), max(r.width/3, 16)))
		}
	}
	left := unfinished(r.runs)
	if len(left) == 0 {
		return ""
	}
	style, text := StateStyle(t, left[0].State), string(left[0].Kind)+" "+string(left[0].State)
	if len(left) > 1 {
		text = counted(len(left), "unfinished run")
	}
	return style.Render(runGlyph(t, left[0].State)+" "+Clean(text)) + t.Dim.Render(" "+r.o.Keys.Tools.Runs.Shown)
}

// progress is "upgrade 2/5 worker-0 restart".
func progress(r actions.Run) string {
	words := []string{string(r.Kind), fmt.Sprintf("%d/%d", min(r.At+1, len(r.Steps)), len(r.Steps))}
	if r.At < len(r.Steps) {
		words = append(words, r.Steps[r.At].Group, r.Steps[r.At].Title)
	}
	if r.Holder != "" && !r.Mine {
		words = append(words, "by "+r.Holder)
	}
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), " ")
}

func runGlyph(t Theme, s actions.State) string { return t.StateGlyph(s) }

// StateGlyph is the sign of how a run or a step stands: one cell wide.
func (t Theme) StateGlyph(s actions.State) string {
	glyph, ascii := "·", "-"
	switch s {
	case actions.Waiting:
	case actions.Running:
		glyph, ascii = "▸", ">"
	case actions.Done, actions.AlreadyTrue:
		glyph, ascii = "✔", "+"
	case actions.Skipped, actions.Abandoned:
		glyph, ascii = "○", "o"
	case actions.Failed:
		glyph, ascii = "✖", "X"
	case actions.Interrupted:
		glyph, ascii = "▲", "!"
	case actions.Paused:
		glyph, ascii = "■", "="
	}
	if t.ASCII {
		return ascii
	}
	return glyph
}

// StateStyle is the style of a state's glyph and word.
func StateStyle(t Theme, s actions.State) lipgloss.Style {
	switch s {
	case actions.Running:
		return t.Accent
	case actions.Done, actions.AlreadyTrue:
		return t.OK
	case actions.Failed:
		return t.Critical
	case actions.Interrupted, actions.Paused:
		return t.Warning
	case actions.Skipped, actions.Abandoned:
		return t.Unknown
	case actions.Waiting:
	}
	return t.Dim
}
