package demo

import (
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// simulation is the controllers, scheduler and kubelets of the world. It
// reads the store's log like any other watcher and acts once a step.
type simulation struct {
	w    *World
	s    *store
	seen uint64

	restless map[string]bool   // pods that may change by themselves, by key
	dirty    map[member]bool   // workloads to look at
	touched  map[string]bool   // namespaces whose pods changed
	traits   map[string]trait  // what containers of an owner do, by "Kind/namespace/name"
	bearers  map[string]bearer // the pod that has the owner's loop
	minute   time.Time         // of the last bookmark
	quiet    bool              // no events: the world is being built
}

func newSimulation(w *World) *simulation {
	return &simulation{
		w: w, s: w.store, restless: map[string]bool{}, dirty: map[member]bool{}, touched: map[string]bool{},
		traits: map[string]trait{}, bearers: map[string]bearer{},
	}
}

// step lets everybody act once.
func (m *simulation) step() {
	now := m.w.now()
	m.catchUp()
	m.machinesK3s()
	m.nodes(now)
	m.cronJobs(now)
	m.workloads(now)
	m.catchUp()
	m.pods(now)
	m.budgets()
	m.namespaces()
	m.forgetEvents(now)
	if minute := now.Truncate(time.Minute); !minute.Equal(m.minute) {
		m.minute = minute
		m.s.bookmark()
	}
}

// resync looks at everything anew, for instance after the log was cut.
func (m *simulation) resync() {
	m.seen = m.s.version()
	for _, p := range all[*corev1.Pod](m.s, "") {
		m.touched[p.Namespace] = true
		if m.unsettled(p) {
			m.restless[objectKey(p.Namespace, p.Name)] = true
		}
	}
	for _, k := range m.s.reg.list {
		if isWorkload(k.resource) {
			objs, _ := m.s.list(k, "")
			for _, o := range objs {
				m.dirty[member{k, objectKey(o.GetNamespace(), o.GetName())}] = true
			}
		}
	}
}

func isWorkload(resource string) bool {
	switch resource {
	case "deployments", "statefulsets", "daemonsets", "replicasets", "jobs":
		return true
	}
	return false
}

// catchUp reads the log since the last look and notes what to look at.
func (m *simulation) catchUp() {
	if m.s.version() < m.seen {
		m.resync() // a new history began
	}
	changes, _, _, err := m.s.since(m.seen)
	if err != nil {
		m.resync()
		return
	}
	for _, c := range changes {
		m.seen = c.rv
		m.note(c)
	}
}

func (m *simulation) note(c change) {
	key := objectKey(c.now.GetNamespace(), c.now.GetName())
	switch {
	case c.kind.resource == "pods":
		m.touched[c.now.GetNamespace()] = true
		if c.typ == watch.Deleted {
			delete(m.restless, key)
		} else {
			m.restless[key] = true
		}
	case isWorkload(c.kind.resource):
		m.dirty[member{c.kind, key}] = true
	case c.kind.resource == "nodes" && c.typ != watch.Modified:
		m.allDaemonSets()
	case c.kind.resource == "poddisruptionbudgets":
		m.touched[c.now.GetNamespace()] = true
	}
	if c.typ == watch.Deleted {
		m.collect(c.now.GetUID())
		if c.kind.resource == "nodes" {
			m.orphans(c.now.GetName())
		}
	}
	for _, ref := range c.now.GetOwnerReferences() {
		if k := m.kindNamed(ref.Kind); k != nil && isWorkload(k.resource) {
			m.dirty[member{k, objectKey(c.now.GetNamespace(), ref.Name)}] = true
		}
	}
}

func (m *simulation) kindNamed(kindName string) *kind {
	i := slices.IndexFunc(m.s.reg.list, func(k *kind) bool { return k.gvk.Kind == kindName })
	if i < 0 {
		return nil
	}
	return m.s.reg.list[i]
}

func (m *simulation) allDaemonSets() {
	k := m.s.kind("apps", "daemonsets")
	objs, _ := m.s.list(k, "")
	for _, o := range objs {
		m.dirty[member{k, objectKey(o.GetNamespace(), o.GetName())}] = true
	}
}

// collect deletes what an owner that is gone leaves behind.
func (m *simulation) collect(owner types.UID) {
	m.s.mu.RLock()
	left := slices.Collect(maps.Keys(m.s.index.owned[owner]))
	m.s.mu.RUnlock()
	slices.SortFunc(left, func(a, b member) int { return strings.Compare(a.kind.resource+a.key, b.kind.resource+b.key) })
	for _, x := range left {
		namespace, name, _ := strings.Cut(x.key, "/")
		_, _, _ = m.w.deleteObject(x.kind, namespace, name, noOptions(), false) // gone already is fine
	}
}

// orphans removes the pods of a node that is gone.
func (m *simulation) orphans(node string) {
	for _, p := range m.w.podsOn(node) {
		m.s.remove(kindOf[*corev1.Pod](m.s), p.Namespace, p.Name)
	}
}

// forgetEvents drops events after the hour that the API server keeps them.
func (m *simulation) forgetEvents(now time.Time) {
	for _, e := range all[*corev1.Event](m.s, "") {
		if now.Sub(e.LastTimestamp.Time) > time.Hour {
			m.s.remove(kindOf[*corev1.Event](m.s), e.Namespace, e.Name)
		}
	}
}
