package demo

import (
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// budgets computes the disruption budgets of namespaces whose pods changed.
func (m *simulation) budgets() {
	m.w.evictions.Lock()
	defer m.w.evictions.Unlock()
	for _, namespace := range slices.Sorted(maps.Keys(m.touched)) {
		for _, b := range all[*policyv1.PodDisruptionBudget](m.s, namespace) {
			m.budget(b)
		}
		m.endpoints(namespace)
	}
	clear(m.touched)
}

func (m *simulation) budget(b *policyv1.PodDisruptionBudget) {
	sel, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
	if err != nil {
		return
	}
	var pods []*corev1.Pod
	for _, p := range all[*corev1.Pod](m.s, b.Namespace) {
		if sel.Matches(labels.Set(p.Labels)) && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			pods = append(pods, p)
		}
	}
	expected := m.expected(pods)
	desired := desiredHealthy(&b.Spec, expected)
	healthy := countReady(slices.DeleteFunc(pods, func(p *corev1.Pod) bool { return p.DeletionTimestamp != nil }))
	allowed := max(0, healthy-desired)
	if expected == 0 {
		allowed = 0
	}
	status := policyv1.PodDisruptionBudgetStatus{
		ObservedGeneration: b.Generation, DisruptionsAllowed: allowed,
		CurrentHealthy: healthy, DesiredHealthy: desired, ExpectedPods: expected,
	}
	status.Conditions = budgetConditions(b, allowed, m.w.now().Truncate(1e9).UTC())
	edit(m.s, b, func(b *policyv1.PodDisruptionBudget) bool {
		changed := !equality.Semantic.DeepEqual(b.Status, status)
		b.Status = status
		return changed
	})
}

// expected is the number of pods that the owners of these pods want.
func (m *simulation) expected(pods []*corev1.Pod) (n int32) {
	seen := map[metav1.OwnerReference]bool{}
	for _, p := range pods {
		if len(p.OwnerReferences) == 0 {
			n++
			continue
		}
		ref := p.OwnerReferences[0]
		ref.Controller, ref.BlockOwnerDeletion = nil, nil
		if seen[ref] {
			continue
		}
		seen[ref] = true
		if r, ok := fetch[*appsv1.ReplicaSet](m.s, p.Namespace, ref.Name); ok && ref.Kind == "ReplicaSet" {
			n += orOne(r.Spec.Replicas)
		}
		if s, ok := fetch[*appsv1.StatefulSet](m.s, p.Namespace, ref.Name); ok && ref.Kind == "StatefulSet" {
			n += orOne(s.Spec.Replicas)
		}
	}
	return n
}

func desiredHealthy(s *policyv1.PodDisruptionBudgetSpec, expected int32) int32 {
	scaled := func(v *intstr.IntOrString) int32 {
		n, err := intstr.GetScaledValueFromIntOrPercent(v, int(expected), true)
		if err != nil {
			return expected
		}
		return int32(n)
	}
	switch {
	case s.MaxUnavailable != nil:
		return max(0, expected-scaled(s.MaxUnavailable))
	case s.MinAvailable != nil:
		return scaled(s.MinAvailable)
	}
	return expected
}

// namespaces empties and removes namespaces that are being deleted.
func (m *simulation) namespaces() {
	for _, ns := range all[*corev1.Namespace](m.s, "") {
		if ns.DeletionTimestamp == nil {
			if ns.Status.Phase == "" {
				m.openNamespace(ns)
			}
			continue
		}
		left := false
		for _, k := range m.s.reg.list {
			if !k.namespaced {
				continue
			}
			objs, _ := m.s.list(k, ns.Name)
			for _, o := range objs {
				left = true
				_, _, _ = m.w.deleteObject(k, ns.Name, o.GetName(), noOptions(), false) // gone already is fine
			}
		}
		if !left {
			m.s.remove(kindOf[*corev1.Namespace](m.s), "", ns.Name)
		}
	}
}

func (m *simulation) openNamespace(ns *corev1.Namespace) {
	edit(m.s, ns, func(ns *corev1.Namespace) bool {
		ns.Status.Phase = corev1.NamespaceActive
		ns.Labels = withEntry(ns.Labels, corev1.LabelMetadataName, ns.Name)
		return true
	})
	if _, ok := fetch[*corev1.ServiceAccount](m.s, ns.Name, "default"); !ok {
		add(m.s, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: ns.Name, Name: "default"}})
	}
}
