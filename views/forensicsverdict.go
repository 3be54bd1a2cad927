package views

import (
	"cmp"
	"fmt"
	"strings"

	"daytwo/actions"
	"daytwo/actions/forensics"
	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

// verdictCommands are those of the page in sight, then the moves between pages.
func (v *forensicsView) verdictCommands(f ui.Frame) []ui.Command {
	turn := func(key keymap.Binding, step int) ui.Command {
		page := (v.page + step + pages) % pages
		return ui.Command{Key: reword(key, pageName(page)), Minor: step < 0, Do: func() tea.Cmd {
			v.page = page
			v.scroll.Reset()
			return nil
		}}
	}
	var out []ui.Command
	switch v.page {
	case verdictPage:
		out = v.ladderCommands(f)
	case detailPage:
		out = append(out, v.scroll.Commands(f)...)
	case checklistPage:
		out = v.checklistCommands(f)
	}
	again := ui.Command{Key: reword(f.Keys.Run.Retry, "look again"), Do: func() tea.Cmd { return v.start(f) }}
	return append(out, turn(f.Keys.Panes.Next, 1), turn(f.Keys.Panes.Previous, -1), again)
}

func pageName(page int) string {
	return [pages]string{"verdict", "evidence", "checklist"}[page]
}

// ladderCommands choose a suggestion, do it or copy it.
func (v *forensicsView) ladderCommands(f ui.Frame) []ui.Command {
	all := v.suggestions()
	move := func(key keymap.Binding, step int) ui.Command {
		return ui.Command{Key: key, Minor: true, Do: func() tea.Cmd {
			v.chosen = min(max(v.chosen+step, 0), max(len(all)-1, 0))
			return nil
		}}
	}
	out := []ui.Command{move(f.Keys.List.Up, -1), move(f.Keys.List.Down, 1), move(f.Keys.List.Top, -len(all)), move(f.Keys.List.Bottom, len(all))}
	if len(all) == 0 {
		return out
	}
	s := all[min(v.chosen, len(all)-1)]
	do := ui.Command{Key: reword(f.Keys.List.Open, "explain"), Do: func() tea.Cmd { return ui.Ask(explain(s)) }}
	if s.Cleanup != nil {
		do = ui.Command{
			Key: reword(f.Keys.List.Open, "clean up"), Risk: keymap.Destroys,
			Do: func() tea.Cmd { return ui.Ask(v.confirm(s)) },
		}
		if s.Cleanup.What == forensics.CleanPods && v.with.Means.Pods == nil {
			do.WhyNot = "pods cannot be deleted from here"
		}
	}
	return append([]ui.Command{do, {Key: f.Keys.Run.CopyCommand, Do: func() tea.Cmd { return ui.Copy(s.Command) }}}, out...)
}

// explain says of a dangerous suggestion what it would do; it is not done
// from here.
func explain(s forensics.Suggestion) ui.Question {
	return ui.Confirm(s.Title, "", "understood", suggestionLines(s), func() tea.Cmd { return nil })
}

func suggestionLines(s forensics.Suggestion) []string {
	lines := []string{s.FreesWords() + ", rung " + fmt.Sprint(s.Rung) + " of 10 on the ladder of risk", ""}
	if s.Why != "" {
		lines = append(lines, "seen: "+s.Why, "")
	}
	lines = append(lines, "risk: "+s.Risk, "")
	for l := range strings.SplitSeq(s.Command, "\n") {
		lines = append(lines, l)
	}
	if s.Cleanup == nil {
		lines = append(lines, "", "It is not done from here.")
	}
	return lines
}

// confirm asks for the node's name before a clean-up.
func (v *forensicsView) confirm(s forensics.Suggestion) ui.Question {
	clean := s.Cleanup.With(v.with.Means)
	lines := suggestionLines(s)
	for _, i := range clean.Images {
		lines = append(lines, "· "+i.Name+" "+sources.Bytes(float64(i.Bytes)))
	}
	for _, p := range clean.Pods {
		lines = append(lines, "· "+p.Why+" "+p.Namespace+"/"+p.Name)
	}
	return ui.Confirm(clean.Title(), clean.Confirm(), "clean up", lines, func() tea.Cmd {
		return v.with.Door.Around(clean, actions.Run{}, openCleanup(v, clean))
	})
}

// renderVerdict draws the page in sight.
func (v *forensicsView) renderVerdict(f ui.Frame) string {
	width := textWidth(f)
	head := v.verdictHead(f, width)
	height := max(f.Height-len(head), 1)
	var body []string
	switch v.page {
	case detailPage:
		body = v.scroll.Render(f, sectionLines(f, v.evidence(f, width), width), width, height)
	case checklistPage:
		body = v.checklistLines(f, width, height)
	default:
		body = v.verdictBody(f, width, height)
	}
	return strings.Join(padded(f, append(head, body...)), "\n")
}

// verdictHead is what to read first: how full, and what has most of it.
func (v *forensicsView) verdictHead(f ui.Frame, width int) []string {
	t := f.Theme
	names := make([]string, pages)
	for p := range names {
		names[p] = t.Dim.Render(pageName(p))
		if p == v.page {
			names[p] = t.Key.Underline(true).Render(pageName(p))
		}
	}
	tabs := strings.Join(names, t.Edge.Render(separator(f)))
	title := t.Strong.Render(ui.Clean(v.node)) + "  " + t.Dim.Render(agoWords(v.verdict.At, f.Now))
	if n := len(v.verdict.Unknown); n > 0 {
		title += "  " + t.Unknown.Render(t.Glyph(sources.Unknown)+" "+count(n, "probe")+" failed")
	}
	gap := max(width-ui.Width(title)-ui.Width(tabs), 1)
	lines := []string{title + strings.Repeat(" ", gap) + tabs}
	if v.err != "" {
		lines = append(lines, t.Critical.Render(ui.Fit(ui.Clean(v.err), width)))
	}
	return lines
}

func (v *forensicsView) verdictBody(f ui.Frame, width, height int) []string {
	t := f.Theme
	root, ok := v.verdict.Root()
	if !ok {
		return []string{t.Unknown.Render(ui.Fit("where the bytes are is unknown: df told nothing; the evidence says why", width))}
	}
	lines := []string{v.fullLine(f, root, width), stackBar(f, root, width)}
	tail := []string{levelLine(f, v.verdict.Picture, width)}
	for _, s := range v.verdict.Since {
		tail = append(tail, sinceLine(f, s, width))
	}
	rungs := v.ladderLines(f, width)
	// The table gives way to the suggestions, which are what one comes for, but
	// never below its largest rows.
	room := height - len(lines) - len(tail)
	table := shareLines(f, root, width, max(min(len(root.Shares), room-min(len(rungs), 6)), 4))
	lines = append(lines, table...)
	lines = append(lines, tail...)
	room = height - len(lines)
	if room < 2 {
		return lines
	}
	detail := v.chosenLines(f, width)
	if room < len(rungs)+len(detail)+1 && room < 12 {
		detail = nil
	}
	if n := room - len(detail); len(rungs) > n {
		rungs = append(rungs[:1], v.ladderWindow(f, width, n-1)...)
	}
	return append(append(lines, rungs...), detail...)
}

// fullLine says how full the disk is, in the colour of that.
func (v *forensicsView) fullLine(f ui.Frame, a forensics.Account, width int) string {
	limits := f.Snapshot.Settings.Thresholds
	severity := sources.OK
	switch p := a.Mount.Percent(); {
	case p >= limits.DiskCritical:
		severity = sources.Critical
	case p >= limits.DiskWarning:
		severity = sources.Warning
	}
	text := fmt.Sprintf("%s %s used, %s of %s, %s left", f.Theme.Glyph(severity), sources.Percent(a.Mount.Percent()),
		bytesWord(a.Mount.Used), bytesWord(a.Mount.Size), bytesWord(a.Mount.Available))
	if len(a.Shares) > 0 {
		top := a.Shares[0]
		if u := a.Share(forensics.Unexplained); u.Bytes > top.Bytes {
			top = u
		}
		text += fmt.Sprintf(": most of it %s, %s", top.Category, bytesWord(top.Bytes))
	}
	return f.Theme.Severity(severity).Bold(true).Render(ui.Fit(text, width))
}

func bytesWord(n int64) string { return sources.Bytes(float64(n)) }

// sinceLine says what grew.
func sinceLine(f ui.Frame, s forensics.Since, width int) string {
	t := f.Theme
	text := t.Dim.Render("since "+s.What+", "+agoWords(s.At, f.Now)+": ") + t.Text.Render(signedBytes(s.Bytes))
	words := make([]string, 0, 3)
	for _, d := range s.By[:min(len(s.By), 3)] {
		words = append(words, string(d.Category)+" "+signedBytes(d.Bytes))
	}
	if len(words) > 0 {
		text += t.Dim.Render(" (" + strings.Join(words, ", ") + ")")
	}
	return ui.Fit(text, width)
}

func signedBytes(n int64) string {
	if n > 0 {
		return "+" + bytesWord(n)
	}
	return bytesWord(n)
}

// ladderLines are the suggestions under their title.
func (v *forensicsView) ladderLines(f ui.Frame, width int) []string {
	t := f.Theme
	lines := []string{t.Accent.Render("What would help, least risk first")}
	if len(v.suggestions()) == 0 {
		return append(lines, t.Dim.Render("nothing that was found is worth removing"))
	}
	for i := range v.suggestions() {
		lines = append(lines, v.rungLine(f, i, width))
	}
	return lines
}

// ladderWindow is the part of the suggestions around the chosen one.
func (v *forensicsView) ladderWindow(f ui.Frame, width, room int) []string {
	n := len(v.suggestions())
	room = max(min(room, n), 0)
	from := min(max(v.chosen-room/2, 0), n-room)
	lines := make([]string, 0, room)
	for i := from; i < from+room; i++ {
		lines = append(lines, v.rungLine(f, i, width))
	}
	return lines
}

// widestTitle keeps what a suggestion frees within sight of it on wide screens.
const widestTitle = 64

func (v *forensicsView) rungLine(f ui.Frame, i, width int) string {
	t, s := f.Theme, v.suggestions()[i]
	lead, style := "  ", t.Text
	if i == v.chosen {
		lead, style = t.Accent.Render(marker(t)+" "), t.Strong
	}
	risk := t.OK
	switch {
	case s.Rung >= 7:
		risk = t.Critical
	case s.Rung >= 4:
		risk = t.Warning
	}
	frees, note := "", t.Dim.Render("explained only")
	if s.Frees >= 0 {
		frees = bytesWord(s.Frees)
	}
	if s.Cleanup != nil {
		note = t.Accent.Render("enter cleans up")
		if done, ok := v.freed[string(s.Cleanup.What)]; ok {
			note = t.OK.Render("done: " + done.String())
		}
	}
	note = ui.Fit(note, max(ui.Width(note), len("enter cleans up"))) // bytes stand below bytes
	room := min(max(width-2-3-10-2-ui.Width(note)-1, 10), widestTitle)
	return ui.Fit(lead+risk.Render(ui.FitRight(fmt.Sprint(s.Rung), 2))+" "+style.Render(ui.Fit(s.Title, room))+
		t.Strong.Render(ui.FitRight(frees, 10))+"  "+note, width)
}

// chosenLines explain the chosen suggestion.
func (v *forensicsView) chosenLines(f ui.Frame, width int) []string {
	all := v.suggestions()
	if len(all) == 0 {
		return nil
	}
	t, s := f.Theme, all[min(v.chosen, len(all)-1)]
	lines := []string{""}
	add := func(style lipgloss.Style, label, text string) {
		for i, l := range ui.Wrap(ui.Clean(text), max(width-8, 8)) {
			lines = append(lines, t.Dim.Render(ui.Fit(cmp.Or(map[bool]string{true: label}[i == 0], ""), 8))+style.Render(l))
		}
	}
	if s.Why != "" {
		add(t.Text, "seen", s.Why)
	}
	add(t.Warning, "risk", s.Risk)
	for l := range strings.SplitSeq(s.Command, "\n") {
		add(t.Text, "type", l)
	}
	return lines[:min(len(lines), 8)]
}
