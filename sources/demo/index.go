package demo

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// member names one stored object.
type member struct {
	kind *kind
	key  string
}

// index finds pods by node and objects by owner without a walk over all.
type index struct {
	onNode map[string]map[string]*corev1.Pod
	owned  map[types.UID]map[member]object
}

func newIndex() index {
	return index{onNode: map[string]map[string]*corev1.Pod{}, owned: map[types.UID]map[member]object{}}
}

func (x *index) add(k *kind, key string, o object) {
	for _, ref := range o.GetOwnerReferences() {
		put2(x.owned, ref.UID, member{k, key}, o)
	}
	if p, ok := o.(*corev1.Pod); ok && p.Spec.NodeName != "" {
		put2(x.onNode, p.Spec.NodeName, key, p)
	}
}

func (x *index) drop(k *kind, key string, o object) {
	for _, ref := range o.GetOwnerReferences() {
		delete(x.owned[ref.UID], member{k, key})
	}
	if p, ok := o.(*corev1.Pod); ok && p.Spec.NodeName != "" {
		delete(x.onNode[p.Spec.NodeName], key)
	}
}

func put2[K1, K2 comparable, V any](m map[K1]map[K2]V, a K1, b K2, v V) {
	if m[a] == nil {
		m[a] = map[K2]V{}
	}
	m[a][b] = v
}

// podsOn returns the pods bound to a node, by namespace and name.
func (w *World) podsOn(node string) []*corev1.Pod {
	w.store.mu.RLock()
	defer w.store.mu.RUnlock()
	pods := make([]*corev1.Pod, 0, len(w.store.index.onNode[node]))
	for _, p := range w.store.index.onNode[node] {
		pods = append(pods, p)
	}
	slices.SortFunc(pods, byKey)
	return pods
}

// owned returns the objects of one type that name an owner, by key.
func owned[T object](s *store, owner types.UID) []T {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []T
	for _, o := range s.index.owned[owner] {
		if t, ok := o.(T); ok {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, byKey)
	return out
}

func byKey[T metav1.Object](a, b T) int {
	return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
}
