package sources

import (
	"slices"
	"strings"
	"time"
)

// Fact is one piece of evidence: what was seen, where, and when.
type Fact struct {
	Text string    `json:"text"`
	From string    `json:"from"`        // "node status", "kubelet stats/summary", "history", …
	At   time.Time `json:"at,omitzero"` // zero: never
}

// Finding is one thing a rule has to say of one object. Summary is one line,
// worst fact first, without the object's name.
type Finding struct {
	Rule     string   `json:"rule"` // "disk.used": topic, dot, rule
	Severity Severity `json:"severity"`
	About    Ref      `json:"about"`
	Summary  string   `json:"summary"`
	Evidence []Fact   `json:"evidence"`
}

// Topic is the part of the rule's name before the dot: disk, node, restarts,
// cert, backup, pod, version.
func (f Finding) Topic() string {
	topic, _, _ := strings.Cut(f.Rule, ".")
	return topic
}

// SortFindings orders worst first, then by urgency and object, so that the
// list does not jump when nothing changed.
func SortFindings(fs []Finding) {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		if a.Severity != b.Severity {
			return int(b.Severity) - int(a.Severity)
		}
		if c := urgency(a) - urgency(b); c != 0 {
			return c
		}
		if c := strings.Compare(a.Rule, b.Rule); c != 0 {
			return c
		}
		return CompareRefs(a.About, b.About)
	})
}

// urgency is a finding's place among those of the same severity: what takes a
// cluster down before what is merely late, and within a topic what happens now
// before what is known for days. The first entry that names the rule or its
// topic counts.
func urgency(f Finding) int {
	order := []string{
		"source", "node", "disk", "backup",
		"cert.expired", "cert.overdue", "cert",
		"restarts.rate", "restarts",
		"pod", "load", "run", "version",
	}
	if i := slices.Index(order, f.Rule); i >= 0 {
		return i
	}
	if i := slices.Index(order, f.Topic()); i >= 0 {
		return i
	}
	return len(order)
}
