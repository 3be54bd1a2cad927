package kube

import (
	"cmp"
	"reflect"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// small is what travels from the wire to a table in place of a Kubernetes
// object: its identity and the little that is kept of it. A nil value is an
// object that is not kept.
type small struct {
	metav1.ObjectMeta

	value any // *T of the table it goes to
}

// GetObjectKind implements runtime.Object.
func (*small) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject implements runtime.Object. Nothing writes into a small one.
func (s *small) DeepCopyObject() runtime.Object { return s }

// feed is the state of one thing that is read: when it was last known true
// and why it is not now.
type feed struct {
	wake func() // something changed

	mu      sync.Mutex
	at      time.Time
	err     error
	live    bool   // a watch is open
	opened  int    // watches so far
	version uint64 // of the values
}

// feedState is a copy of a feed's state.
type feedState struct {
	at      time.Time
	err     error
	version uint64
}

func (f *feed) state() feedState {
	f.mu.Lock()
	defer f.mu.Unlock()
	return feedState{f.at, f.err, f.version}
}

// fail notes why the thing cannot be read. The values stay.
func (f *feed) fail(err error) {
	f.mu.Lock()
	f.err, f.live = err, false
	f.mu.Unlock()
	f.wake()
}

// open notes that a watch delivers every change from now on. The number it
// returns names that watch.
func (f *feed) open(now time.Time) int {
	f.mu.Lock()
	f.at, f.err, f.live = now, nil, true
	f.opened++
	n := f.opened
	f.mu.Unlock()
	f.wake()
	return n
}

// closed notes that changes may be missed from now on, unless a newer watch
// than this one is open.
func (f *feed) closed(n int) {
	f.mu.Lock()
	if f.opened == n {
		f.live = false
	}
	f.mu.Unlock()
}

// confirm moves the age of what an open watch keeps true.
func (f *feed) confirm(now time.Time) {
	f.mu.Lock()
	if f.live {
		f.at = now
	}
	f.mu.Unlock()
}

// record is one kept object.
type record[T any] struct {
	namespace, name string
	value           *T
}

func (r record[T]) compare(o record[T]) int {
	if c := cmp.Compare(r.namespace, o.namespace); c != 0 {
		return c
	}
	return cmp.Compare(r.name, o.name)
}

// table keeps what was made of one resource's objects, ordered by namespace
// and name. It is a reflector's store: no deltas leave it, only its whole
// content. Values are never changed once they are in it.
type table[T any] struct {
	feed

	records []record[T]
	now     func() time.Time
}

func recordOf[T any](obj any) (record[T], bool) {
	s, ok := obj.(*small)
	if !ok {
		if o, err := meta.Accessor(obj); err == nil {
			return record[T]{namespace: o.GetNamespace(), name: o.GetName()}, false
		}
		return record[T]{}, false
	}
	v, ok := s.value.(*T)
	return record[T]{s.Namespace, s.Name, v}, ok && v != nil
}

// Add implements cache.ReflectorStore.
func (t *table[T]) Add(obj any) error {
	r, keep := recordOf[T](obj)
	if !keep {
		t.remove(r)
		return nil
	}
	t.mu.Lock()
	i, found := slices.BinarySearchFunc(t.records, r, record[T].compare)
	switch {
	case !found:
		t.records = slices.Insert(t.records, i, r)
	case reflect.DeepEqual(t.records[i].value, r.value):
		t.mu.Unlock()
		return nil // a heartbeat, an annotation: nothing that is shown
	default:
		t.records[i] = r
	}
	t.version++
	t.mu.Unlock()
	t.wake()
	return nil
}

// Update implements cache.ReflectorStore.
func (t *table[T]) Update(obj any) error { return t.Add(obj) }

// Delete implements cache.ReflectorStore.
func (t *table[T]) Delete(obj any) error {
	r, _ := recordOf[T](obj)
	t.remove(r)
	return nil
}

func (t *table[T]) remove(r record[T]) {
	t.mu.Lock()
	i, found := slices.BinarySearchFunc(t.records, r, record[T].compare)
	if found {
		t.records = slices.Delete(t.records, i, i+1)
		t.version++
	}
	t.mu.Unlock()
	if found {
		t.wake()
	}
}

// Replace implements cache.ReflectorStore: a list answered.
func (t *table[T]) Replace(list []any, _ string) error {
	fresh := make([]record[T], 0, len(list))
	for _, obj := range list {
		if r, keep := recordOf[T](obj); keep {
			fresh = append(fresh, r)
		}
	}
	slices.SortFunc(fresh, record[T].compare)
	t.mu.Lock()
	if t.at.IsZero() || !slices.EqualFunc(fresh, t.records, func(a, b record[T]) bool { return reflect.DeepEqual(a, b) }) {
		t.records = fresh
		t.version++
	}
	t.at = t.now()
	t.mu.Unlock()
	t.wake()
	return nil
}

// Resync implements cache.ReflectorStore. There is nothing to send again.
func (*table[T]) Resync() error { return nil }

// forget empties the table: the server no longer has this resource.
func (t *table[T]) forget() {
	t.mu.Lock()
	if len(t.records) > 0 {
		t.records = nil
		t.version++
	}
	t.mu.Unlock()
}

// each calls fn with every value in order. fn must not change it.
func (t *table[T]) each(fn func(*T)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.records {
		fn(r.value)
	}
}

// values returns copies of all values, in order.
func (t *table[T]) values() []T {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]T, len(t.records))
	for i, r := range t.records {
		out[i] = *r.value
	}
	return out
}
