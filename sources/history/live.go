package history

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"daytwo/sources"
)

// live is the history in memory, as it is published. Each change makes a new
// map; slices are shared with what was published before, which is safe
// because they only ever grow at the end and nobody else appends.
type live struct {
	past sources.History
	said map[string]string // the last text of each series of changes
}

func newLive(past sources.History) live {
	l := live{past: past, said: map[string]string{}}
	for _, c := range past.Changes {
		l.said[c.Series] = c.Text
	}
	return l
}

// grow adds samples.
func (l *live) grow(samples []sources.Sample) {
	if len(samples) == 0 {
		return
	}
	next := maps.Clone(l.past.Series)
	if next == nil {
		next = map[string][]sources.Point{}
	}
	for _, s := range samples {
		next[s.Series] = insert(next[s.Series], sources.Point{At: time.Unix(s.At.Unix(), 0), Value: s.Value})
	}
	l.past.Series = next
}

// insert appends; a point that is older than the last, because the clock was
// set back, goes to its place in a copy.
func insert(points []sources.Point, p sources.Point) []sources.Point {
	n := len(points)
	if n == 0 || points[n-1].At.Before(p.At) {
		return append(points, p)
	}
	i, found := slices.BinarySearchFunc(points, p, func(a, b sources.Point) int { return a.At.Compare(b.At) })
	if found {
		return points
	}
	return slices.Insert(slices.Clone(points), i, p)
}

// note adds changes and returns those that say something new.
func (l *live) note(changes []sources.Change) []sources.Change {
	var fresh []sources.Change
	for _, c := range changes {
		if said, ok := l.said[c.Series]; ok && said == c.Text {
			continue
		}
		c.At = time.Unix(c.At.Unix(), 0)
		l.said[c.Series] = c.Text
		fresh = append(fresh, c)
	}
	if len(fresh) > 0 {
		l.past.Changes = slices.Concat(l.past.Changes, fresh)
		slices.SortStableFunc(l.past.Changes, func(a, b sources.Change) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Series, b.Series))
		})
	}
	return fresh
}

// thin does in memory what Load does on the way from the file.
func (l *live) thin(now time.Time) {
	t := newThinner(now, gauges(maps.Keys(l.past.Series)))
	next := make(map[string][]sources.Point, len(l.past.Series))
	for name, points := range l.past.Series {
		k := kindOf(name)
		t.begin(k)
		for _, p := range points {
			if !p.At.After(now) && now.Sub(p.At) <= k.shown() {
				t.add(p)
			}
		}
		put(next, name, t)
	}
	l.past.Series = next
}

// since is the time of the oldest point, zero if there is none.
func (l *live) since() time.Time {
	var oldest time.Time
	for _, points := range l.past.Series {
		if len(points) > 0 && (oldest.IsZero() || points[0].At.Before(oldest)) {
			oldest = points[0].At
		}
	}
	return oldest
}
