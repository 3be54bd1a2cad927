package views

import (
	"cmp"
	"strconv"

	"daytwo/sources"
	"daytwo/ui"
)

func backupKind() kind[sources.BackupState] {
	k := kind[sources.BackupState]{
		part: backups, name: "Backups", topic: "backup",
		rows: func(j *sources.Judgement) []sources.BackupState { return j.Backups },
		row:  func(b *sources.BackupState) *sources.Row { return &b.Row },
		id:   func(b sources.BackupState) string { return b.Name + " " + b.About.String() },
		match: func(b sources.BackupState) string {
			return b.Name + " " + b.CronJob.String() + " " + b.Where + " " + b.Note
		},
		narrow: backupPane, wide: backupList,
	}
	k.note = func(rows []sources.BackupState) string { return okOf(k, rows) }
	return k
}

type backupColumn = ui.Column[sources.BackupState]

func backupPane(int) []backupColumn {
	return []backupColumn{
		severityColumn(backupKind().row),
		{Title: "backup", Cell: backupName},
		{Title: "age", Width: 6, Right: true, Cell: backupAge},
		{Title: "limit", Width: 6, Right: true, Priority: 4, Cell: backupLimit},
		{Title: "kept", Width: 5, Right: true, Priority: 2, Cell: func(f ui.Frame, b sources.BackupState) ui.Cell {
			return dim(f, keptWords(b))
		}},
		{Title: "offsite", Width: 8, Priority: 1, Cell: backupOffsite},
		{Title: "runs", Width: 10, Priority: 3, Cell: backupRuns},
	}
}

func backupList(width int) []backupColumn {
	return []backupColumn{
		severityColumn(backupKind().row),
		{Title: "backup", Key: "B", Width: nameWidth(width), Cell: backupName, Compare: func(a, b sources.BackupState) int {
			return sources.CompareNames(a.Name, b.Name)
		}},
		{Title: "cron job", Key: "C", Width: 24, Priority: 4, Cell: func(f ui.Frame, b sources.BackupState) ui.Cell {
			return dim(f, cmp.Or(b.CronJob.String(), "none"))
		}, Compare: func(a, b sources.BackupState) int { return sources.CompareRefs(a.CronJob, b.CronJob) }},
		{Title: "age", Key: "A", Width: 6, Right: true, Cell: backupAge, Falls: true, Compare: func(a, b sources.BackupState) int {
			return a.Last.Compare(b.Last)
		}},
		{Title: "limit", Key: "L", Width: 6, Right: true, Priority: 2, Cell: backupLimit, Compare: func(a, b sources.BackupState) int { return cmp.Compare(a.Limit, b.Limit) }},
		{Title: "runs", Key: "R", Width: 14, Cell: backupRuns, Compare: func(a, b sources.BackupState) int {
			return cmp.Or(b.Running.Compare(a.Running), cmp.Compare(runsWords(a), runsWords(b)))
		}},
		{Title: "kept", Key: "K", Width: 5, Right: true, Falls: true, Priority: 1, Cell: func(f ui.Frame, b sources.BackupState) ui.Cell {
			return dim(f, keptWords(b))
		}, Compare: func(a, b sources.BackupState) int { return cmp.Compare(b.Keep, a.Keep) }},
		{Title: "offsite", Key: "O", Width: 8, Priority: 1, Cell: backupOffsite, Compare: func(a, b sources.BackupState) int {
			return cmp.Compare(offsiteShort(a), offsiteShort(b))
		}},
		{Title: "where", Key: "W", Width: 22, Priority: 5, Cell: func(f ui.Frame, b sources.BackupState) ui.Cell {
			return dim(f, b.Where)
		}, Compare: func(a, b sources.BackupState) int { return cmp.Compare(a.Where, b.Where) }},
		{Title: "note", Priority: 3, Cell: backupNote},
	}
}

func backupName(f ui.Frame, b sources.BackupState) ui.Cell { return strong(f, b.Name) }

// backupAge is the age of the last success.
func backupAge(f ui.Frame, b sources.BackupState) ui.Cell {
	text := coarse(b.Last, f.Now)
	if b.Severity > sources.OK {
		return judged(f, b.Severity, text)
	}
	return plain(f, text)
}

// backupLimit is the age from which the last success is too old.
func backupLimit(f ui.Frame, b sources.BackupState) ui.Cell {
	if b.Limit == 0 {
		return dim(f, "")
	}
	return dim(f, sources.Span(b.Limit))
}

func offsiteShort(b sources.BackupState) string {
	switch {
	case !b.Declared:
		return unsure
	case b.Offsite:
		return "declared"
	}
	return "no"
}

func backupOffsite(f ui.Frame, b sources.BackupState) ui.Cell { return dim(f, offsiteShort(b)) }

// runsWords is what the backup's job does now.
func runsWords(b sources.BackupState) string {
	switch {
	case b.Suspended:
		return "suspended"
	case !b.Running.IsZero():
		return "running"
	case len(b.Jobs) > 0:
		word, _, _ := jobResult(b.Jobs[0])
		return word
	case b.CronJob.Name == "":
		return unsure
	case !b.Last.IsZero():
		return "idle"
	}
	return "not yet"
}

func backupRuns(f ui.Frame, b sources.BackupState) ui.Cell {
	text := runsWords(b)
	switch text {
	case "suspended", "failed":
		return judged(f, max(b.Severity, sources.Warning), text)
	case "running":
		return plain(f, "since "+ago(b.Running, f.Now))
	}
	return dim(f, text)
}

func backupNote(f ui.Frame, b sources.BackupState) ui.Cell {
	return dim(f, cmp.Or(b.Note, b.Summary, declaredNote(b)))
}

func declaredNote(b sources.BackupState) string {
	if b.Keep > 0 {
		return "kept " + strconv.Itoa(b.Keep) + " declared"
	}
	return ""
}
