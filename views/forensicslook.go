package views

import (
	"fmt"
	"strings"

	"daytwo/actions"
	"daytwo/actions/forensics"
	"daytwo/sources"
	"daytwo/ui"
)

// planText is the plan as a person would type it.
func planText(a *forensics.Inspection) string {
	steps := a.Steps()
	lines := make([]string, 0, len(steps))
	for _, s := range steps {
		if s.Command != "" {
			lines = append(lines, s.Command)
		}
	}
	return strings.Join(lines, "\n")
}

// renderPlan shows what is known, and what would be looked at.
func (v *forensicsView) renderPlan(f ui.Frame) string {
	t, width := f.Theme, textWidth(f)
	head := []string{
		t.Strong.Render("Forensics of "+ui.Clean(v.node)) + t.Dim.Render("  reads only: nothing on the node is changed"),
	}
	p := v.plan.Picture
	if d, ok := findDisk(f.Snapshot, v.node); ok && d.Percent >= 0 {
		head = append(head, judged(f, d.Severity, "").Style.Render(ui.Fit(
			t.Glyph(d.Severity)+" "+percentWords(d.FS)+", "+fullness(f, d), width)))
	}
	head = append(head, levelLine(f, p, width))
	if v.err != "" {
		for _, l := range ui.Wrap(ui.Clean(v.err), width) {
			head = append(head, t.Critical.Render(l))
		}
	}
	if v.busy {
		head = append(head, t.Accent.Render("starting"))
	}
	steps := v.plan.Plan()
	head = append(head, "", t.Accent.Render("What is run there, the heavy ones alone")+
		t.Dim.Render("  as root, behind nice -n19 ionice -c3 timeout"))
	lines := make([]string, 0, len(steps))
	for _, s := range steps {
		lines = append(lines, t.Text.Render(ui.Fit(s.Title, 20))+"  "+t.Dim.Render(ui.Clean(s.Command)))
	}
	body := v.scroll.Render(f, lines, width, max(f.Height-len(head)-1, 1))
	foot := t.Dim.Render(v.scroll.Position())
	return strings.Join(padded(f, append(append(head, body...), foot)), "\n")
}

func percentWords(fs sources.Filesystem) string {
	return sources.Percent(fs.Percent()) + " of " + sources.Bytes(float64(fs.Capacity)) + " used"
}

func fullness(f ui.Frame, d sources.DiskUse) string {
	if !d.Forecast {
		return noForecast(d)
	}
	return sources.Growth(d.Growth) + ", full " + fullWords(d.FullAt(), f.Now)
}

// levelLine is the times to trouble in one line.
func levelLine(f ui.Frame, p forensics.Picture, width int) string {
	words := make([]string, 0, len(p.Levels))
	for _, l := range p.Levels {
		style, when := levelStyle(f, l), p.When(l, f.Now)
		if strings.HasPrefix(when, "unknown") {
			style, when = f.Theme.Unknown, "unknown"
		}
		words = append(words, f.Theme.Dim.Render(l.What+" ")+style.Render(when))
	}
	if len(words) == 0 {
		return f.Theme.Unknown.Render(ui.Fit("times to trouble unknown: the kubelet's limits are not known", width))
	}
	return ui.Fit(strings.Join(words, f.Theme.Dim.Render("  "+bullet(f)+"  ")), width)
}

// renderLook shows the probes and what the one that runs says.
func (v *forensicsView) renderLook(f ui.Frame) string {
	t, width := f.Theme, textWidth(f)
	run, ok := v.theRun(f)
	head := []string{t.Strong.Render("Forensics of "+ui.Clean(v.node)) + "  " + stateWord(f, run.State)}
	if ok {
		head = append(head, stepsLine(f, run, width)...)
	}
	if v.err != "" {
		for _, l := range ui.Wrap(ui.Clean(v.err), width) {
			head = append(head, t.Critical.Render(l))
		}
	}
	title := "waiting"
	if ok && run.At < len(run.Steps) {
		title = run.Steps[run.At].Title
	}
	v.stream.Read(v.tape)
	box := streamBox(f, &v.stream, title, width, max(f.Height-len(head), 3))
	return strings.Join(padded(f, append(head, box...)), "\n")
}

// streamBox frames a stream, with what there is to say of it in the edge.
func streamBox(f ui.Frame, s *ui.Stream, title string, width, height int) []string {
	title = ui.Clean(title)
	inner := ui.Rect{W: width, H: height}.Inner()
	lines := s.Render(f, inner.W, inner.H)
	return strings.Split(ui.Box(f.Theme, title, s.Note(f, width-ui.Width(title)-8), true, lines, width, height), "\n")
}

// stepsLine is how far the probes are: those behind in one word, then what
// runs and what comes.
func stepsLine(f ui.Frame, run actions.Run, width int) []string {
	t := f.Theme
	done, mark := 0, "▸"
	if t.ASCII {
		mark = ">"
	}
	for _, s := range run.Steps {
		if s.State == actions.Done || s.State == actions.AlreadyTrue || s.State == actions.Skipped {
			done++
		}
	}
	parts := []string{t.OK.Render(fmt.Sprintf("%d of %d done", done, len(run.Steps)))}
	for i, s := range run.Steps[min(run.At, len(run.Steps)):] {
		switch {
		case i == 0 && s.State == actions.Failed:
			parts = append(parts, t.Critical.Render(t.Glyph(sources.Critical)+" "+s.Title+": "+ui.Clean(s.Reason)))
		case i == 0:
			parts = append(parts, t.Accent.Render(mark+" "+s.Title))
		default:
			parts = append(parts, t.Dim.Render(bullet(f)+" "+s.Title))
		}
	}
	return []string{ui.Fit(strings.Join(parts, "  "), width), ui.Bar(t, 100*float64(done)/float64(max(len(run.Steps), 1)), width, t.Accent)}
}
