package demo

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func noOptions() *metav1.DeleteOptions { return &metav1.DeleteOptions{} }

// event says something of an object, or counts up what was said before.
func (m *simulation) event(o object, at time.Time, typ, reason, message, component string) {
	m.eventTimes(o, at, at, 1, typ, reason, message, component)
}

func (m *simulation) eventTimes(o object, first, last time.Time, count int32, typ, reason, message, component string) {
	if m.quiet {
		return
	}
	namespace := o.GetNamespace()
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	name := fmt.Sprintf("%s.%x", o.GetName(), hash(string(o.GetUID()), reason, message))
	when := metav1.NewTime(last.Truncate(time.Second))
	if old, ok := fetch[*corev1.Event](m.s, namespace, name); ok {
		edit(m.s, old, func(e *corev1.Event) bool {
			e.Count++
			e.LastTimestamp = when
			return true
		})
		return
	}
	gvk := o.GetObjectKind().GroupVersionKind()
	host := ""
	if p, ok := o.(*corev1.Pod); ok && component == "kubelet" {
		host = p.Spec.NodeName
	}
	add(m.s, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, CreationTimestamp: metav1.NewTime(first.Truncate(time.Second))},
		InvolvedObject: corev1.ObjectReference{
			Kind: gvk.Kind, APIVersion: gvk.GroupVersion().String(), Namespace: o.GetNamespace(),
			Name: o.GetName(), UID: o.GetUID(), ResourceVersion: o.GetResourceVersion(),
		},
		Type: typ, Reason: reason, Message: message, Count: count,
		Source:         corev1.EventSource{Component: component, Host: host},
		FirstTimestamp: metav1.NewTime(first.Truncate(time.Second)), LastTimestamp: when,
		ReportingController: component,
	})
}

func (m *simulation) normal(o object, at time.Time, reason, component, format string, args ...any) {
	m.event(o, at, corev1.EventTypeNormal, reason, fmt.Sprintf(format, args...), component)
}

func (m *simulation) warning(o object, at time.Time, reason, component, format string, args ...any) {
	m.event(o, at, corev1.EventTypeWarning, reason, fmt.Sprintf(format, args...), component)
}
