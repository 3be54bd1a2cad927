package demo

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// endpoints lists the ready pods behind each Service of a namespace.
func (m *simulation) endpoints(namespace string) {
	services := all[*corev1.Service](m.s, namespace)
	if len(services) == 0 {
		return
	}
	pods := all[*corev1.Pod](m.s, namespace)
	for _, svc := range services {
		if len(svc.Spec.Selector) == 0 {
			continue
		}
		subsets := subsetsOf(svc, pods)
		old, ok := fetch[*corev1.Endpoints](m.s, namespace, svc.Name)
		if !ok {
			add(m.s, &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: svc.Name, Labels: svc.Labels}, Subsets: subsets})
			continue
		}
		edit(m.s, old, func(e *corev1.Endpoints) bool {
			changed := !equality.Semantic.DeepEqual(e.Subsets, subsets)
			e.Subsets = subsets
			return changed
		})
	}
}

func subsetsOf(svc *corev1.Service, pods []*corev1.Pod) []corev1.EndpointSubset {
	var set corev1.EndpointSubset
	for _, p := range pods {
		if !labelsMatch(svc.Spec.Selector, p.Labels) || p.Status.PodIP == "" || p.DeletionTimestamp != nil {
			continue
		}
		a := corev1.EndpointAddress{IP: p.Status.PodIP, NodeName: new(p.Spec.NodeName), TargetRef: &corev1.ObjectReference{
			Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID,
		}}
		if podReady(p) {
			set.Addresses = append(set.Addresses, a)
		} else {
			set.NotReadyAddresses = append(set.NotReadyAddresses, a)
		}
	}
	if len(set.Addresses)+len(set.NotReadyAddresses) == 0 {
		return nil
	}
	slices.SortFunc(set.Addresses, func(a, b corev1.EndpointAddress) int { return strings.Compare(a.IP, b.IP) })
	for _, port := range svc.Spec.Ports {
		set.Ports = append(set.Ports, corev1.EndpointPort{Name: port.Name, Port: port.TargetPort.IntVal, Protocol: port.Protocol})
	}
	return []corev1.EndpointSubset{set}
}

func budgetConditions(b *policyv1.PodDisruptionBudget, allowed int32, now time.Time) []metav1.Condition {
	c := metav1.Condition{
		Type: policyv1.DisruptionAllowedCondition, Status: metav1.ConditionTrue, Reason: policyv1.SufficientPodsReason,
		ObservedGeneration: b.Generation, LastTransitionTime: metav1.NewTime(now),
	}
	if allowed == 0 {
		c.Status, c.Reason = metav1.ConditionFalse, policyv1.InsufficientPodsReason
	}
	if old := b.Status.Conditions; len(old) == 1 && old[0].Status == c.Status {
		c.LastTransitionTime = old[0].LastTransitionTime
	}
	return []metav1.Condition{c}
}
