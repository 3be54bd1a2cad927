package kube

import (
	apps "k8s.io/api/apps/v1"
	policy "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
)

// revisionAnnotation is set by the deployment controller.
const revisionAnnotation = "deployment.kubernetes.io/revision"

func workload(kind string, m *metav1.ObjectMeta) *sources.Workload {
	return &sources.Workload{
		Ref:     sources.Ref{Kind: kind, Namespace: name(m.Namespace), Name: name(m.Name)},
		Created: m.CreationTimestamp.Time, Revision: name(m.Annotations[revisionAnnotation]),
		Owner: ownerOf(m.Namespace, m.OwnerReferences),
	}
}

// desired is spec.replicas, 1 where it is not set.
func desired(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

func toDeployment(d *apps.Deployment) *sources.Workload {
	w := workload("Deployment", &d.ObjectMeta)
	w.Desired, w.Ready = desired(d.Spec.Replicas), d.Status.ReadyReplicas
	w.Updated, w.Available = d.Status.UpdatedReplicas, d.Status.AvailableReplicas
	return w
}

func toStatefulSet(s *apps.StatefulSet) *sources.Workload {
	w := workload("StatefulSet", &s.ObjectMeta)
	w.Desired, w.Ready = desired(s.Spec.Replicas), s.Status.ReadyReplicas
	w.Updated, w.Available = s.Status.UpdatedReplicas, s.Status.AvailableReplicas
	w.Revision = name(s.Status.UpdateRevision)
	return w
}

func toDaemonSet(d *apps.DaemonSet) *sources.Workload {
	w := workload("DaemonSet", &d.ObjectMeta)
	w.Desired, w.Ready = d.Status.DesiredNumberScheduled, d.Status.NumberReady
	w.Updated, w.Available = d.Status.UpdatedNumberScheduled, d.Status.NumberAvailable
	return w
}

func toReplicaSet(r *apps.ReplicaSet) *sources.Workload {
	w := workload("ReplicaSet", &r.ObjectMeta)
	w.Desired, w.Ready = desired(r.Spec.Replicas), r.Status.ReadyReplicas
	w.Updated, w.Available = r.Status.FullyLabeledReplicas, r.Status.AvailableReplicas
	return w
}

// workloadList is all four kinds, Deployments first.
func (w *world) workloadList() []sources.Workload {
	out := w.deploys.values()
	out = append(out, w.stateful.values()...)
	out = append(out, w.daemons.values()...)
	return append(out, w.replicas.values()...)
}

func toBudget(b *policy.PodDisruptionBudget) *sources.DisruptionBudget {
	return &sources.DisruptionBudget{
		Ref:     sources.Ref{Kind: "PodDisruptionBudget", Namespace: name(b.Namespace), Name: name(b.Name)},
		Allowed: b.Status.DisruptionsAllowed, CurrentHealthy: b.Status.CurrentHealthy,
		DesiredHealthy: b.Status.DesiredHealthy, Expected: b.Status.ExpectedPods,
	}
}
