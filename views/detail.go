package views

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
)

// detail is the view of one object, or of one finding about it: what was
// seen, where and when, what belongs to it, and what one would type.
type detail struct {
	subject subject
	rule    string // of the finding whose evidence this is; "" for an object
	scroll  ui.Scroll
	chosen  int // among what can be copied

	// The last snapshot in which the subject was there: when the object
	// disappears, this picture stays.
	seen   *sources.Snapshot
	seenAt time.Time

	key  memoKey // what the last drawing was made of
	last drawing
}

// newDetail is the detail of an object as a topic sees it.
func newDetail(topic string, about sources.Ref) *detail {
	return &detail{subject: subject{topic: topic, about: about}}
}

// newEvidence is the detail that begins with a finding.
func newEvidence(fi sources.Finding) *detail {
	return &detail{subject: subject{topic: fi.Topic(), about: fi.About}, rule: fi.Rule}
}

// Title names the object for the header's path.
func (d *detail) Title() string {
	words := []string{d.subject.topic, d.subject.about.String()}
	if d.subject.topic == "" {
		words[0] = kindWord(d.subject.about.Kind)
	}
	return strings.Join(words, " ")
}

// drawing is a picture with the frame it was drawn from, and the banner that
// says if that is an old one.
type drawing struct {
	picture picture
	frame   ui.Frame
	banner  string
}

// drawn is what to show. A message asks for it several times: for dispatch,
// footer and screen; it is drawn once.
func (d *detail) drawn(f ui.Frame) drawing {
	if key := keyOf(f, f.Width, f.Height); d.key != key {
		p, shown, banner := d.draw(f, textWidth(f))
		d.key, d.last = key, drawing{p, shown, banner}
	}
	return d.last
}

// textWidth is the width of a detail's text: a cell of air on both sides.
func textWidth(f ui.Frame) int { return max(f.Width-2, 1) }

// draw makes the picture; if the subject is gone, that of the last snapshot
// which had it.
func (d *detail) draw(f ui.Frame, width int) (p picture, shown ui.Frame, banner string) {
	p = d.subject.draw(f, width)
	_, standing := findFinding(f.Snapshot, d.rule, d.subject.about)
	if p.found || standing {
		d.seen, d.seenAt = f.Snapshot, f.Now
		if d.rule != "" && !standing {
			banner = "this finding is over: no rule says it any more"
		}
		return p, f, banner
	}
	src := d.subject.reading(f)
	switch {
	case !d.subject.object() && d.seen == nil:
		banner = "there is no such finding"
	case !d.subject.object():
		shown = f
		shown.Snapshot = d.seen
		banner = "this finding is over; this is its last picture, " + sources.Ago(d.seenAt, f.Now)
		return p, shown, banner
	case src.waiting:
		banner = "waiting for " + src.what + fromServer(f.Snapshot)
	case src.err != nil && d.seen == nil:
		banner = "not known: " + src.err.Error()
	case d.seen == nil:
		banner = "not in the cluster"
	default:
		banner = "no longer in the cluster; this is the last picture of it, " + sources.Ago(d.seenAt, f.Now)
		shown = f
		shown.Snapshot = d.seen
		return d.subject.draw(shown, width), shown, banner
	}
	return p, f, banner
}

// Commands of a detail: scroll, choose a command line, copy it.
func (d *detail) Commands(f ui.Frame) []ui.Command {
	copies := d.copies(f)
	d.chosen = min(d.chosen, len(copies)-1)
	choose := func(step int) func() tea.Cmd {
		return func() tea.Cmd {
			d.chosen = (d.chosen + step + len(copies)) % len(copies)
			return nil
		}
	}
	return slices.Concat([]ui.Command{
		{Key: f.Keys.Global.Copy, Do: func() tea.Cmd { return ui.Copy(copies[d.chosen]) }},
		{Key: reword(f.Keys.Panes.Next, "next command"), Do: choose(1)},
		{Key: reword(f.Keys.Panes.Previous, "previous command"), Minor: true, Do: choose(-1)},
	}, f.For(d.subject.about), d.scroll.Commands(f))
}

// copies is what can be copied: the command lines, then the object's name.
func (d *detail) copies(f ui.Frame) []string {
	return append(slices.Clone(d.drawn(f).picture.commands), d.subject.about.Name)
}

// reword gives a key other words where it does something more particular.
func reword(b keymap.Binding, words string) keymap.Binding {
	b.Words = words
	return b
}

// Update scrolls with the mouse.
func (d *detail) Update(msg tea.Msg, f ui.Frame) tea.Cmd { return d.scroll.Update(msg, f) }

// Render draws headline and sections, which scroll, above the command lines,
// which stay.
func (d *detail) Render(f ui.Frame) string {
	inner, copies := textWidth(f), d.copies(f)
	now := d.drawn(f)
	p, shown := now.picture, now.frame
	head := d.headline(shown, p, now.banner, inner)
	body := f.Height - len(d.typedLines(f, copies, inner)) - len(head)
	lines := d.scroll.Render(f, sectionLines(shown, d.withFacts(shown, p, inner), inner), inner, max(body, 1))
	typed := d.typedLines(f, copies, inner) // after the text, whose position it says
	all := append(append(head, lines...), typed...)
	for i, line := range all {
		all[i] = " " + ui.Fit(line, inner) + " "
	}
	return strings.Join(all[:min(len(all), f.Height)], "\n")
}

// headline is the one thing to read first: severity in words, object, and
// the summary of what is wrong.
func (d *detail) headline(f ui.Frame, p picture, banner string, width int) []string {
	severity, summary := p.row.Severity, p.row.Summary
	if !p.found {
		severity = sources.Unknown
	}
	if fi, ok := findFinding(f.Snapshot, d.rule, d.subject.about); ok {
		severity, summary = fi.Severity, fi.Summary
	}
	t := f.Theme
	style := t.Severity(severity)
	lines := []string{style.Render(t.Glyph(severity)+" "+severity.String()) + "  " +
		t.Dim.Render(d.subject.kind()) + " " + t.Strong.Render(ui.Cut(ui.Clean(d.subject.about.String()), width))}
	if summary != "" {
		for _, line := range ui.Wrap(ui.Clean(summary), max(width, 8)) {
			lines = append(lines, style.Render(line))
		}
	}
	if banner != "" {
		lines = append(lines, t.Warning.Render(ui.Fit(banner, width)))
	}
	return lines[:min(len(lines), max(f.Height/3, 1))]
}

// kind is the word before the name in a headline.
func (s subject) kind() string {
	if s.topic == "disk" {
		return "disk of node"
	}
	return kindWord(s.about.Kind)
}

// withFacts adds what the findings know to the object's own sections: the
// finding's facts come first in its evidence view; the detail of an object has
// those of all its findings after the sections that it wants first.
func (d *detail) withFacts(f ui.Frame, p picture, width int) []section {
	var out []section
	for _, fi := range findingsAbout(f.Snapshot, d.subject.about) {
		if d.rule == "" && fi.Topic() != d.subject.topic && d.subject.topic != "" {
			continue
		}
		if d.rule != "" && fi.Rule != d.rule {
			continue
		}
		title := "Evidence"
		if d.rule == "" && fi.Summary != p.row.Summary {
			title = fi.Severity.String() + ": " + fi.Summary
		}
		out = append(out, section{title, factLines(f, fi.Evidence, width)})
	}
	if d.rule != "" {
		return append(out, p.sections...)
	}
	return slices.Concat(p.sections[:p.first], out, p.sections[p.first:])
}

// sectionLines renders sections one below the other.
func sectionLines(f ui.Frame, all []section, width int) []string {
	var out []string
	rule := "─"
	if f.Theme.ASCII {
		rule = "-"
	}
	for _, s := range all {
		if len(s.lines) == 0 {
			continue
		}
		title := ui.Cut(ui.Clean(s.title), width-2)
		line := f.Theme.Accent.Render(title) + " "
		line += f.Theme.Edge.Render(strings.Repeat(rule, max(width-ui.Width(title)-1, 0)))
		out = append(out, "", line)
		out = append(out, s.lines...)
	}
	return out
}

// typedLines is the block at the foot: what one would type, the chosen line
// marked. On a low screen only the chosen line shows.
func (d *detail) typedLines(f ui.Frame, copies []string, width int) []string {
	t := f.Theme
	d.chosen = min(max(d.chosen, 0), len(copies)-1)
	mark := func(i int) string {
		lead, style, note := "  ", t.Text, ""
		if i == d.chosen {
			lead, style = t.Accent.Render(marker(t)+" "), t.Strong
		}
		if i == len(copies)-1 {
			note = "  its name, to copy"
		}
		return lead + style.Render(ui.Cut(ui.Clean(copies[i]), max(width-2-ui.Width(note), 1))) + t.Dim.Render(note)
	}
	if f.Height < 16 {
		return []string{mark(d.chosen)}
	}
	hint := f.Keys.Panes.Next.Shown + " next, " + f.Keys.Global.Copy.Shown + " copies"
	if f.Height < 30 {
		hint = strconv.Itoa(d.chosen+1) + " of " + strconv.Itoa(len(copies)) + ", " + hint
	}
	title := t.Accent.Render("What you would type") + t.Dim.Render("  "+hint)
	where := t.Dim.Render(d.scroll.Position())
	out := []string{"", title + strings.Repeat(" ", max(width-ui.Width(title)-ui.Width(where), 1)) + where}
	if f.Height < 30 {
		return append(out, mark(d.chosen))
	}
	for i := range copies {
		out = append(out, mark(i))
	}
	return out
}

// marker stands before a selected row.
func marker(t ui.Theme) string {
	if t.ASCII {
		return ">"
	}
	return "▌"
}
