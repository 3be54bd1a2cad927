package demo

import (
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// begin gives a scheduled pod its container statuses.
func begin(p *corev1.Pod, now time.Time) {
	at := metav1.NewTime(now.Truncate(time.Second))
	p.Status.StartTime = &at
	setCondition(p, corev1.PodInitialized, corev1.ConditionTrue, "", "", now)
	setCondition(p, corev1.PodReady, corev1.ConditionFalse, "ContainersNotReady", "", now)
	setCondition(p, corev1.ContainersReady, corev1.ConditionFalse, "ContainersNotReady", "", now)
	p.Status.ContainerStatuses = make([]corev1.ContainerStatus, 0, len(p.Spec.Containers))
	for _, c := range p.Spec.Containers {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Started: new(false),
		})
	}
}

// waitAll puts every container into a waiting state; it reports a change.
func waitAll(p *corev1.Pod, reason, message string) bool {
	changed := false
	for i := range p.Status.ContainerStatuses {
		c := &p.Status.ContainerStatuses[i]
		if w := c.State.Waiting; w == nil || w.Reason != reason || w.Message != message {
			c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
			changed = true
		}
	}
	return changed
}

// setRunning starts every container; readiness follows later.
func setRunning(p *corev1.Pod, host string, now time.Time) {
	at := metav1.NewTime(now.Truncate(time.Second))
	p.Status.Phase = corev1.PodRunning
	for i := range p.Status.ContainerStatuses {
		c := &p.Status.ContainerStatuses[i]
		c.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}}
		c.ImageID = imageID(c.Image)
		c.ContainerID = containerID(p, c)
	}
	address(p, host)
}

// containerID names a run of a container: a restart makes another.
func containerID(p *corev1.Pod, c *corev1.ContainerStatus) string {
	return fmt.Sprintf("containerd://%016x%016x%016x%016x",
		hash(string(p.UID), c.Name), hash(c.Image, p.Name), hash(c.Name, p.Name), hash(p.Name, strconv.Itoa(int(c.RestartCount))))
}

func imageID(image string) string {
	return fmt.Sprintf("%s@sha256:%016x%016x%016x%016x", image, hash(image), hash(image, "1"), hash(image, "2"), hash(image, "3"))
}

// hostIP is a node's internal address.
func (m *simulation) hostIP(node string) string {
	n, ok := fetch[*corev1.Node](m.s, "", node)
	if !ok {
		return ""
	}
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	return ""
}

// address gives a pod its IP: the node's own, or one of the node's range.
func address(p *corev1.Pod, host string) {
	p.Status.HostIP, p.Status.PodIP = host, host
	p.Status.HostIPs = []corev1.HostIP{{IP: host}}
	if !p.Spec.HostNetwork {
		p.Status.PodIP = fmt.Sprintf("10.42.%d.%d", hash(p.Spec.NodeName)%250, 2+hash(string(p.UID), "ip")%250)
	}
	p.Status.PodIPs = []corev1.PodIP{{IP: p.Status.PodIP}}
}

func setReady(p *corev1.Pod, ready bool, now time.Time) {
	for i := range p.Status.ContainerStatuses {
		c := &p.Status.ContainerStatuses[i]
		c.Ready = ready && c.State.Running != nil
		c.Started = new(c.State.Running != nil)
	}
	status, reason, message := corev1.ConditionTrue, "", ""
	if !ready {
		status, reason = corev1.ConditionFalse, "ContainersNotReady"
		message = "containers with unready status: [" + p.Spec.Containers[0].Name + "]"
	}
	setCondition(p, corev1.PodReady, status, reason, message, now)
	setCondition(p, corev1.ContainersReady, status, reason, message, now)
}

func setCondition(p *corev1.Pod, typ corev1.PodConditionType, status corev1.ConditionStatus, reason, message string, now time.Time) {
	fresh := corev1.PodCondition{
		Type: typ, Status: status, Reason: reason, Message: message,
		LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)),
	}
	for i := range p.Status.Conditions {
		if c := &p.Status.Conditions[i]; c.Type == typ {
			if c.Status == status {
				fresh.LastTransitionTime = c.LastTransitionTime
			}
			*c = fresh
			return
		}
	}
	p.Status.Conditions = append(p.Status.Conditions, fresh)
}

// finish ends a pod that does not restart.
func finish(p *corev1.Pod, exit int32, now time.Time) bool {
	p.Status.Phase = corev1.PodSucceeded
	reason := "Completed"
	if exit != 0 {
		p.Status.Phase, reason = corev1.PodFailed, "Error"
	}
	for i := range p.Status.ContainerStatuses {
		c := &p.Status.ContainerStatuses[i]
		var started metav1.Time
		if c.State.Running != nil {
			started = c.State.Running.StartedAt
		}
		c.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: exit, Reason: reason, StartedAt: started, FinishedAt: metav1.NewTime(now.Truncate(time.Second)),
			ContainerID: c.ContainerID,
		}}
		c.Ready, c.Started = false, new(false)
	}
	setCondition(p, corev1.PodReady, corev1.ConditionFalse, "PodCompleted", "", now)
	setCondition(p, corev1.ContainersReady, corev1.ConditionFalse, "PodCompleted", "", now)
	return true
}
