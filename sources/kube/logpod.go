package kube

import (
	"context"
	"fmt"
	"slices"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
)

// podState is what is known of the pod.
type podState int

const (
	podKnown  podState = iota
	podAway            // cannot be asked for now
	podGone            // or another has its name
	podHidden          // may not be looked up
)

const goneNote = "the pod is gone"

// isGone reports that the API server says that there is no such pod. A kubelet
// that has no such log is passed on with a cause.
func isGone(err error) bool {
	return apierrors.IsNotFound(err) && !isMissing(err) && !apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

// container is a container's status within its pod's.
type container struct {
	pod    *core.Pod
	status core.ContainerStatus
}

// status looks the container up.
func (l *logReader) status(ctx context.Context) (container, podState) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	pod, err := l.c.set.CoreV1().Pods(l.ask.Pod.Namespace).Get(ctx, l.ask.Pod.Name, metav1.GetOptions{})
	switch {
	case isGone(err), err == nil && l.ask.UID != "" && string(pod.UID) != l.ask.UID:
		return container{}, podGone
	case apierrors.IsForbidden(err):
		return container{}, podHidden
	case err != nil:
		l.say(err)
		return container{}, podAway
	}
	all := slices.Concat(pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses, pod.Status.EphemeralContainerStatuses)
	i := slices.IndexFunc(all, func(s core.ContainerStatus) bool { return s.Name == l.ask.Container })
	if i < 0 {
		return container{pod: pod}, podKnown
	}
	c := container{pod, all[i]}
	if l.run1 == "" {
		l.run1 = runOf(c)
	}
	return c, podKnown
}

// runOf names the newest run of a container that has begun.
func runOf(c container) string {
	if t := c.status.State.Terminated; t != nil && t.ContainerID != "" {
		return t.ContainerID
	}
	return c.status.ContainerID
}

// final reports that the container will not run again.
func (c container) final() bool {
	if p := c.pod.Status.Phase; p == core.PodSucceeded || p == core.PodFailed {
		return true
	}
	t := c.status.State.Terminated
	if t == nil {
		return false
	}
	return c.pod.DeletionTimestamp != nil || c.pod.Spec.RestartPolicy == core.RestartPolicyNever ||
		c.pod.Spec.RestartPolicy == core.RestartPolicyOnFailure && t.ExitCode == 0
}

// declared reports that the pod has a container of a name.
func (c container) declared(name string) bool {
	if c.status.Name == name {
		return true
	}
	s := c.pod.Spec
	return slices.ContainsFunc(slices.Concat(s.Containers, s.InitContainers), func(c core.Container) bool { return c.Name == name })
}

// why is why the container does not run, in kubectl's words.
func (c container) why() string {
	switch s := c.status.State; {
	case s.Waiting != nil && s.Waiting.Reason != "":
		return sources.Clean(s.Waiting.Reason, 100)
	case s.Terminated != nil:
		return "ended with " + ending(s.Terminated)
	}
	return "not started yet"
}

func ending(t *core.ContainerStateTerminated) string {
	text := fmt.Sprintf("exit code %d", t.ExitCode)
	if t.Reason != "" {
		text += ", " + sources.Clean(t.Reason, 100)
	}
	return text
}
