package demo

import (
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources/demo/box"
)

// leaseNamespace holds the kubelets' heartbeats.
const leaseNamespace = "kube-node-lease"

// nodes lets the kubelets renew their leases every 10 s, spread over these
// seconds, write their status every 5 min, and tells cordoned nodes by a taint.
func (m *simulation) nodes(now time.Time) {
	for _, n := range all[*corev1.Node](m.s, "") {
		machine := m.w.machine(n.Name)
		if machine == nil {
			continue
		}
		k := machine.k3s()
		if beat := now.Add(-time.Duration(hash(n.Name) % uint64(10*time.Second))).Truncate(10 * time.Second); k.Ready && beat.After(m.renewed(n.Name)) {
			m.renew(n, now)
		}
		m.nodeStatus(n, machine, k, now)
		m.taintCordoned(n, now)
	}
}

func (m *simulation) renewed(node string) time.Time {
	if l, ok := fetch[*coordinationv1.Lease](m.s, leaseNamespace, node); ok && l.Spec.RenewTime != nil {
		return l.Spec.RenewTime.Time
	}
	return time.Time{}
}

func (m *simulation) renew(n *corev1.Node, now time.Time) {
	at := metav1.NewMicroTime(now)
	if l, ok := fetch[*coordinationv1.Lease](m.s, leaseNamespace, n.Name); ok {
		edit(m.s, l, func(l *coordinationv1.Lease) bool {
			l.Spec.RenewTime = &at
			return true
		})
		return
	}
	add(m.s, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: leaseNamespace, Name: n.Name,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: n.Name, UID: n.UID}},
		},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &n.Name, LeaseDurationSeconds: new(int32(40)), RenewTime: &at},
	})
}

// nodeStatus writes the conditions when one changed, else every 5 min.
func (m *simulation) nodeStatus(n *corev1.Node, machine *machine, k box.K3s, now time.Time) {
	if !k.Ready {
		m.nodeAway(n, k, now)
		return
	}
	// One that was away between two steps only is back too.
	if k.Version != "" && (nodeCondition(n, corev1.NodeReady) != corev1.ConditionTrue || n.Status.NodeInfo.KubeletVersion != k.Version) {
		m.nodeBack(n, k, now)
		return
	}
	// k3s evicts at 5 % of the filesystem's size, see configz.
	pressure := machine.diskAvailable(now) < machine.disk/20
	had := nodeCondition(n, corev1.NodeDiskPressure) == corev1.ConditionTrue
	stale := slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && now.Sub(c.LastHeartbeatTime.Time) >= 5*time.Minute
	})
	if pressure == had && !stale {
		return
	}
	if pressure && !had {
		m.warning(n, now, "EvictionThresholdMet", "kubelet", "Attempting to reclaim ephemeral-storage")
		m.normal(n, now, "NodeHasDiskPressure", "kubelet", "Node %s status is now: NodeHasDiskPressure", n.Name)
	}
	edit(m.s, n, func(n *corev1.Node) bool {
		n.Status.Conditions = nodeConditions(n.Status.Conditions, pressure, now)
		const key = "node.kubernetes.io/disk-pressure"
		n.Spec.Taints = withoutTaint(n.Spec.Taints, key)
		if pressure {
			n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Effect: corev1.TaintEffectNoSchedule})
		}
		return true
	})
}

func nodeCondition(n *corev1.Node, typ corev1.NodeConditionType) corev1.ConditionStatus {
	for _, c := range n.Status.Conditions {
		if c.Type == typ {
			return c.Status
		}
	}
	return corev1.ConditionUnknown
}

func nodeConditions(old []corev1.NodeCondition, diskPressure bool, now time.Time) []corev1.NodeCondition {
	at := metav1.NewTime(now.Truncate(time.Second))
	disk, diskReason, diskText := corev1.ConditionFalse, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"
	if diskPressure {
		disk, diskReason, diskText = corev1.ConditionTrue, "KubeletHasDiskPressure", "kubelet has disk pressure"
	}
	fresh := []corev1.NodeCondition{
		{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientMemory", Message: "kubelet has sufficient memory available"},
		{Type: corev1.NodeDiskPressure, Status: disk, Reason: diskReason, Message: diskText},
		{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID", Message: "kubelet has sufficient PID available"},
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"},
	}
	for i := range fresh {
		fresh[i].LastHeartbeatTime, fresh[i].LastTransitionTime = at, at
		for _, o := range old {
			if o.Type == fresh[i].Type && o.Status == fresh[i].Status {
				fresh[i].LastTransitionTime = o.LastTransitionTime
			}
		}
	}
	return fresh
}

// taintCordoned does what the node lifecycle controller does after a cordon.
func (m *simulation) taintCordoned(n *corev1.Node, now time.Time) {
	has := slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeUnschedulable })
	if has == n.Spec.Unschedulable {
		return
	}
	verb, at := "NodeSchedulable", metav1.NewTime(now.Truncate(time.Second))
	if n.Spec.Unschedulable {
		verb = "NodeNotSchedulable"
	}
	m.normal(n, now, verb, "kubelet", "Node %s status is now: %s", n.Name, verb)
	edit(m.s, n, func(n *corev1.Node) bool {
		n.Spec.Taints = withoutTaint(n.Spec.Taints, corev1.TaintNodeUnschedulable)
		if n.Spec.Unschedulable {
			n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{
				Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule, TimeAdded: &at,
			})
		}
		return true
	})
}

func withoutTaint(taints []corev1.Taint, key string) []corev1.Taint {
	return slices.DeleteFunc(slices.Clone(taints), func(t corev1.Taint) bool { return t.Key == key })
}
