package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// A job runs "far longer than usual" beyond this many medians, and never
// before half an hour; with no earlier job to compare, beyond a day.
const (
	slowTimes = 3
	slowLeast = 30 * time.Minute
	slowBlind = 24 * time.Hour
)

// judgeBackups makes a row for each declared backup and each CronJob that
// looks like one, and applies the backup rules.
func (l *look) judgeBackups() {
	taken := map[string]bool{}
	var rows []sources.BackupState
	for _, d := range l.s.Settings.Backups {
		taken[d.CronJob] = true
		rows = append(rows, l.declared(d))
	}
	jobs := l.jobsByCronJob()
	for i := range rows {
		l.judgeBackup(&rows[i], jobs)
	}
	for i := range l.s.CronJobs.Value {
		c := &l.s.CronJobs.Value[i]
		if taken[c.Ref.String()] || !looksLikeBackup(c, l.s.Settings.BackupWords) {
			continue
		}
		row := sources.BackupState{Name: c.Ref.String(), CronJob: c.Ref}
		row.About = c.Ref
		l.judgeBackup(&row, jobs)
		rows = append(rows, row)
	}
	sortRows(rows, func(b *sources.BackupState) *sources.Row { return &b.Row })
	l.out.Backups = rows
	if !waiting(l, "backup", "cron jobs", l.s.CronJobs) && len(rows) == 0 {
		l.out.Missing["backup"] = "no CronJob looks like a backup; declare one under backups: in the config file (daytwo init)"
	}
}

// declared makes the row of a backup the user says exists.
func (l *look) declared(d sources.DeclaredBackup) sources.BackupState {
	row := sources.BackupState{Name: d.Name, Declared: true, Limit: d.MaxAge, Keep: d.Keep, Offsite: d.Offsite, Where: d.Where}
	row.About = sources.Ref{Kind: "Backup", Name: d.Name}
	if ns, name, ok := strings.Cut(d.CronJob, "/"); ok {
		row.CronJob = sources.Ref{Kind: "CronJob", Namespace: ns, Name: name}
	} else if d.CronJob != "" {
		row.CronJob = sources.Ref{Kind: "CronJob", Name: d.CronJob}
	}
	return row
}

// looksLikeBackup matches the words of the settings with the CronJob's name
// and labels. Labels that name the chart or the tool that installed it say
// nothing of what it does.
func looksLikeBackup(c *sources.CronJob, words []string) bool {
	has := func(s string) bool {
		s = strings.ToLower(s)
		return slices.ContainsFunc(words, func(w string) bool {
			return w != "" && strings.Contains(s, strings.ToLower(w))
		})
	}
	if has(c.Ref.Name) {
		return true
	}
	for k, v := range c.Labels {
		if strings.HasPrefix(k, "helm.sh/") || strings.HasPrefix(k, "objectset.rio.cattle.io/") ||
			k == "app.kubernetes.io/managed-by" || k == "app.kubernetes.io/part-of" || k == "app.kubernetes.io/version" {
			continue
		}
		if has(k) || has(v) {
			return true
		}
	}
	return false
}

// jobsByCronJob groups jobs, newest first.
func (l *look) jobsByCronJob() map[sources.Ref][]sources.Job {
	out := map[sources.Ref][]sources.Job{}
	for i := range l.s.Jobs.Value {
		if j := &l.s.Jobs.Value[i]; j.Owner.Kind == "CronJob" {
			out[j.Owner] = append(out[j.Owner], *j)
		}
	}
	for _, js := range out {
		slices.SortStableFunc(js, func(a, b sources.Job) int {
			if c := b.Started.Compare(a.Started); c != 0 {
				return c
			}
			return sources.CompareNames(b.Ref.Name, a.Ref.Name)
		})
	}
	return out
}

// judgeBackup fills a row from its CronJob and judges it.
func (l *look) judgeBackup(row *sources.BackupState, jobs map[sources.Ref][]sources.Job) {
	c := l.cronJob(row.CronJob)
	if c == nil {
		l.noEvidence(row)
		return
	}
	row.Jobs = jobs[c.Ref]
	row.Suspended = c.Suspended
	row.Last = lastSuccess(c, row.Jobs)
	if row.Limit <= 0 {
		row.Limit = l.backupLimit(c.Schedule)
	}
	var say parts
	l.backupAge(&say, row, c)
	l.backupFailed(&say, row)
	if c.Suspended {
		say.say(BackupPaused, sources.Warning, "suspended")
	}
	l.backupSlow(&say, row)
	if f, ok := say.finding(row.About, l.backupEvidence(row, c)); ok {
		l.add(&row.Row, f)
	}
}

func (l *look) cronJob(ref sources.Ref) *sources.CronJob {
	if ref.Name == "" {
		return nil
	}
	for i := range l.s.CronJobs.Value {
		if l.s.CronJobs.Value[i].Ref == ref {
			return &l.s.CronJobs.Value[i]
		}
	}
	return nil
}

// backupLimit is the age at which a success is too old: the checklist's 25 h,
// or what the schedule needs if it runs more rarely: 25 h for a day's 24 is
// 4 % and as much here, with half an hour to run.
func (l *look) backupLimit(schedule string) time.Duration {
	p := period(schedule)
	return max(l.limits.BackupAge, (p + p/25 + 30*time.Minute).Round(time.Minute))
}

// noEvidence: a backup that nothing speaks for is unknown, and the line says
// what would count. While the CronJobs are not read nothing is said.
func (l *look) noEvidence(row *sources.BackupState) {
	row.Severity = sources.Unknown
	if row.Limit <= 0 {
		row.Limit = l.limits.BackupAge
	}
	switch {
	case row.CronJob.Name == "":
		row.Note = "no evidence: name the CronJob that makes it (cronjob: namespace/name)"
	case !l.s.CronJobs.Loaded() && l.s.CronJobs.Err != nil:
		row.Note = "CronJob " + row.CronJob.String() + " not read: " + l.s.CronJobs.Err.Error()
		row.Summary = row.Note
		return // source.access or source.reading tells of it once
	case !l.s.CronJobs.Loaded():
		row.Note = "waiting for cron jobs"
		return
	default:
		row.Note = "no evidence: CronJob " + row.CronJob.String() + " does not exist; a success of it would count"
	}
	l.add(&row.Row, sources.Finding{
		Rule: BackupUnknown, Severity: sources.Unknown, About: row.About, Summary: row.Note,
		Evidence: []sources.Fact{fact(l.s.CronJobs.At, "cron jobs", row.Note)},
	})
	row.Summary = row.Note
}

// lastSuccess is the newer of what the CronJob and its jobs tell.
func lastSuccess(c *sources.CronJob, jobs []sources.Job) time.Time {
	last := c.LastSuccess
	for i := range jobs {
		if jobs[i].Completed.After(last) {
			last = jobs[i].Completed
		}
	}
	return last
}

func (l *look) backupAge(say *parts, row *sources.BackupState, c *sources.CronJob) {
	switch {
	case !row.Last.IsZero() && l.now.Sub(row.Last) > row.Limit:
		say.say(BackupAge, sources.Critical, fmt.Sprintf("last success %s (limit %s)", sources.Ago(row.Last, l.now), sources.Span(row.Limit)))
	case !row.Last.IsZero():
	case c.Created.IsZero() || l.now.Sub(c.Created) > row.Limit:
		say.say(BackupNever, sources.Critical, "never succeeded, created"+orUnknown(since(c.Created, l.now)))
	default:
		row.Severity, row.Note = sources.Unknown, "no run has succeeded yet, created "+sources.Ago(c.Created, l.now)
	}
}

// backupFailed: the newest job that ended, ended badly.
func (l *look) backupFailed(say *parts, row *sources.BackupState) {
	for i := range row.Jobs {
		j := &row.Jobs[i]
		if j.Failed.IsZero() && j.Completed.IsZero() {
			if row.Running.IsZero() && j.Active > 0 {
				row.Running = j.Started
			}
			continue
		}
		if !j.Completed.IsZero() || j.Failed.Before(row.Last) {
			break
		}
		row.Note = l.failure(j)
		say.say(BackupFailed, sources.Warning, "job failed: "+row.Note)
		break
	}
	for i := range row.Jobs {
		if j := &row.Jobs[i]; j.Active > 0 && j.Failed.IsZero() && j.Completed.IsZero() {
			row.Running = j.Started
			break
		}
	}
}

// failure is the exit of the job's newest failed container where a pod is
// left to tell, else the job's reason.
func (l *look) failure(j *sources.Job) string {
	var newest time.Time
	text := ""
	for i := range l.s.Pods.Value {
		p := &l.s.Pods.Value[i]
		if p.Namespace != j.Ref.Namespace || !strings.HasPrefix(p.Name, j.Ref.Name+"-") {
			continue
		}
		for k := range p.Containers {
			c := &p.Containers[k]
			end := c.Last
			if end.ExitCode == 0 || (text != "" && !end.Finished.After(newest)) {
				continue
			}
			newest, text = end.Finished, endText(end)
		}
	}
	if text != "" {
		return text
	}
	if j.Reason != "" {
		return j.Reason
	}
	return "no reason given"
}

// backupSlow: a job that hangs never fails and never succeeds.
func (l *look) backupSlow(say *parts, row *sources.BackupState) {
	if row.Running.IsZero() {
		return
	}
	usual := usualRun(row.Jobs)
	runs := l.now.Sub(row.Running)
	switch {
	case usual > 0 && runs > slowLeast && runs > slowTimes*usual:
		say.say(BackupSlow, sources.Warning, fmt.Sprintf("running for %s, usually %s", sources.Span(runs), sources.Span(usual)))
	case usual == 0 && runs > slowBlind:
		say.say(BackupSlow, sources.Warning, "running for "+sources.Span(runs))
	}
}

// usualRun is the median duration of the jobs that succeeded, 0 if none did.
func usualRun(jobs []sources.Job) time.Duration {
	var took []time.Duration
	for i := range jobs {
		if d := jobs[i].Completed.Sub(jobs[i].Started); !jobs[i].Completed.IsZero() && d > 0 {
			took = append(took, d)
		}
	}
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)/2]
}

func (l *look) backupEvidence(row *sources.BackupState, c *sources.CronJob) []sources.Fact {
	at := l.s.CronJobs.At
	facts := []sources.Fact{
		fact(at, "CronJob "+c.Ref.String(), fmt.Sprintf("schedule %s, suspended %t, last scheduled %s, last success %s",
			c.Schedule, c.Suspended, stamp(c.LastScheduled), stamp(c.LastSuccess))),
		fact(at, "settings", "limit "+sources.Span(row.Limit)),
	}
	for _, j := range row.Jobs[:min(len(row.Jobs), 5)] {
		text := "started " + stamp(j.Started)
		switch {
		case !j.Completed.IsZero():
			text += ", succeeded after " + sources.Span(j.Completed.Sub(j.Started))
		case !j.Failed.IsZero():
			text += ", failed " + stamp(j.Failed) + " " + j.Reason + ": " + j.Message
		default:
			text += ", running"
		}
		facts = append(facts, fact(l.s.Jobs.At, "Job "+j.Ref.String(), text))
	}
	return facts
}
