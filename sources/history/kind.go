package history

import (
	"iter"
	"math"
	"strings"
	"time"

	"daytwo/sources"
)

// kind is which samples of a stretch of time stand for it when the others
// are left out, on disk and in memory. The numbers are in the file.
type kind int

const (
	// latest: the last sample, for what is not known here. One true sample
	// distorts less than a mean, and choosing it again changes nothing.
	latest kind = 0
	// load: the last sample too. CPU and memory, shown for a day.
	load kind = 1
	// lowest: the smallest. Used bytes and inodes: the forecast lies on the
	// lower envelope, which a mean or a peak would lift.
	lowest kind = 2
	// highest: the largest. Free bytes and inodes, the other side of lowest.
	highest kind = 3
	// counter: the first and the last. Restart counters: what it rose by is
	// between them, and the first tells how long it had stood still.
	counter kind = 4
)

func kindOf(series string) kind {
	topic, _, _ := strings.Cut(series, "/")
	switch topic {
	case "cpu", "memory":
		return load
	case "disk.used", "inodes.used":
		return lowest
	case "disk.avail", "inodes.free":
		return highest
	case "restarts":
		return counter
	}
	return latest
}

const day = 24 * time.Hour

// How far back load and restart counters are shown; the rest is without limit.
const (
	loadShown    = day
	counterShown = 30 * day
)

// shown is how far back a series of this kind is shown.
func (k kind) shown() time.Duration {
	switch k {
	case load:
		return loadShown
	case counter:
		return counterShown
	case latest, lowest, highest:
	}
	return math.MaxInt64
}

// tier says that samples up to an age stand for width of time each.
type tier struct {
	age, width time.Duration
}

// tiers of what is shown: at most about 400 points a series, densest where
// the rules look. Load rules want every minute of the last hour and no hole
// above 5 min after it; disk rules have 40 bins over 1, 14 or 60 days;
// restart rules count hours exactly and days for 14 days.
func tiers(k kind) []tier {
	switch k {
	case load:
		return []tier{{time.Hour, 0}, {loadShown, 4 * time.Minute}}
	case counter:
		return []tier{{2 * time.Hour, 0}, {2 * day, 30 * time.Minute}, {counterShown, 12 * time.Hour}}
	case latest, lowest, highest:
	}
	return []tier{{6 * time.Hour, 10 * time.Minute}, {2 * day, time.Hour}, {14 * day, 4 * time.Hour}, {400 * day, 2 * day}}
}

// stillWidth is in seconds: while a counter stands still, beside the first
// and the last point the first of each such time stays, so that there is one
// from before the days that the rules look at.
const stillWidth = int64(confirmEvery / time.Second)

// seriesPerStep: for each so many series the points of all lie one step
// further apart, so that 500 nodes cost no more than about 15 MB.
const seriesPerStep = 1000

// thinner lets through the points of one series that are shown. They come in
// the order of time; flush gives the last.
type thinner struct {
	now   time.Time
	kind  kind
	tiers []tier
	steps int64
	out   []sources.Point

	width, bucket int64 // of the points that wait; width 0: none wait
	first, best   sources.Point
}

// newThinner is for as many series as there are gauges.
func newThinner(now time.Time, gauges int) *thinner {
	return &thinner{now: now, tiers: tiers(latest), steps: 1 + int64(gauges/seriesPerStep)}
}

// gauges counts the series that are no restart counters.
func gauges(names iter.Seq[string]) int {
	n := 0
	for name := range names {
		if kindOf(name) != counter {
			n++
		}
	}
	return n
}

// begin makes the thinner ready for another series; out is used again.
func (t *thinner) begin(k kind) {
	t.kind, t.tiers, t.out, t.width = k, tiers(k), t.out[:0], 0
}

func (t *thinner) add(p sources.Point) {
	width := t.widthAt(p.At)
	if width == 0 {
		t.flush()
		t.let(p)
		return
	}
	if bucket := p.At.Unix() / width; width != t.width || bucket != t.bucket {
		t.flush()
		t.width, t.bucket, t.first, t.best = width, bucket, p, p
		return
	}
	if t.kind.prefers(p.Value, t.best.Value) {
		t.best = p
	}
}

// prefers reports whether a later value stands for the bucket rather than
// the one chosen so far.
func (k kind) prefers(later, chosen float64) bool {
	switch k {
	case lowest:
		return later < chosen
	case highest:
		return later > chosen
	case latest, load, counter:
	}
	return true
}

// widthAt is in seconds, 0 where every point counts.
func (t *thinner) widthAt(at time.Time) int64 {
	age := t.now.Sub(at)
	for _, tier := range t.tiers {
		if age <= tier.age {
			return int64(tier.width/time.Second) * t.steps
		}
	}
	return int64(t.tiers[len(t.tiers)-1].width/time.Second) * t.steps
}

func (t *thinner) flush() {
	if t.width == 0 {
		return
	}
	if t.kind == counter && t.first.At.Before(t.best.At) {
		t.let(t.first)
	}
	t.let(t.best)
	t.width = 0
}

// let lets a point through. Of a counter that stands still the points between
// say nothing, beyond one a week: see stillWidth.
func (t *thinner) let(p sources.Point) {
	if n := len(t.out); t.kind == counter && n >= 2 {
		before, last := t.out[n-2], &t.out[n-1]
		if before.Value == last.Value && last.Value == p.Value && before.At.Unix()/stillWidth == last.At.Unix()/stillWidth {
			*last = p
			return
		}
	}
	t.out = append(t.out, p)
}

// growth is room for the points that come until the next thinning.
const growth = 12

// points returns a copy of what was let through, with room to grow.
func (t *thinner) points() []sources.Point {
	t.flush()
	return append(make([]sources.Point, 0, len(t.out)+growth), t.out...)
}
