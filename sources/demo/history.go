package demo

import (
	"slices"
	"time"

	"daytwo/sources"
)

// loopPast is what a container in a loop went through before the world began.
type loopPast struct {
	owner          sources.Ref
	pod, container string
	restarts       []time.Time
}

// History is what a cockpit that had run all along would remember when the
// world began: disk and inodes of each node for the scenario's whole story,
// CPU and memory for a month, and the restart counters; thinned with age,
// oldest first. The empty scenario has none.
func (w *World) History() []sources.Sample {
	var out []sources.Sample
	switch w.scenario {
	case Incident, Healthy:
		for _, m := range w.machines {
			out = w.diskSamples(out, m, w.moments(storyDays*day))
			out = w.loadSamples(out, m, w.moments(30*day))
		}
	case Large:
		fortnight, recent := w.every(day, 14*day, 0), w.every(time.Minute, 15*time.Minute, 0)
		for _, m := range w.machines {
			out = w.diskSamples(out, m, fortnight)
			out = w.loadSamples(out, m, recent)
		}
	case Empty:
	}
	for i := range w.loops {
		out = w.loops[i].samples(out)
	}
	slices.SortStableFunc(out, func(a, b sources.Sample) int { return a.At.Compare(b.At) })
	return out
}

// moments are the times of samples as thinned history has them: by minute
// for two hours, half hour for two days, two hours for a month, then by day.
func (w *World) moments(oldest time.Duration) []time.Time {
	at := w.every(day, oldest, 30*day)
	at = append(at, w.every(2*time.Hour, 30*day, 2*day)...)
	at = append(at, w.every(30*time.Minute, 2*day, 2*time.Hour)...)
	return append(at, w.every(time.Minute, 2*time.Hour, 0)...)
}

// every lists times from oldest ago to just before newest ago.
func (w *World) every(step, oldest, newest time.Duration) []time.Time {
	var at []time.Time
	for d := oldest; d > newest || (newest == 0 && d == 0); d -= step {
		at = append(at, w.began.Add(-d))
	}
	return at
}

func (w *World) diskSamples(out []sources.Sample, m *machine, at []time.Time) []sources.Sample {
	for _, t := range at {
		if t.Before(m.created) {
			continue
		}
		inodes := m.inodesUsed(t)
		out = append(out,
			sources.Sample{At: t, Series: sources.DiskUsedSeries(m.name), Value: float64(m.diskUsed(t))},
			sources.Sample{At: t, Series: sources.DiskAvailSeries(m.name), Value: float64(m.diskAvailable(t))},
			sources.Sample{At: t, Series: sources.InodesUsedSeries(m.name), Value: float64(inodes)},
			sources.Sample{At: t, Series: sources.InodesFreeSeries(m.name), Value: float64(m.inodes - inodes)},
		)
	}
	return out
}

func (w *World) loadSamples(out []sources.Sample, m *machine, at []time.Time) []sources.Sample {
	for _, t := range at {
		out = append(out,
			sources.Sample{At: t, Series: sources.CPUSeries(m.name), Value: m.cpu(t)},
			sources.Sample{At: t, Series: sources.MemorySeries(m.name), Value: m.mem(t)},
		)
	}
	return out
}

// samples are the counter before and after each restart, a minute apart as
// seen by somebody who looks every minute.
func (l *loopPast) samples(out []sources.Sample) []sources.Sample {
	series := sources.RestartSeries(l.owner, l.pod, l.container)
	for i, t := range l.restarts {
		out = append(out,
			sources.Sample{At: t.Add(-30 * time.Second), Series: series, Value: float64(i)},
			sources.Sample{At: t.Add(30 * time.Second), Series: series, Value: float64(i + 1)},
		)
	}
	return out
}
