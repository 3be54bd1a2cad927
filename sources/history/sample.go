package history

import (
	"math"
	"time"

	"daytwo/sources"
)

// confirmEvery is after how long a restart counter that has not moved is
// noted again. It tells a container that runs well from one that is gone,
// and keeps it within what Load shows.
const confirmEvery = 7 * day

// loadSpacing is the least time between two samples of a node's CPU and memory;
// metrics.k8s.io is asked more often.
const loadSpacing = 20 * time.Second

// sampler draws samples from snapshots and remembers what it has drawn: no
// reading is taken twice.
type sampler struct {
	stats    map[string]time.Time // by node: the reading last taken
	loads    map[string]time.Time // of CPU and memory
	disks    map[string]time.Time // by node: the reading whose disk was last taken
	pods     time.Time
	counters map[container]count
	window   time.Duration // within which restarts are counted
	round    int
}

// container is one container of one pod; a new pod of the same name is another.
type container struct{ uid, name string }

// count is a restart counter as it was last seen.
type count struct {
	value int32
	seen  time.Time
	noted time.Time // in the history; zero if not
	round int
}

func newSampler() *sampler {
	return &sampler{stats: map[string]time.Time{}, loads: map[string]time.Time{}, disks: map[string]time.Time{}, counters: map[container]count{}}
}

// take returns what is new in a snapshot. Readings that were never made or
// whose last look failed give nothing.
func (s *sampler) take(snap *sources.Snapshot, past sources.History) ([]sources.Sample, []sources.Change) {
	var out []sources.Sample
	var changes []sources.Change
	// In a big cluster disks are looked at less often: they fill slowly, and
	// 500 nodes would write 3 million samples a day.
	spacing := time.Duration(len(snap.Nodes.Value)/100) * time.Minute
	for i := range snap.Nodes.Value {
		n := &snap.Nodes.Value[i]
		r, ok := snap.Stats[n.Name]
		// CPU and memory may come from elsewhere than the disk's use, and be
		// good where that could not be read.
		if age := r.Value.LoadAt.Sub(s.loads[n.Name]); ok && r.Value.From != "" && (age >= loadSpacing || age < 0) {
			s.loads[n.Name] = r.Value.LoadAt
			out = appendLoad(out, n, r.Value)
		}
		if ok && r.Usable() && !r.At.Equal(s.stats[n.Name]) {
			s.stats[n.Name] = r.At
			if age := r.At.Sub(s.disks[n.Name]); age >= spacing || age < 0 {
				s.disks[n.Name] = r.At
				out = appendDisk(out, n.Name, r)
			}
		}
		if n.Version != "" && snap.Nodes.Usable() {
			changes = append(changes, sources.Change{At: snap.Nodes.At, Series: sources.KubeletVersionSeries(n.Name), Text: n.Version})
		}
	}
	return s.appendRestarts(out, snap, past), changes
}

// appendLoad adds CPU and memory as shares of what the node can allocate.
func appendLoad(out []sources.Sample, n *sources.Node, v sources.NodeStats) []sources.Sample {
	if n.CPU > 0 {
		out = append(out, sources.Sample{At: v.LoadAt, Series: sources.CPUSeries(n.Name), Value: float64(v.CPU) / float64(n.CPU)})
	}
	if n.Memory > 0 {
		out = append(out, sources.Sample{At: v.LoadAt, Series: sources.MemorySeries(n.Name), Value: float64(v.Memory) / float64(n.Memory)})
	}
	return out
}

// appendDisk adds the root filesystem; one the kubelet did not measure is all
// zero and says nothing.
func appendDisk(out []sources.Sample, node string, r sources.Reading[sources.NodeStats]) []sources.Sample {
	fs := r.Value.FS
	add := func(series string, v int64) {
		out = append(out, sources.Sample{At: r.At, Series: series, Value: float64(v)})
	}
	if fs.Used+fs.Available > 0 {
		add(sources.DiskUsedSeries(node), fs.Used)
		add(sources.DiskAvailSeries(node), fs.Available)
	}
	if fs.Inodes > 0 {
		add(sources.InodesUsedSeries(node), fs.Inodes-fs.InodesFree)
		add(sources.InodesFreeSeries(node), fs.InodesFree)
	}
	return out
}

// appendRestarts adds the counters that moved. Most never do; those are noted
// when a process first sees them, and then seldom.
func (s *sampler) appendRestarts(out []sources.Sample, snap *sources.Snapshot, past sources.History) []sources.Sample {
	pods := snap.Pods
	if !pods.Usable() || pods.At.Equal(s.pods) {
		return out
	}
	s.window = snap.Settings.Thresholds.RestartWindow
	s.pods = pods.At
	s.round++
	for i := range pods.Value {
		p := &pods.Value[i]
		for k := range p.Containers {
			out = s.appendCounter(out, p, &p.Containers[k], pods.At, past)
		}
	}
	for key, c := range s.counters {
		if c.round != s.round {
			delete(s.counters, key)
		}
	}
	return out
}

func (s *sampler) appendCounter(out []sources.Sample, p *sources.Pod, c *sources.Container, at time.Time, past sources.History) []sources.Sample {
	key := container{p.UID, c.Name}
	was, known := s.counters[key]
	now := count{value: c.Restarts, seen: at, noted: was.noted, round: s.round}
	add := func(at time.Time, v int32) {
		out = append(out, sources.Sample{At: at, Series: counterSeries(p, c), Value: float64(v)})
		now.noted = at
	}
	switch {
	case !known:
		if stood, ok := stoodAt(p, c, past); ok && at.Sub(stood) < s.confirmFirst(p, c) {
			now.noted = stood
		} else {
			add(at, c.Restarts)
		}
	case known && c.Restarts != was.value:
		// The last look at the old value dates the restart to the minute.
		if was.seen.Before(at) {
			add(was.seen, was.value)
		}
		add(at, c.Restarts)
	case known && c.Restarts > 0 && at.Sub(was.noted) >= confirmEvery:
		add(at, c.Restarts)
	}
	s.counters[key] = now
	return out
}

// confirmFirst is after how long a process that first sees a counter notes
// it although it has not moved. A check that cron starts every hour looks
// only once: the next one can tell restarts of the last hour from those of
// days only if this one has noted where the counter stood. What has ended
// restarts no more.
func (s *sampler) confirmFirst(p *sources.Pod, c *sources.Container) time.Duration {
	ended := p.Phase == "Succeeded" || p.Phase == "Failed"
	switch {
	case ended && c.Restarts == 0:
		return math.MaxInt64
	case ended || s.window <= 0:
		return confirmEvery
	}
	return s.window / 2
}

// stoodAt is when the counter is last known to have stood where it does now:
// in the history, or at zero when its pod began.
func stoodAt(p *sources.Pod, c *sources.Container, past sources.History) (time.Time, bool) {
	last, noted := lastPoint(past, counterSeries(p, c))
	switch {
	case noted:
		return last.At, last.Value == float64(c.Restarts)
	case c.Restarts == 0:
		return p.Created, true
	}
	return time.Time{}, false
}

// counterSeries files a counter under the pod's top owner, or the pod itself.
func counterSeries(p *sources.Pod, c *sources.Container) string {
	owner := p.Owner
	if owner.Name == "" {
		owner = p.Ref()
	}
	return sources.RestartSeries(owner, p.Name, c.Name)
}

func lastPoint(past sources.History, series string) (sources.Point, bool) {
	points := past.Points(series)
	if len(points) == 0 {
		return sources.Point{}, false
	}
	return points[len(points)-1], true
}
