package demo

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// graceOf is how many seconds an object may take to go: pods that run have
// the asked or their own, everything else none.
func graceOf(o object, asked *int64) int64 {
	p, ok := o.(*corev1.Pod)
	if !ok || p.Spec.NodeName == "" || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return 0
	}
	switch {
	case asked != nil:
		return max(0, *asked)
	case p.Spec.TerminationGracePeriodSeconds != nil:
		return *p.Spec.TerminationGracePeriodSeconds
	}
	return 30
}

// defaults fills in what the API server would, as far as anything here reads
// it.
func defaults(o object) {
	switch t := o.(type) {
	case *corev1.Pod:
		podDefaults(&t.Spec)
		t.Status.Phase = corev1.PodPending
	case *corev1.Namespace:
		t.Spec.Finalizers = []corev1.FinalizerName{corev1.FinalizerKubernetes}
	case *appsv1.Deployment:
		t.Spec.Replicas = orDefault(t.Spec.Replicas, 1)
	case *appsv1.StatefulSet:
		t.Spec.Replicas = orDefault(t.Spec.Replicas, 1)
	case *appsv1.ReplicaSet:
		t.Spec.Replicas = orDefault(t.Spec.Replicas, 1)
	case *batchv1.Job:
		t.Spec.BackoffLimit = orDefault(t.Spec.BackoffLimit, 6)
		t.Spec.Completions, t.Spec.Parallelism = orDefault(t.Spec.Completions, 1), orDefault(t.Spec.Parallelism, 1)
	case *batchv1.CronJob:
		if t.Spec.Suspend == nil {
			t.Spec.Suspend = new(false)
		}
	}
}

func orDefault(p *int32, v int32) *int32 {
	if p == nil {
		return &v
	}
	return p
}

// stampManager notes in managedFields which fields this writer changed, two
// levels deep, so that "who cordoned this node" can be answered.
func (w *World) stampManager(q *request, old, next object) {
	changed := changedFields(old, next)
	if len(changed) == 0 {
		return
	}
	raw, err := json.Marshal(changed)
	if err != nil {
		return // nested maps of strings always marshal
	}
	at := metav1.NewTime(w.now().Truncate(time.Second))
	entry := metav1.ManagedFieldsEntry{
		Manager: q.fieldManager(), Operation: metav1.ManagedFieldsOperationUpdate, Subresource: q.sub, Time: &at,
		APIVersion: next.GetObjectKind().GroupVersionKind().GroupVersion().String(),
		FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{},
	}
	entry.FieldsV1.SetRawBytes(raw)
	fields := slices.DeleteFunc(slices.Clone(next.GetManagedFields()), func(e metav1.ManagedFieldsEntry) bool {
		return e.Manager == entry.Manager && e.Subresource == entry.Subresource
	})
	next.SetManagedFields(append(fields, entry))
}

// changedFields names the fields that differ, as {"f:spec":{"f:replicas":{}}}.
func changedFields(old, next object) map[string]any {
	before, after := map[string]any{}, toMap(next)
	if old != nil {
		before = toMap(old)
	}
	out := map[string]any{}
	for _, top := range slices.Sorted(maps.Keys(union(before, after))) {
		if top == "kind" || top == "apiVersion" || reflect.DeepEqual(before[top], after[top]) {
			continue
		}
		b, _ := before[top].(map[string]any)
		a, _ := after[top].(map[string]any)
		inner := map[string]any{}
		for key := range union(b, a) {
			if !serverField(top, key) && !reflect.DeepEqual(b[key], a[key]) {
				inner["f:"+key] = map[string]any{}
			}
		}
		if len(inner) > 0 {
			out["f:"+top] = inner
		}
	}
	return out
}

// serverField holds for metadata that no client sets.
func serverField(top, key string) bool {
	return top == "metadata" && slices.Contains([]string{"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "name", "namespace"}, key)
}

func union(a, b map[string]any) map[string]any {
	m := maps.Clone(b)
	if m == nil {
		m = map[string]any{}
	}
	maps.Copy(m, a)
	return m
}

func toMap(o object) map[string]any {
	m, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		panic(fmt.Sprintf("demo: %T as a map: %v", o, err))
	}
	return m
}
