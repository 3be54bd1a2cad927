package rules_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/rules"
)

const (
	day = 24 * time.Hour
	gb  = 1e9
)

// now is the moment at which every test judges.
var now = time.Date(2026, 11, 22, 15, 4, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

var errDown = errors.New("dial tcp 10.0.0.1:6443: connect: connection refused")

// healthy is a small cluster in which everything was read and nothing is
// wrong: a server, two agents, one Deployment, a certificate, a backup.
func healthy() *sources.Snapshot {
	s := &sources.Snapshot{At: now, Settings: sources.DefaultSettings()}
	s.Cluster = sources.Read(sources.Cluster{Name: "prod", Server: "https://10.0.0.1:6443", Version: "v1.33.4+k3s1"}, ago(5*time.Second))
	nodes := []sources.Node{aNode("worker-10"), aNode("worker-2"), aNode("master-0")}
	nodes[2].Roles = []string{"control-plane"}
	s.Nodes = sources.Read(nodes, now)
	s.Stats = map[string]sources.Reading[sources.NodeStats]{}
	s.Configs = map[string]sources.Reading[sources.NodeConfig]{}
	series := map[string][]sources.Point{}
	for _, n := range nodes {
		s.Stats[n.Name] = sources.Read(stats(40), ago(10*time.Second))
		s.Configs[n.Name] = sources.Read(k3sConfig(), ago(time.Minute))
		series[sources.CPUSeries(n.Name)] = every(time.Minute, time.Hour, func(time.Duration) float64 { return 0.3 })
		series[sources.MemorySeries(n.Name)] = every(time.Minute, time.Hour, func(time.Duration) float64 { return 0.5 })
		series[sources.DiskUsedSeries(n.Name)] = every(time.Hour, 20*day, func(time.Duration) float64 { return 40 * gb })
	}
	s.History = sources.Read(sources.History{Series: series}, ago(30*time.Second))
	s.Pods = sources.Read([]sources.Pod{aPod("shop", "api-1", "api")}, now)
	s.Workloads = sources.Read([]sources.Workload{{Ref: deployment("shop", "api"), Desired: 1, Ready: 1}}, now)
	s.Budgets = sources.Read([]sources.DisruptionBudget(nil), now)
	s.CronJobs = sources.Read([]sources.CronJob{dump()}, now)
	s.Jobs = sources.Read([]sources.Job(nil), now)
	s.Ingresses = sources.Read([]sources.Ingress(nil), now)
	s.Certificates = sources.Read([]sources.Certificate{aCert()}, now)
	s.Secrets = sources.Read([]sources.TLSSecret{{
		Ref:       sources.Ref{Kind: "Secret", Namespace: "shop", Name: "shop-tls"},
		NotBefore: aCert().NotBefore, NotAfter: aCert().NotAfter,
	}}, now)
	s.Events = sources.Read([]sources.Event(nil), now)
	return s
}

func aNode(name string) sources.Node {
	return sources.Node{
		Name: name, Version: "v1.33.4+k3s1", CPU: 4000, Memory: 8 << 30, MaxPod: 110, Created: ago(141 * day),
		Conditions: []sources.Condition{
			{Type: "Ready", Status: "True", Reason: "KubeletReady", Since: ago(141 * day)},
			{Type: "DiskPressure", Status: "False"},
			{Type: "MemoryPressure", Status: "False"},
			{Type: "PIDPressure", Status: "False"},
		},
	}
}

// stats is a disk of 100 GB of which so many percent are used.
func stats(percent float64) sources.NodeStats {
	used := int64(percent * gb)
	return sources.NodeStats{CPU: 1200, Memory: 4 << 30, From: "metrics.k8s.io", LoadAt: now, FS: sources.Filesystem{
		Capacity: 100 * gb, Used: used, Available: 100*gb - used, Inodes: 1e6, InodesFree: 9e5, InodesUsed: 1e5,
	}}
}

func k3sConfig() sources.NodeConfig {
	return sources.NodeConfig{
		ImageGCHigh: 85, ImageGCLow: 80,
		EvictionHard: map[string]string{"nodefs.available": "5%", "imagefs.available": "5%"},
	}
}

func deployment(ns, name string) sources.Ref {
	return sources.Ref{Kind: "Deployment", Namespace: ns, Name: name}
}

func aPod(ns, name, owner string) sources.Pod {
	return sources.Pod{
		Namespace: ns, Name: name, UID: name, Node: "worker-2", Phase: "Running", Created: ago(30 * day), Ready: true,
		Owner:      deployment(ns, owner),
		Containers: []sources.Container{{Name: "app", Image: "registry/app:1.2", State: "running", Ready: true, MemLimit: 256 << 20}},
	}
}

func aCert() sources.Certificate {
	return sources.Certificate{
		Ref: sources.Ref{Kind: "Certificate", Namespace: "shop", Name: "tls"}, Secret: "shop-tls", Issuer: "letsencrypt",
		Created: ago(100 * day), Ready: "True", NotBefore: ago(26 * day), NotAfter: now.Add(64 * day), Renewal: now.Add(34 * day), Revision: 3,
	}
}

func dump() sources.CronJob {
	return sources.CronJob{
		Ref: sources.Ref{Kind: "CronJob", Namespace: "shop", Name: "mysql-dump"}, Schedule: "0 3 * * *",
		Created: ago(141 * day), LastScheduled: ago(12 * time.Hour), LastSuccess: ago(12*time.Hour - 5*time.Minute),
	}
}

// every makes samples back from now, oldest first; f is given the age.
func every(step, over time.Duration, f func(age time.Duration) float64) []sources.Point {
	var out []sources.Point
	for age := over; age >= 0; age -= step {
		out = append(out, sources.Point{At: ago(age), Value: f(age)})
	}
	return out
}

// want is a finding that must be there; Has are pieces of its summary.
type want struct {
	rule     string
	severity sources.Severity
	about    string
	has      []string
}

// expect judges and compares: exactly these findings, no others. Every
// finding must be documented, carry evidence and be one line.
func expect(t *testing.T, s *sources.Snapshot, wants ...want) sources.Judgement {
	t.Helper()
	j := rules.Judge(s, now)
	checkForm(t, j)
	left := slices.Clone(j.Findings)
	for _, w := range wants {
		i := slices.IndexFunc(left, func(f sources.Finding) bool { return f.Rule == w.rule && f.About.String() == w.about })
		if i < 0 {
			t.Errorf("no %s about %q in:\n%s", w.rule, w.about, listing(j.Findings))
			continue
		}
		f := left[i]
		left = slices.Delete(left, i, i+1)
		if f.Severity != w.severity {
			t.Errorf("%s is %s, want %s: %s", w.rule, f.Severity, w.severity, f.Summary)
		}
		for _, h := range w.has {
			if !strings.Contains(f.Summary, h) {
				t.Errorf("%s does not say %q: %s", w.rule, h, f.Summary)
			}
		}
	}
	if len(left) > 0 {
		t.Errorf("unwanted findings:\n%s", listing(left))
	}
	return j
}

func listing(fs []sources.Finding) string {
	var b strings.Builder
	for _, f := range fs {
		fmt.Fprintf(&b, "  %-8s %-18s %-20s %s\n", f.Severity, f.Rule, f.About, f.Summary)
	}
	return b.String()
}

func checkForm(t *testing.T, j sources.Judgement) {
	t.Helper()
	for _, f := range j.Findings {
		if !slices.ContainsFunc(rules.All(), func(d rules.Doc) bool { return d.Rule == f.Rule }) {
			t.Errorf("%s is not documented in rules.All", f.Rule)
		}
		if len(f.Evidence) == 0 {
			t.Errorf("%s has no evidence", f.Rule)
		}
		if f.Summary == "" || strings.ContainsAny(f.Summary, "\r\n") || strings.Contains(f.Summary, "%!") {
			t.Errorf("%s: bad summary %q", f.Rule, f.Summary)
		}
		if f.Severity == sources.OK || f.About.Name == "" {
			t.Errorf("%s: severity %s about %+v", f.Rule, f.Severity, f.About)
		}
	}
}

// change makes the tables short: a healthy world with one thing different.
func change(edits ...func(*sources.Snapshot)) *sources.Snapshot {
	s := healthy()
	for _, e := range edits {
		e(s)
	}
	return s
}
