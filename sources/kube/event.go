package kube

import (
	"slices"
	"time"

	core "k8s.io/api/core/v1"

	"daytwo/sources"
)

// mostEvents bounds how many events are published; the newest are, and beside
// them so many about nodes, which a storm of pods must not push out.
const mostEvents = 2000

func toEvent(e *core.Event) *sources.Event {
	out := &sources.Event{
		About: sources.Ref{
			Kind: name(e.InvolvedObject.Kind), Namespace: name(e.InvolvedObject.Namespace), Name: name(e.InvolvedObject.Name),
		},
		Type: name(e.Type), Reason: name(e.Reason), Message: message(e.Message), Count: e.Count,
		First: e.FirstTimestamp.Time, Last: e.LastTimestamp.Time, Component: name(e.Source.Component),
	}
	if s := e.Series; s != nil { // events.k8s.io counts there
		out.Count, out.Last = s.Count, s.LastObservedTime.Time
	}
	first(&out.First, e.EventTime.Time, e.CreationTimestamp.Time)
	first(&out.Last, e.EventTime.Time, out.First)
	out.Count = max(out.Count, 1)
	if out.Component == "" {
		out.Component = name(e.ReportingController)
	}
	return out
}

// first replaces a zero time by the first of others that is not.
func first(t *time.Time, others ...time.Time) {
	for _, o := range others {
		if t.IsZero() {
			*t = o
		}
	}
}

func toWarning(e *core.Event) *sources.Event {
	if e.Type != core.EventTypeWarning {
		return nil
	}
	return toEvent(e)
}

// toNodeEvent keeps what k3s's certificate monitor says; in some versions its
// events are not warnings.
func toNodeEvent(e *core.Event) *sources.Event {
	switch e.Reason {
	case "CertificateExpirationWarning", "CACertificateExpirationWarning", "CertificateExpirationOK":
		if e.Type != core.EventTypeWarning {
			return toEvent(e)
		}
	}
	return nil
}

// eventList is the newest events, newest first.
func (w *world) eventList() []sources.Event {
	var all []*sources.Event
	keep := func(e *sources.Event) { all = append(all, e) }
	w.warnings.each(keep)
	w.nodeEvents.each(keep)
	slices.SortStableFunc(all, func(a, b *sources.Event) int { return b.Last.Compare(a.Last) })
	out := make([]sources.Event, 0, min(len(all), 2*mostEvents))
	nodes, others := 0, 0
	for _, e := range all {
		count := &others
		if e.About.Kind == "Node" {
			count = &nodes
		}
		if *count < mostEvents {
			*count++
			out = append(out, *e)
		}
	}
	return out
}
