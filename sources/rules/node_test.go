package rules_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"daytwo/sources"
)

// withNode changes worker-2.
func withNode(f func(*sources.Node)) func(*sources.Snapshot) {
	return func(s *sources.Snapshot) { f(&s.Nodes.Value[1]) }
}

func condition(typ, status, reason, message string, since time.Time) func(*sources.Snapshot) {
	return withNode(func(n *sources.Node) {
		for i := range n.Conditions {
			if n.Conditions[i].Type == typ {
				n.Conditions[i] = sources.Condition{Type: typ, Status: status, Reason: reason, Message: message, Since: since}
				return
			}
		}
		n.Conditions = append(n.Conditions, sources.Condition{Type: typ, Status: status, Reason: reason, Message: message, Since: since})
	})
}

func TestNodeRules(t *testing.T) {
	t.Parallel()
	const n = "worker-2"
	for name, c := range map[string]struct {
		edit  []func(*sources.Snapshot)
		wants []want
	}{
		"not ready": {
			[]func(*sources.Snapshot){condition("Ready", "False", "KubeletNotReady", "container runtime is down", ago(12*time.Minute))},
			[]want{{"node.ready", sources.Critical, n, []string{"not ready for 12 min", "container runtime is down"}}},
		},
		"kubelet silent": {
			[]func(*sources.Snapshot){condition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", ago(5*time.Minute))},
			[]want{{"node.ready", sources.Critical, n, []string{"kubelet stopped reporting 5 min ago"}}},
		},
		"a dead node explains its kubelet": {
			[]func(*sources.Snapshot){condition("Ready", "Unknown", "", "", ago(5*time.Minute)), func(s *sources.Snapshot) {
				s.Stats[n] = sources.Reading[sources.NodeStats]{Err: errors.New("no route to host")}
			}},
			[]want{{"node.ready", sources.Critical, n, nil}},
		},
		"no condition at all": {
			[]func(*sources.Snapshot){withNode(func(n *sources.Node) { n.Conditions = nil })},
			[]want{{"node.ready", sources.Unknown, n, []string{"not reported yet"}}},
		},
		"disk pressure before memory": {
			[]func(*sources.Snapshot){condition("MemoryPressure", "True", "", "", ago(time.Hour)), condition("DiskPressure", "True", "", "", ago(2*time.Minute))},
			[]want{{"node.pressure", sources.Critical, n, []string{"disk pressure for 2 min · memory pressure for 60 min"}}},
		},
		"PID pressure": {
			[]func(*sources.Snapshot){condition("PIDPressure", "True", "", "", time.Time{})},
			[]want{{"node.pressure", sources.Warning, n, []string{"PID pressure"}}},
		},
		"network": {
			[]func(*sources.Snapshot){condition("NetworkUnavailable", "True", "NoRouteCreated", "", time.Time{})},
			[]want{{"node.network", sources.Critical, n, []string{"NoRouteCreated"}}},
		},
		"cordoned by somebody": {
			[]func(*sources.Snapshot){withNode(func(n *sources.Node) {
				n.Unschedulable, n.CordonedBy, n.CordonedAt = true, "kubectl-cordon", ago(3*time.Hour)
			})},
			[]want{{"node.cordoned", sources.Warning, n, []string{"cordoned 3 h ago by kubectl-cordon"}}},
		},
		"cordoned, nothing known": {
			[]func(*sources.Snapshot){withNode(func(n *sources.Node) { n.Unschedulable = true })},
			[]want{{"node.cordoned", sources.Warning, n, []string{"cordoned"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := expect(t, change(c.edit...), c.wants...)
			row := j.Nodes[1]
			if row.Node.Name != n || row.Severity != c.wants[0].severity {
				t.Errorf("row %s is %s", row.Node.Name, row.Severity)
			}
		})
	}
}

func cpu(points []sources.Point) func(*sources.Snapshot) {
	return func(s *sources.Snapshot) { s.History.Value.Series[sources.CPUSeries("worker-2")] = points }
}

func TestLoadRules(t *testing.T) {
	t.Parallel()
	hot := func(from time.Duration) func(time.Duration) float64 {
		return func(age time.Duration) float64 {
			if age <= from {
				return 0.93
			}
			return 0.5
		}
	}
	for name, c := range map[string]struct {
		points []sources.Point
		load   sources.Severity
		wants  []want
	}{
		"sustained": {
			every(time.Minute, time.Hour, hot(25*time.Minute)), sources.Warning,
			[]want{{"load.cpu", sources.Warning, "worker-2", []string{"CPU 93 %, over 85 % for 25 min"}}},
		},
		"just ten minutes":        {every(time.Minute, time.Hour, hot(10*time.Minute)), sources.Warning, []want{{"load.cpu", sources.Warning, "worker-2", nil}}},
		"nine minutes":            {every(time.Minute, time.Hour, hot(9*time.Minute)), sources.OK, nil},
		"one dip":                 {every(time.Minute, time.Hour, func(age time.Duration) float64 { return map[bool]float64{true: 0.2, false: 0.99}[age == 4*time.Minute] }), sources.OK, nil},
		"at the limit":            {every(time.Minute, time.Hour, func(time.Duration) float64 { return 0.85 }), sources.OK, nil},
		"only five minutes known": {every(time.Minute, 5*time.Minute, hot(time.Hour)), sources.Unknown, nil},
		"a hole":                  {append(every(time.Minute, time.Hour, hot(time.Hour))[:50], every(time.Minute, 2*time.Minute, hot(time.Hour))...), sources.Unknown, nil},
		"newest is old":           {every(time.Minute, time.Hour, hot(time.Hour))[:40], sources.Unknown, nil},
		"none":                    {nil, sources.Unknown, nil},
		"samples from the future": {[]sources.Point{{At: now.Add(time.Hour), Value: 0.99}}, sources.Unknown, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := expect(t, change(cpu(c.points)), c.wants...)
			if got := j.Nodes[1].Load; got != c.load {
				t.Errorf("load is %s, want %s", got, c.load)
			}
			if unknown := j.Nodes[1].LoadError != ""; unknown != (c.load == sources.Unknown) {
				t.Errorf("LoadError is %q while load is %s", j.Nodes[1].LoadError, c.load)
			}
		})
	}
}

func TestMemoryAndLoadValues(t *testing.T) {
	t.Parallel()
	j := expect(t, change(func(s *sources.Snapshot) {
		s.History.Value.Series[sources.MemorySeries("worker-2")] = every(time.Minute, time.Hour, func(time.Duration) float64 { return 0.97 })
	}), want{"load.memory", sources.Warning, "worker-2", []string{"memory 97 %"}})
	if n := j.Nodes[1]; n.CPU != 30 || n.Memory != 50 || len(n.CPUPast) != 61 || n.Pods != 1 {
		t.Errorf("cpu %v, memory %v, %d points, %d pods", n.CPU, n.Memory, len(n.CPUPast), n.Pods)
	}
}

// Metrics that are missing everywhere are one finding, and none if something
// else explains it.
func TestLoadUnknownOnce(t *testing.T) {
	t.Parallel()
	noMetrics := func(err error, withFS bool) func(*sources.Snapshot) {
		return func(s *sources.Snapshot) {
			s.History.Value.Series = nil
			for n := range s.Stats {
				v := stats(40)
				v.From, v.CPU, v.Memory = "", 0, 0
				if !withFS {
					v = sources.NodeStats{}
				}
				s.Stats[n] = sources.Read(v, ago(time.Second)).Failed(err)
			}
		}
	}
	expect(t, change(noMetrics(nil, true)), want{"load.unknown", sources.Unknown, "prod", []string{"every node"}})
	refused := &sources.AccessError{Verb: "get", Resource: "nodes/proxy"}
	expect(t, change(noMetrics(refused, false)), want{
		"disk.unknown", sources.Unknown, "prod",
		[]string{"3 of 3 nodes", "no permission to get nodes/proxy"},
	})
	expect(t, change(noMetrics(errDown, false), func(s *sources.Snapshot) { s.Cluster = s.Cluster.Failed(errDown) }),
		want{"source.api", sources.Critical, "prod", []string{"cannot be read", "5 s old"}})
}

func TestNoNodes(t *testing.T) {
	t.Parallel()
	j := expect(t, change(func(s *sources.Snapshot) { s.Nodes.Value = nil }))
	if j.Missing["node"] == "" {
		t.Error("an empty node pane does not say why")
	}
	j = expect(t, change(func(s *sources.Snapshot) {
		s.Nodes = sources.Reading[[]sources.Node]{Err: &sources.AccessError{Verb: "list", Resource: "nodes"}}
	}), want{"source.access", sources.Unknown, "list nodes", []string{"no permission to list nodes", "dark: nodes, disks"}})
	if j.Missing["node"] != "nodes: no permission to list nodes" {
		t.Errorf("node pane says %q", j.Missing["node"])
	}
}

func TestVersionRules(t *testing.T) {
	t.Parallel()
	version := func(v string, nodes ...int) func(*sources.Snapshot) {
		return func(s *sources.Snapshot) {
			for _, i := range nodes {
				s.Nodes.Value[i].Version = v
			}
		}
	}
	for name, c := range map[string]struct {
		edit  func(*sources.Snapshot)
		wants []want
	}{
		"newer patch": {version("v1.33.9+k3s1", 1), nil},
		"newer minor": {version("v1.34.0+k3s1", 1), []want{{"version.newer", sources.Critical, "worker-2", []string{"v1.34.0+k3s1 is newer"}}}},
		"one older":   {version("v1.32.1+k3s1", 1), nil},
		"two older":   {version("v1.31.1+k3s1", 0, 1), []want{{"version.older", sources.Warning, "worker-2", []string{"2 nodes", "2 minors behind"}}}},
		"four older":  {version("v1.29.1+k3s1", 1), []want{{"version.older", sources.Critical, "worker-2", []string{"more than 3"}}}},
		"unreadable":  {version("unknown", 1), nil},
		"API unknown": {func(s *sources.Snapshot) { s.Cluster.Value.Version = "" }, nil},
		"mixed servers": {func(s *sources.Snapshot) {
			s.Nodes.Value[1].Roles = []string{"master"}
			s.Nodes.Value[1].Version = "v1.32.0+k3s1"
		}, []want{{"version.mixed", sources.Warning, "prod", []string{"v1.32 on worker-2; v1.33 on master-0"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := expect(t, change(c.edit), c.wants...)
			for _, w := range c.wants {
				if w.about == "worker-2" && j.Nodes[1].Severity != w.severity {
					t.Errorf("the node's row is %s", j.Nodes[1].Severity)
				}
			}
		})
	}
}

func TestSourceRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit  func(*sources.Snapshot)
		wants []want
	}{
		"API gone, everything fails with it": {func(s *sources.Snapshot) {
			s.Cluster = sources.Read(s.Cluster.Value, ago(4*time.Minute)).Failed(errDown)
			s.Pods, s.Nodes = s.Pods.Failed(errDown), s.Nodes.Failed(errDown)
			s.Sources = map[string]sources.Health{"kube": {Name: "kube", Err: errDown}}
		}, []want{{"source.api", sources.Critical, "prod", []string{"4 min old", "connection refused"}}}},
		"never answered": {func(s *sources.Snapshot) {
			*s = sources.Snapshot{Settings: s.Settings, Cluster: sources.Reading[sources.Cluster]{Err: errDown}}
		}, []want{{"source.api", sources.Critical, "cluster", []string{"cannot be read"}}}},
		"one resource broken": {
			func(s *sources.Snapshot) { s.Events = s.Events.Failed(errors.New("the server is overloaded")) },
			[]want{{"source.reading", sources.Unknown, "events", []string{"overloaded", "dark: event details"}}},
		},
		"permissions": {func(s *sources.Snapshot) {
			for i := range 4 {
				ns := fmt.Sprintf("ns%d", i)
				s.Secrets.Value = append(s.Secrets.Value, sources.TLSSecret{
					Ref: sources.Ref{Kind: "Secret", Namespace: ns, Name: "tls"},
					Err: &sources.AccessError{Verb: "get", Resource: "secrets", Namespace: ns},
				})
			}
		}, []want{{"source.access", sources.Unknown, "get secrets", []string{"no permission to get secrets (4 times)"}}}},
		"history full": {
			func(s *sources.Snapshot) { s.History = s.History.Failed(errors.New("disk full")) },
			[]want{{"source.history", sources.Warning, "history", []string{"disk full"}}},
		},
		"a source on its own": {func(s *sources.Snapshot) {
			s.Sources = map[string]sources.Health{
				"metrics": {Name: "metrics", At: ago(time.Hour), Err: errors.New("boom")},
				"hetzner": {Name: "hetzner", Off: true, Err: errors.New("not set up")},
			}
		}, []want{{"source.failing", sources.Warning, "metrics", []string{"fails for 60 min: boom"}}}},
		"hung": {
			func(s *sources.Snapshot) { s.Cluster.At = ago(5 * time.Minute) },
			[]want{{"source.stale", sources.Warning, "api", []string{"last read 5 min ago"}}},
		},
		"kubelets hung": {
			func(s *sources.Snapshot) { s.Stats["worker-2"] = sources.Read(stats(40), ago(time.Hour)) },
			[]want{{"source.stale", sources.Warning, "kubelets", []string{"1 kubelet"}}},
		},
		"cert-manager absent": {func(s *sources.Snapshot) {
			s.Certificates = sources.Reading[[]sources.Certificate]{Err: fmt.Errorf("certificates: %w", sources.ErrNotInstalled)}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, change(c.edit), c.wants...)
		})
	}
}
