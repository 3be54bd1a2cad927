package demo

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// trait is what the containers of an owner do beside running quietly.
type trait struct {
	loop   *crashLoop
	image  string        // why the image cannot be pulled
	config string        // why the container cannot be made
	takes  time.Duration // of a job's pod
	exit   int32         // of a job's pod
}

// bearer is the one pod of an owner that loops.
type bearer struct {
	name string
	uid  types.UID
}

// crashLoop is a container that runs, dies and waits.
type crashLoop struct {
	runs, waits time.Duration
	reason      string
	exit        int32
	leaks       bool // memory climbs to the limit while it runs
}

func ownerRef(o object) []metav1.OwnerReference {
	gvk := o.GetObjectKind().GroupVersionKind()
	yes := true
	return []metav1.OwnerReference{{
		APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind, Name: o.GetName(), UID: o.GetUID(),
		Controller: &yes, BlockOwnerDeletion: &yes,
	}}
}

// newPod makes a pending pod from a template; without a name it gets its
// owner's with a random end.
func (m *simulation) newPod(owner object, t *corev1.PodTemplateSpec, name string) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: owner.GetNamespace(), Name: name, Labels: t.Labels, Annotations: t.Annotations,
			OwnerReferences: ownerRef(owner),
		},
		Spec:   t.Spec,
		Status: corev1.PodStatus{Phase: corev1.PodPending, QOSClass: corev1.PodQOSBurstable},
	}
	if name == "" {
		p.GenerateName = owner.GetName() + "-"
	}
	podDefaults(&p.Spec)
	return add(m.s, p)
}

func podDefaults(s *corev1.PodSpec) {
	if s.RestartPolicy == "" {
		s.RestartPolicy = corev1.RestartPolicyAlways
	}
	if s.DNSPolicy == "" {
		s.DNSPolicy = corev1.DNSClusterFirst
	}
	if s.SchedulerName == "" {
		s.SchedulerName = corev1.DefaultSchedulerName
	}
	if s.ServiceAccountName == "" {
		s.ServiceAccountName = "default"
	}
	if s.TerminationGracePeriodSeconds == nil {
		s.TerminationGracePeriodSeconds = new(int64(30))
	}
}

// topOwner is the workload a pod belongs to in the end, as "Kind/namespace/name".
func (m *simulation) topOwner(p *corev1.Pod) string {
	kindName, name := "Pod", p.Name
	if refs := p.OwnerReferences; len(refs) > 0 {
		kindName, name = refs[0].Kind, refs[0].Name
	}
	var up []metav1.OwnerReference
	switch kindName {
	case "ReplicaSet":
		if r, ok := fetch[*appsv1.ReplicaSet](m.s, p.Namespace, name); ok {
			up = r.OwnerReferences
		}
	case "Job":
		if j, ok := fetch[*batchv1.Job](m.s, p.Namespace, name); ok {
			up = j.OwnerReferences
		}
	}
	if len(up) > 0 {
		kindName, name = up[0].Kind, up[0].Name
	}
	return kindName + "/" + p.Namespace + "/" + name
}

// traitOf is what a pod's containers do. Of an owner's pods only one loops.
func (m *simulation) traitOf(p *corev1.Pod) trait {
	key := m.topOwner(p)
	t, ok := m.traits[key]
	if !ok || t.loop == nil {
		return t
	}
	if b, taken := m.bearers[key]; taken && b.uid != p.UID {
		if o, ok := fetch[*corev1.Pod](m.s, p.Namespace, b.name); ok && o.UID == b.uid && o.DeletionTimestamp == nil {
			return trait{}
		}
	}
	m.bearers[key] = bearer{p.Name, p.UID}
	return t
}

// unsettled says whether a pod may change without anybody writing to it.
func (m *simulation) unsettled(p *corev1.Pod) bool {
	if p.DeletionTimestamp != nil {
		return true
	}
	switch p.Status.Phase {
	case corev1.PodSucceeded, corev1.PodFailed:
		return false
	case corev1.PodRunning:
		_, special := m.traits[m.topOwner(p)]
		return special || !podReady(p)
	}
	return true
}

// pods lets the scheduler and the kubelets look at what is not settled.
func (m *simulation) pods(now time.Time) {
	for _, key := range slices.Sorted(maps.Keys(m.restless)) {
		namespace, name, _ := strings.Cut(key, "/")
		p, ok := fetch[*corev1.Pod](m.s, namespace, name)
		if !ok || !m.unsettled(p) {
			delete(m.restless, key)
			continue
		}
		m.pod(p, now)
	}
}

func (m *simulation) pod(p *corev1.Pod, now time.Time) {
	switch {
	case p.DeletionTimestamp != nil:
		m.terminate(p, now)
	case p.Spec.NodeName == "":
		m.schedule(p, now)
	case p.Status.Phase == corev1.PodPending:
		m.startPod(p, m.traitOf(p), now)
	case p.Status.Phase == corev1.PodRunning:
		m.runPod(p, m.traitOf(p), now)
	}
}

// terminate removes a pod some seconds after it was asked to go.
func (m *simulation) terminate(p *corev1.Pod, now time.Time) {
	grace := time.Duration(0)
	if p.DeletionGracePeriodSeconds != nil {
		grace = time.Duration(*p.DeletionGracePeriodSeconds) * time.Second
	}
	asked := p.DeletionTimestamp.Add(-grace)
	if p.Spec.NodeName != "" {
		for _, c := range p.Spec.Containers {
			if _, said := fetch[*corev1.Event](m.s, p.Namespace, fmt.Sprintf("%s.%x", p.Name, hash(string(p.UID), "Killing", "Stopping container "+c.Name))); !said {
				m.normal(p, asked, "Killing", "kubelet", "Stopping container %s", c.Name)
			}
		}
	}
	takes := time.Second + time.Duration(3*unit(string(p.UID), "stop")*float64(time.Second))
	if now.Before(asked.Add(min(grace, takes))) || len(p.Finalizers) > 0 {
		return
	}
	m.s.remove(kindOf[*corev1.Pod](m.s), p.Namespace, p.Name)
}

// scheduledAt is when the pod got its node.
func scheduledAt(p *corev1.Pod) time.Time {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionTrue {
			return c.LastTransitionTime.Time
		}
	}
	return p.CreationTimestamp.Time
}

// startPod takes a scheduled pod to running, or to why it cannot run.
func (m *simulation) startPod(p *corev1.Pod, t trait, now time.Time) {
	since := now.Sub(scheduledAt(p))
	switch {
	case len(p.Status.ContainerStatuses) == 0:
		edit(m.s, p, func(p *corev1.Pod) bool {
			begin(p, now)
			waitAll(p, "ContainerCreating", "")
			return true
		})
	case t.image != "":
		m.imageFails(p, t.image, now)
	case t.config != "":
		m.warning(p, now, "Failed", "kubelet", "Error: %s", t.config)
		edit(m.s, p, func(p *corev1.Pod) bool { return waitAll(p, "CreateContainerConfigError", t.config) })
	case since >= 2*time.Second+time.Duration(2*unit(string(p.UID), "start")*float64(time.Second)):
		for _, c := range p.Spec.Containers {
			m.normal(p, now, "Pulled", "kubelet", "Container image %q already present on machine", c.Image)
			m.normal(p, now, "Created", "kubelet", "Created container: %s", c.Name)
			m.normal(p, now, "Started", "kubelet", "Started container %s", c.Name)
		}
		host := m.hostIP(p.Spec.NodeName)
		edit(m.s, p, func(p *corev1.Pod) bool {
			setRunning(p, host, now)
			return true
		})
	}
}

// imageFails alternates between a failed pull and the back-off, as the
// kubelet shows it; the back-off of 5 minutes is its longest.
func (m *simulation) imageFails(p *corev1.Pod, why string, now time.Time) {
	image := p.Spec.Containers[0].Image
	round := (now.Sub(scheduledAt(p)) + 2*time.Minute) % (5 * time.Minute)
	if round < time.Second && now.Second()%2 == 0 {
		m.warning(p, now, "Failed", "kubelet", "Failed to pull image %q: %s", image, why)
	}
	reason, message := "ImagePullBackOff", fmt.Sprintf("Back-off pulling image %q: ErrImagePull: %s", image, why)
	if round < 3*time.Second {
		reason, message = "ErrImagePull", why
	}
	edit(m.s, p, func(p *corev1.Pod) bool { return waitAll(p, reason, message) })
}

// runPod lets a running pod become ready, end or crash.
func (m *simulation) runPod(p *corev1.Pod, t trait, now time.Time) {
	cs := p.Status.ContainerStatuses
	if len(cs) == 0 {
		return
	}
	running, waiting := cs[0].State.Running, cs[0].State.Waiting
	switch {
	case p.Spec.RestartPolicy != corev1.RestartPolicyAlways && running != nil:
		if takes := max(t.takes, 3*time.Second); now.Sub(running.StartedAt.Time) >= takes {
			edit(m.s, p, func(p *corev1.Pod) bool { return finish(p, t.exit, now) })
		}
	case running != nil && t.loop != nil && now.Sub(running.StartedAt.Time) >= t.loop.runs:
		m.crash(p, t.loop, running.StartedAt.Add(t.loop.runs))
	case waiting != nil && t.loop != nil && cs[0].LastTerminationState.Terminated != nil &&
		now.Sub(cs[0].LastTerminationState.Terminated.FinishedAt.Time) >= t.loop.waits:
		m.restart(p, cs[0].LastTerminationState.Terminated.FinishedAt.Add(t.loop.waits))
	case running != nil && !podReady(p) && now.Sub(running.StartedAt.Time) >= 2*time.Second:
		edit(m.s, p, func(p *corev1.Pod) bool {
			setReady(p, true, now)
			return true
		})
	}
}

func (m *simulation) crash(p *corev1.Pod, l *crashLoop, at time.Time) {
	name := p.Spec.Containers[0].Name
	wait := fmt.Sprintf("back-off %s restarting failed container=%s pod=%s_%s(%s)", l.waits, name, p.Name, p.Namespace, p.UID)
	m.warning(p, at, "BackOff", "kubelet", "Back-off restarting failed container %s in pod %s_%s(%s)", name, p.Name, p.Namespace, p.UID)
	edit(m.s, p, func(p *corev1.Pod) bool {
		die(&p.Status.ContainerStatuses[0], l, at, wait)
		setReady(p, false, at)
		return true
	})
}

// die ends a container's run and lets it wait for the next.
func die(c *corev1.ContainerStatus, l *crashLoop, at time.Time, wait string) {
	started := metav1.NewTime(at.Add(-l.runs))
	if c.State.Running != nil {
		started = c.State.Running.StartedAt
	}
	c.LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: l.exit, Reason: l.reason, StartedAt: started, FinishedAt: metav1.NewTime(at),
		ContainerID: c.ContainerID,
	}}
	c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: wait}}
	c.Ready, c.Started = false, new(false)
}

func (m *simulation) restart(p *corev1.Pod, at time.Time) {
	m.normal(p, at, "Started", "kubelet", "Started container %s", p.Spec.Containers[0].Name)
	edit(m.s, p, func(p *corev1.Pod) bool {
		c := &p.Status.ContainerStatuses[0]
		c.RestartCount++
		c.ContainerID = containerID(p, c)
		c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(at)}}
		setReady(p, true, at)
		return true
	})
}

// leak is how full a leaking container's memory is, 0 to 1.
func (w *World) leak(p *corev1.Pod, container string, now time.Time) (float64, bool) {
	if len(p.Status.ContainerStatuses) == 0 || p.Status.ContainerStatuses[0].Name != container {
		return 0, false
	}
	c := p.Status.ContainerStatuses[0]
	last := c.LastTerminationState.Terminated
	if last == nil || last.Reason != "OOMKilled" || c.State.Running == nil {
		return 0, false
	}
	run := last.FinishedAt.Sub(last.StartedAt.Time).Seconds()
	return min(0.99, 0.35+0.65*now.Sub(c.State.Running.StartedAt.Time).Seconds()/max(1, run)), true
}
