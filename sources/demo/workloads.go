package demo

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
)

const (
	revisionAnnotation = "deployment.kubernetes.io/revision"
	hashLabel          = "pod-template-hash"
)

// workloads lets the controllers look at what changed. A Deployment's
// ReplicaSet is looked at in the same step.
func (m *simulation) workloads(now time.Time) {
	for _, resource := range []string{"deployments", "replicasets", "statefulsets", "daemonsets", "jobs"} {
		for _, key := range m.takeDirty(resource) {
			namespace, name, _ := strings.Cut(key, "/")
			m.reconcile(resource, namespace, name, now)
		}
		if resource == "deployments" {
			m.catchUp()
		}
	}
}

func (m *simulation) takeDirty(resource string) []string {
	var keys []string
	for x := range m.dirty {
		if x.kind.resource == resource {
			keys = append(keys, x.key)
			delete(m.dirty, x)
		}
	}
	slices.Sort(keys)
	return keys
}

func (m *simulation) reconcile(resource, namespace, name string, now time.Time) {
	switch resource {
	case "deployments":
		live(m.s, namespace, name, func(o *appsv1.Deployment) { m.deployment(o, now) })
	case "replicasets":
		live(m.s, namespace, name, m.replicaSet)
	case "statefulsets":
		live(m.s, namespace, name, m.statefulSet)
	case "daemonsets":
		live(m.s, namespace, name, m.daemonSet)
	case "jobs":
		live(m.s, namespace, name, func(o *batchv1.Job) { m.job(o, now) })
	}
}

// live calls do with an object that exists and is not being deleted.
func live[T object](s *store, namespace, name string, do func(T)) {
	if o, ok := fetch[T](s, namespace, name); ok && o.GetDeletionTimestamp() == nil {
		do(o)
	}
}

func templateHash(t *corev1.PodTemplateSpec) string {
	b, err := json.Marshal(t)
	if err != nil {
		return "0" // templates come from JSON or from literals and always marshal
	}
	return rand.SafeEncodeString(strconv.FormatUint(hash(string(b))%1e10, 10))
}

func (m *simulation) deployment(d *appsv1.Deployment, now time.Time) {
	want, sum := orOne(d.Spec.Replicas), templateHash(&d.Spec.Template)
	sets := owned[*appsv1.ReplicaSet](m.s, d.UID)
	i := slices.IndexFunc(sets, func(r *appsv1.ReplicaSet) bool { return r.Labels[hashLabel] == sum })
	if i < 0 {
		m.newReplicaSet(d, sum, nextRevision(sets), now)
		sets = owned[*appsv1.ReplicaSet](m.s, d.UID)
		i = slices.IndexFunc(sets, func(r *appsv1.ReplicaSet) bool { return r.Labels[hashLabel] == sum })
	}
	current := sets[i]
	m.resize(current, want)
	var status appsv1.DeploymentStatus
	for _, r := range sets {
		if r != current {
			m.resize(r, min(orOne(r.Spec.Replicas), max(0, want-current.Status.ReadyReplicas)))
		}
		status.Replicas += r.Status.Replicas
		status.ReadyReplicas += r.Status.ReadyReplicas
	}
	status.UpdatedReplicas, status.AvailableReplicas = current.Status.Replicas, status.ReadyReplicas
	status.UnavailableReplicas = max(0, want-status.AvailableReplicas)
	status.ObservedGeneration = d.Generation
	edit(m.s, d, func(d *appsv1.Deployment) bool {
		status.Conditions = deploymentConditions(d, status, want, current, now)
		if equality.Semantic.DeepEqual(status, d.Status) && d.Annotations[revisionAnnotation] == current.Annotations[revisionAnnotation] {
			return false
		}
		d.Status = status
		d.Annotations = withEntry(d.Annotations, revisionAnnotation, current.Annotations[revisionAnnotation])
		return true
	})
}

func withEntry(m map[string]string, key, value string) map[string]string {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}

func orOne(p *int32) int32 {
	if p == nil {
		return 1
	}
	return *p
}

func nextRevision(sets []*appsv1.ReplicaSet) int {
	last := 0
	for _, r := range sets {
		if n, err := strconv.Atoi(r.Annotations[revisionAnnotation]); err == nil {
			last = max(last, n)
		}
	}
	return last + 1
}

func (m *simulation) newReplicaSet(d *appsv1.Deployment, sum string, revision int, now time.Time) {
	t := *d.Spec.Template.DeepCopy()
	t.Labels = withEntry(t.Labels, hashLabel, sum)
	created := metav1.NewTime(now.Truncate(time.Second))
	if revision == 1 {
		created = d.CreationTimestamp
	}
	add(m.s, &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: d.Name + "-" + sum, Namespace: d.Namespace, Labels: t.Labels, CreationTimestamp: created,
			Annotations:     map[string]string{revisionAnnotation: strconv.Itoa(revision)},
			OwnerReferences: ownerRef(d),
		},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: d.Spec.Replicas, Template: t,
			Selector: &metav1.LabelSelector{MatchLabels: withEntry(d.Spec.Selector.MatchLabels, hashLabel, sum)},
		},
	})
	m.normal(d, created.Time, "ScalingReplicaSet", "deployment-controller", "Scaled up replica set %s-%s to %d", d.Name, sum, orOne(d.Spec.Replicas))
}

func (m *simulation) resize(r *appsv1.ReplicaSet, want int32) {
	if orOne(r.Spec.Replicas) == want {
		return
	}
	edit(m.s, r, func(r *appsv1.ReplicaSet) bool {
		r.Spec.Replicas = &want
		r.Generation++
		return true
	})
}

func deploymentConditions(d *appsv1.Deployment, s appsv1.DeploymentStatus, want int32, rs *appsv1.ReplicaSet, now time.Time) []appsv1.DeploymentCondition {
	available, reason, text := corev1.ConditionTrue, "MinimumReplicasAvailable", "Deployment has minimum availability."
	if s.AvailableReplicas < want-want/4 {
		available, reason, text = corev1.ConditionFalse, "MinimumReplicasUnavailable", "Deployment does not have minimum availability."
	}
	progress, pText := "ReplicaSetUpdated", "ReplicaSet \""+rs.Name+"\" is progressing."
	if s.UpdatedReplicas == want && s.AvailableReplicas >= want {
		progress, pText = "NewReplicaSetAvailable", "ReplicaSet \""+rs.Name+"\" has successfully progressed."
	}
	fresh := []appsv1.DeploymentCondition{
		{Type: appsv1.DeploymentAvailable, Status: available, Reason: reason, Message: text},
		{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: progress, Message: pText},
	}
	at := metav1.NewTime(now.Truncate(time.Second))
	for i := range fresh {
		fresh[i].LastTransitionTime, fresh[i].LastUpdateTime = at, at
		for _, old := range d.Status.Conditions {
			if old.Type == fresh[i].Type && old.Status == fresh[i].Status && old.Reason == fresh[i].Reason {
				fresh[i].LastTransitionTime, fresh[i].LastUpdateTime = old.LastTransitionTime, old.LastUpdateTime
			}
		}
	}
	return fresh
}

// living are the pods that count for a controller: not ended, not leaving.
func living(pods []*corev1.Pod) []*corev1.Pod {
	return slices.DeleteFunc(pods, func(p *corev1.Pod) bool {
		return p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded
	})
}

func countReady(pods []*corev1.Pod) (n int32) {
	for _, p := range pods {
		if podReady(p) {
			n++
		}
	}
	return n
}

func (m *simulation) replicaSet(r *appsv1.ReplicaSet) {
	pods := living(owned[*corev1.Pod](m.s, r.UID))
	want := orOne(r.Spec.Replicas)
	for range max(0, int(want)-len(pods)) {
		p := m.newPod(r, &r.Spec.Template, "")
		m.normal(r, m.w.now(), "SuccessfulCreate", "replicaset-controller", "Created pod: %s", p.Name)
		pods = append(pods, p)
	}
	// What is not ready goes first, then what is youngest.
	slices.SortStableFunc(pods, func(a, b *corev1.Pod) int {
		if ra, rb := podReady(a), podReady(b); ra != rb {
			if ra {
				return 1
			}
			return -1
		}
		return b.CreationTimestamp.Compare(a.CreationTimestamp.Time)
	})
	for _, p := range pods[:max(0, len(pods)-int(want))] {
		_, _, _ = m.w.deleteObject(kindOf[*corev1.Pod](m.s), p.Namespace, p.Name, noOptions(), false) // gone already is fine
	}
	pods = living(pods[max(0, len(pods)-int(want)):])
	status := appsv1.ReplicaSetStatus{
		Replicas: int32(len(pods)), FullyLabeledReplicas: int32(len(pods)),
		ReadyReplicas: countReady(pods), AvailableReplicas: countReady(pods), ObservedGeneration: r.Generation,
	}
	edit(m.s, r, func(r *appsv1.ReplicaSet) bool {
		changed := !equality.Semantic.DeepEqual(r.Status, status)
		r.Status = status
		return changed
	})
}
