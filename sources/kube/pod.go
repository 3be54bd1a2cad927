package kube

import (
	"regexp"
	"strings"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
)

// pod is a pod whose Owner is its direct owner, and the hash that its
// ReplicaSet's name ends with.
type pod struct {
	sources.Pod

	hash string
}

func toPod(p *core.Pod) *pod {
	out := &pod{hash: name(p.Labels["pod-template-hash"]), Pod: sources.Pod{
		Namespace: name(p.Namespace), Name: sources.Clean(p.Name, sources.MaxName), UID: sources.Clean(string(p.UID), 64),
		Node: name(p.Spec.NodeName), Phase: name(string(p.Status.Phase)), Reason: name(p.Status.Reason),
		Message: message(p.Status.Message), Created: p.CreationTimestamp.Time, Deleting: stamp(p.DeletionTimestamp),
		Containers: containers(p),
	}}
	for _, f := range p.Finalizers {
		out.Finalizers = append(out.Finalizers, name(f))
	}
	for _, c := range p.Status.Conditions {
		switch {
		case c.Type == core.PodReady:
			out.Ready = c.Status == core.ConditionTrue
			if p.Status.Phase == core.PodFailed && out.Ended.IsZero() {
				out.Ended = c.LastTransitionTime.Time
			}
		case c.Type == core.DisruptionTarget && c.Status == core.ConditionTrue && p.Status.Phase == core.PodFailed:
			out.Ended = c.LastTransitionTime.Time
		case c.Type == core.PodScheduled && c.Status == core.ConditionFalse && out.Message == "":
			out.Message = message(c.Message)
		}
	}
	out.Owner = ownerOf(p.Namespace, p.OwnerReferences)
	if out.Owner.Name == "" || out.Owner.Kind == "Node" { // a static pod belongs to its node
		out.Owner = out.Ref()
	}
	return out
}

// ownerOf is the controller among the owners; zero if there is none.
func ownerOf(namespace string, owners []metav1.OwnerReference) sources.Ref {
	for _, o := range owners {
		if o.Controller != nil && *o.Controller {
			return sources.Ref{Kind: name(o.Kind), Namespace: name(namespace), Name: name(o.Name)}
		}
	}
	return sources.Ref{}
}

func containers(p *core.Pod) []sources.Container {
	out := make([]sources.Container, 0, len(p.Spec.InitContainers)+len(p.Spec.Containers))
	add := func(spec []core.Container, status []core.ContainerStatus, init bool) {
		for i := range spec {
			out = append(out, sources.Container{
				Name: name(spec[i].Name), Init: init, Image: name(spec[i].Image),
				MemLimit: spec[i].Resources.Limits.Memory().Value(),
			})
			for j := range status {
				if status[j].Name == spec[i].Name {
					report(&out[len(out)-1], &status[j])
				}
			}
		}
	}
	add(p.Spec.InitContainers, p.Status.InitContainerStatuses, true)
	add(p.Spec.Containers, p.Status.ContainerStatuses, false)
	return out
}

// report fills in what the kubelet says of a container.
func report(c *sources.Container, s *core.ContainerStatus) {
	c.ImageID, c.Ready, c.Restarts = name(s.ImageID), s.Ready, s.RestartCount
	switch {
	case s.State.Waiting != nil:
		c.State, c.Reason, c.Message = "waiting", name(s.State.Waiting.Reason), message(s.State.Waiting.Message)
	case s.State.Running != nil:
		c.State, c.Since = "running", s.State.Running.StartedAt.Time
	case s.State.Terminated != nil:
		t := s.State.Terminated
		c.State, c.Reason, c.Message, c.Since = "terminated", name(t.Reason), message(t.Message), t.FinishedAt.Time
	}
	if t := s.LastTerminationState.Terminated; t != nil {
		c.Last = sources.Termination{
			Reason: name(t.Reason), ExitCode: t.ExitCode, Signal: t.Signal,
			Started: t.StartedAt.Time, Finished: t.FinishedAt.Time,
		}
	}
}

// podList resolves every pod's top owner: the Deployment behind its
// ReplicaSet, the CronJob behind its Job.
func (w *world) podList() []sources.Pod {
	above := map[sources.Ref]sources.Ref{}
	w.replicas.each(func(r *sources.Workload) {
		if r.Owner.Name != "" {
			above[r.Ref] = r.Owner
		}
	})
	w.jobs.each(func(j *sources.Job) {
		if j.Owner.Name != "" {
			above[j.Ref] = j.Owner
		}
	})
	var out []sources.Pod
	w.pods.each(func(p *pod) {
		if out == nil {
			out = make([]sources.Pod, 0, len(w.pods.records))
		}
		out = append(out, p.Pod)
		out[len(out)-1].Owner = topOwner(p, above)
	})
	return out
}

// cronJobRun is the name of a Job that a CronJob made: the minute it was due.
var cronJobRun = regexp.MustCompile(`^(.+)-\d{8}$`)

// topOwner looks one step up. Where the step is not known (not listed yet, no
// permission, gone already) names tell: a ReplicaSet is named after its
// Deployment and the pods' template hash, a scheduled Job after its CronJob.
func topOwner(p *pod, above map[sources.Ref]sources.Ref) sources.Ref {
	if top, ok := above[p.Owner]; ok {
		return top
	}
	ref := p.Owner
	switch ref.Kind {
	case "ReplicaSet":
		if base, ok := strings.CutSuffix(ref.Name, "-"+p.hash); ok && p.hash != "" {
			return sources.Ref{Kind: "Deployment", Namespace: ref.Namespace, Name: name(base)}
		}
	case "Job":
		if m := cronJobRun.FindStringSubmatch(ref.Name); m != nil {
			return sources.Ref{Kind: "CronJob", Namespace: ref.Namespace, Name: name(m[1])}
		}
	}
	return ref
}
