package views

import (
	"errors"
	"strings"
	"time"

	"daytwo/sources"
)

// source is the state of what a pane is read from: never read, read at some
// time, and why the newest look failed.
type source struct {
	what    string // "nodes"
	at      time.Time
	err     error
	absent  bool // the cluster does not serve it, which is an answer
	waiting bool // nothing has answered yet
	partly  bool // something else that the pane is read from is there and whole
}

// stale reports that all there is to show is old.
func (s source) stale() bool { return s.err != nil && !s.partly }

// lacks is what is missing from a pane that has the rest: why, in one line.
func (s source) lacks() string {
	switch {
	case s.err != nil:
		return s.what + ": " + s.err.Error()
	case s.waiting:
		return "waiting for " + s.what
	}
	return ""
}

func sourceOf[T any](what string, r sources.Reading[T]) source {
	s := source{what: what, at: r.At, err: r.Err}
	if errors.Is(r.Err, sources.ErrNotInstalled) {
		s.err, s.absent = nil, true
	}
	s.waiting = !r.Loaded() && s.err == nil && !s.absent
	return s
}

// paneSource is the state of the readings behind a pane: the first that
// failed, else the first that is still waited for, else the oldest.
func paneSource(s *sources.Snapshot, part int) source {
	all := paneSources(s, part)
	worst, whole := all[0], false
	for _, o := range all {
		whole = whole || o.err == nil && !o.waiting && !o.absent
		switch {
		case worst.err != nil:
		case o.err != nil, o.waiting && !worst.waiting:
			worst = o
		case !o.absent && !o.waiting && !worst.waiting && (worst.absent || o.at.Before(worst.at)):
			worst = o
		}
	}
	worst.partly = whole
	if err := serverGone(s); err != nil {
		// What was read last is all there is.
		worst.err, worst.waiting, worst.partly = err, false, false
	}
	return worst
}

// serverGone is why the API server does not answer, nil if it does. To be
// refused one thing is an answer.
func serverGone(s *sources.Snapshot) error {
	var refused *sources.AccessError
	if s.Cluster.Err == nil || errors.As(s.Cluster.Err, &refused) {
		return nil
	}
	return s.Cluster.Err
}

func paneSources(s *sources.Snapshot, part int) []source {
	switch part {
	case nodes:
		return []source{sourceOf("nodes", s.Nodes)}
	case disks:
		return []source{sourceOf("nodes", s.Nodes)}
	case restarts:
		return []source{sourceOf("pods", s.Pods)}
	case certs:
		return []source{sourceOf("certificates", s.Certificates), sourceOf("TLS secrets", s.Secrets)}
	}
	return []source{sourceOf("cron jobs", s.CronJobs), sourceOf("jobs", s.Jobs)}
}

// everything is the state of all readings that the attention list needs
// before it may say that nothing is wrong.
func everything(s *sources.Snapshot) []source {
	all := []source{sourceOf("nodes", s.Nodes), sourceOf("pods", s.Pods)}
	all = append(all, paneSources(s, certs)...)
	return append(all, paneSources(s, backups)...)
}

// waitingFor names what has not answered yet: "nodes, pods and jobs".
func waitingFor(all []source) string {
	var names []string
	for _, s := range all {
		if s.waiting {
			names = append(names, s.what)
		}
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// fromServer ends a sentence about waiting with who is asked.
func fromServer(s *sources.Snapshot) string {
	if s.Cluster.Value.Server == "" {
		return ""
	}
	return " from " + s.Cluster.Value.Server
}
