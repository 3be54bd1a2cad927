package rules_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/rules"
)

// disk makes worker-2's disk so full, with such a past. The past is given in
// percent of its 100 GB, by age.
func disk(percent float64, step, over time.Duration, past func(age time.Duration) float64) func(*sources.Snapshot) {
	return func(s *sources.Snapshot) {
		s.Stats["worker-2"] = sources.Read(stats(percent), now)
		s.History.Value.Series[sources.DiskUsedSeries("worker-2")] = every(step, over,
			func(age time.Duration) float64 { return past(age) * gb })
	}
}

// rising ends at percent and grew by so many percent a day.
func rising(percent, perDay float64) func(time.Duration) float64 {
	return func(age time.Duration) float64 { return percent - perDay*age.Hours()/24 }
}

func worker2(t *testing.T, j sources.Judgement) sources.DiskUse {
	t.Helper()
	for _, d := range j.Disks {
		if d.Node == "worker-2" && !d.Images {
			return d
		}
	}
	t.Fatal("no disk row for worker-2")
	return sources.DiskUse{}
}

func TestDiskRules(t *testing.T) {
	t.Parallel()
	const n = "worker-2"
	stats2 := func(r sources.Reading[sources.NodeStats]) func(*sources.Snapshot) {
		return func(s *sources.Snapshot) { s.Stats[n] = r }
	}
	for name, c := range map[string]struct {
		edit  []func(*sources.Snapshot)
		wants []want
	}{
		"the picture of the design": {
			[]func(*sources.Snapshot){disk(92, time.Hour, 20*day, rising(92, 1))},
			[]want{{"disk.used", sources.Critical, n, []string{"92 % used, +1.0 GB/day · GC passed · eviction in 3 d · full in 8 d"}}},
		},
		"soon critical though only 85": {
			[]func(*sources.Snapshot){disk(85, time.Hour, 2*day, rising(85, 8))},
			[]want{{"disk.used", sources.Critical, n, []string{"85 % used, +8.0 GB/day · GC passed · eviction in 30 h · full in 45 h"}}},
		},
		"forecast alone": {
			[]func(*sources.Snapshot){disk(77, time.Hour, 20*day, rising(77, 1.63))},
			[]want{{"disk.forecast", sources.Warning, n, []string{"77 % used, +1.6 GB/day · GC in 4 d · eviction in 11 d · full in 14 d"}}},
		},
		"the playbook's disk in the long run": {
			[]func(*sources.Snapshot){disk(60, 24*time.Hour, 141*day, rising(60, 0.4))}, nil,
		},
		"exactly 80": {[]func(*sources.Snapshot){disk(80, time.Hour, day, rising(80, 0))}, nil},
		"over 80":    {[]func(*sources.Snapshot){disk(81, time.Hour, day, rising(81, 0))}, []want{{"disk.used", sources.Warning, n, []string{"81 % used, not growing"}}}},
		"no samples": {[]func(*sources.Snapshot){disk(91, time.Hour, time.Hour, rising(91, 0))}, []want{{"disk.used", sources.Critical, n, []string{"91 % used · GC passed"}}}},
		"GC in vain": {
			[]func(*sources.Snapshot){disk(86, time.Hour, day, rising(86, 0)), func(s *sources.Snapshot) {
				s.Events.Value = []sources.Event{{About: sources.Ref{Kind: "Node", Name: n}, Reason: "FreeDiskSpaceFailed", Last: ago(time.Minute)}}
			}},
			[]want{{"disk.used", sources.Warning, n, []string{"image GC frees nothing"}}},
		},
		"inodes": {
			[]func(*sources.Snapshot){func(s *sources.Snapshot) {
				v := stats(40)
				v.FS.InodesFree = 5e4
				s.Stats[n] = sources.Read(v, now)
			}},
			[]want{{"disk.inodes", sources.Critical, n, []string{"95 % of inodes used, 50000 left"}}},
		},
		"btrfs has no inodes": {
			[]func(*sources.Snapshot){func(s *sources.Snapshot) {
				v := stats(40)
				v.FS.Inodes, v.FS.InodesFree = 0, 0
				s.Stats[n] = sources.Read(v, now)
			}}, nil,
		},
		"own image filesystem": {
			[]func(*sources.Snapshot){func(s *sources.Snapshot) {
				v := stats(40)
				v.ImageOwn, v.ImageFS = true, sources.Filesystem{Capacity: 50 * gb, Available: 4 * gb, Used: 30 * gb}
				s.Stats[n] = sources.Read(v, now)
			}},
			[]want{{"disk.images", sources.Critical, n, []string{"92 % of the image filesystem"}}},
		},
		"one kubelet silent": {
			[]func(*sources.Snapshot){stats2(sources.Reading[sources.NodeStats]{Err: errors.New("timeout after 5 s")})},
			[]want{{"disk.unknown", sources.Unknown, n, []string{"disk use unknown: timeout after 5 s"}}},
		},
		"metrics but no disk": {
			[]func(*sources.Snapshot){stats2(sources.Read(sources.NodeStats{CPU: 1, Memory: 1, From: "metrics.k8s.io", LoadAt: now}, now))},
			[]want{{"disk.unknown", sources.Unknown, n, []string{"tells nothing of the root filesystem"}}},
		},
		"failed once, picture fresh": {
			[]func(*sources.Snapshot){stats2(sources.Read(stats(40), ago(time.Minute)).Failed(errors.New("timeout")))}, nil,
		},
		"failed for long": {
			[]func(*sources.Snapshot){stats2(sources.Read(stats(40), ago(time.Hour)).Failed(errors.New("timeout")))},
			[]want{{"disk.unknown", sources.Unknown, n, []string{"timeout"}}},
		},
		"failed for long, was full": {
			[]func(*sources.Snapshot){stats2(sources.Read(stats(95), ago(time.Hour)).Failed(errors.New("timeout")))},
			[]want{{"disk.used", sources.Critical, n, nil}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := expect(t, change(c.edit...), c.wants...)
			if len(c.wants) == 0 || c.wants[0].rule == "disk.images" {
				return
			}
			if got := worker2(t, j).Severity; got != c.wants[0].severity {
				t.Errorf("row is %s", got)
			}
		})
	}
}

// The four times of a disk, with ext4's reserved blocks: 100 GB of which 5
// are root's alone. The kubelet compares with the 100, df with the 95.
func TestCrossings(t *testing.T) {
	t.Parallel()
	s := change(disk(50, time.Hour, 20*day, rising(50, 1)), func(s *sources.Snapshot) {
		r := s.Stats["worker-2"]
		r.Value.FS.Available = 45 * gb
		s.Stats["worker-2"] = r
		c := k3sConfig()
		c.EvictionHard = map[string]string{"nodefs.available": "10G", "imagefs.available": "5%"}
		s.Configs["worker-2"] = sources.Read(c, now)
	})
	d := worker2(t, rules.Judge(s, now))
	want := []struct {
		what  string
		level float64
		days  float64
	}{
		{"image GC", 100 * 80.0 / 95, 30},
		{"eviction", 100 * 85.0 / 95, 35},
		{"90 %", 90, 35.5},
		{"full", 100, 45},
	}
	if len(d.Crossings) != len(want) {
		t.Fatalf("crossings: %+v", d.Crossings)
	}
	for i, w := range want {
		c := d.Crossings[i]
		if c.What != w.what || math.Abs(c.Level-w.level) > 0.1 || math.Abs(c.At.Sub(now).Hours()/24-w.days) > 0.5 {
			t.Errorf("crossing %s at %.1f %% in %.1f d, want %s %.1f %% %.1f d", c.What, c.Level, c.At.Sub(now).Hours()/24, w.what, w.level, w.days)
		}
	}
	if !d.FullAt().Equal(d.Crossings[3].At) {
		t.Error("FullAt is not the last crossing")
	}
}

func TestForecastShapes(t *testing.T) {
	t.Parallel()
	noise := func(i time.Duration) float64 { // deterministic, −1 to 1
		return math.Sin(float64(i/time.Minute)*12.9898) * math.Cos(float64(i/time.Minute)*78.233)
	}
	tooth := func(top, bottom, daysLong float64) func(time.Duration) float64 {
		return func(age time.Duration) float64 {
			x := math.Mod(1e6*daysLong-age.Hours()/24, daysLong) / daysLong
			return bottom + (top-bottom)*x
		}
	}
	for name, c := range map[string]struct {
		at         float64
		step, over time.Duration
		past       func(time.Duration) float64
		growth     float64 // GB a day
		within     float64
		ok         bool
	}{
		"steady":                     {60, time.Hour, 14 * day, rising(60, 1), 1, 0.01, true},
		"steady, noisy":              {60, time.Hour, 14 * day, func(a time.Duration) float64 { return rising(60, 1)(a) + noise(a) }, 1, 0.15, true},
		"steady for 8 hours":         {60, 5 * time.Minute, 8 * time.Hour, rising(60, 6), 6, 0.1, true},
		"daily samples":              {60, day, 100 * day, rising(60, 0.5), 0.5, 0.01, true},
		"weekly samples":             {60, 4 * day, 100 * day, rising(60, 0.5), 0.5, 0.01, true},
		"flat":                       {60, time.Hour, 14 * day, rising(60, 0), 0, 0.001, true},
		"flat, noisy":                {60, time.Hour, 14 * day, func(a time.Duration) float64 { return 60 + 0.3*noise(a) }, 0, 0.05, true},
		"shrinking":                  {60, time.Hour, 14 * day, rising(60, -1), -1, 0.01, true},
		"image GC teeth":             {82, time.Hour, 14 * day, tooth(85, 80, 2), 0, 0.15, true},
		"slow teeth":                 {82, time.Hour, 14 * day, tooth(85, 79, 4), 0, 0.2, true},
		"fast teeth":                 {82, time.Hour, 14 * day, tooth(85, 80, 0.5), 0, 0.1, true},
		"teeth that rise":            {80, time.Hour, 14 * day, func(a time.Duration) float64 { return tooth(5, 0, 1.7)(a) + rising(75, 1)(a) }, 1, 0.25, true},
		"weekly clean-up of a fifth": {75, time.Hour, 14 * day, tooth(80, 60, 3.4), 0, 0.5, true},
		"after a clean-up": {50, time.Hour, 14 * day, func(a time.Duration) float64 {
			if a > 5*day {
				return 90
			}
			return rising(50, 2)(a)
		}, 2, 0.1, true},
		"just after a clean-up": {50, time.Hour, 14 * day, func(a time.Duration) float64 {
			if a > 3*time.Hour {
				return 90
			}
			return rising(50, 2)(a)
		}, 0, 0, false},
		"runaway log since half a day": {70, 5 * time.Minute, 14 * day, func(a time.Duration) float64 {
			return 50 + max(0, 20-40*a.Hours()/24)
		}, 40, 25, true},
		"runaway log above teeth": {84, 5 * time.Minute, 14 * day, func(a time.Duration) float64 {
			return tooth(44, 40, 4)(max(a, 8*time.Hour)) + 5*max(0, 8-a.Hours())
		}, 120, 20, true},
		"runaway log above teeth, since a day": {80, 5 * time.Minute, 14 * day, func(a time.Duration) float64 {
			return tooth(44, 40, 3)(max(a, 30*time.Hour)) + 1.2*max(0, 30-a.Hours())
		}, 28.8, 3, true},
		"the highest tooth of many": {87, 5 * time.Minute, 14 * day, func(a time.Duration) float64 {
			return min(tooth(85, 80, 3)(a+70*time.Hour), 87) + 2*max(0, 1-a.Hours()/24)
		}, 0, 0.2, true},
		"one image pull": {60, 5 * time.Minute, 14 * day, func(a time.Duration) float64 {
			if a > 10*time.Hour {
				return 50
			}
			return 60
		}, 0, 0.05, true},
		"one glitch to zero": {60, time.Hour, 14 * day, func(a time.Duration) float64 {
			if a == 3*day {
				return 0
			}
			return rising(60, 1)(a)
		}, 1, 0.01, true},
		"one glitch down": {60, time.Hour, 14 * day, func(a time.Duration) float64 {
			if a == 3*day {
				return 5
			}
			return rising(60, 1)(a)
		}, 1, 0.05, true},
		"too few":    {60, time.Hour, 10 * time.Hour, rising(60, 1), 0, 0, false},
		"too short":  {60, time.Minute, 5 * time.Hour, rising(60, 1), 0, 0, false},
		"only noise": {60, time.Hour, 14 * day, func(a time.Duration) float64 { return 60 + 9*noise(a) }, 0, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := worker2(t, rules.Judge(change(disk(c.at, c.step, c.over, c.past)), now))
			if d.Forecast != c.ok {
				t.Fatalf("forecast %t (%s), growth %.3f GB/day", d.Forecast, d.WhyNot, d.Growth/gb)
			}
			if !c.ok && d.WhyNot == "" {
				t.Error("silent without saying why")
			}
			if c.ok && math.Abs(d.Growth/gb-c.growth) > c.within {
				t.Errorf("growth %.3f GB/day over %s, want %.2f", d.Growth/gb, d.Over, c.growth)
			}
		})
	}
}

func TestForecastSaysWhyNot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*sources.Snapshot)
		why  string
	}{
		"waiting": {func(s *sources.Snapshot) { s.History = sources.Reading[sources.History]{} }, "waiting for history"},
		"no history": {func(s *sources.Snapshot) {
			s.History = sources.Reading[sources.History]{Err: errors.New("read-only file system")}
		}, "no history: read-only file system"},
		"empty": {func(s *sources.Snapshot) { s.History.Value.Series = nil }, "no samples yet"},
		"few":   {disk(40, time.Hour, 5*time.Hour, rising(40, 1)), "only 6 samples, 12 are needed"},
		"short": {disk(40, time.Minute, time.Hour, rising(40, 1)), "samples span only 59 min, 6 h are needed"},
		"old": {func(s *sources.Snapshot) {
			k := sources.DiskUsedSeries("worker-2")
			s.History.Value.Series[k] = every(time.Hour, 12*day, func(time.Duration) float64 { return 40 * gb })[:200]
		}, "newest sample is 3 d old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := worker2(t, rules.Judge(change(c.edit), now))
			if d.Forecast || d.WhyNot != c.why {
				t.Errorf("forecast %t, why not: %q", d.Forecast, d.WhyNot)
			}
		})
	}
}

func TestNoForecastClaimsNoGrowth(t *testing.T) {
	t.Parallel()
	j := expect(t, change(disk(85, time.Hour, 0, rising(85, 1))), want{"disk.used", sources.Warning, "worker-2", nil})
	var text []string
	for _, f := range j.Findings[0].Evidence {
		text = append(text, f.Text)
	}
	for _, has := range []string{"no forecast: only 1 sample, 12 are needed", "eviction at 95.0 % by df"} {
		if !slices.Contains(text, has) {
			t.Errorf("the evidence does not say %q: %q", has, text)
		}
	}
	if all := strings.Join(text, "\n"); strings.Contains(all, "growth") || strings.Contains(all, "samples") {
		t.Errorf("growth is not known: %s", all)
	}
}
