package rules_test

import (
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/rules"
)

func cronJob(f func(*sources.CronJob)) func(*sources.Snapshot) {
	return func(s *sources.Snapshot) { f(&s.CronJobs.Value[0]) }
}

func declare(d ...sources.DeclaredBackup) func(*sources.Snapshot) {
	return func(s *sources.Snapshot) { s.Settings.Backups = d }
}

// job is a run of mysql-dump: started and ended so long ago; end 0 is still
// running, ok says how it ended.
func job(name string, started, ended time.Duration, ok bool) sources.Job {
	j := sources.Job{Ref: sources.Ref{Kind: "Job", Namespace: "shop", Name: name}, Owner: dump().Ref, Started: ago(started)}
	switch {
	case ended == 0:
		j.Active = 1
	case ok:
		j.Completed = ago(ended)
	default:
		j.Failed, j.Reason = ago(ended), "BackoffLimitExceeded"
	}
	return j
}

func jobs(js ...sources.Job) func(*sources.Snapshot) {
	return func(s *sources.Snapshot) { s.Jobs.Value = js }
}

func TestBackupRules(t *testing.T) {
	t.Parallel()
	const name = "shop/mysql-dump"
	late := cronJob(func(c *sources.CronJob) { c.LastSuccess = ago(31 * time.Hour) })
	failedPod := func(s *sources.Snapshot) {
		p := aPod("shop", "mysql-dump-9-xyz", "x")
		p.Phase = "Failed"
		p.Containers[0].Last = sources.Termination{Reason: "Error", ExitCode: 2, Finished: ago(7 * time.Hour)}
		s.Pods.Value = append(s.Pods.Value, p)
	}
	for title, c := range map[string]struct {
		edits []func(*sources.Snapshot)
		wants []want
	}{
		"the picture of the design": {
			[]func(*sources.Snapshot){late, jobs(job("mysql-dump-9", 8*time.Hour, 7*time.Hour, false)), failedPod},
			[]want{{"backup.age", sources.Critical, name, []string{"last success 31 h ago (limit 25 h) · job failed: exit 2"}}},
		},
		"25 hours to the second":              {[]func(*sources.Snapshot){cronJob(func(c *sources.CronJob) { c.LastSuccess = ago(25*time.Hour + 28*time.Minute) })}, nil},
		"a Job knows better":                  {[]func(*sources.Snapshot){late, jobs(job("mysql-dump-9", 8*time.Hour, 7*time.Hour, true))}, nil},
		"weekly at 6 days":                    {[]func(*sources.Snapshot){cronJob(func(c *sources.CronJob) { c.Schedule, c.LastSuccess = "0 3 * * 0", ago(6*day+12*time.Hour) })}, nil},
		"weekly at 8 days":                    {[]func(*sources.Snapshot){cronJob(func(c *sources.CronJob) { c.Schedule, c.LastSuccess = "@weekly", ago(8*day) })}, []want{{"backup.age", sources.Critical, name, []string{"last success 8 d ago (limit 7 d)"}}}},
		"weekdays over a weekend":             {[]func(*sources.Snapshot){cronJob(func(c *sources.CronJob) { c.Schedule, c.LastSuccess = "0 3 * * 1-5", ago(70*time.Hour) })}, nil},
		"monthly":                             {[]func(*sources.Snapshot){cronJob(func(c *sources.CronJob) { c.Schedule, c.LastSuccess = "0 3 1 * *", ago(30*day) })}, nil},
		"six-hourly is held to the checklist": {[]func(*sources.Snapshot){cronJob(func(c *sources.CronJob) { c.Schedule, c.LastSuccess = "0 */6 * * *", ago(26*time.Hour) })}, []want{{"backup.age", sources.Critical, name, []string{"limit 25 h"}}}},
		"schedule unreadable":                 {[]func(*sources.Snapshot){cronJob(func(c *sources.CronJob) { c.Schedule, c.LastSuccess = "whenever", ago(26*time.Hour) })}, []want{{"backup.age", sources.Critical, name, nil}}},
		"never succeeded":                     {[]func(*sources.Snapshot){cronJob(func(c *sources.CronJob) { c.LastSuccess = time.Time{} })}, []want{{"backup.never", sources.Critical, name, []string{"never succeeded, created 141 d ago"}}}},
		"new":                                 {[]func(*sources.Snapshot){cronJob(func(c *sources.CronJob) { c.LastSuccess, c.Created = time.Time{}, ago(time.Hour) })}, nil},
		"suspended":                           {[]func(*sources.Snapshot){cronJob(func(c *sources.CronJob) { c.Suspended = true })}, []want{{"backup.suspended", sources.Warning, name, []string{"suspended"}}}},
		"suspended and late":                  {[]func(*sources.Snapshot){late, cronJob(func(c *sources.CronJob) { c.Suspended = true })}, []want{{"backup.age", sources.Critical, name, []string{"31 h ago (limit 25 h) · suspended"}}}},
		"failed, earlier success": {
			[]func(*sources.Snapshot){jobs(job("mysql-dump-9", 2*time.Hour, time.Hour, false), job("mysql-dump-8", 13*time.Hour, 12*time.Hour, true))},
			[]want{{"backup.failed", sources.Warning, name, []string{"job failed: BackoffLimitExceeded"}}},
		},
		"failed, then succeeded": {[]func(*sources.Snapshot){jobs(job("mysql-dump-8", 13*time.Hour, 12*time.Hour, false), job("mysql-dump-9", 2*time.Hour, time.Hour, true))}, nil},
		"slow": {
			[]func(*sources.Snapshot){jobs(job("mysql-dump-9", 3*time.Hour, 0, false), job("mysql-dump-8", 24*time.Hour, 24*time.Hour-12*time.Minute, true))},
			[]want{{"backup.slow", sources.Warning, name, []string{"running for 3 h, usually 12 min"}}},
		},
		"slow but short":   {[]func(*sources.Snapshot){jobs(job("mysql-dump-9", 29*time.Minute, 0, false), job("mysql-dump-8", 24*time.Hour, 24*time.Hour-time.Minute, true))}, nil},
		"first run":        {[]func(*sources.Snapshot){jobs(job("mysql-dump-9", 3*time.Hour, 0, false))}, nil},
		"first run, a day": {[]func(*sources.Snapshot){jobs(job("mysql-dump-9", 30*time.Hour, 0, false))}, []want{{"backup.slow", sources.Warning, name, []string{"running for 30 h"}}}},
		"declared, own limit": {
			[]func(*sources.Snapshot){declare(sources.DeclaredBackup{Name: "mysql", CronJob: name, MaxAge: 6 * time.Hour})},
			[]want{{"backup.age", sources.Critical, "mysql", []string{"last success 11 h ago (limit 6 h)"}}},
		},
		"declared elsewhere": {
			[]func(*sources.Snapshot){declare(sources.DeclaredBackup{Name: "nas"})},
			[]want{{"backup.unknown", sources.Unknown, "nas", []string{"no evidence", "cronjob: namespace/name"}}},
		},
		"declared, gone": {
			[]func(*sources.Snapshot){declare(sources.DeclaredBackup{Name: "pg", CronJob: "shop/pg"})},
			[]want{{"backup.unknown", sources.Unknown, "pg", []string{"CronJob shop/pg does not exist"}}},
		},
		"no permission": {[]func(*sources.Snapshot){declare(sources.DeclaredBackup{Name: "mysql", CronJob: name}), func(s *sources.Snapshot) {
			s.CronJobs = sources.Reading[[]sources.CronJob]{Err: &sources.AccessError{Verb: "list", Group: "batch", Resource: "cronjobs"}}
		}}, []want{{"source.access", sources.Unknown, "list cronjobs.batch", []string{"dark: backups"}}}},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			j := expect(t, change(c.edits...), c.wants...)
			if len(j.Backups) == 0 {
				t.Fatal("no rows")
			}
			if title == "new" && (j.Backups[0].Severity != sources.Unknown || j.Backups[0].Note == "") {
				t.Errorf("a backup that never ran is %s %q", j.Backups[0].Severity, j.Backups[0].Note)
			}
		})
	}
}

func TestWhatLooksLikeABackup(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		name   string
		labels map[string]string
		want   bool
	}{
		"name":           {"pg-Backup", nil, true},
		"label":          {"nightly", map[string]string{"app": "restic"}, true},
		"label key":      {"nightly", map[string]string{"example.com/backup": "true"}, true},
		"chart":          {"nightly", map[string]string{"helm.sh/chart": "velero-1.2"}, false},
		"something else": {"rotate-logs", map[string]string{"app": "logs"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := rules.Judge(change(cronJob(func(x *sources.CronJob) { x.Ref.Name, x.Labels = c.name, c.labels })), now)
			if got := len(j.Backups) == 1; got != c.want {
				t.Errorf("taken for a backup: %t", got)
			}
			if !c.want && j.Missing["backup"] == "" {
				t.Error("an empty pane does not say why")
			}
		})
	}
}
