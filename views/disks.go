package views

import (
	"cmp"
	"strconv"
	"time"

	"daytwo/sources"
	"daytwo/ui"

	"charm.land/lipgloss/v2"
)

func diskKind() kind[sources.DiskUse] {
	k := kind[sources.DiskUse]{
		part: disks, name: "Disk", topic: "disk",
		rows:   func(j *sources.Judgement) []sources.DiskUse { return j.Disks },
		row:    func(d *sources.DiskUse) *sources.Row { return &d.Row },
		id:     diskName,
		match:  diskName,
		narrow: diskPane, wide: diskList, coming: disksComing,
	}
	k.note = func(rows []sources.DiskUse) string { return okOf(k, rows) }
	return k
}

// disksComing says how many kubelets were asked while not all were: until
// then it means nothing that a disk is not known to be ok.
func disksComing(s *sources.Snapshot) string {
	asked, all := ui.KubeletsAsked(s)
	if asked == all {
		return ""
	}
	return "reading " + number(asked) + " of " + number(all)
}

// diskName is the node's name; a node with a filesystem of its own for images
// has two disks.
func diskName(d sources.DiskUse) string {
	if d.Images {
		return d.Node + " images"
	}
	return d.Node
}

type diskColumn = ui.Column[sources.DiskUse]

func diskPane(width int) []diskColumn {
	name := min(max(width/4, 12), 28)
	bar := max(width-name-33, 4)
	return []diskColumn{
		severityColumn(diskKind().row),
		{Title: "node", Width: name, Cell: diskNameCell},
		{Title: "used", Width: bar, Priority: 3, Cell: func(f ui.Frame, d sources.DiskUse) ui.Cell {
			return barCell(f, d, bar)
		}},
		{Title: "", Width: 4, Right: true, Cell: diskPercent},
		{Title: "growth", Width: 8, Right: true, Priority: 2, Cell: diskGrowth},
		{Title: "deadline", Width: 10, Right: true, Priority: 1, Cell: diskDeadline},
	}
}

func diskList(width int) []diskColumn {
	bar := min(max(width/7, 10), 40)
	sized := func(title, key string, priority int, of func(sources.DiskUse) int64) diskColumn {
		return diskColumn{
			Title: title, Key: key, Width: 7, Right: true, Priority: priority, Falls: true,
			Cell: func(f ui.Frame, d sources.DiskUse) ui.Cell {
				if d.Percent < 0 {
					return judged(f, sources.Unknown, unsure)
				}
				return dim(f, sources.Bytes(float64(of(d))))
			},
			Compare: func(a, b sources.DiskUse) int { return cmp.Compare(of(b), of(a)) },
		}
	}
	return []diskColumn{
		severityColumn(diskKind().row),
		{Title: "node", Key: "N", Width: nameWidth(width), Cell: diskNameCell, Compare: func(a, b sources.DiskUse) int {
			return sources.CompareNames(diskName(a), diskName(b))
		}},
		{Title: "", Width: bar, Priority: 7, Cell: func(f ui.Frame, d sources.DiskUse) ui.Cell {
			return barCell(f, d, bar)
		}},
		{Title: "%", Key: "%", Width: 4, Right: true, Cell: diskPercent, Falls: true, Compare: func(a, b sources.DiskUse) int {
			return cmp.Compare(b.Percent, a.Percent)
		}},
		sized("used", "U", 2, func(d sources.DiskUse) int64 { return d.FS.Used }),
		sized("avail", "A", 2, func(d sources.DiskUse) int64 { return d.FS.Available }),
		sized("size", "Z", 3, func(d sources.DiskUse) int64 { return d.FS.Capacity }),
		{Title: "inodes", Key: "I", Width: 6, Right: true, Priority: 5, Cell: diskInodes, Falls: true, Compare: func(a, b sources.DiskUse) int {
			return cmp.Compare(b.FS.InodesPercent(), a.FS.InodesPercent())
		}},
		{Title: "growth", Key: "R", Width: 8, Right: true, Cell: diskGrowth, Falls: true, Compare: func(a, b sources.DiskUse) int {
			return cmp.Compare(b.Growth, a.Growth)
		}},
		{Title: "over", Width: 6, Right: true, Priority: 8, Cell: diskOver},
		levelColumn("image GC", "C", 6), levelColumn("90 %", "", 6), levelColumn("eviction", "E", 0),
		{Title: "full in", Key: "F", Width: 8, Right: true, Priority: 1, Cell: diskFull, Compare: func(a, b sources.DiskUse) int {
			return compareSoonest(a.FullAt(), b.FullAt())
		}},
		{Title: "measured", Width: 8, Right: true, Priority: 9, Cell: func(f ui.Frame, d sources.DiskUse) ui.Cell {
			return dim(f, ago(d.At, f.Now))
		}},
	}
}

// barCell is the use as a thin bar. The track is told from the bar by its
// weight, because a cell has one style.
func barCell(f ui.Frame, d sources.DiskUse, width int) ui.Cell {
	var unstyled lipgloss.Style
	plain := ui.Theme{ASCII: f.Theme.ASCII}
	return judged(f, d.Severity, ui.Bar(plain, d.Percent, width, unstyled))
}

func diskNameCell(f ui.Frame, d sources.DiskUse) ui.Cell { return strong(f, diskName(d)) }

func diskPercent(f ui.Frame, d sources.DiskUse) ui.Cell {
	if d.Percent < 0 {
		return judged(f, sources.Unknown, unsure)
	}
	return judged(f, d.Severity, percent(d.Percent))
}

func diskInodes(f ui.Frame, d sources.DiskUse) ui.Cell {
	switch {
	case d.Percent < 0:
		return judged(f, sources.Unknown, unsure)
	case d.FS.Inodes <= 0:
		return dim(f, "-")
	}
	return dim(f, percent(d.FS.InodesPercent()))
}

func diskGrowth(f ui.Frame, d sources.DiskUse) ui.Cell {
	if !d.Forecast {
		return judged(f, sources.Unknown, unsure)
	}
	return dim(f, growth(d.Growth))
}

func diskOver(f ui.Frame, d sources.DiskUse) ui.Cell {
	if !d.Forecast || d.Over == 0 {
		return dim(f, "")
	}
	return dim(f, sources.Span(d.Over))
}

func diskFull(f ui.Frame, d sources.DiskUse) ui.Cell {
	if !d.Forecast {
		return judged(f, sources.Unknown, unsure)
	}
	return styledEta(f, d, d.FullAt())
}

// diskDeadline is the first of the times that hurt, by its name: the kubelet
// evicts pods some days before the disk is full. Beyond a year neither matters.
func diskDeadline(f ui.Frame, d sources.DiskUse) ui.Cell {
	evicts, known := crossing(d, "eviction")
	switch {
	case known && evicts.Passed:
		return judged(f, max(d.Severity, sources.Warning), "evicts now")
	case !d.Forecast:
		return judged(f, sources.Unknown, unsure)
	}
	what, at := "full ", d.FullAt()
	if known && !evicts.At.IsZero() {
		what, at = "evict ", evicts.At
	}
	cell := styledEta(f, d, at)
	if !at.IsZero() && at.Sub(f.Now) <= 365*day {
		cell.Text = what + cell.Text
	}
	return cell
}

// styledEta makes what is near as loud as the row is, and lets the rest
// stand back.
func styledEta(f ui.Frame, d sources.DiskUse, at time.Time) ui.Cell {
	text := eta(at, f.Now)
	if d.Severity > sources.OK && !at.IsZero() {
		return judged(f, d.Severity, text)
	}
	return plain(f, text)
}

// levelColumn is when a disk passes one of the levels on the way to full.
func levelColumn(what, key string, priority int) diskColumn {
	return diskColumn{
		Title: what, Key: key, Width: 8, Right: true, Priority: priority,
		Cell: func(f ui.Frame, d sources.DiskUse) ui.Cell {
			c, ok := crossing(d, what)
			switch {
			case ok && c.Passed:
				return judged(f, max(d.Severity, sources.Warning), "passed")
			case !ok || !d.Forecast:
				return judged(f, sources.Unknown, unsure)
			}
			return styledEta(f, d, c.At)
		},
		Compare: func(a, b sources.DiskUse) int {
			x, _ := crossing(a, what)
			y, _ := crossing(b, what)
			if x.Passed != y.Passed {
				return map[bool]int{true: -1, false: 1}[x.Passed]
			}
			return compareSoonest(x.At, y.At)
		},
	}
}

// compareSoonest puts what never comes last.
func compareSoonest(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		if a.IsZero() {
			return 1
		}
		return -1
	}
	return a.Compare(b)
}

func number(n int) string { return strconv.Itoa(n) }
