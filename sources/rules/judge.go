package rules

import (
	"slices"
	"time"

	"daytwo/sources"
)

// look is one judgement in the making: the snapshot, the time, and what was
// found so far. It lives for one call of Judge.
type look struct {
	s      *sources.Snapshot
	now    time.Time
	limits sources.Thresholds
	out    sources.Judgement
	apiErr bool            // the API server did not answer the last time
	down   map[string]bool // nodes that are not ready: what depends on them is a consequence
	events nodeEvents
}

// Judge draws the judgement of a snapshot at a moment. It is pure and cheap:
// it runs at every publish.
func Judge(s *sources.Snapshot, now time.Time) sources.Judgement {
	if s == nil {
		s = &sources.Snapshot{}
	}
	l := &look{s: s, now: now, limits: limits(s.Settings.Thresholds)}
	l.out = sources.Judgement{At: now, Missing: map[string]string{}}
	_, refused := isAccess(s.Cluster.Err)
	l.apiErr = s.Cluster.Err != nil && !refused
	l.down = notReady(s.Nodes.Value)
	l.events = readNodeEvents(s.Events.Value, now)

	l.judgeSources()
	l.judgeNodes()
	l.judgeDisks()
	l.judgeRestarts()
	l.judgePods()
	l.judgeCerts()
	l.judgeBackups()
	l.judgeVersions()
	l.judgeRuns()
	l.judgeNotes()

	sources.SortFindings(l.out.Findings)
	return l.out
}

// limits fills what a hand-made Settings left at zero, so that no rule
// alarms at "over 0 %".
func limits(t sources.Thresholds) sources.Thresholds {
	d := sources.DefaultSettings().Thresholds
	orFloat := func(v *float64, def float64) {
		if *v <= 0 {
			*v = def
		}
	}
	orTime := func(v *time.Duration, def time.Duration) {
		if *v <= 0 {
			*v = def
		}
	}
	orInt := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	orFloat(&t.LoadPercent, d.LoadPercent)
	orTime(&t.LoadFor, d.LoadFor)
	orFloat(&t.DiskWarning, d.DiskWarning)
	orFloat(&t.DiskCritical, d.DiskCritical)
	orInt(&t.Restarts, d.Restarts)
	orTime(&t.RestartWindow, d.RestartWindow)
	orInt(&t.RestartDays, d.RestartDays)
	orTime(&t.CertExpiry, d.CertExpiry)
	orTime(&t.RenewalOverdue, d.RenewalOverdue)
	orTime(&t.BackupAge, d.BackupAge)
	orTime(&t.PodStuck, d.PodStuck)
	return t
}

// add files a finding and raises the row it belongs to.
func (l *look) add(row *sources.Row, f sources.Finding) {
	l.out.Findings = append(l.out.Findings, f)
	if row != nil && f.Severity > row.Severity {
		row.Severity, row.Summary = f.Severity, f.Summary
	}
}

// cluster is what a finding is about when it is about no single object.
func (l *look) cluster() sources.Ref {
	name := sources.Clean(l.s.Cluster.Value.Name, sources.MaxName) // free text in the kubeconfig
	if name == "" {
		name = "cluster"
	}
	return sources.Ref{Kind: "Cluster", Name: name}
}

// waiting notes why a pane has no rows while a reading has none: what is
// waited for, or the error. It reports whether rows can be made at all.
func waiting[T any](l *look, topic, what string, r sources.Reading[T]) bool {
	if r.Loaded() {
		return false
	}
	if r.Err != nil {
		l.out.Missing[topic] = what + ": " + brief(r.Err.Error(), 200)
	} else {
		l.out.Missing[topic] = "waiting for " + what
	}
	return true
}

// node names a node.
func node(name string) sources.Ref { return sources.Ref{Kind: "Node", Name: name} }

func fact(at time.Time, from, text string) sources.Fact {
	return sources.Fact{Text: text, From: from, At: at}
}

// sortRows orders a pane's rows: worst first, by name within a severity, so
// that nothing jumps while nothing changes.
func sortRows[T any](rows []T, row func(*T) *sources.Row) {
	slices.SortStableFunc(rows, func(a, b T) int {
		ra, rb := row(&a), row(&b)
		if ra.Severity != rb.Severity {
			return int(rb.Severity) - int(ra.Severity)
		}
		return sources.CompareRefs(ra.About, rb.About)
	})
}
