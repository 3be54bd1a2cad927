package demo

import (
	"cmp"
	"slices"
	"strconv"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// logSize is how many changes a watch may lag behind before it gets 410 Gone.
const logSize = 20000

// change is one entry of the store's log.
type change struct {
	rv     uint64
	kind   *kind
	typ    watch.EventType
	now    object // the last state for a deletion
	before object // nil for an addition
}

// table holds the objects of one kind by "namespace/name".
type table struct {
	objs  map[string]object
	keys  []string // sorted
	stale bool     // keys must be sorted anew
}

// store keeps all objects under one resource version counter, and a bounded
// log of changes that watches and controllers read. It signals "look again"
// by closing a channel; it never pushes data.
type store struct {
	reg *registry
	now func() time.Time
	ids *idSource

	mu     sync.RWMutex
	rv     uint64
	tables map[*kind]*table
	index  index
	log    []change
	floor  uint64        // a watch from an older version gets 410
	beat   uint64        // counts bookmark times
	more   chan struct{} // closed at the next change or bookmark time
}

func newStore(reg *registry, now func() time.Time, seed, firstVersion uint64) *store {
	s := &store{
		reg: reg, now: now, ids: newIDs(seed), rv: firstVersion, floor: firstVersion,
		tables: map[*kind]*table{}, index: newIndex(), more: make(chan struct{}),
	}
	for _, k := range reg.list {
		s.tables[k] = &table{objs: map[string]object{}}
	}
	return s
}

func objectKey(namespace, name string) string { return namespace + "/" + name }

func (s *store) get(k *kind, namespace, name string) (object, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, ok := s.tables[k].objs[objectKey(namespace, name)]
	return o, ok
}

// list returns the objects of a kind in key order, all namespaces if
// namespace is "", and the version of this picture.
func (s *store) list(k *kind, namespace string) ([]object, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[k]
	t.sort()
	keys := t.keys
	if namespace != "" {
		// '0' follows '/': the half-open range holds exactly one namespace.
		from, _ := slices.BinarySearch(keys, namespace+"/")
		to, _ := slices.BinarySearch(keys, namespace+"0")
		keys = keys[from:to]
	}
	out := make([]object, 0, len(keys))
	for _, key := range keys {
		out = append(out, t.objs[key])
	}
	return out, s.rv
}

func (t *table) sort() {
	if !t.stale {
		return
	}
	t.keys = t.keys[:0]
	for key := range t.objs {
		t.keys = append(t.keys, key)
	}
	slices.Sort(t.keys)
	t.stale = false
}

// create stores a new object and fills in what the server decides. The
// caller gives the object away.
func (s *store) create(k *kind, o object, dryRun bool) (object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.GetName() == "" && o.GetGenerateName() != "" {
		o.SetName(o.GetGenerateName() + s.ids.suffix(5))
	}
	if o.GetName() == "" {
		return nil, apierrors.NewBadRequest("name or generateName is required")
	}
	if _, ok := s.tables[k].objs[objectKey(o.GetNamespace(), o.GetName())]; ok {
		return nil, apierrors.NewAlreadyExists(k.group(), o.GetName())
	}
	o.GetObjectKind().SetGroupVersionKind(k.gvk)
	if o.GetUID() == "" {
		o.SetUID(s.ids.uid())
	}
	if c := o.GetCreationTimestamp(); c.IsZero() {
		o.SetCreationTimestamp(metav1.NewTime(s.now().Truncate(time.Second)))
	}
	if o.GetGeneration() == 0 {
		o.SetGeneration(1)
	}
	if !dryRun {
		s.put(k, watch.Added, o, nil)
	}
	return o, nil
}

// update replaces one object by what edit makes of a copy of it. A nil
// result means that nothing is to change.
func (s *store) update(k *kind, namespace, name string, dryRun bool, edit func(o object) (object, error)) (object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.tables[k].objs[objectKey(namespace, name)]
	if !ok {
		return nil, apierrors.NewNotFound(k.group(), name)
	}
	next, err := edit(copyOf(old))
	if err != nil {
		return nil, err
	}
	if next == nil {
		return old, nil
	}
	if dryRun {
		return next, nil
	}
	if next.GetDeletionTimestamp() != nil && len(next.GetFinalizers()) == 0 && !k.lingers() {
		s.drop(k, next)
		return next, nil
	}
	s.put(k, watch.Modified, next, old)
	return next, nil
}

// remove deletes one object at once, whatever its grace period.
func (s *store) remove(k *kind, namespace, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.tables[k].objs[objectKey(namespace, name)]
	if ok {
		s.drop(k, copyOf(old))
	}
}

func copyOf(o object) object {
	c, ok := o.DeepCopyObject().(object)
	if !ok {
		panic("demo: the copy of an object is no object")
	}
	return c
}

// put stores under the lock.
func (s *store) put(k *kind, typ watch.EventType, o, before object) {
	s.rv++
	o.SetResourceVersion(strconv.FormatUint(s.rv, 10))
	t := s.tables[k]
	key := objectKey(o.GetNamespace(), o.GetName())
	if old, ok := t.objs[key]; ok {
		s.index.drop(k, key, old)
	} else {
		t.stale = true
	}
	t.objs[key] = o
	s.index.add(k, key, o)
	s.append(change{rv: s.rv, kind: k, typ: typ, now: o, before: before})
}

// drop removes under the lock; o is a copy that may be stamped.
func (s *store) drop(k *kind, o object) {
	s.rv++
	key := objectKey(o.GetNamespace(), o.GetName())
	before := s.tables[k].objs[key]
	o.SetResourceVersion(strconv.FormatUint(s.rv, 10))
	s.index.drop(k, key, before)
	delete(s.tables[k].objs, key)
	s.tables[k].stale = true
	s.append(change{rv: s.rv, kind: k, typ: watch.Deleted, now: o, before: before})
}

func (s *store) append(c change) {
	s.log = append(s.log, c)
	if len(s.log) > 2*logSize {
		cut := len(s.log) - logSize
		s.floor = s.log[cut-1].rv
		s.log = slices.Clone(s.log[cut:])
	}
	s.wake()
}

func (s *store) wake() {
	close(s.more)
	s.more = make(chan struct{})
}

// since returns the changes after a version, and a channel that closes when
// there is more. It fails with 410 if the log no longer reaches back so far.
func (s *store) since(rv uint64) (changes []change, beat uint64, more <-chan struct{}, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if rv < s.floor {
		return nil, 0, nil, apierrors.NewResourceExpired("too old resource version: " +
			strconv.FormatUint(rv, 10) + " (" + strconv.FormatUint(s.floor, 10) + ")")
	}
	i, _ := slices.BinarySearchFunc(s.log, rv+1, func(c change, v uint64) int { return cmp.Compare(c.rv, v) })
	return s.log[i:len(s.log):len(s.log)], s.beat, s.more, nil
}

func (s *store) version() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rv
}

// compact forgets the log: every watch that starts from an older version
// than the present one gets 410 Gone.
func (s *store) compact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log, s.floor = nil, s.rv
}

// bookmark makes every watch that asked for bookmarks send one.
func (s *store) bookmark() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beat++
	s.wake()
}

// rebase gives every object a new version from a counter that starts again
// at first, as after a datastore was restored or replaced.
func (s *store) rebase(first uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rv, s.log = first, nil
	for _, k := range s.reg.list {
		t := s.tables[k]
		t.sort()
		for _, key := range t.keys {
			o := copyOf(t.objs[key])
			s.rv++
			o.SetResourceVersion(strconv.FormatUint(s.rv, 10))
			s.index.drop(k, key, t.objs[key])
			t.objs[key] = o
			s.index.add(k, key, o)
		}
	}
	s.floor = s.rv
	s.wake()
}

// kindOf finds the kind of a Go type; it panics on a type that the registry
// lacks, which only a mistake in this package can cause.
func kindOf[T object](s *store) *kind {
	k, ok := s.reg.byType[typeFor[T]()]
	if !ok {
		panic("demo: no kind for " + typeFor[T]().String())
	}
	return k
}

func (s *store) kind(group, resource string) *kind {
	for _, k := range s.reg.list {
		if k.group() == (schema.GroupResource{Group: group, Resource: resource}) {
			return k
		}
	}
	return nil
}
