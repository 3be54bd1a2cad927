package demo

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// past is one run of a CronJob that is over.
type past struct {
	ago   time.Duration // since it started
	took  time.Duration
	exit  int32
	tries int32 // failed pods
}

func (b *builder) cronJobs(trouble bool) {
	mysql := []past{{7*time.Hour + 4*time.Minute, 6 * time.Minute, 0, 0}, {31*time.Hour + 4*time.Minute, 6 * time.Minute, 0, 0}, {55*time.Hour + 4*time.Minute, 5 * time.Minute, 0, 0}}
	if trouble {
		mysql = []past{
			{7*time.Hour + 4*time.Minute, 95 * time.Second, 2, 2},
			{31*time.Hour + 4*time.Minute, 4 * time.Minute, 0, 0},
			{55*time.Hour + 4*time.Minute, 4 * time.Minute, 0, 0},
			{79*time.Hour + 4*time.Minute, 5 * time.Minute, 0, 0},
		}
		b.m.traits["CronJob/backup/mysql"] = trait{takes: 40 * time.Second, exit: 2}
	} else {
		b.m.traits["CronJob/backup/mysql"] = trait{takes: 4 * time.Minute}
	}
	b.m.traits["CronJob/backup/media"] = trait{takes: 11 * time.Minute}
	b.m.traits["CronJob/backup/manifests"] = trait{takes: 40 * time.Second}
	b.m.traits["CronJob/shop/cleanup-sessions"] = trait{takes: 15 * time.Second}
	daily := func(first time.Duration, took time.Duration) []past {
		return []past{{first, took, 0, 0}, {first + day, took, 0, 0}, {first + 2*day, took, 0, 0}}
	}
	b.cronJob("backup", "mysql", "databack/mysql-backup:1.3.0", day, mysql)
	b.cronJob("backup", "media", "rclone/rclone:1.70.3", day, daily(5*time.Hour+11*time.Minute, 11*time.Minute))
	b.cronJob("backup", "manifests", "alpine/git:v2.49.1", 6*time.Hour, []past{{2*time.Hour + time.Minute, time.Minute, 0, 0}, {8*time.Hour + time.Minute, time.Minute, 0, 0}})
	b.cronJob("shop", "cleanup-sessions", shopImages+"worker:2.8.1", time.Hour, []past{{21 * time.Minute, 15 * time.Second, 0, 0}, {81 * time.Minute, 14 * time.Second, 0, 0}})
	b.m.catchUp()
}

// cronJob makes a CronJob whose schedule fits its newest run, and the Jobs
// and pods its runs left.
func (b *builder) cronJob(ns, name, image string, every time.Duration, runs []past) {
	a := app{ns: ns, name: name, image: image, age: 140 * day, cpu: "50m", mem: "64Mi"}
	t := a.template()
	t.Spec.RestartPolicy = corev1.RestartPolicyNever
	first := b.now.Add(-runs[0].ago).Truncate(time.Minute)
	newest := metav1.NewTime(first)
	meta := a.meta(b)
	if ns == "backup" {
		meta.Labels = withEntry(meta.Labels, "app.kubernetes.io/component", "backup")
	}
	c := add(b.s, &batchv1.CronJob{ObjectMeta: meta, Spec: batchv1.CronJobSpec{
		Schedule: schedule(first, every), ConcurrencyPolicy: batchv1.ForbidConcurrent, Suspend: new(false),
		SuccessfulJobsHistoryLimit: new(int32(3)), FailedJobsHistoryLimit: new(int32(1)), StartingDeadlineSeconds: new(int64(3600)),
		JobTemplate: batchv1.JobTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: meta.Labels}, Spec: batchv1.JobSpec{
			Template: t, BackoffLimit: new(int32(1)), Completions: new(int32(1)), Parallelism: new(int32(1)),
		}},
	}})
	status := batchv1.CronJobStatus{LastScheduleTime: &newest}
	for i := range runs {
		j := b.pastJob(c, &runs[i])
		if j.Status.CompletionTime != nil && status.LastSuccessfulTime == nil {
			status.LastSuccessfulTime = j.Status.CompletionTime
		}
	}
	edit(b.s, c, func(c *batchv1.CronJob) bool {
		c.Status = status
		return true
	})
}

// schedule writes "minute hours * * *" for runs every so often from first on.
func schedule(first time.Time, every time.Duration) string {
	if every == time.Hour {
		return fmt.Sprintf("%d * * * *", first.Minute())
	}
	var hours []int
	for h := 0; h < 24; h += int(every.Hours()) {
		hours = append(hours, (first.Hour()+h)%24)
	}
	sort.Ints(hours)
	words := make([]string, len(hours))
	for i, h := range hours {
		words[i] = strconv.Itoa(h)
	}
	return fmt.Sprintf("%d %s * * *", first.Minute(), strings.Join(words, ","))
}

func (b *builder) pastJob(c *batchv1.CronJob, r *past) *batchv1.Job {
	began := b.now.Add(-r.ago).Truncate(time.Minute)
	ended := began.Add(r.took)
	start, end := metav1.NewTime(began), metav1.NewTime(ended)
	j := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: c.Namespace, Name: fmt.Sprintf("%s-%d", c.Name, began.Unix()/60), Labels: c.Spec.JobTemplate.Labels,
			OwnerReferences: ownerRef(c), CreationTimestamp: start,
		},
		Spec: c.Spec.JobTemplate.Spec, Status: batchv1.JobStatus{StartTime: &start},
	}
	if r.exit == 0 {
		j.Status.Succeeded = 1
		completeJob(j, end)
	} else {
		j.Status.Failed = r.tries
		failJob(j, end)
	}
	add(b.s, j)
	for i := range max(1, r.tries) {
		b.pastPod(j, r, began.Add(time.Duration(i)*r.took/2))
	}
	return j
}

func (b *builder) pastPod(j *batchv1.Job, r *past, began time.Time) {
	p := b.m.newPod(j, &j.Spec.Template, "")
	node := b.pick(p)
	host := b.m.hostIP(node)
	took := r.took / time.Duration(max(1, r.tries))
	edit(b.s, p, func(p *corev1.Pod) bool {
		p.CreationTimestamp = metav1.NewTime(began)
		p.Labels = withEntry(p.Labels, "batch.kubernetes.io/job-name", j.Name)
		p.Spec.NodeName = node
		setCondition(p, corev1.PodScheduled, corev1.ConditionTrue, "", "", began)
		begin(p, began)
		setRunning(p, host, began.Add(2*time.Second))
		return finish(p, r.exit, began.Add(took))
	})
}
