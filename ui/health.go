package ui

import (
	"strconv"
	"strings"

	"daytwo/sources"
)

// sourceState is mark, name and note of one source. Until it has answered
// everything for the first time its mark is a dot, neither good nor bad.
func (r *Root) sourceState(name string, h sources.Health) string {
	t := r.theme
	if note := r.firstAnswers(name, h); note != "" {
		mark := "·"
		if t.ASCII {
			mark = "-"
		}
		return t.Dim.Render(mark + " " + Clean(name) + " " + note)
	}
	severity, note, least := r.judged(name, h)
	style := t.Dim
	if h.Err != nil {
		style = t.Severity(severity)
	}
	return t.Severity(severity).Render(t.Glyph(severity)) + " " + style.Render(padded(strings.TrimSpace(Clean(name)+" "+note), least))
}

// judged is how bad a source is, what is said beside its name, and how many
// cells both take at least.
func (r *Root) judged(name string, h sources.Health) (severity sources.Severity, note string, least int) {
	severity, note = sources.OK, Clean(h.Note)
	switch {
	case h.Off:
		severity = sources.Unknown
	case h.Err != nil && name == sshSource && note != "":
		severity = sources.Warning // how many answer is news enough
	case h.Err != nil && h.At.IsZero():
		severity, note = sources.Warning, "no answer"
	case h.Err != nil:
		severity, note = sources.Warning, sources.Span(r.frame.Now.Sub(h.At))+" old"
	case name == kubeletSource && kubeletsFailing(r.snapshot):
		severity = sources.Unknown
	case h.Latency > 0 && (note == "" || name == apiSource):
		note = quantised(h.Latency)
		least = Width(name) + len(" 100ms") // what follows keeps its place
	}
	if h.Err != nil && name == apiSource {
		severity = sources.Critical
	}
	return severity, note, least
}

// padded is text of at least so many cells.
func padded(text string, least int) string { return Fit(text, max(least, Width(text))) }

// firstAnswers says how far a source has come that still asks for the first
// time; "" if it is past that, or cannot.
func (r *Root) firstAnswers(name string, h sources.Health) string {
	s := r.snapshot
	switch {
	case h.Off:
	case name == kubeletSource && (h.Err == nil || h.At.IsZero()):
		if asked, all := KubeletsAsked(s); asked < all {
			return "reading " + strconv.Itoa(asked) + "/" + strconv.Itoa(all)
		}
	case name == historySource && h.Err == nil && s.History.Loaded() && len(s.History.Value.Series) == 0:
		return "no samples yet"
	}
	if h.Err == nil && h.At.IsZero() && !h.Off {
		return "waiting"
	}
	return ""
}

// KubeletsAsked is how many nodes' kubelets were asked at least once, of how
// many. Before the first of them has anything to say it is none of none.
func KubeletsAsked(s *sources.Snapshot) (asked, all int) {
	if s.Stats == nil {
		return 0, 0
	}
	for i := range s.Nodes.Value {
		if _, ok := s.Stats[s.Nodes.Value[i].Name]; ok {
			asked++
		}
	}
	return asked, len(s.Nodes.Value)
}

// kubeletsFailing reports whether one of the kubelets does not answer.
func kubeletsFailing(s *sources.Snapshot) bool {
	for i := range s.Nodes.Value {
		if s.Stats[s.Nodes.Value[i].Name].Err != nil {
			return true
		}
	}
	return false
}
