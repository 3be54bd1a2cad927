package rules

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"daytwo/sources"
)

// Samples further apart than this leave a hole in which nothing is known.
const loadGap = 5 * time.Minute

// nodeLoad fills CPU and memory of the row and applies load.cpu and
// load.memory.
func (l *look) nodeLoad(row *sources.NodeHealth) {
	n := row.Node.Name
	row.CPU, row.Memory = -1, -1
	stats, asked := l.s.Stats[n]
	if known := stats.Value.From != "" && l.now.Sub(stats.Value.LoadAt) <= loadGap; known {
		row.CPU = ratio(stats.Value.CPU, row.Node.CPU)
		row.Memory = ratio(stats.Value.Memory, row.Node.Memory)
	}
	cpu, mem := l.s.History.Value.Points(sources.CPUSeries(n)), l.s.History.Value.Points(sources.MemorySeries(n))
	row.CPUPast, row.MemPast = recent(cpu, l.now, time.Hour), recent(mem, l.now, time.Hour)
	c := l.sustained(row, LoadCPU, "CPU", cpu)
	m := l.sustained(row, LoadMemory, "memory", mem)
	row.Load = max(c, m)
	switch {
	case row.CPU < 0 && stats.Err != nil:
		row.LoadError = stats.Err.Error()
	case row.CPU < 0 && stats.Value.From != "":
		row.LoadError = "CPU and memory were last measured " + sources.Ago(stats.Value.LoadAt, l.now)
	case row.CPU < 0 && asked:
		row.LoadError = "neither metrics.k8s.io nor the kubelet gave CPU and memory"
	case row.CPU < 0:
		row.LoadError = "waiting for metrics"
	case row.Load == sources.Unknown:
		row.LoadError = "less than " + sources.Span(l.limits.LoadFor) + " of samples"
	}
	if row.CPU < 0 {
		row.Load = max(row.Load, sources.Unknown)
	}
}

// ratio is used of all in percent; negative when all is not known.
func ratio(used, all int64) float64 {
	if all <= 0 {
		return -1
	}
	return 100 * float64(used) / float64(all)
}

// recent is the tail of a series that is at most d old.
func recent(points []sources.Point, now time.Time, d time.Duration) []sources.Point {
	from := now.Add(-d)
	i := sort.Search(len(points), func(i int) bool { return !points[i].At.Before(from) })
	if i == len(points) {
		return nil
	}
	return points[i:]
}

// sustained applies one load rule to a series of ratios and returns what is
// known: above the limit in every sample of the whole span is a warning;
// samples that do not cover the span are unknown.
func (l *look) sustained(row *sources.NodeHealth, rule, what string, points []sources.Point) sources.Severity {
	run := measureLoad(points, l.now, l.limits.LoadPercent/100, l.limits.LoadFor)
	switch {
	case run.samples < 3 || run.covered < l.limits.LoadFor:
		return sources.Unknown
	case run.above < l.limits.LoadFor:
		return sources.OK
	}
	l.add(&row.Row, sources.Finding{
		Rule: rule, Severity: sources.Warning, About: row.About,
		Summary: fmt.Sprintf("%s %s, over %s for %s", what, sources.Percent(100*run.last.Value),
			sources.Percent(l.limits.LoadPercent), sources.Span(run.above)),
		Evidence: []sources.Fact{fact(run.last.At, "history", fmt.Sprintf("%d samples since %s, each above %s of allocatable %s",
			run.samples, l.now.Add(-run.above).UTC().Format(time.RFC3339), sources.Percent(l.limits.LoadPercent), what))},
	})
	return sources.Warning
}

// loadRun is what the newest unbroken samples of a load series say.
type loadRun struct {
	last    sources.Point
	samples int
	covered time.Duration // without a hole, back from now
	above   time.Duration // in every sample, back from now
}

// measureLoad walks back from the newest sample until a hole, or until a low
// sample once enough is covered.
func measureLoad(points []sources.Point, now time.Time, limit float64, enough time.Duration) loadRun {
	var run loadRun
	high, prev := true, now
	for _, p := range slices.Backward(points) {
		if p.At.After(now) {
			continue // the clock jumped
		}
		if prev.Sub(p.At) > loadGap || (!high && run.covered >= enough) {
			break
		}
		if run.samples == 0 {
			run.last = p
		}
		high = high && p.Value > limit
		if high {
			run.above = now.Sub(p.At)
		}
		run.covered = now.Sub(p.At)
		run.samples++
		prev = p.At
	}
	return run
}

// loadUnknown says once that no node's CPU and memory can be read at all.
// The first minutes after a start are no finding, neither is what the API
// server's absence or a missing permission on the kubelets explains already.
func (l *look) loadUnknown() {
	if l.apiErr || len(l.out.Nodes) == 0 {
		return
	}
	why, at := "", time.Time{}
	for i := range l.out.Nodes {
		n := &l.out.Nodes[i]
		r, asked := l.s.Stats[n.Node.Name]
		if n.CPU >= 0 || !asked || (r.Err == nil && !r.Loaded()) {
			return
		}
		if l.down[n.Node.Name] {
			continue
		}
		if r.Err != nil && !knownFS(r) {
			return // disk.unknown says why this kubelet cannot be read
		}
		if why == "" {
			why, at = n.LoadError, r.At
		}
	}
	if why == "" {
		return
	}
	l.add(nil, sources.Finding{
		Rule: LoadUnknown, Severity: sources.Unknown, About: l.cluster(),
		Summary:  "CPU and memory unknown on every node: " + brief(why, 60),
		Evidence: []sources.Fact{fact(at, "metrics", why)},
	})
}
