package kube

import (
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"

	"daytwo/sources"
)

// mostLabels is how many labels of a CronJob are kept.
const mostLabels = 64

func toCronJob(c *batch.CronJob) *sources.CronJob {
	out := &sources.CronJob{
		Ref:      sources.Ref{Kind: "CronJob", Namespace: name(c.Namespace), Name: name(c.Name)},
		Labels:   make(map[string]string, min(len(c.Labels), mostLabels)),
		Schedule: name(c.Spec.Schedule), Suspended: c.Spec.Suspend != nil && *c.Spec.Suspend,
		Created: c.CreationTimestamp.Time, LastScheduled: stamp(c.Status.LastScheduleTime),
		LastSuccess: stamp(c.Status.LastSuccessfulTime), Active: len(c.Status.Active),
	}
	if c.Spec.TimeZone != nil {
		out.TimeZone = name(*c.Spec.TimeZone)
	}
	for k, v := range c.Labels {
		if len(out.Labels) < mostLabels {
			out.Labels[name(k)] = name(v)
		}
	}
	return out
}

func toJob(j *batch.Job) *sources.Job {
	out := &sources.Job{
		Ref:   sources.Ref{Kind: "Job", Namespace: name(j.Namespace), Name: name(j.Name)},
		Owner: ownerOf(j.Namespace, j.OwnerReferences), Started: stamp(j.Status.StartTime),
		Completed: stamp(j.Status.CompletionTime), Active: j.Status.Active, Failures: j.Status.Failed,
	}
	for _, c := range j.Status.Conditions {
		if c.Type == batch.JobFailed && c.Status == core.ConditionTrue {
			out.Failed, out.Reason, out.Message = c.LastTransitionTime.Time, name(c.Reason), message(c.Message)
		}
	}
	return out
}
