package sources

import "time"

// UpgradeNotes are what was written down when an upgrade ended: what each
// node ran before and after, and how. They are compared with reality from
// then on.
type UpgradeNotes struct {
	Run     string        `json:"run"`
	Cluster string        `json:"cluster"`
	Who     string        `json:"who"`
	Began   time.Time     `json:"began"`
	Ended   time.Time     `json:"ended"`
	From    []string      `json:"from"` // versions that ran before, the oldest first
	To      string        `json:"to"`
	Order   string        `json:"order"` // "workers first", and why
	Method  string        `json:"method"`
	Read    string        `json:"releaseNotes"` // address, and that they were read
	Backup  string        `json:"backup"`       // what was saved where before the first server
	Reasons []string      `json:"reasons"`      // what was typed: why to go on in spite of something
	Nodes   []NodeNotes   `json:"nodes"`        // in the order in which they went
	Before  []NoteFinding `json:"before"`
	After   []NoteFinding `json:"after"`
}

// NodeNotes are the notes of one node. Only nodes with a To were upgraded.
type NodeNotes struct {
	Name     string            `json:"name"`
	Server   bool              `json:"server"`
	From     string            `json:"from"`
	To       string            `json:"to,omitempty"` // "" where the run left it out
	Version  string            `json:"version"`      // when the notes were written
	OSImage  string            `json:"osImage"`
	Runtime  string            `json:"runtime"`
	Args     []string          `json:"nodeArgs"`
	Env      map[string]string `json:"nodeEnv"`
	Duration time.Duration     `json:"duration"`
	Skipped  []string          `json:"skipped,omitempty"` // steps that were left out, by whom and why
}

// NoteFinding is a finding as it was then.
type NoteFinding struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	About    Ref    `json:"about"`
	Summary  string `json:"summary"`
}

// NoteOf shortens a finding for notes.
func NoteOf(f Finding) NoteFinding {
	return NoteFinding{Rule: f.Rule, Severity: f.Severity.String(), About: f.About, Summary: f.Summary}
}
