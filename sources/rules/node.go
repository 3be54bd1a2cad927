package rules

import (
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// judgeNodes makes the node rows and applies the node and load rules.
func (l *look) judgeNodes() {
	if waiting(l, "node", "nodes", l.s.Nodes) {
		return
	}
	if len(l.s.Nodes.Value) == 0 {
		l.out.Missing["node"] = "the API server knows no nodes"
		return
	}
	pods := podsByNode(l.s.Pods.Value)
	rows := make([]sources.NodeHealth, len(l.s.Nodes.Value))
	for i, n := range l.s.Nodes.Value {
		row := &rows[i]
		row.Node, row.Pods = n, pods[n.Name]
		row.About = node(n.Name)
		l.nodeReady(row)
		l.nodePressure(row)
		l.nodeNetwork(row)
		l.nodeCordoned(row)
		l.nodeLoad(row)
	}
	slices.SortStableFunc(rows, func(a, b sources.NodeHealth) int {
		if sa, sb := a.Node.Server(), b.Node.Server(); sa != sb {
			if sa {
				return -1
			}
			return 1
		}
		return sources.CompareNames(a.Node.Name, b.Node.Name)
	})
	l.out.Nodes = rows
	l.loadUnknown()
}

// podsByNode counts the pods that take a place on each node.
func podsByNode(pods []sources.Pod) map[string]int {
	count := map[string]int{}
	for i := range pods {
		p := &pods[i]
		if p.Node != "" && p.Phase != "Succeeded" && p.Phase != "Failed" {
			count[p.Node]++
		}
	}
	return count
}

// notReady is the set of nodes whose kubelet says or leaves it unsaid that
// it is not ready.
func notReady(nodes []sources.Node) map[string]bool {
	down := map[string]bool{}
	for i := range nodes {
		if c, ok := nodes[i].Condition("Ready"); ok && c.Status != "True" {
			down[nodes[i].Name] = true
		}
	}
	return down
}

// nodeReady: the Ready condition. Unknown means that the node controller has
// not heard of the kubelet for 40 s (node-monitor-grace-period): as bad as
// not ready, since its pods get evicted after five minutes.
func (l *look) nodeReady(row *sources.NodeHealth) {
	c, ok := row.Node.Condition("Ready")
	f := sources.Finding{Rule: NodeReady, About: row.About, Severity: sources.Critical}
	switch {
	case !ok:
		f.Severity = sources.Unknown
		f.Summary = "no Ready condition: the kubelet has not reported yet"
	case c.Status == "True":
		return
	case c.Status == "Unknown":
		f.Summary = "kubelet stopped reporting" + since(c.Since, l.now)
	default:
		f.Summary = join("not ready"+lasting(c.Since, l.now), brief(conditionText(c), 60))
	}
	f.Evidence = []sources.Fact{fact(l.s.Nodes.At, "node status", condition(c.Status, c.Reason, c.Message))}
	l.add(&row.Row, f)
}

// conditionText is the message, else the reason.
func conditionText(c sources.Condition) string {
	if c.Message != "" {
		return c.Message
	}
	return c.Reason
}

// nodePressure: the kubelet's own pressure conditions. Disk pressure evicts
// pods and stops image pulls, so it is critical.
func (l *look) nodePressure(row *sources.NodeHealth) {
	var say parts
	var evidence []sources.Fact
	for _, kind := range [...]struct {
		condition, text string
		severity        sources.Severity
	}{
		{"DiskPressure", "disk pressure", sources.Critical},
		{"MemoryPressure", "memory pressure", sources.Warning},
		{"PIDPressure", "PID pressure", sources.Warning},
	} {
		c, ok := row.Node.Condition(kind.condition)
		if !ok || c.Status != "True" {
			continue
		}
		say.say(NodePressure, kind.severity, kind.text+lasting(c.Since, l.now))
		evidence = append(evidence, fact(l.s.Nodes.At, "node status", c.Type+"=True "+c.Reason+": "+c.Message))
	}
	if f, ok := say.finding(row.About, evidence); ok {
		l.add(&row.Row, f)
	}
}

// nodeNetwork: the node's network is not set up.
func (l *look) nodeNetwork(row *sources.NodeHealth) {
	c, ok := row.Node.Condition("NetworkUnavailable")
	if !ok || c.Status != "True" {
		return
	}
	l.add(&row.Row, sources.Finding{
		Rule: NodeNetwork, Severity: sources.Critical, About: row.About,
		Summary:  join("network not set up"+lasting(c.Since, l.now), brief(conditionText(c), 50)),
		Evidence: []sources.Fact{fact(l.s.Nodes.At, "node status", c.Type+"=True "+c.Reason+": "+c.Message)},
	})
}

// nodeCordoned: left cordoned after a drain or an upgrade is how small
// clusters lose their spare capacity unseen.
func (l *look) nodeCordoned(row *sources.NodeHealth) {
	n := row.Node
	if !n.Unschedulable {
		return
	}
	text := "cordoned" + since(n.CordonedAt, l.now)
	if n.CordonedBy != "" {
		text += " by " + n.CordonedBy
	}
	evidence := []sources.Fact{fact(l.s.Nodes.At, "node spec", "spec.unschedulable=true")}
	if !n.CordonedAt.IsZero() {
		evidence = append(evidence, fact(n.CordonedAt, "node taints", "node.kubernetes.io/unschedulable was added"))
	}
	if len(n.Taints) > 0 {
		evidence = append(evidence, fact(l.s.Nodes.At, "node taints", strings.Join(n.Taints, ", ")))
	}
	l.add(&row.Row, sources.Finding{
		Rule: NodeCordoned, Severity: sources.Warning, About: row.About, Summary: text, Evidence: evidence,
	})
}

// since is " 3 h ago", or "" when the time is not known.
func since(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " " + sources.Ago(t, now)
}

// lately is since in minutes: what is in sight all the time does not count
// seconds.
func lately(t, now time.Time) string {
	past := now.Sub(t)
	switch {
	case t.IsZero() || past < 0 || past >= 2*time.Minute:
		return since(t, now)
	case past >= time.Minute:
		return " 1 min ago"
	}
	return " <1 min ago"
}

// lasting is " for 12 min", or "" when the time is not known.
func lasting(t, now time.Time) string {
	if t.IsZero() || !t.Before(now) {
		return ""
	}
	return " for " + sources.Span(now.Sub(t))
}
