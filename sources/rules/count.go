package rules

import (
	"math"
	"sort"
	"time"

	"daytwo/sources"
)

// Restarts are counted over this long; older ones are in Total only.
const restartHorizon = 14 * 24 * time.Hour

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

// one notes a single restart at a known time.
func (t *tally) one(at time.Time) { t.note(at, 1, true) }

func (t *tally) note(at time.Time, n float64, sure bool) {
	if at.After(t.now) {
		at = t.now // the clock jumped, or the servers' clocks differ
	}
	age := t.now.Sub(at)
	if n <= 0 || age > restartHorizon {
		return
	}
	t.events = append(t.events, sources.Point{At: at, Value: n})
	if age <= t.window {
		t.hour += n
	}
	if age <= 24*time.Hour {
		t.day += n
	}
	if sure {
		t.days |= 1 << min(uint(age/(24*time.Hour)), 31)
	}
}

// step notes that a counter rose by n somewhere after from, up to to. One of
// them may be known: when the container last terminated. Within the window
// all count at its end; over longer the rest is spread evenly, because
// nothing else is known and none of it may pass for "in the last hour".
func (t *tally) step(n float64, from, to, last time.Time) {
	if n <= 0 || math.IsNaN(n) || math.IsInf(n, 0) {
		return
	}
	if last.After(from) && !last.After(to) {
		to = last
	}
	gap := to.Sub(from)
	if gap <= t.window {
		t.note(to, n, true)
		return
	}
	t.note(to, 1, gap <= restartDayGap || to.Equal(last))
	if rest := n - 1; rest > 0 {
		pieces := min(math.Ceil(rest), 24)
		for k := range int(pieces) {
			at := from.Add(time.Duration(float64(gap) * (float64(k) + 0.5) / pieces))
			t.note(at, rest/pieces, gap <= restartDayGap)
		}
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
	if first < n && points[first-1].Value == points[n-1].Value {
		return points[n-1], true // nothing happened; most counters never move
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
