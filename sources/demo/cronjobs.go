package demo

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// cronJobs starts what is due and keeps each CronJob's status and history.
func (m *simulation) cronJobs(now time.Time) {
	for _, c := range all[*batchv1.CronJob](m.s, "") {
		if c.DeletionTimestamp != nil {
			continue
		}
		due, ok := dueAt(c, now)
		if ok && (c.Spec.Suspend == nil || !*c.Spec.Suspend) {
			m.startJob(c, due)
		}
		m.cronStatus(c, due, ok)
	}
}

// dueAt is the newest time of the schedule that was not served yet.
func dueAt(c *batchv1.CronJob, now time.Time) (time.Time, bool) {
	s, err := cron.ParseStandard(c.Spec.Schedule)
	if err != nil {
		return time.Time{}, false
	}
	last := c.CreationTimestamp.Time
	if c.Status.LastScheduleTime != nil {
		last = c.Status.LastScheduleTime.Time
	}
	last = last.UTC()
	if from := now.Add(-36 * time.Hour); last.Before(from) {
		last = from
	}
	var due time.Time
	for t := s.Next(last); !t.After(now); t = s.Next(t) {
		due = t
	}
	return due, !due.IsZero()
}

func (m *simulation) startJob(c *batchv1.CronJob, due time.Time) {
	name := fmt.Sprintf("%s-%d", c.Name, due.Unix()/60)
	if _, ok := fetch[*batchv1.Job](m.s, c.Namespace, name); ok {
		return
	}
	add(m.s, &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: c.Namespace, Name: name, Labels: c.Spec.JobTemplate.Labels, OwnerReferences: ownerRef(c),
			Annotations: map[string]string{"batch.kubernetes.io/cronjob-scheduled-timestamp": due.Format(time.RFC3339)},
		},
		Spec: c.Spec.JobTemplate.Spec,
	})
	m.normal(c, m.w.now(), "SuccessfulCreate", "cronjob-controller", "Created job %s", name)
}

func (m *simulation) cronStatus(c *batchv1.CronJob, due time.Time, started bool) {
	jobs := owned[*batchv1.Job](m.s, c.UID)
	slices.SortFunc(jobs, func(a, b *batchv1.Job) int {
		return cmp.Compare(b.CreationTimestamp.Unix(), a.CreationTimestamp.Unix())
	})
	status := *c.Status.DeepCopy()
	status.Active = nil
	if started && (c.Spec.Suspend == nil || !*c.Spec.Suspend) {
		at := metav1.NewTime(due)
		status.LastScheduleTime = &at
	}
	var good, bad []*batchv1.Job
	for _, j := range jobs {
		switch {
		case !jobEnded(j):
			status.Active = append(status.Active, corev1.ObjectReference{
				Kind: "Job", APIVersion: "batch/v1", Namespace: j.Namespace, Name: j.Name, UID: j.UID, ResourceVersion: j.ResourceVersion,
			})
		case j.Status.CompletionTime != nil:
			good = append(good, j)
			if status.LastSuccessfulTime == nil || status.LastSuccessfulTime.Before(j.Status.CompletionTime) {
				status.LastSuccessfulTime = j.Status.CompletionTime
			}
		default:
			bad = append(bad, j)
		}
	}
	m.prune(good, c.Spec.SuccessfulJobsHistoryLimit, 3)
	m.prune(bad, c.Spec.FailedJobsHistoryLimit, 1)
	edit(m.s, c, func(c *batchv1.CronJob) bool {
		if equality.Semantic.DeepEqual(c.Status, status) {
			return false
		}
		c.Status = status
		return true
	})
}

// prune removes the jobs beyond a CronJob's history limit; jobs come newest
// first.
func (m *simulation) prune(jobs []*batchv1.Job, limit *int32, standard int) {
	if limit != nil {
		standard = int(*limit)
	}
	for _, j := range jobs[min(len(jobs), standard):] {
		m.s.remove(kindOf[*batchv1.Job](m.s), j.Namespace, j.Name)
	}
}
