package rules

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"daytwo/sources"
)

// The forecast asks little of the samples but no less than this. Growth is
// measured over two weeks, as long as a working cycle with its weekends; over
// more only where daytwo looked too rarely.
const (
	forecastWindow  = 14 * 24 * time.Hour
	forecastLongest = 60 * 24 * time.Hour
	forecastRecent  = 24 * time.Hour // a runaway log shows here first,
	forecastSudden  = 8 * time.Hour  // or here
	forecastSpan    = 6 * time.Hour
	forecastSamples = 12
	forecastBins    = 32 // 496 pairs: a few µs a disk
	forecastPeek    = 8  // samples looked at in each bin
	never           = 10 * 365 * 24 * time.Hour
)

// trend is the growth of a disk's use.
type trend struct {
	ok     bool
	whyNot string
	slope  float64       // bytes a day
	over   time.Duration // from the first to the last sample used
	count  int           // samples it rests on
	freed  float64       // bytes that a clean-up freed, which began the trend anew
	teeth  bool          // the fit is on the lower envelope of saw-teeth
	at     time.Time     // newest sample
}

// growth finds the trend in samples of used bytes. It is robust, not clever:
// bins of equal time give each its lowest sample (the lower envelope), a
// clean-up begins the trend anew, recurring clean-ups (image GC's saw-teeth)
// are fitted on their troughs, and the slope is Theil and Sen's: the median
// of the slopes between all pairs, which a quarter of wild samples does not
// move (Sen 1968, doi:10.1080/01621459.1968.10480934).
func growth(points []sources.Point, size float64, now time.Time) trend {
	long := fit(points, size, now, forecastWindow)
	if !long.ok && long.freed == 0 && len(points) > 0 && points[0].At.Before(now.Add(-forecastWindow)) {
		if longer := fit(points, size, now, forecastLongest); longer.ok {
			long = longer
		}
	}
	best := long
	for _, window := range [...]time.Duration{forecastRecent, forecastSudden} {
		if short := runaway(points, size, now, window, best); short.ok {
			best = short
		}
	}
	return best
}

// runaway looks for a steady growth in the last hours that the long trend is
// too robust to notice: at least twice as fast, a hundredth of the disk a day
// or more, and rising nearly everywhere, because one big image pull is a
// step and not growth.
func runaway(points []sources.Point, size float64, now time.Time, window time.Duration, long trend) trend {
	tail := recent(points, now, window)
	if len(tail) < forecastSamples {
		return trend{}
	}
	least := max(2*long.slope, size/100)
	span := tail[len(tail)-1].At.Sub(tail[0].At).Hours() / 24
	if tail[len(tail)-1].Value-tail[0].Value < least*span/2 {
		return trend{} // most disks: no need for a fit
	}
	t := fit(tail, size, now, window)
	if !t.ok || t.teeth || t.slope < least || oneMoreTooth(points, size, now, window, long) {
		return trend{}
	}
	bins := lowest(tail, now.Add(-window), now)
	rising := 0
	for i := 1; i < len(bins); i++ {
		if bins[i].y-bins[i-1].y > t.slope*(bins[i].x-bins[i-1].x)/4 {
			rising++
		}
	}
	if 10*rising < 7*(len(bins)-1) {
		return trend{}
	}
	return t
}

// oneMoreTooth reports whether a rise in the last hours may be one of the
// saw-teeth that the use had before: until it stands clearly above their
// highest, by a fiftieth of the disk and half of their deepest fall. Teeth of
// less than a day hide between the bins of the long trend.
func oneMoreTooth(points []sources.Point, size float64, now time.Time, window time.Duration, long trend) bool {
	n := upTo(points, now.Add(-window))
	before := recent(points[:n], now, forecastWindow)
	peak, high, falls := 0.0, 0.0, 0
	for _, p := range before { // not of bins: they hold what is lowest
		if !(p.Value > 0 && p.Value <= size) {
			continue
		}
		peak, high = max(peak, p.Value), max(high, p.Value)
		if high-p.Value > size/50 {
			falls++
			high = p.Value
		}
	}
	if !long.teeth && (falls < 2 || long.freed > 0) {
		return false
	}
	fall := 0.0
	bins := lowest(before, now.Add(-forecastWindow), now.Add(-window))
	for i := 1; i < len(bins); i++ {
		fall = max(fall, bins[i-1].y-bins[i].y)
	}
	last := lowest(points[n:], now.Add(-window), now)
	return len(last) < 2 || min(last[len(last)-1].y, last[len(last)-2].y) <= peak+max(size/50, fall/2)
}

// xy is a point of the fit: days before or after now, bytes.
type xy struct{ x, y float64 }

// fit finds the trend within one window that ends now.
func fit(points []sources.Point, size float64, now time.Time, window time.Duration) trend {
	inside := recent(points, now, window)
	bins := lowest(inside, now.Add(-window), now)
	var t trend
	t.count = len(inside)
	bins, t.freed = afterCleanUp(bins, size)
	if t.freed > 0 && len(bins) > 0 {
		t.count = len(recent(inside, now, days(-bins[0].x)))
	}
	if len(bins) > 0 {
		t.over = days(bins[len(bins)-1].x - bins[0].x)
	}
	if n := upTo(inside, now); n > 0 {
		t.at = inside[n-1].At
	}
	if t.whyNot = t.tooLittle(len(bins)); t.whyNot != "" {
		return t
	}
	if drops(bins, size/50) >= 2 {
		t.teeth = true
		troughs(bins)
	}
	slope, noise := theilSen(bins)
	rise := math.Abs(slope) * (bins[len(bins)-1].x - bins[0].x)
	if rise < 3*noise && noise > size/100 {
		t.whyNot = "samples vary too much: ±" + sources.Bytes(noise) + " around no clear trend"
		return t
	}
	t.ok, t.slope = true, slope
	return t
}

// tooLittle says what the samples lack, "" if they are enough.
func (t trend) tooLittle(bins int) string {
	switch {
	case t.count == 0:
		return "no samples yet"
	case t.freed > 0 && (t.over < forecastSpan || t.count < forecastSamples || bins < 4):
		return fmt.Sprintf("only %s since %s were freed", sources.Span(t.over), sources.Bytes(t.freed))
	case t.count < forecastSamples:
		return fmt.Sprintf("only %d sample%s, %d are needed", t.count, plural(t.count), forecastSamples)
	case t.over < forecastSpan:
		return fmt.Sprintf("samples span only %s, %s are needed", sources.Span(t.over), sources.Span(forecastSpan))
	case bins < 4:
		return "samples lie too close together"
	}
	return ""
}

// lowest puts samples into bins of equal time and returns the lowest of a few
// of each, so that many samples cost no more than few. What cannot be a
// disk's use is left out: the future, zero, not a number.
func lowest(points []sources.Point, from, to time.Time) []xy {
	if len(points) == 0 {
		return nil
	}
	if first := points[0].At; first.After(from) {
		from = first
	}
	width := max(to.Sub(from)/forecastBins, time.Second)
	bins := make([]xy, 0, forecastBins+1)
	for k := range forecastBins {
		end := from.Add(time.Duration(k+1) * width)
		n := upTo(points, end)
		if b, ok := lowestOf(points[:n], to); ok {
			bins = append(bins, b)
		}
		points = points[n:]
	}
	return smooth(bins)
}

// upTo counts the leading points that are not after end. It gallops, since
// the next bin's end is near.
func upTo(points []sources.Point, end time.Time) int {
	reach := 1
	for reach < len(points) && !points[reach].At.After(end) {
		reach *= 2
	}
	low, high := reach/2, min(reach+1, len(points))
	if reach == 1 {
		low = 0
	}
	return low + sort.Search(high-low, func(i int) bool { return points[low+i].At.After(end) })
}

// lowestOf is the lowest of at most forecastPeek samples of one bin.
func lowestOf(points []sources.Point, to time.Time) (xy, bool) {
	best, ok := xy{y: math.Inf(1)}, false
	step := max(1, len(points)/forecastPeek)
	for i := 0; i < len(points); i += step {
		p := points[i]
		if p.Value > 0 && p.Value < best.y && !p.At.After(to) {
			best, ok = xy{x: -to.Sub(p.At).Hours() / 24, y: p.Value}, true
		}
	}
	return best, ok
}

// smooth orders the bins in time and takes out a single bin that falls below
// both neighbours and comes back: a glitch, not a clean-up.
func smooth(bins []xy) []xy {
	slices.SortFunc(bins, func(a, b xy) int { return cmp.Compare(a.x, b.x) })
	bins = slices.CompactFunc(bins, func(a, b xy) bool { return a.x == b.x })
	for i := 1; i+1 < len(bins); i++ {
		floor := min(bins[i-1].y, bins[i+1].y)
		if bins[i].y < floor/2 {
			bins[i].y = floor
		}
	}
	return bins
}

// afterCleanUp leaves out what lies before the last big fall (a tenth of the
// disk), unless big falls recur: then they belong to the pattern.
func afterCleanUp(bins []xy, size float64) ([]xy, float64) {
	if drops(bins, size/10) > 2 {
		return bins, 0
	}
	for i := len(bins) - 1; i > 0; i-- {
		if fall := bins[i-1].y - bins[i].y; fall > size/10 {
			return bins[i:], fall
		}
	}
	return bins, 0
}

// drops counts the falls of more than depth bytes.
func drops(bins []xy, depth float64) int {
	n := 0
	for i := 1; i < len(bins); i++ {
		if bins[i-1].y-bins[i].y > depth {
			n++
		}
	}
	return n
}

// troughs lowers every point to the lowest that follows it: the lower
// envelope, on which saw-teeth stand.
func troughs(bins []xy) {
	for i := len(bins) - 2; i >= 0; i-- {
		bins[i].y = min(bins[i].y, bins[i+1].y)
	}
}

// theilSen returns the median slope between all pairs, and the median
// distance of the points from that line.
func theilSen(p []xy) (slope, noise float64) {
	var room [forecastBins * (forecastBins + 3)]float64
	slopes := room[:0]
	for i := range p {
		for j := i + 1; j < len(p); j++ {
			if dx := p[j].x - p[i].x; dx > 0 {
				slopes = append(slopes, (p[j].y-p[i].y)/dx)
			}
		}
	}
	if len(slopes) == 0 {
		return 0, 0
	}
	slope = median(slopes)
	rest := room[:len(p)]
	for i := range p {
		rest[i] = p[i].y - slope*p[i].x
	}
	level := median(rest)
	for i := range p {
		rest[i] = math.Abs(p[i].y - slope*p[i].x - level)
	}
	return slope, median(rest)
}

// median selects the middle value by Hoare's quickselect; v is reordered.
func median(v []float64) float64 {
	lo, hi, k := 0, len(v)-1, len(v)/2
	for lo < hi {
		pivot := v[(lo+hi)/2]
		i, j := lo, hi
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return v[k]
		}
	}
	return v[k]
}

// days makes a duration of days, kept within what a duration can hold.
func days(d float64) time.Duration {
	const most = float64(100 * 365)
	return time.Duration(max(min(d, most), -most) * 24 * float64(time.Hour)).Round(time.Second)
}
