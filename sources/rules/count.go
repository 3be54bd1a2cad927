package rules

import (
	"math"
	"slices"
	"sort"
	"time"

	"daytwo/sources"
)

// Restarts are counted over this long; older ones are in Total only.
const restartHorizon = 14 * 24 * time.Hour

// A timeline of more events than this is merged.
const restartEvents = 256

// A step of a counter between two looks further apart than this tells no day.
const restartDayGap = 25 * time.Hour

// tally collects the restarts of one owner.
type tally struct {
	now    time.Time
	window time.Duration
	events []sources.Point // time, how many
	days   uint32          // bit k: a restart is known within day k back from now
	hour   float64
	day    float64
}

// note adds n restarts at a known time.
func (t *tally) note(at time.Time, n float64) {
	if at.After(t.now) {
		at = t.now // the clock jumped, or the servers' clocks differ
	}
	age := t.now.Sub(at)
	if age > restartHorizon {
		return
	}
	t.remember(at, n)
	if age <= t.window {
		t.hour += n
	}
	if age <= 24*time.Hour {
		t.day += n
	}
	t.days |= 1 << min(uint(age/(24*time.Hour)), 31)
}

// remember keeps an event for the timeline. What 5,000 pods do at once is
// merged into slots of growing width, so that a story stays small.
func (t *tally) remember(at time.Time, n float64) {
	for slot := 10 * time.Minute; len(t.events) >= restartEvents && slot < restartHorizon; slot *= 6 {
		t.events = merge(t.events, slot)
	}
	t.events = append(t.events, sources.Point{At: at, Value: n})
}

// merge sums the events of each slot at the time of its last.
func merge(events []sources.Point, slot time.Duration) []sources.Point {
	slices.SortFunc(events, func(a, b sources.Point) int { return a.At.Compare(b.At) })
	out := events[:1]
	for _, e := range events[1:] {
		last := &out[len(out)-1]
		if last.At.Truncate(slot).Equal(e.At.Truncate(slot)) {
			last.At = e.At
			last.Value += e.Value
			continue
		}
		out = append(out, e)
	}
	return out
}

// step notes that a counter rose by n somewhere after from, up to to. The
// last of them may be known: when the container last terminated. Within the
// window all count at its end. Over longer nothing else is known of the rest:
// it is spread evenly, so that none of it passes for "in the last hour", and
// it proves no day unless it happened within about one. A check that cron
// starts once a window comes some seconds late: that much is still within.
func (t *tally) step(n float64, from, to, last time.Time) {
	if !(n > 0) || math.IsInf(n, 0) {
		return
	}
	known := last.After(from) && !last.After(to)
	if known {
		to = last
	}
	switch gap := to.Sub(from); {
	case gap <= t.window+t.window/60:
		t.note(to, n)
	case gap <= restartDayGap && !known && n == 1:
		t.note(to, 1)
	default:
		if known {
			t.note(to, 1)
			n--
		}
		t.spread(n, from, to)
	}
}

// spread adds n restarts evenly between two times.
func (t *tally) spread(n float64, from, to time.Time) {
	if n <= 0 {
		return
	}
	gap := to.Sub(from)
	share := func(d time.Duration) float64 { // of the gap within d before now
		inside := min(gap, d-t.now.Sub(to))
		return max(0, float64(inside)/float64(gap))
	}
	t.hour += n * share(t.window)
	t.day += n * share(24*time.Hour)
	pieces := min(math.Ceil(n), 24)
	for k := range int(pieces) {
		at := from.Add(time.Duration(float64(gap) * (float64(k) + 0.5) / pieces))
		if t.now.Sub(at) <= restartHorizon && !at.After(t.now) {
			t.remember(at, n/pieces)
		}
	}
	if gap <= restartDayGap && t.now.Sub(to) <= restartHorizon {
		t.days |= 1 << min(uint(max(t.now.Sub(to), 0)/(24*time.Hour)), 31)
	}
}

// series adds what the samples of one container's counter tell, and returns
// the last of them. A counter that falls belongs to a new pod of the same
// name and began at zero. The first sample tells nothing unless the time the
// pod began is known.
func (t *tally) series(points []sources.Point, began, last time.Time) (sources.Point, bool) {
	n := sort.Search(len(points), func(i int) bool { return points[i].At.After(t.now) })
	points = points[:n]
	if n == 0 {
		return sources.Point{}, false
	}
	first := sort.Search(n, func(i int) bool { return !points[i].At.Before(t.now.Add(-restartHorizon)) })
	if first == 0 {
		if !began.IsZero() && !began.After(points[0].At) {
			t.step(points[0].Value, began, points[0].At, last)
		}
		first = 1
	}
	for i := first; i < n; i++ {
		before, p := points[i-1], points[i]
		rise := p.Value - before.Value
		if rise < 0 {
			rise = p.Value
		}
		t.step(rise, before.At, p.At, last)
	}
	return points[n-1], true
}

// inRow counts the days back from now that each have a known restart.
func (t *tally) inRow() int {
	n := 0
	for n < 32 && t.days&(1<<n) != 0 {
		n++
	}
	return n
}
