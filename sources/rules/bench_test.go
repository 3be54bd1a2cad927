package rules_test

import (
	"fmt"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/rules"
)

// BenchmarkJudge judges 500 nodes and 15,000 pods with two weeks of samples:
// all well, and with every pod of one workload in a loop.
func BenchmarkJudge(b *testing.B) {
	for name, s := range map[string]*sources.Snapshot{"well": large(0), "5000-restarting": large(5000)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rules.Judge(s, now)
			}
		})
	}
}

// large has samples as history thins them: a minute apart for two hours, an
// hour apart for two weeks.
func large(restarting int) *sources.Snapshot {
	s := healthy()
	s.Nodes.Value, s.Pods.Value = nil, nil
	series := map[string][]sources.Point{}
	past := func(v func(time.Duration) float64) []sources.Point {
		return append(every(time.Hour, 14*day, v)[:334], every(time.Minute, 2*time.Hour, v)...)
	}
	for i := range 500 {
		n := aNode(fmt.Sprintf("worker-%d", i))
		s.Nodes.Value = append(s.Nodes.Value, n)
		s.Stats[n.Name], s.Configs[n.Name] = sources.Read(stats(50), ago(time.Second)), sources.Read(k3sConfig(), ago(time.Minute))
		series[sources.DiskUsedSeries(n.Name)] = past(func(a time.Duration) float64 { return rising(50, 0.2)(a) * gb })
		series[sources.CPUSeries(n.Name)] = past(func(time.Duration) float64 { return 0.4 })
		series[sources.MemorySeries(n.Name)] = past(func(time.Duration) float64 { return 0.5 })
	}
	for i := range 15000 {
		owner := fmt.Sprintf("app-%d", i/30)
		p := aPod("shop", fmt.Sprintf("%s-%d", owner, i%30), owner)
		p.Node = s.Nodes.Value[i%500].Name
		p.Containers = append(p.Containers, p.Containers[0])
		p.Containers[1].Name = "sidecar"
		if i < restarting {
			p.Containers[0].Restarts = 12
			p.Containers[0].Last = sources.Termination{Reason: "OOMKilled", Finished: ago(time.Minute)}
		}
		v := float64(p.Containers[0].Restarts)
		series[sources.RestartSeries(p.Owner, p.Name, "app")] = every(10*time.Minute, 4*time.Hour, func(a time.Duration) float64 { return max(0, v-a.Minutes()/20) })
		s.Pods.Value = append(s.Pods.Value, p)
	}
	s.History.Value = sources.History{Series: series}
	return s
}
