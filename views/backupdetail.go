package views

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"daytwo/sources"
	"daytwo/ui"
)

func findBackup(s *sources.Snapshot, about sources.Ref) (sources.BackupState, bool) {
	i := slices.IndexFunc(s.Judged.Backups, func(b sources.BackupState) bool {
		return b.About == about || (about.Kind == "CronJob" && b.CronJob == about)
	})
	if i < 0 {
		return sources.BackupState{}, false
	}
	return s.Judged.Backups[i], true
}

// backupPicture is the detail of a backup: what was declared, what was seen.
func backupPicture(f ui.Frame, about sources.Ref, width int) picture {
	b, ok := findBackup(f.Snapshot, about)
	if !ok {
		return picture{}
	}
	refs := []sources.Ref{about, b.CronJob}
	for _, j := range b.Jobs {
		refs = append(refs, j.Ref)
	}
	return picture{
		found: true, row: b.Row, commands: backupCommands(b),
		sections: []section{
			{"Backup", backupFacts(f, b, width)},
			{"Jobs, newest first", jobLines(f, b.Jobs, width)},
			eventSection(f, width, refs...),
		},
	}
}

func backupFacts(f ui.Frame, b sources.BackupState, width int) []string {
	declared := "no: found by its name or labels"
	if b.Declared {
		declared = "yes, in the config"
	}
	last := "none seen"
	if !b.Last.IsZero() {
		last = agoWords(b.Last, f.Now) + ", " + moment(b.Last)
	}
	running := ""
	if !b.Running.IsZero() {
		running = "since " + ago(b.Running, f.Now)
	}
	suspended := ""
	if b.Suspended {
		suspended = "yes: no job will start"
	}
	cron := cronJobOf(f.Snapshot, b.CronJob)
	return pairs(f, width,
		pair{"last success", judged(f, b.Severity, last)},
		pair{"limit", plain(f, limitWords(b.Limit))},
		pair{"suspended", judged(f, sources.Warning, suspended)},
		pair{"running", plain(f, running)},
		pair{"note", plain(f, b.Note)},
		pair{"cron job", plain(f, cmp.Or(b.CronJob.String(), "none"))},
		pair{"schedule", plain(f, scheduleWords(cron))},
		pair{"declared", plain(f, declared)},
		pair{"kept", plain(f, keptWords(b)+keptUnknown(b))},
		pair{"offsite", plain(f, offsiteWords(b))},
		pair{"where", plain(f, b.Where)},
		pair{"restore drill", judged(f, sources.Unknown, "no record yet: a backup nobody restored is not proven")},
	)
}

func limitWords(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return "a success every " + sources.Span(d)
}

func cronJobOf(s *sources.Snapshot, ref sources.Ref) sources.CronJob {
	for _, c := range s.CronJobs.Value {
		if c.Ref == ref {
			return c
		}
	}
	return sources.CronJob{}
}

func scheduleWords(c sources.CronJob) string {
	if c.Schedule != "" && c.TimeZone != "" {
		return c.Schedule + " (" + c.TimeZone + ")"
	}
	return c.Schedule
}

// keptWords is how many copies there should be: a wish until the place where
// they are kept has been looked at.
func keptWords(b sources.BackupState) string {
	if b.Keep == 0 {
		return unsure
	}
	return unsure + "/" + strconv.Itoa(b.Keep)
}

func keptUnknown(b sources.BackupState) string {
	if b.Keep == 0 {
		return " not declared"
	}
	return " copies: " + strconv.Itoa(b.Keep) + " declared, not looked at"
}

func offsiteWords(b sources.BackupState) string {
	switch {
	case !b.Declared:
		return "? not declared"
	case b.Offsite:
		return "declared, not looked at"
	}
	return "no"
}

func jobLines(f ui.Frame, jobs []sources.Job, width int) []string {
	if len(jobs) == 0 {
		return []string{f.Theme.Dim.Render("no job is left in the cluster")}
	}
	sh := sheet{titles: []string{"job", "started", "took", "result", "reason"}}
	for _, j := range jobs {
		result, end, severity := jobResult(j)
		took := ""
		if !end.IsZero() && !j.Started.IsZero() {
			took = sources.Span(end.Sub(j.Started))
		}
		sh.rows = append(sh.rows, []ui.Cell{
			plain(f, j.Ref.Name), plain(f, agoWords(j.Started, f.Now)), dim(f, took),
			judged(f, severity, result), plain(f, joinReason(j.Reason, j.Message)),
		})
	}
	return sh.lines(f, width)
}

// jobResult is what a Job's own status says.
func jobResult(j sources.Job) (word string, end time.Time, s sources.Severity) {
	switch {
	case !j.Completed.IsZero():
		return "complete", j.Completed, sources.OK
	case !j.Failed.IsZero():
		return "failed", j.Failed, sources.Critical
	case j.Active > 0:
		return "running", time.Time{}, sources.Unknown
	}
	return "unknown", time.Time{}, sources.Unknown
}

func joinReason(reason, message string) string {
	if reason != "" && message != "" {
		return reason + ": " + message
	}
	return reason + message
}
