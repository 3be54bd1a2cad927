package views

import (
	"cmp"
	"math"
	"strings"
	"time"

	"daytwo/sources"
	"daytwo/ui"

	"charm.land/lipgloss/v2"
)

func nodeKind() kind[sources.NodeHealth] {
	k := kind[sources.NodeHealth]{
		part: nodes, name: "Nodes", topic: "node",
		rows:   func(j *sources.Judgement) []sources.NodeHealth { return j.Nodes },
		row:    func(n *sources.NodeHealth) *sources.Row { return &n.Row },
		id:     func(n sources.NodeHealth) string { return n.Node.Name },
		match:  nodeText,
		narrow: nodePane, wide: nodeList,
	}
	k.note = func(rows []sources.NodeHealth) string {
		ready, cordoned := 0, 0
		for _, n := range rows {
			if n.Node.Unschedulable {
				cordoned++
			}
			if c, ok := n.Node.Condition("Ready"); ok && c.Status == "True" {
				ready++
			}
		}
		note := number(ready) + " of " + number(len(rows)) + " ready"
		if cordoned > 0 {
			note += ", " + number(cordoned) + " cordoned"
		}
		return note
	}
	return k
}

func nodeText(n sources.NodeHealth) string {
	return strings.Join([]string{
		n.Node.Name, nodeRole(n.Node), nodeState(n), n.Node.Version, n.Node.OSImage,
		n.Node.InternalIP, strings.Join(n.Node.Taints, " "),
	}, " ")
}

type nodeColumn = ui.Column[sources.NodeHealth]

// nodePane is the columns of the pane: load as a picture of the last hour
// and the number now. The role gives way to a state that is not Ready.
func nodePane(width int) []nodeColumn {
	spark := min(max((width-56)/5, 4), 12)
	version := 8
	if width > 90 {
		version = 14
	}
	cpu, cpuNow := loadColumns("cpu", "", 1, spark, cpuOf)
	mem, memNow := loadColumns("mem", "", 2, spark, memoryOf)
	cpu.Compare, mem.Compare = nil, nil // a pane keeps its order
	return []nodeColumn{
		severityColumn(nodeKind().row),
		{Title: "name", Cell: nodeName},
		{Title: "role", Width: 8, Cell: roleOrState},
		{Title: "version", Width: version, Priority: 5, Cell: func(f ui.Frame, n sources.NodeHealth) ui.Cell {
			return dim(f, shortVersion(n.Node.Version, version))
		}},
		cpu, cpuNow, mem, memNow,
		{Title: "pods", Width: 4, Right: true, Priority: 6, Cell: nodePods},
		{Title: "state", Width: 16, Priority: 7, Cell: stateCell},
	}
}

// nodeList is the columns at full size.
func nodeList(width int) []nodeColumn {
	text := func(title, key string, width, priority int, of func(sources.NodeHealth) string) nodeColumn {
		return nodeColumn{
			Title: title, Key: key, Width: width, Priority: priority,
			Cell:    func(f ui.Frame, n sources.NodeHealth) ui.Cell { return dim(f, of(n)) },
			Compare: func(a, b sources.NodeHealth) int { return sources.CompareNames(of(a), of(b)) },
		}
	}
	cpu, cpuNow := loadColumns("cpu", "C", 1, 6, cpuOf)
	mem, memNow := loadColumns("memory", "M", 1, 6, memoryOf)
	return []nodeColumn{
		severityColumn(nodeKind().row),
		{Title: "name", Key: "N", Width: nameWidth(width), Cell: nodeName, Compare: func(a, b sources.NodeHealth) int {
			return sources.CompareNames(a.Node.Name, b.Node.Name)
		}},
		text("role", "R", 6, 4, func(n sources.NodeHealth) string { return nodeRole(n.Node) }),
		{Title: "state", Key: "T", Width: 18, Cell: stateCell, Falls: true, Compare: func(a, b sources.NodeHealth) int {
			return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(nodeState(a), nodeState(b)))
		}},
		text("version", "V", 14, 3, func(n sources.NodeHealth) string { return n.Node.Version }),
		cpu, cpuNow, mem, memNow,
		{
			Title: "pods", Key: "P", Width: 4, Right: true, Priority: 3, Cell: nodePods, Falls: true,
			Compare: func(a, b sources.NodeHealth) int { return cmp.Compare(b.Pods, a.Pods) },
		},
		{Title: "disk", Key: "D", Width: 4, Right: true, Priority: 2, Cell: nodeDisk},
		{Title: "age", Key: "A", Width: 7, Right: true, Priority: 5, Falls: true, Cell: func(f ui.Frame, n sources.NodeHealth) ui.Cell {
			return dim(f, ago(n.Node.Created, f.Now))
		}, Compare: func(a, b sources.NodeHealth) int { return a.Node.Created.Compare(b.Node.Created) }},
		text("address", "", 15, 6, func(n sources.NodeHealth) string { return n.Node.InternalIP }),
		text("os", "O", 20, 7, func(n sources.NodeHealth) string { return n.Node.OSImage }),
		text("kernel", "K", 16, 9, func(n sources.NodeHealth) string { return n.Node.Kernel }),
		text("runtime", "", 20, 10, func(n sources.NodeHealth) string { return n.Node.Runtime }),
		text("taints", "", 24, 8, func(n sources.NodeHealth) string { return strings.Join(n.Node.Taints, ",") }),
	}
}

// nameWidth is the width of names at full size: wide terminals give the rest
// to air at the right, not to a gulf between a name and its numbers.
func nameWidth(width int) int { return min(max(width/5, 14), 36) }

// severityColumn is the glyph in front of every row.
func severityColumn[T any](row func(*T) *sources.Row) ui.Column[T] {
	return ui.Column[T]{Width: 1, Cell: func(f ui.Frame, r T) ui.Cell { return glyph(f, row(&r).Severity) }}
}

func nodeName(f ui.Frame, n sources.NodeHealth) ui.Cell { return strong(f, n.Node.Name) }

func nodePods(f ui.Frame, n sources.NodeHealth) ui.Cell { return dim(f, number(n.Pods)) }

func stateCell(f ui.Frame, n sources.NodeHealth) ui.Cell {
	state := nodeState(n)
	if state == "Ready" {
		return dim(f, state)
	}
	return judged(f, max(n.Severity, sources.Warning), state)
}

func roleOrState(f ui.Frame, n sources.NodeHealth) ui.Cell {
	if state := nodeState(n); state != "Ready" {
		return judged(f, max(n.Severity, sources.Warning), state)
	}
	return dim(f, nodeRole(n.Node))
}

// nodeDisk is the node's disk as the disk pane has it.
func nodeDisk(f ui.Frame, n sources.NodeHealth) ui.Cell {
	d, ok := findDisk(f.Snapshot, n.Node.Name)
	if !ok {
		return judged(f, sources.Unknown, unsure)
	}
	return judged(f, d.Severity, percent(d.Percent))
}

// loadColumns are the last hour in a few blocks, and the value now.
func loadColumns(title, key string, priority, width int, of func(sources.NodeHealth) (float64, []sources.Point)) (spark, value nodeColumn) {
	spark = nodeColumn{
		Title: title, Key: key, Width: width, Priority: priority, Falls: true,
		Cell: func(f ui.Frame, n sources.NodeHealth) ui.Cell {
			now, past := of(n)
			var unstyled lipgloss.Style // the cell has the style
			blocks := ui.Spark(f.Theme, buckets(past, f.Now.Add(-time.Hour), f.Now, width), 0, 1, width, unstyled)
			return ui.Cell{Text: blocks, Style: loadStyle(f, n, now, styleIf(title == "cpu", f.Theme.OK, f.Theme.Accent))}
		},
		Compare: func(a, b sources.NodeHealth) int {
			x, _ := of(a)
			y, _ := of(b)
			return cmp.Compare(y, x)
		},
	}
	value = nodeColumn{
		Width: 4, Right: true, Priority: priority,
		Cell: func(f ui.Frame, n sources.NodeHealth) ui.Cell {
			now, _ := of(n)
			return ui.Cell{Text: percent(now), Style: loadStyle(f, n, now, f.Theme.Text)}
		},
	}
	return spark, value
}

func cpuOf(n sources.NodeHealth) (float64, []sources.Point)    { return n.CPU, n.CPUPast }
func memoryOf(n sources.NodeHealth) (float64, []sources.Point) { return n.Memory, n.MemPast }

// loadStyle is calm unless the load was judged too high and this is the value
// that is.
func loadStyle(f ui.Frame, n sources.NodeHealth, now float64, calm lipgloss.Style) lipgloss.Style {
	switch {
	case now < 0:
		return f.Theme.Unknown
	case n.Load >= sources.Warning && now >= f.Snapshot.Settings.Thresholds.LoadPercent:
		return f.Theme.Severity(n.Load)
	}
	return calm
}

// buckets is the mean of the points in each of n equal spans of time; NaN
// where there are none.
func buckets(points []sources.Point, from, to time.Time, n int) []float64 {
	sums, counts := make([]float64, n), make([]int, n)
	each := to.Sub(from) / time.Duration(n)
	for _, p := range points {
		if p.At.Before(from) || p.At.After(to) {
			continue
		}
		i := min(int(p.At.Sub(from)/each), n-1)
		sums[i] += p.Value
		counts[i]++
	}
	for i := range sums {
		if counts[i] == 0 {
			sums[i] = math.NaN()
			continue
		}
		sums[i] /= float64(counts[i])
	}
	return sums
}

// shortVersion leaves out the k3s build where there is no room for it.
func shortVersion(v string, width int) string {
	if len(v) > width {
		v, _, _ = strings.Cut(v, "+")
	}
	return v
}
