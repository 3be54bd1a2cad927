package demo

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// schedule binds a pod to the node with the fewest pods of its owner and the
// fewest in all, or says why there is none.
func (m *simulation) schedule(p *corev1.Pod, now time.Time) {
	node, why := m.choose(p)
	if node == "" {
		m.unschedulable(p, why, now)
		return
	}
	m.normal(p, now, "Scheduled", "default-scheduler", "Successfully assigned %s/%s to %s", p.Namespace, p.Name, node)
	edit(m.s, p, func(p *corev1.Pod) bool {
		p.Spec.NodeName = node
		setCondition(p, corev1.PodScheduled, corev1.ConditionTrue, "", "", now)
		return true
	})
}

func (m *simulation) unschedulable(p *corev1.Pod, why string, now time.Time) {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Message == why {
			return
		}
	}
	m.warning(p, now, "FailedScheduling", "default-scheduler", "%s", why)
	edit(m.s, p, func(p *corev1.Pod) bool {
		setCondition(p, corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", why, now)
		return true
	})
}

func (m *simulation) choose(p *corev1.Pod) (node, why string) {
	nodes := all[*corev1.Node](m.s, "")
	refused := map[string]int{}
	best, bestScore := "", 0
	for _, n := range nodes {
		if reason := m.refuses(n, p); reason != "" {
			refused[reason]++
			continue
		}
		score := 1
		if _, server := n.Labels["node-role.kubernetes.io/control-plane"]; server && p.Namespace != metav1.NamespaceSystem {
			score += 500
		}
		for _, other := range m.w.podsOn(n.Name) {
			score++
			if sameOwner(p, other) {
				score += 1000
			}
		}
		if best == "" || score < bestScore {
			best, bestScore = n.Name, score
		}
	}
	if best != "" {
		return best, ""
	}
	parts := make([]string, 0, len(refused))
	for _, reason := range slices.Sorted(maps.Keys(refused)) {
		parts = append(parts, fmt.Sprintf("%d %s", refused[reason], reason))
	}
	return "", fmt.Sprintf("0/%d nodes are available: %s. preemption: 0/%d nodes are available: %d Preemption is not helpful for scheduling.",
		len(nodes), strings.Join(parts, ", "), len(nodes), len(nodes))
}

func sameOwner(a, b *corev1.Pod) bool {
	return len(a.OwnerReferences) > 0 && len(b.OwnerReferences) > 0 && a.OwnerReferences[0].UID == b.OwnerReferences[0].UID
}

// refuses says why a node cannot take a pod, in the scheduler's words; "" if
// it can.
func (m *simulation) refuses(n *corev1.Node, p *corev1.Pod) string {
	switch {
	case n.Spec.Unschedulable:
		return "node(s) were unschedulable"
	case !labelsMatch(p.Spec.NodeSelector, n.Labels):
		return "node(s) didn't match Pod's node affinity/selector"
	case !m.volumesAllow(n, p):
		return "node(s) had volume node affinity conflict"
	}
	for i := range n.Spec.Taints {
		t := &n.Spec.Taints[i]
		if t.Effect != corev1.TaintEffectPreferNoSchedule && !slices.ContainsFunc(p.Spec.Tolerations, func(x corev1.Toleration) bool { return tolerates(x, t) }) {
			return fmt.Sprintf("node(s) had untolerated taint {%s: %s}", t.Key, t.Value)
		}
	}
	return m.lacks(n, p)
}

func tolerates(x corev1.Toleration, t *corev1.Taint) bool {
	return (x.Effect == "" || x.Effect == t.Effect) && (x.Key == "" || x.Key == t.Key) &&
		(x.Operator == corev1.TolerationOpExists || x.Value == t.Value)
}

// lacks says which resource a node has too little of.
func (m *simulation) lacks(n *corev1.Node, p *corev1.Pod) string {
	pods := m.w.podsOn(n.Name)
	if int64(len(pods)) >= n.Status.Allocatable.Pods().Value() {
		return "Too many pods"
	}
	cpu, mem := requests(p)
	for _, other := range pods {
		if other.Status.Phase != corev1.PodSucceeded && other.Status.Phase != corev1.PodFailed {
			c, b := requests(other)
			cpu, mem = cpu+c, mem+b
		}
	}
	switch {
	case cpu > n.Status.Allocatable.Cpu().MilliValue():
		return "Insufficient cpu"
	case mem > n.Status.Allocatable.Memory().Value():
		return "Insufficient memory"
	}
	return ""
}

func requests(p *corev1.Pod) (milli, bytes int64) {
	for i := range p.Spec.Containers {
		r := p.Spec.Containers[i].Resources.Requests
		milli += value(r, corev1.ResourceCPU).MilliValue()
		bytes += value(r, corev1.ResourceMemory).Value()
	}
	return milli, bytes
}

func value(l corev1.ResourceList, name corev1.ResourceName) *resource.Quantity {
	q := l[name]
	return &q
}

// volumesAllow holds where no volume of the pod is bound to another node, as
// local-path volumes are.
func (m *simulation) volumesAllow(n *corev1.Node, p *corev1.Pod) bool {
	for _, v := range p.Spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		claim, ok := fetch[*corev1.PersistentVolumeClaim](m.s, p.Namespace, v.PersistentVolumeClaim.ClaimName)
		if !ok {
			continue
		}
		pv, ok := fetch[*corev1.PersistentVolume](m.s, "", claim.Spec.VolumeName)
		if !ok || pv.Spec.NodeAffinity == nil || pv.Spec.NodeAffinity.Required == nil {
			continue
		}
		for _, term := range pv.Spec.NodeAffinity.Required.NodeSelectorTerms {
			for _, e := range term.MatchExpressions {
				if !slices.Contains(e.Values, n.Labels[e.Key]) {
					return false
				}
			}
		}
	}
	return true
}
