package demo

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// statefulSet makes the pods in order, each when the one before is ready.
func (m *simulation) statefulSet(s *appsv1.StatefulSet) {
	pods := owned[*corev1.Pod](m.s, s.UID)
	want := orOne(s.Spec.Replicas)
	sum := s.Name + "-" + templateHash(&s.Spec.Template)
	for i := range want {
		name := fmt.Sprintf("%s-%d", s.Name, i)
		j := slices.IndexFunc(pods, func(p *corev1.Pod) bool { return p.Name == name })
		if j < 0 {
			t := s.Spec.Template.DeepCopy()
			t.Labels = withEntry(t.Labels, "controller-revision-hash", sum)
			t.Labels["statefulset.kubernetes.io/pod-name"] = name
			t.Labels["apps.kubernetes.io/pod-index"] = fmt.Sprint(i)
			for _, c := range s.Spec.VolumeClaimTemplates {
				t.Spec.Volumes = append(t.Spec.Volumes, corev1.Volume{Name: c.Name, VolumeSource: corev1.VolumeSource{
					PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: c.Name + "-" + name},
				}})
			}
			m.newPod(s, t, name)
			m.normal(s, m.w.now(), "SuccessfulCreate", "statefulset-controller", "create Pod %s in StatefulSet %s successful", name, s.Name)
			break
		}
		if s.Spec.PodManagementPolicy != appsv1.ParallelPodManagement && !podReady(pods[j]) {
			break
		}
	}
	pods = living(owned[*corev1.Pod](m.s, s.UID))
	n, ready := int32(len(pods)), countReady(pods)
	edit(m.s, s, func(s *appsv1.StatefulSet) bool {
		status := appsv1.StatefulSetStatus{
			ObservedGeneration: s.Generation, Replicas: n, ReadyReplicas: ready, CurrentReplicas: n, UpdatedReplicas: n,
			AvailableReplicas: ready, CurrentRevision: sum, UpdateRevision: sum, CollisionCount: new(int32(0)),
		}
		changed := !equality.Semantic.DeepEqual(s.Status, status)
		s.Status = status
		return changed
	})
}

// daemonSet keeps one pod on each node that its selector matches, cordoned
// or not.
func (m *simulation) daemonSet(d *appsv1.DaemonSet) {
	pods := living(owned[*corev1.Pod](m.s, d.UID))
	var want int32
	for _, n := range all[*corev1.Node](m.s, "") {
		if !labelsMatch(d.Spec.Template.Spec.NodeSelector, n.Labels) {
			continue
		}
		want++
		if !slices.ContainsFunc(pods, func(p *corev1.Pod) bool { return p.Spec.NodeName == n.Name }) {
			t := d.Spec.Template
			t.Spec.NodeName = n.Name
			p := m.newPod(d, &t, "")
			m.normal(d, m.w.now(), "SuccessfulCreate", "daemonset-controller", "Created pod: %s", p.Name)
		}
	}
	pods = living(owned[*corev1.Pod](m.s, d.UID))
	n, ready := int32(len(pods)), countReady(pods)
	edit(m.s, d, func(d *appsv1.DaemonSet) bool {
		status := appsv1.DaemonSetStatus{
			CurrentNumberScheduled: n, DesiredNumberScheduled: want, NumberReady: ready, NumberAvailable: ready,
			UpdatedNumberScheduled: n, NumberUnavailable: want - ready, ObservedGeneration: d.Generation,
		}
		changed := !equality.Semantic.DeepEqual(d.Status, status)
		d.Status = status
		return changed
	})
}

// job runs one pod at a time until one succeeds or backoffLimit is passed.
func (m *simulation) job(j *batchv1.Job, now time.Time) {
	if jobEnded(j) {
		return
	}
	pods := owned[*corev1.Pod](m.s, j.UID)
	var active, failed, succeeded int32
	for _, p := range pods {
		switch {
		case p.Status.Phase == corev1.PodSucceeded:
			succeeded++
		case p.Status.Phase == corev1.PodFailed:
			failed++
		case p.DeletionTimestamp == nil:
			active++
		}
	}
	limit := int32(6)
	if j.Spec.BackoffLimit != nil {
		limit = *j.Spec.BackoffLimit
	}
	if active == 0 && succeeded == 0 && failed <= limit {
		p := m.newPod(j, &j.Spec.Template, "")
		m.normal(j, now, "SuccessfulCreate", "job-controller", "Created pod: %s", p.Name)
		active = 1
	}
	at := metav1.NewTime(now.Truncate(time.Second))
	edit(m.s, j, func(j *batchv1.Job) bool {
		before := j.Status.DeepCopy()
		if j.Status.StartTime == nil {
			j.Status.StartTime = &at
		}
		j.Status.Active, j.Status.Failed, j.Status.Succeeded = active, failed, succeeded
		switch {
		case succeeded > 0:
			completeJob(j, at)
		case failed > limit:
			failJob(j, at)
		}
		return !equality.Semantic.DeepEqual(before, &j.Status)
	})
}

func jobEnded(j *batchv1.Job) bool {
	return slices.ContainsFunc(j.Status.Conditions, func(c batchv1.JobCondition) bool {
		return (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue
	})
}

func completeJob(j *batchv1.Job, at metav1.Time) {
	j.Status.Active, j.Status.CompletionTime = 0, &at
	for _, t := range []batchv1.JobConditionType{batchv1.JobSuccessCriteriaMet, batchv1.JobComplete} {
		j.Status.Conditions = append(j.Status.Conditions, batchv1.JobCondition{
			Type: t, Status: corev1.ConditionTrue, LastProbeTime: at, LastTransitionTime: at,
			Reason: batchv1.JobReasonCompletionsReached, Message: "Reached expected number of succeeded pods",
		})
	}
}

func failJob(j *batchv1.Job, at metav1.Time) {
	j.Status.Active = 0
	for _, t := range []batchv1.JobConditionType{batchv1.JobFailureTarget, batchv1.JobFailed} {
		j.Status.Conditions = append(j.Status.Conditions, batchv1.JobCondition{
			Type: t, Status: corev1.ConditionTrue, LastProbeTime: at, LastTransitionTime: at,
			Reason: batchv1.JobReasonBackoffLimitExceeded, Message: "Job has reached the specified backoff limit",
		})
	}
}

func labelsMatch(selector, labels map[string]string) bool {
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return true
}
