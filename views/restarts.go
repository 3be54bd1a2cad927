package views

import (
	"cmp"
	"strings"

	"daytwo/sources"
	"daytwo/ui"
)

func restartKind() kind[sources.RestartStory] {
	return kind[sources.RestartStory]{
		part: restarts, name: "Restarts", topic: "restarts",
		rows:   func(j *sources.Judgement) []sources.RestartStory { return j.Restarts },
		row:    func(s *sources.RestartStory) *sources.Row { return &s.Row },
		id:     func(s sources.RestartStory) string { return s.About.Kind + "/" + s.About.String() },
		match:  func(s sources.RestartStory) string { return s.About.Kind + " " + s.About.String() + " " + s.Reason },
		narrow: restartPane, wide: restartList,
		note: func(rows []sources.RestartStory) string {
			all := 0
			for _, s := range rows {
				all += s.Day
			}
			return number(all) + " in 24 h"
		},
		quiet: func(s sources.RestartStory) bool { return s.Severity == sources.OK && s.Hour == 0 && s.Day == 0 },
		calm:  restartsCalm,
	}
}

// restartsCalm is what the pane says of a day without a restart, "" if there
// is nothing that could have restarted.
func restartsCalm(f ui.Frame, quiet int) string {
	pods := len(f.Snapshot.Pods.Value)
	if pods == 0 {
		return ""
	}
	text := "no container restarted in 24 h " + bullet(f) + " " + count(pods, "pod") + " watched"
	if quiet > 0 {
		text += ", " + count(quiet, "owner") + " restarted before"
	}
	return text
}

type storyColumn = ui.Column[sources.RestartStory]

func restartPane(width int) []storyColumn {
	reason, rest := 7, 23 // all columns but the name, with their gaps
	if width > 50 {
		reason, rest = 18, 43
	}
	name := max(width-rest, 8)
	return []storyColumn{
		severityColumn(restartKind().row),
		{Title: "owner", Width: name, Cell: func(f ui.Frame, s sources.RestartStory) ui.Cell {
			return strong(f, shortRef(s.About, name))
		}},
		{Title: "1 h", Width: 3, Right: true, Cell: storyHour},
		{Title: "24 h", Width: 4, Right: true, Priority: 1, Cell: storyDay},
		{Title: "reason", Width: reason, Priority: 2, Cell: func(f ui.Frame, s sources.RestartStory) ui.Cell {
			return dim(f, shortReason(s.Reason, reason))
		}},
		{Title: "last", Width: 7, Right: true, Priority: 3, Cell: storyLast},
	}
}

func restartList(width int) []storyColumn {
	counted := func(title, key string, width, priority int, of func(sources.RestartStory) int) storyColumn {
		return storyColumn{
			Title: title, Key: key, Width: width, Right: true, Priority: priority, Falls: true,
			Cell: func(f ui.Frame, s sources.RestartStory) ui.Cell {
				return ui.Cell{Text: number(of(s)), Style: styleIf(of(s) > 0, f.Theme.Text, f.Theme.Dim)}
			},
			Compare: func(a, b sources.RestartStory) int { return cmp.Compare(of(b), of(a)) },
		}
	}
	byReason := func(a, b sources.RestartStory) int { return cmp.Compare(a.Reason, b.Reason) }
	return []storyColumn{
		severityColumn(restartKind().row),
		{Title: "owner", Key: "O", Width: nameWidth(width), Cell: storyName, Compare: func(a, b sources.RestartStory) int {
			return sources.CompareRefs(a.About, b.About)
		}},
		{Title: "kind", Key: "K", Width: 11, Priority: 5, Cell: func(f ui.Frame, s sources.RestartStory) ui.Cell {
			return dim(f, s.About.Kind)
		}, Compare: func(a, b sources.RestartStory) int { return cmp.Compare(a.About.Kind, b.About.Kind) }},
		counted("pods", "P", 4, 4, func(s sources.RestartStory) int { return len(s.Pods) }),
		{Title: "1 h", Key: "H", Width: 4, Right: true, Cell: storyHour, Falls: true, Compare: func(a, b sources.RestartStory) int {
			return cmp.Compare(b.Hour, a.Hour)
		}},
		{Title: "24 h", Key: "D", Width: 5, Right: true, Cell: storyDay, Falls: true, Compare: func(a, b sources.RestartStory) int {
			return cmp.Compare(b.Day, a.Day)
		}},
		counted("total", "T", 6, 3, func(s sources.RestartStory) int { return s.Total }),
		counted("days in row", "W", 11, 4, func(s sources.RestartStory) int { return s.DaysInRow }),
		{Title: "reason", Key: "R", Width: 18, Cell: func(f ui.Frame, s sources.RestartStory) ui.Cell {
			return plain(f, s.Reason)
		}, Compare: byReason},
		{Title: "last", Key: "L", Width: 7, Right: true, Priority: 1, Cell: storyLast, Compare: func(a, b sources.RestartStory) int {
			return b.LastAt.Compare(a.LastAt)
		}},
		{Title: "container", Width: 16, Priority: 6, Cell: func(f ui.Frame, s sources.RestartStory) ui.Cell {
			return dim(f, s.Container)
		}},
		{Title: "memory limit", Key: "M", Width: 12, Right: true, Priority: 2, Falls: true, Cell: func(f ui.Frame, s sources.RestartStory) ui.Cell {
			return dim(f, limit(s.MemLimit))
		}, Compare: func(a, b sources.RestartStory) int { return cmp.Compare(b.MemLimit, a.MemLimit) }},
	}
}

func storyName(f ui.Frame, s sources.RestartStory) ui.Cell { return strong(f, s.About.String()) }

func storyHour(f ui.Frame, s sources.RestartStory) ui.Cell {
	if s.Severity > sources.OK {
		return judged(f, s.Severity, number(s.Hour))
	}
	return plain(f, number(s.Hour))
}

func storyDay(f ui.Frame, s sources.RestartStory) ui.Cell { return plain(f, number(s.Day)) }

func storyLast(f ui.Frame, s sources.RestartStory) ui.Cell { return dim(f, coarse(s.LastAt, f.Now)) }

// shortReason is the reason in a narrow column, in the words people use.
func shortReason(reason string, width int) string {
	if len(reason) <= width {
		return reason
	}
	return strings.NewReplacer("OOMKilled", "OOM", "CrashLoopBackOff", "crash…").Replace(reason)
}
