package views

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
	"daytwo/ui"

	"charm.land/lipgloss/v2"
)

func findDisk(s *sources.Snapshot, node string) (sources.DiskUse, bool) {
	i := slices.IndexFunc(s.Judged.Disks, func(d sources.DiskUse) bool { return d.Node == node })
	if i < 0 {
		return sources.DiskUse{}, false
	}
	return s.Judged.Disks[i], true
}

// diskPicture is the detail of a node's disk.
func diskPicture(f ui.Frame, about sources.Ref, width int) picture {
	d, ok := findDisk(f.Snapshot, about.Name)
	if !ok {
		return picture{}
	}
	d.Summary = cmp.Or(d.Summary, whyUnknown(d.Severity, d.WhyNot))
	return picture{
		found: true, row: d.Row, commands: diskCommands(about.Name), first: 2,
		sections: []section{
			{"History and forecast", diskChart(f, d, width)},
			{"Levels", levelLines(f, d, width)},
			{"Disk", diskFacts(f, d, width)},
			diskEventSection(f, width, about.Name),
		},
	}
}

// whyUnknown is the summary of what no finding is about: nothing, unless it
// is unknown.
func whyUnknown(s sources.Severity, why string) string {
	if s != sources.Unknown {
		return ""
	}
	return why
}

// diskChart draws the bytes in use over the past, how they go on if nothing
// changes, and the levels that matter as lines.
func diskChart(f ui.Frame, d sources.DiskUse, width int) []string {
	if len(d.Past) < 2 {
		return []string{f.Theme.Unknown.Render(ui.Fit(noForecast(d), width))}
	}
	now := f.Now
	from := d.Past[0].At
	// A forecast reaches about half as far as the past that it was drawn from.
	ahead := now.Add(max(now.Sub(from)/2, day))
	if full := d.FullAt(); !full.IsZero() && full.After(now) && full.Before(ahead) {
		ahead = full
	}
	size := float64(d.FS.Used + d.FS.Available)
	c := ui.Chart{
		Points: d.Past, From: from, To: ahead, Now: now,
		Low: 0, High: size, Unit: sources.Bytes,
	}
	if d.Forecast {
		used := float64(d.FS.Used)
		days := ahead.Sub(now).Hours() / 24
		c.Forecast = []sources.Point{{At: now, Value: used}, {At: ahead, Value: min(used+d.Growth*days, size)}}
	}
	height := min(max(f.Height/3, 7), 16)
	c.Lines = levelMarks(f, d.Crossings, size, height-2)
	return c.Render(f.Theme, width, height)
}

// levelMarks are the levels as lines of a chart with some rows; levels that
// fall on one row share a line, named after both, in the colour of the one
// that matters more.
func levelMarks(f ui.Frame, levels []sources.Crossing, size float64, rows int) []ui.ChartLine {
	var out []ui.ChartLine
	before, at := sources.Crossing{}, -1
	for _, level := range levels {
		row := int(math.Round((1-level.Level/100)*float64(4*rows-1))) / 4
		if row == at && len(out) > 0 {
			line := &out[len(out)-1]
			line.Label = joinLevels(line.Label, level.What)
			if level.Passed || !before.Passed && before.At.IsZero() {
				line.Style = levelStyle(f, level)
			}
		} else {
			out = append(out, ui.ChartLine{Label: level.What, Value: size * level.Level / 100, Style: levelStyle(f, level)})
		}
		before, at = level, row
	}
	return out
}

// joinLevels names levels on one line: two by name, more from the first to
// the last.
func joinLevels(label, what string) string {
	for _, joint := range []string{", ", " to "} {
		if first, _, more := strings.Cut(label, joint); more {
			return first + " to " + what
		}
	}
	return label + ", " + what
}

// levelStyle colours a level by how near it is; passing it is never green.
func levelStyle(f ui.Frame, c sources.Crossing) lipgloss.Style {
	switch {
	case c.Passed:
		return f.Theme.Critical
	case c.At.IsZero():
		return f.Theme.Dim
	}
	return f.Theme.Warning
}

func levelLines(f ui.Frame, d sources.DiskUse, width int) []string {
	sh := sheet{titles: []string{"level", "at", "reached", "date"}}
	for _, c := range d.Crossings {
		style := levelStyle(f, c)
		when, on := sources.Until(c.At, f.Now), farDate(c.At, f.Now)
		switch {
		case c.Passed:
			when, on = "passed", ""
		case !d.Forecast:
			when, on = unsure, noForecast(d)
		case c.At.IsZero():
			when, on = "never", "at the present growth"
		}
		sh.rows = append(sh.rows, []ui.Cell{
			plain(f, c.What), plain(f, fmt.Sprintf("%.1f %%", c.Level)), // as the evidence has it
			{Text: when, Style: style}, dim(f, on),
		})
	}
	if len(sh.rows) == 0 {
		return []string{f.Theme.Unknown.Render(ui.Fit(noForecast(d), width))}
	}
	return sh.lines(f, width)
}

// farDate is the day of a forecast, or only its year where the time until
// then is said in years: a day would promise more than a trend knows.
func farDate(t, now time.Time) string {
	if t.Sub(now) < 2*365*day {
		return date(t)
	}
	return t.UTC().Format("2006")
}

// noForecast is the reason why nothing is said about the future.
func noForecast(d sources.DiskUse) string {
	if d.WhyNot != "" {
		return "no forecast: " + d.WhyNot
	}
	return "no forecast yet"
}

func diskFacts(f ui.Frame, d sources.DiskUse, width int) []string {
	if d.Percent < 0 {
		return pairs(f, width, pair{"used", judged(f, sources.Unknown, "unknown: "+orUnsure(d.WhyNot))})
	}
	grows := noForecast(d)
	if d.Forecast {
		grows = sources.Growth(d.Growth) + ", full " + fullWords(d.FullAt(), f.Now)
	}
	inodes := "no fixed number"
	if d.FS.Inodes > 0 {
		inodes = percent(d.FS.InodesPercent()) + " in use"
	}
	return pairs(f, width,
		pair{"used", judged(f, d.Severity, sources.Bytes(float64(d.FS.Used))+", "+percent(d.Percent)+" as df counts")},
		pair{"available", plain(f, sources.Bytes(float64(d.FS.Available))+" of "+sources.Bytes(float64(d.FS.Capacity)))},
		pair{"growth", plain(f, grows)},
		pair{"inodes", plain(f, inodes)},
		pair{"measured", plain(f, agoWords(d.At, f.Now)+" by the kubelet")},
	)
}

func fullWords(t, now time.Time) string {
	if t.IsZero() {
		return "never at this growth"
	}
	return sources.Until(t, now)
}

// crossing returns the level of a name, if the disk has it.
func crossing(d sources.DiskUse, what string) (sources.Crossing, bool) {
	for _, c := range d.Crossings {
		if c.What == what {
			return c, true
		}
	}
	return sources.Crossing{}, false
}
