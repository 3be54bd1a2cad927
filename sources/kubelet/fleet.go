package kubelet

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"daytwo/sources"
)

// member is one node: what it said last and when it is asked again.
type member struct {
	due       time.Time
	busy      bool
	fails     int // in a row
	asked     bool
	stats     sources.NodeStats
	statsAt   time.Time
	statsErr  error
	config    sources.Reading[sources.NodeConfig]
	configDue time.Time
}

// job is one node to ask.
type job struct {
	node    string
	config  bool // its configuration too
	doubted bool // it failed the last time
}

// answer is what a node said.
type answer struct {
	job

	stats     sources.NodeStats
	err       error
	conf      sources.NodeConfig
	configErr error
}

// fleet is the state of all nodes. It belongs to one goroutine and does not
// wait for anything: times are handed in.
type fleet struct {
	pace    pace
	members map[string]*member
	order   []string // names, for a fair turn
	usage   usage
	running int
	doubted int     // of these, nodes that failed the last time
	tokens  float64 // of the rate limit
	filled  time.Time

	dirty     bool
	fresh     bool // among it a node's first answer
	published time.Time
	last      time.Time // newest good answer
}

func newFleet(p pace) *fleet {
	return &fleet{pace: p, members: map[string]*member{}, tokens: float64(p.slots)}
}

// enrol adds nodes that are new and drops those that are gone. New ones are
// asked at once, and so are those that failed: what stood between may be gone.
func (f *fleet) enrol(names []string, now time.Time) {
	for n := range f.members {
		if !slices.Contains(names, n) {
			delete(f.members, n)
			f.dirty = true
		}
	}
	for _, n := range names {
		switch m := f.members[n]; {
		case m == nil:
			f.members[n] = &member{due: now, configDue: now}
		case m.fails > 0:
			m.due = now
		}
	}
	f.order = slices.Clone(names)
}

// every is the time between two summaries of one node: longer in a fleet so
// large that asking each would be too much for the API server.
func (f *fleet) every() time.Duration {
	least := time.Duration(float64(len(f.members)) / f.pace.rate * float64(time.Second))
	return max(f.pace.summary, least)
}

// due takes the nodes whose turn has come, as far as slots and rate allow,
// the longest overdue first. Nodes that failed the last time get half of the
// slots at most: they may hold them for the whole timeout.
func (f *fleet) due(now time.Time) []job {
	if !f.filled.IsZero() {
		f.tokens = min(float64(f.pace.slots), f.tokens+now.Sub(f.filled).Seconds()*f.pace.rate)
	}
	f.filled = now
	var ready []string
	for _, n := range f.order {
		if m := f.members[n]; !m.busy && !m.due.After(now) {
			ready = append(ready, n)
		}
	}
	slices.SortStableFunc(ready, func(a, b string) int { return f.members[a].due.Compare(f.members[b].due) })
	var jobs []job
	for _, n := range ready {
		if f.running >= f.pace.slots || f.tokens < 1 {
			break
		}
		m := f.members[n]
		if !f.wakes(m) {
			continue
		}
		if m.fails > 0 {
			f.doubted++
		}
		m.busy = true
		f.running++
		f.tokens--
		jobs = append(jobs, job{node: n, config: !m.configDue.After(now), doubted: m.fails > 0})
	}
	return jobs
}

// wakes reports whether a node's turn can come without another's answer.
func (f *fleet) wakes(m *member) bool {
	return !m.busy && (m.fails == 0 || f.doubted < max(1, f.pace.slots/2))
}

// take files an answer and sets the node's next turn. A node that fails is
// asked less and less often, so that many dead ones do not take the slots of
// those that live.
func (f *fleet) take(a answer, now time.Time) {
	f.running--
	if a.doubted {
		f.doubted--
	}
	m := f.members[a.node]
	if m == nil {
		return // gone meanwhile
	}
	f.fresh = f.fresh || !m.asked
	before := m.statsErr
	// A node that fails as it failed before is no news.
	f.dirty = f.dirty || !m.asked || a.err == nil || before == nil || before.Error() != a.err.Error()
	m.busy, m.asked, m.statsErr = false, true, a.err
	if a.err != nil {
		pause := f.every() << min(m.fails, 8)
		m.fails++
		m.due = now.Add(min(pause, max(f.pace.retryMax, f.every())))
	} else {
		m.stats, m.statsAt, m.fails = a.stats, now, 0
		m.due, f.last = now.Add(f.every()), now
		if refused(before) {
			f.allowed(now)
		}
	}
	f.takeConfig(m, a, now)
}

func (f *fleet) takeConfig(m *member, a answer, now time.Time) {
	switch {
	case !a.config:
	case a.configErr != nil:
		m.config = m.config.Failed(a.configErr)
		m.configDue = m.due
	default:
		m.config = sources.Read(a.conf, now)
		m.configDue = now.Add(f.pace.config)
	}
}

func refused(err error) bool {
	var denied *sources.AccessError
	return errors.As(err, &denied)
}

// allowed makes every node's turn come that was refused: the permission has
// arrived.
func (f *fleet) allowed(now time.Time) {
	for _, m := range f.members {
		if refused(m.statsErr) {
			m.due = now
		}
	}
}

func (f *fleet) takeUsage(u usage) {
	f.usage = u
	f.dirty = f.dirty || len(f.members) > 0
}

// mayPublish reports whether there is something new and it is time.
func (f *fleet) mayPublish(now time.Time) bool {
	return f.dirty && now.Sub(f.published) >= f.gap()
}

// gap is the least time between two publications: short for what nobody has
// seen yet, else long, for each makes every rule judge anew.
func (f *fleet) gap() time.Duration {
	if f.fresh || f.published.IsZero() {
		return f.pace.start
	}
	return f.pace.steady
}

// next is how long nothing needs to be done.
func (f *fleet) next(now time.Time) time.Duration {
	wait := f.pace.summary
	if f.dirty {
		wait = min(wait, f.gap()-now.Sub(f.published))
	}
	if f.running < f.pace.slots {
		for _, m := range f.members {
			if f.wakes(m) {
				wait = min(wait, m.due.Sub(now))
			}
		}
		if f.tokens < 1 {
			wait = max(wait, time.Duration((1-f.tokens)/f.pace.rate*float64(time.Second)))
		}
	}
	return max(wait, time.Millisecond)
}

// edits are the whole of what is known, in new maps.
func (f *fleet) edits(now time.Time) []sources.Edit {
	f.dirty, f.fresh, f.published = false, false, now
	stats := make(map[string]sources.Reading[sources.NodeStats], len(f.members))
	configs := make(map[string]sources.Reading[sources.NodeConfig], len(f.members))
	good, why := 0, error(nil)
	for _, n := range f.order {
		m := f.members[n]
		if !m.asked {
			continue
		}
		stats[n] = f.reading(n, m, now)
		if m.config.Loaded() || m.config.Err != nil {
			configs[n] = m.config
		}
		if m.statsErr == nil {
			good++
		} else if why == nil {
			why = m.statsErr
		}
	}
	if good > 0 {
		why = nil
	}
	health := sources.Health{Name: Name, At: f.last, Err: why, Note: fmt.Sprintf("%d/%d", good, len(f.members))}
	return []sources.Edit{
		func(s *sources.Snapshot) { s.Stats, s.Configs = stats, configs },
		sources.SetHealth(health),
	}
}

// usageLast is how long a measurement of metrics.k8s.io is used.
const usageLast = 90 * time.Second

// reading joins a node's summary with what metrics.k8s.io measured. Its age
// and error are the summary's: CPU and memory without a filesystem are said
// to be partial by that error.
func (f *fleet) reading(node string, m *member, now time.Time) sources.Reading[sources.NodeStats] {
	out := sources.Reading[sources.NodeStats]{Value: m.stats, At: m.statsAt, Err: m.statsErr}
	out.Value.LoadAt = m.statsAt
	u, ok := f.usage.nodes[node]
	if !ok || now.Sub(f.usage.at) > usageLast {
		return out
	}
	out.Value.CPU, out.Value.Memory, out.Value.From = u.cpu, u.memory, "metrics.k8s.io"
	out.Value.LoadAt = f.usage.at
	if out.At.IsZero() {
		out.At = f.usage.at
	}
	return out
}
