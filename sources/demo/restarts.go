package demo

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources/demo/box"
)

// silence is how long a kubelet may say nothing before its node counts as
// unreachable.
const silence = 40 * time.Second

// nodeAway is what the cluster sees of a node whose k3s starts, or is down.
func (m *simulation) nodeAway(n *corev1.Node, k box.K3s, now time.Time) {
	status, reason, text := corev1.ConditionFalse, "KubeletNotReady", "[container runtime is down, CSINode is not yet initialized]"
	taint := corev1.TaintNodeNotReady
	if !k.Up {
		if now.Sub(k.Since) < silence {
			return // nobody noticed yet
		}
		status, reason, text = corev1.ConditionUnknown, "NodeStatusUnknown", "Kubelet stopped posting node status."
		taint = corev1.TaintNodeUnreachable
	}
	if nodeCondition(n, corev1.NodeReady) == status {
		return
	}
	m.normal(n, now, "NodeNotReady", "node-controller", "Node %s status is now: NodeNotReady", n.Name)
	edit(m.s, n, func(n *corev1.Node) bool {
		setReadiness(n, status, reason, text, now)
		n.Spec.Taints = withoutTaint(withoutTaint(n.Spec.Taints, corev1.TaintNodeNotReady), corev1.TaintNodeUnreachable)
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: taint, Effect: corev1.TaintEffectNoSchedule, TimeAdded: new(metav1.NewTime(now.Truncate(time.Second)))})
		return true
	})
}

// nodeBack is a kubelet that registers again: with the version of the binary
// and the arguments of the unit that it was started with.
func (m *simulation) nodeBack(n *corev1.Node, k box.K3s, now time.Time) {
	args, err := json.Marshal(k.Args)
	if err != nil {
		args = []byte("[]") // strings are always encoded
	}
	m.normal(n, now, "Starting", "kubelet", "Starting kubelet.")
	m.normal(n, now, "NodeReady", "kubelet", "Node %s status is now: NodeReady", n.Name)
	edit(m.s, n, func(n *corev1.Node) bool {
		setReadiness(n, corev1.ConditionTrue, "KubeletReady", "kubelet is posting ready status", now)
		n.Spec.Taints = withoutTaint(withoutTaint(n.Spec.Taints, corev1.TaintNodeNotReady), corev1.TaintNodeUnreachable)
		n.Status.NodeInfo.KubeletVersion = k.Version
		n.Status.NodeInfo.ContainerRuntimeVersion = runtimeOf(k.Version)
		if n.Annotations[nodeArgsKey] != string(args) {
			n.Annotations[nodeArgsKey] = string(args)
			n.Annotations["k3s.io/node-config-hash"] = fmt.Sprintf("%016X====", hash(n.Name, string(args)))
		}
		return true
	})
	m.renew(n, now)
}

func setReadiness(n *corev1.Node, status corev1.ConditionStatus, reason, text string, now time.Time) {
	at := metav1.NewTime(now.Truncate(time.Second))
	n.Status.Conditions = slices.Clone(n.Status.Conditions)
	for i := range n.Status.Conditions {
		c := &n.Status.Conditions[i]
		if c.Type == corev1.NodeReady {
			c.Status, c.Reason, c.Message, c.LastTransitionTime = status, reason, text, at
		}
		c.LastHeartbeatTime = at
	}
}

// runtimeOf is the containerd that a release of k3s brings along.
func runtimeOf(version string) string {
	switch {
	case strings.HasPrefix(version, "v1.33.4"):
		return "containerd://2.0.5-k3s2"
	case strings.HasPrefix(version, "v1.33."):
		return "containerd://2.1.4-k3s1"
	}
	return "containerd://2.1.5-k3s1"
}
