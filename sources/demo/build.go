package demo

import (
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const day = 24 * time.Hour

// builder puts a scenario's objects into the store as they look after they
// ran for a while.
type builder struct {
	w    *World
	s    *store
	m    *simulation
	now  time.Time
	load map[string]int    // pods placed so far, by node
	pins map[string]string // node of an owner's pods, by "namespace/name"
	old  time.Time         // when the cluster was set up
}

func (w *World) build() {
	b := &builder{w: w, s: w.store, m: w.sim, now: w.began, load: map[string]int{}, pins: map[string]string{}}
	b.m.quiet = true
	switch w.scenario {
	case Incident, Healthy:
		b.shop(w.scenario == Incident)
	case Empty:
		b.fresh()
	case Large:
		b.fleet()
	}
	b.m.quiet = false
	if w.scenario == Incident {
		b.incidentEvents()
	}
	b.m.budgets()
}

func (b *builder) ago(d time.Duration) metav1.Time {
	return metav1.NewTime(b.now.Add(-d).Truncate(time.Second))
}

func (b *builder) namespaces(names ...string) {
	for _, name := range names {
		add(b.s, &corev1.Namespace{
			ObjectMeta: metav1.ObjectMeta{
				Name: name, CreationTimestamp: metav1.NewTime(b.old),
				Labels: map[string]string{corev1.LabelMetadataName: name},
			},
			Spec:   corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{corev1.FinalizerKubernetes}},
			Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive},
		})
		add(b.s, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "default", CreationTimestamp: metav1.NewTime(b.old)}})
	}
}

// settle runs the controllers until every pod exists, and lets the pods look
// as if they had run since their owners were made.
func (b *builder) settle() {
	for {
		b.m.catchUp()
		b.m.workloads(b.now)
		pending := 0
		for _, p := range all[*corev1.Pod](b.s, "") {
			if p.Status.Phase == corev1.PodPending && p.Status.StartTime == nil {
				b.place(p)
				pending++
			}
		}
		if pending == 0 {
			break
		}
	}
	for _, d := range all[*appsv1.Deployment](b.s, "") {
		at := metav1.NewTime(b.rolledOut(d).Add(25 * time.Second))
		edit(b.s, d, func(d *appsv1.Deployment) bool {
			for i := range d.Status.Conditions {
				d.Status.Conditions[i].LastTransitionTime, d.Status.Conditions[i].LastUpdateTime = at, at
			}
			return true
		})
	}
}

// rolledOut is when the newest ReplicaSet of a Deployment was made.
func (b *builder) rolledOut(d *appsv1.Deployment) time.Time {
	at := d.CreationTimestamp.Time
	for _, r := range owned[*appsv1.ReplicaSet](b.s, d.UID) {
		if r.CreationTimestamp.After(at) {
			at = r.CreationTimestamp.Time
		}
	}
	return at
}

// place gives a pod a node and a past.
func (b *builder) place(p *corev1.Pod) {
	node := p.Spec.NodeName
	if node == "" {
		node = b.pick(p)
	}
	b.load[node]++
	host := b.m.hostIP(node)
	created := b.ownerTime(p).Add(time.Duration(2+3*unit(string(p.UID), "born")) * time.Second)
	if m := b.w.machine(node); m != nil && created.Before(m.created) {
		created = m.created.Add(time.Minute)
	}
	edit(b.s, p, func(p *corev1.Pod) bool {
		p.CreationTimestamp = metav1.NewTime(created.Truncate(time.Second))
		p.Spec.NodeName = node
		setCondition(p, corev1.PodScheduled, corev1.ConditionTrue, "", "", created)
		begin(p, created)
		setRunning(p, host, created.Add(3*time.Second))
		setReady(p, true, created.Add(8*time.Second))
		return true
	})
}

func (b *builder) ownerTime(p *corev1.Pod) time.Time {
	ref := p.OwnerReferences[0]
	if k := b.m.kindNamed(ref.Kind); k != nil {
		if o, ok := b.s.get(k, p.Namespace, ref.Name); ok {
			return o.GetCreationTimestamp().Time
		}
	}
	return b.old
}

// pick chooses the node with the fewest pods; servers take only the system's.
func (b *builder) pick(p *corev1.Pod) string {
	if _, owner, ok := strings.Cut(b.m.topOwner(p), "/"); ok && b.pins[owner] != "" {
		return b.pins[owner]
	}
	best := ""
	for _, m := range b.w.machines {
		if m.server && len(b.w.machines) > 1 && p.Namespace != "kube-system" {
			continue
		}
		if best == "" || b.load[m.name] < b.load[best] {
			best = m.name
		}
	}
	return best
}
