package rules

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"daytwo/sources"
)

// The names of the levels a disk crosses on its way.
const (
	crossGC       = "image GC"
	crossEviction = "eviction"
	crossFull     = "full"
)

// forecast fills growth and crossings of a row. Levels are known without a
// forecast; times are not.
func (l *look) forecast(row *sources.DiskUse) trend {
	size := float64(row.FS.Used + row.FS.Available)
	t := growth(row.Past, size, l.now)
	row.Forecast, row.WhyNot = t.ok, t.whyNot
	switch {
	case !t.ok && !l.s.History.Loaded() && l.s.History.Err != nil:
		row.WhyNot = "no history: " + l.s.History.Err.Error()
	case !t.ok && !l.s.History.Loaded():
		row.WhyNot = "waiting for history"
	case t.ok && l.now.Sub(t.at) > forecastRecent:
		row.Forecast, row.WhyNot = false, "newest sample is "+sources.Span(l.now.Sub(t.at))+" old"
	case t.ok:
		row.Growth, row.Over = t.slope, t.over
	}
	row.Crossings = l.crossings(row)
	return t
}

// crossings are the four times that matter, nearest first. What counts is
// the space left: the kubelet compares available with capacity, df divides by
// used+available, and on filesystems with reserved blocks the two differ by
// points. So each level is turned into bytes left, then into df's percent.
func (l *look) crossings(row *sources.DiskUse) []sources.Crossing {
	capacity := float64(row.FS.Capacity)
	usable := float64(row.FS.Used + row.FS.Available)
	out := make([]sources.Crossing, 0, 4)
	cross := func(what string, left float64) {
		c := sources.Crossing{What: what, Level: max(0, 100*(1-left/usable))}
		spare := float64(row.FS.Available) - left
		switch {
		case spare <= 0:
			c.Passed = true
		case row.Forecast && row.Growth > 0 && spare/row.Growth < never.Hours()/24:
			c.At = l.at(row).Add(days(spare / row.Growth))
		}
		out = append(out, c)
	}
	stats := l.s.Stats[row.Node].Value
	cfg := l.s.Configs[row.Node]
	if cfg.Loaded() && cfg.Value.ImageGCHigh > 0 && cfg.Value.ImageGCHigh < 100 && !stats.ImageOwn {
		cross(crossGC, capacity*(1-cfg.Value.ImageGCHigh/100))
	}
	cross(highName(l.limits.DiskCritical), usable*(1-l.limits.DiskCritical/100))
	if left, ok := evictionLeft(cfg.Value, capacity, stats.ImageOwn); ok {
		cross(crossEviction, left)
	}
	cross(crossFull, 0)
	slices.SortStableFunc(out, func(a, b sources.Crossing) int { return cmp.Compare(a.Level, b.Level) })
	return out
}

// at is the time from which a crossing is counted: when the disk was read,
// so that an old reading does not push the deadline away.
func (l *look) at(row *sources.DiskUse) time.Time {
	if row.At.IsZero() || row.At.After(l.now) {
		return l.now
	}
	return row.At
}

// evictionLeft is how many bytes are left when the kubelet begins to evict:
// the earlier of nodefs and imagefs where both are the same filesystem.
func evictionLeft(c sources.NodeConfig, capacity float64, imageOwn bool) (float64, bool) {
	left, ok := 0.0, false
	for _, key := range [...]string{"nodefs.available", "imagefs.available"} {
		if key == "imagefs.available" && imageOwn {
			continue
		}
		if v, found := parseThreshold(c.EvictionHard[key], capacity); found && v > 0 {
			left, ok = max(left, v), true
		}
	}
	return left, ok
}

// parseThreshold reads an eviction threshold: a share of capacity ("5%") or
// a quantity of bytes ("10Gi", "500M", "1e9").
func parseThreshold(s string, capacity float64) (float64, bool) {
	s = strings.TrimSpace(s)
	if share, ok := strings.CutSuffix(s, "%"); ok {
		p, err := strconv.ParseFloat(share, 64)
		return capacity * p / 100, err == nil && p >= 0 && p <= 100
	}
	factor := 1.0
	for _, u := range [...]struct {
		suffix string
		factor float64
	}{
		{"Ki", 1 << 10},
		{"Mi", 1 << 20},
		{"Gi", 1 << 30},
		{"Ti", 1 << 40},
		{"Pi", 1 << 50},
		{"k", 1e3},
		{"M", 1e6},
		{"G", 1e9},
		{"T", 1e12},
		{"P", 1e15},
	} {
		if n, ok := strings.CutSuffix(s, u.suffix); ok {
			s, factor = n, u.factor
			break
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	v *= factor
	return v, err == nil && v >= 0 && v <= 1e18
}

// highName is the name of the crossing of the critical limit, "90 %".
func highName(percent float64) string {
	return strconv.FormatFloat(percent, 'f', -1, 64) + " %"
}
