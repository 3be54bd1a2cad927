package rules

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"daytwo/sources"
)

// A reading of a kubelet that failed is still judged for so long; then the
// disk is unknown.
const statsLast = 10 * time.Minute

// Growth below this share of the disk a day would take a lifetime to fill it.
const standing = 1e-5

// judgeDisks makes the disk rows and applies the disk rules: one line for
// each filesystem, the forecast within it.
func (l *look) judgeDisks() {
	if waiting(l, "disk", "nodes", l.s.Nodes) {
		return
	}
	rows := make([]sources.DiskUse, 0, len(l.s.Nodes.Value))
	var blind []blindness
	for i := range l.s.Nodes.Value {
		n := l.s.Nodes.Value[i].Name
		r := l.s.Stats[n]
		rows = append(rows, sources.DiskUse{Node: n, At: r.At, Percent: -1})
		row := &rows[len(rows)-1]
		row.About = node(n)
		row.Past = l.s.History.Value.Points(sources.DiskUsedSeries(n))
		if why := l.cannotSee(r); why != "" {
			row.Severity, row.WhyNot = sources.Unknown, why
			if b, tell := l.blind(n, r); tell {
				blind = append(blind, b)
			}
		} else {
			l.judgeDisk(row, r)
		}
		if knownFS(r) && r.Value.ImageOwn {
			rows = append(rows, l.imageDisk(n, r))
		}
	}
	sortRows(rows, func(d *sources.DiskUse) *sources.Row { return &d.Row })
	l.out.Disks = rows
	l.diskUnknown(blind)
}

// knownFS reports whether a kubelet ever told of its root filesystem; a
// reading may hold CPU and memory alone.
func knownFS(r sources.Reading[sources.NodeStats]) bool {
	return r.Loaded() && r.Value.FS.Used+r.Value.FS.Available > 0
}

// cannotSee says why a disk is unknown, "" if it is known.
func (l *look) cannotSee(r sources.Reading[sources.NodeStats]) string {
	stale := r.Err != nil && r.Age(l.now) > statsLast
	switch {
	case knownFS(r) && stale && r.Value.FS.Percent() <= l.limits.DiskWarning && !l.apiErr:
		return fmt.Sprintf("not read for %s: %v", sources.Span(r.Age(l.now)), r.Err)
	case knownFS(r):
		return ""
	case r.Err != nil:
		return r.Err.Error()
	case r.Loaded():
		return "its kubelet tells nothing of the root filesystem"
	}
	return "waiting for its kubelet"
}

// blindness is a node whose disk cannot be seen, and why.
type blindness struct {
	node, why string
	at        time.Time
}

// blind reports whether a finding shall tell of it: not while loading, not
// where a node that is down or an API server that is gone explains it.
func (l *look) blind(n string, r sources.Reading[sources.NodeStats]) (blindness, bool) {
	if l.apiErr || l.down[n] || (r.Err == nil && !r.Loaded()) {
		return blindness{}, false
	}
	why := "its kubelet tells nothing of the root filesystem"
	if r.Err != nil {
		why = r.Err.Error()
	}
	return blindness{n, why, r.At}, true
}

// diskUnknown files one finding for each reason, however many nodes have it.
func (l *look) diskUnknown(blind []blindness) {
	byWhy := map[string][]blindness{}
	var order []string
	for _, b := range blind {
		if byWhy[b.why] == nil {
			order = append(order, b.why)
		}
		byWhy[b.why] = append(byWhy[b.why], b)
	}
	for i, why := range order {
		group := byWhy[why]
		f := sources.Finding{Rule: DiskUnknown, Severity: sources.Unknown, About: node(group[0].node)}
		f.Summary = "disk use unknown: " + brief(why, 70)
		if len(group) > 1 {
			if i == 0 {
				f.About = l.cluster()
			}
			f.Summary = fmt.Sprintf("disk use of %d of %d nodes unknown: %s", len(group), len(l.s.Nodes.Value), brief(why, 60))
		}
		for _, b := range group[:min(len(group), 20)] {
			f.Evidence = append(f.Evidence, fact(b.at, "kubelet of "+b.node, why))
		}
		l.add(nil, f)
	}
}

// judgeDisk applies disk.used, disk.forecast and disk.inodes to a node's
// root filesystem.
func (l *look) judgeDisk(row *sources.DiskUse, r sources.Reading[sources.NodeStats]) {
	row.FS = r.Value.FS
	row.Percent = row.FS.Percent()
	t := l.forecast(row)
	sev := level(row.Percent, l.limits)
	soon := l.soon(row)
	if max(sev, soon) > sources.OK {
		f := sources.Finding{Rule: DiskUsed, Severity: max(sev, soon), About: row.About}
		if sev == sources.OK {
			f.Rule = DiskForecast
		}
		f.Summary = l.diskSummary(row)
		f.Evidence = l.diskEvidence(row, r, t)
		l.add(&row.Row, f)
	}
	l.inodes(row)
}

// level compares percent used with the two limits of the weekly checklist.
func level(percent float64, t sources.Thresholds) sources.Severity {
	switch {
	case percent > t.DiskCritical:
		return sources.Critical
	case percent > t.DiskWarning:
		return sources.Warning
	}
	return sources.OK
}

// soon judges the crossings that hurt: eviction, where pods die, and full.
func (l *look) soon(row *sources.DiskUse) sources.Severity {
	worst := sources.OK
	for _, c := range row.Crossings {
		if (c.What != crossEviction && c.What != crossFull) || c.At.IsZero() {
			continue
		}
		switch left := c.At.Sub(l.now); {
		case left < 2*24*time.Hour:
			worst = max(worst, sources.Critical)
		case left < 14*24*time.Hour:
			worst = max(worst, sources.Warning)
		}
	}
	return worst
}

// diskSummary is "92 % used, +2.1 GB/day · GC passed · eviction in 3 d ·
// full in 5 d".
func (l *look) diskSummary(row *sources.DiskUse) string {
	var text strings.Builder
	text.WriteString(sources.Percent(row.Percent) + " used")
	switch {
	case row.Forecast && row.Growth < float64(row.FS.Capacity)*standing:
		text.WriteString(", not growing")
	case row.Forecast:
		text.WriteString(", " + sources.Growth(row.Growth))
	}
	evicts, high := false, highName(l.limits.DiskCritical)
	for _, c := range row.Crossings {
		evicts = evicts || c.What == crossEviction
	}
	for _, c := range row.Crossings {
		if c.What == high && (evicts || c.Passed) {
			continue // the four times are in the evidence, the line is short
		}
		name := c.What
		if name == crossGC {
			name = "GC"
		}
		switch {
		case c.Passed:
			text.WriteString(" · " + name + " passed")
		case !c.At.IsZero():
			text.WriteString(" · " + name + " " + sources.Until(c.At, l.now))
		}
	}
	if l.events.gcFails[row.Node] != nil {
		text.WriteString(" · image GC frees nothing")
	}
	return text.String()
}

func (l *look) diskEvidence(row *sources.DiskUse, r sources.Reading[sources.NodeStats], t trend) []sources.Fact {
	facts := []sources.Fact{fact(r.At, "kubelet stats/summary", fmt.Sprintf("%s used, %s available of %s: %.1f %% by df's formula",
		sources.Bytes(float64(row.FS.Used)), sources.Bytes(float64(row.FS.Available)), sources.Bytes(float64(row.FS.Capacity)), row.Percent))}
	if r.Err != nil {
		facts = append(facts, fact(r.At, "kubelet stats/summary", "not read again since: "+r.Err.Error()))
	}
	if row.Forecast {
		text := fmt.Sprintf("%s, measured over %s from %d samples (Theil–Sen)", sources.Growth(row.Growth), sources.Span(row.Over), t.count)
		if t.teeth {
			text += ", on the lower envelope of clean-ups"
		}
		facts = append(facts, fact(t.at, "history", text))
	} else {
		facts = append(facts, fact(l.s.History.At, "history", "no forecast: "+row.WhyNot))
	}
	cfg := l.s.Configs[row.Node]
	switch {
	case cfg.Loaded():
		facts = append(facts, fact(cfg.At, "kubelet configz", configText(cfg.Value)))
	case cfg.Err != nil:
		facts = append(facts, fact(cfg.At, "kubelet configz", "thresholds unknown: "+cfg.Err.Error()))
	}
	for _, c := range row.Crossings {
		facts = append(facts, l.crossingFact(c, r.At, row.Forecast))
	}
	if e := l.events.gcFails[row.Node]; e != nil {
		facts = append(facts, fact(e.Last, "event "+e.Reason, e.Message))
	}
	return facts
}

func (l *look) crossingFact(c sources.Crossing, at time.Time, forecast bool) sources.Fact {
	when := ": not at the present growth"
	switch {
	case c.Passed:
		when = ": passed"
	case !forecast:
		when = ""
	case !c.At.IsZero():
		when = ": " + sources.Until(c.At, l.now) + ", " + c.At.UTC().Format("2006-01-02 15:04Z")
	}
	return fact(at, "forecast", fmt.Sprintf("%s at %.1f %% by df%s", c.What, c.Level, when))
}

func configText(c sources.NodeConfig) string {
	var text strings.Builder
	fmt.Fprintf(&text, "image GC at %.0f %%, down to %.0f %%", c.ImageGCHigh, c.ImageGCLow)
	for _, key := range []string{"nodefs.available", "imagefs.available", "nodefs.inodesFree"} {
		if v, ok := c.EvictionHard[key]; ok {
			text.WriteString(", eviction at " + key + "<" + v)
		}
	}
	return text.String()
}

// inodes: ENOSPC comes at the last inode just as at the last byte, and k3s
// sets no eviction threshold for them.
func (l *look) inodes(row *sources.DiskUse) {
	p := row.FS.InodesPercent()
	sev := level(p, l.limits)
	if sev == sources.OK {
		return
	}
	f := sources.Finding{Rule: DiskInodes, Severity: sev, About: row.About}
	f.Summary = fmt.Sprintf("%s of inodes used, %d left", sources.Percent(p), row.FS.InodesFree)
	f.Evidence = []sources.Fact{fact(row.At, "kubelet stats/summary", fmt.Sprintf("%d inodes, %d free", row.FS.Inodes, row.FS.InodesFree))}
	cfg := l.s.Configs[row.Node]
	if _, evicts := cfg.Value.EvictionHard["nodefs.inodesFree"]; cfg.Loaded() && !evicts {
		f.Evidence = append(f.Evidence, fact(cfg.At, "kubelet configz",
			"no eviction threshold for nodefs.inodesFree: nothing is evicted before writes fail"))
	}
	l.add(&row.Row, f)
}

// imageDisk is the row of an image filesystem of its own. The kubelet counts
// only images as used there, so the share is taken of what is not available.
func (l *look) imageDisk(n string, r sources.Reading[sources.NodeStats]) sources.DiskUse {
	fs := r.Value.ImageFS
	row := sources.DiskUse{Node: n, Images: true, FS: fs, At: r.At, Percent: -1, WhyNot: "no samples of the image filesystem are kept"}
	row.About = node(n)
	if fs.Capacity <= 0 {
		row.Severity = sources.Unknown
		return row
	}
	row.Percent = 100 * float64(fs.Capacity-fs.Available) / float64(fs.Capacity)
	sev := level(row.Percent, l.limits)
	if sev == sources.OK {
		return row
	}
	l.add(&row.Row, sources.Finding{
		Rule: DiskImages, Severity: sev, About: row.About,
		Summary: sources.Percent(row.Percent) + " of the image filesystem used, " + sources.Bytes(float64(fs.Used)) + " by images",
		Evidence: []sources.Fact{fact(r.At, "kubelet stats/summary",
			sources.Bytes(float64(fs.Available))+" available of "+sources.Bytes(float64(fs.Capacity)))},
	})
	return row
}

// isAccess finds a missing permission in an error.
func isAccess(err error) (*sources.AccessError, bool) {
	var a *sources.AccessError
	ok := errors.As(err, &a)
	return a, ok
}
