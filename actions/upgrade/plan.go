package upgrade

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"daytwo/actions/drain"
	"daytwo/sources"
)

// Method is how the binary gets its place.
type Method string

// The methods. Swap changes the file and nothing else. Installer runs k3s's
// install script with the unit's own arguments and environment.
const (
	Swap      Method = "swap"
	Installer Method = "installer"
)

// Datastore is how the servers keep the cluster's state.
type Datastore string

// The datastores. Elsewhere is a database that k3s only connects to.
const (
	SQLite    Datastore = "sqlite"
	Etcd      Datastore = "etcd"
	Elsewhere Datastore = "external"
)

// Machine is what was found on a node's machine.
type Machine struct {
	Err     string `json:"error,omitempty"` // why it could not be looked at
	Arch    string `json:"arch"`            // uname -m
	Unit    string `json:"unit"`            // k3s or k3s-agent
	Binary  string `json:"binary"`          // what the unit runs, links followed
	Version string `json:"version"`         // of the binary on disk
	Free    int64  `json:"free"`            // bytes where the binary is; -1 if not known
	SQLite  bool   `json:"sqlite"`          // the program sqlite3 is there
	Curl    bool   `json:"curl"`
	Systemd bool   `json:"systemdRun"`
}

// NodePlan is one node of the plan.
type NodePlan struct {
	Name    string            `json:"name"`
	Server  bool              `json:"server"`
	Arch    string            `json:"arch"`
	From    string            `json:"from"`
	OSImage string            `json:"osImage"`
	Runtime string            `json:"runtime"`
	Args    []string          `json:"nodeArgs"`
	Env     map[string]string `json:"nodeEnv"`
	Machine Machine           `json:"machine"`
	Drain   *drain.Plan       `json:"drain,omitempty"` // nil where it could not be planned
	NoDrain bool              `json:"noDrain"`         // by choice: its pods stay and live on
	Error   string            `json:"drainError,omitempty"`
}

// BackupSeen is a backup as it stood when the plan was made.
type BackupSeen struct {
	Name     string    `json:"name"`
	Last     time.Time `json:"last,omitzero"`
	Fresh    bool      `json:"fresh"`
	Trouble  string    `json:"trouble,omitempty"`
	Declared bool      `json:"declared"`
}

// Working is a workload as it was before the run.
type Working struct {
	Ref     sources.Ref `json:"ref"`
	Desired int32       `json:"desired"`
	Ready   int32       `json:"ready"`
}

// Plan is an upgrade as a person has seen it.
type Plan struct {
	Cluster   string                     `json:"cluster"` // kubeconfig context
	Taken     time.Time                  `json:"taken"`
	Target    string                     `json:"target"`
	API       string                     `json:"api"`
	Verdict   Verdict                    `json:"verdict"`
	Style     Style                      `json:"style"`
	Nodes     []NodePlan                 `json:"nodes"` // in the order in which they go
	Method    Method                     `json:"method"`
	Releases  map[string]sources.Release `json:"releases"` // by architecture
	Server    sources.ReleaseServer      `json:"releaseServer"`
	NotesRead bool                       `json:"notesRead"`

	Backups      []BackupSeen `json:"backups"`
	BackupReason string       `json:"backupReason,omitempty"` // typed: why it goes on without fresh ones

	Datastore     Datastore `json:"datastore"`
	DatastoreWhy  string    `json:"datastoreWhy"`
	DatastoreNote string    `json:"datastoreReason,omitempty"` // typed: who saved the external one

	Ready   time.Duration         `json:"readyWithin"`
	Soak    time.Duration         `json:"soak"`
	Working []Working             `json:"workloads"`
	Sick    []string              `json:"configErrors"` // pods in CreateContainerConfigError before
	Before  []sources.NoteFinding `json:"findings"`
	Unread  []string              `json:"unread,omitempty"` // what could not be looked at, and why
}

// members are the plan's nodes as the policy sees them.
func (p Plan) members() []Member {
	out := make([]Member, len(p.Nodes))
	for i, n := range p.Nodes {
		out[i] = Member{n.Name, n.Server, n.From}
	}
	return out
}

func (p Plan) order() []string {
	out := make([]string, len(p.Nodes))
	for i, n := range p.Nodes {
		out[i] = n.Name
	}
	return out
}

// Move puts a node earlier (-1) or later (+1). The error says why it may not.
func (p *Plan) Move(node string, by int) error {
	i := slices.IndexFunc(p.Nodes, func(n NodePlan) bool { return n.Name == node })
	k := i + by
	if i < 0 || k < 0 || k >= len(p.Nodes) {
		return nil
	}
	moved := slices.Clone(p.Nodes)
	moved[i], moved[k] = moved[k], moved[i]
	next := *p
	next.Nodes = moved
	if err := CheckOrder(p.Verdict.Size, p.members(), p.Target, next.order()); err != nil {
		return err
	}
	p.Nodes, p.Style = moved, Own
	for _, o := range p.Verdict.Orders {
		if slices.Equal(o.Nodes, p.order()) {
			p.Style = o.Style
		}
	}
	return nil
}

// Follow takes one of the orders that the verdict offers.
func (p *Plan) Follow(style Style) {
	for _, o := range p.Verdict.Orders {
		if o.Style != style {
			continue
		}
		sorted := make([]NodePlan, 0, len(p.Nodes))
		for _, name := range o.Nodes {
			if i := slices.IndexFunc(p.Nodes, func(n NodePlan) bool { return n.Name == name }); i >= 0 {
				sorted = append(sorted, p.Nodes[i])
			}
		}
		p.Nodes, p.Style = sorted, style
	}
}

// KeepPods decides whether a node is left undrained.
func (p *Plan) KeepPods(node string, keep bool) {
	p.Nodes = slices.Clone(p.Nodes)
	for i := range p.Nodes {
		if p.Nodes[i].Name == node {
			p.Nodes[i].NoDrain = keep
		}
	}
}

// Servers are the names of the plan's servers.
func (p Plan) servers() []string { return names(p.members(), true) }

// There reports a node that runs the target already, and is left alone.
func (p Plan) There(n NodePlan) bool { return p.done(n) }

func (p Plan) done(n NodePlan) bool {
	return n.From == p.Target && (n.Machine.Version == p.Target || n.Machine.Version == "")
}

// Notes is the address of the release notes.
func (p Plan) Notes() string {
	for _, r := range p.Releases {
		if r.Notes != "" {
			return r.Notes
		}
	}
	return strings.TrimRight(p.Server.URL, "/") + "/tag/" + strings.ReplaceAll(p.Target, "+", "%2B")
}

// UrgentWords are what to look for in release notes.
func UrgentWords() []string {
	return []string{
		"Urgent Upgrade Notes", "Important", "breaking", "servers first", "action required",
		"removed", "deprecated", "etcd", "datastore", "Known issues", "network policy", "Traefik",
	}
}

// Problem is what stands in the way of a plan, or what to know about it.
type Problem struct {
	Node     string
	Severity sources.Severity // critical forbids
	Text     string
	Why      string // source or evidence
	Way      string // what helps
	Command  string
	// Answer is what makes it no obstacle any more.
	Answer Answer
}

// Answer is what a person can do about a problem in the plan itself.
type Answer string

// The answers.
const (
	NoAnswer     Answer = ""
	ReadNotes    Answer = "read notes"
	SayBackup    Answer = "backup reason"
	SayDatastore Answer = "datastore reason"
	LeavePods    Answer = "no drain"
)

// Problems says what is in the way, the worst first, and what to know. It is
// a pure function of the plan.
func (p Plan) Problems() []Problem {
	var out []Problem
	for _, r := range p.Verdict.Refused {
		pr := Problem{Severity: sources.Critical, Text: r.Text, Why: r.Source}
		if len(p.Verdict.Ladder) > 0 {
			pr.Way = "go by these instead, one after the other: " + strings.Join(p.Verdict.Ladder, " → ")
		}
		out = append(out, pr)
	}
	if len(out) > 0 {
		return out
	}
	if err := CheckOrder(p.Verdict.Size, p.members(), p.Target, p.order()); err != nil {
		out = append(out, Problem{Severity: sources.Critical, Text: err.Error()})
	}
	out = append(out, p.ticks()...)
	for _, n := range p.Nodes {
		if !p.done(n) {
			out = append(out, p.machineProblems(n)...)
			out = append(out, p.drainProblems(n)...)
		}
	}
	for _, w := range p.Verdict.Warnings {
		out = append(out, Problem{Severity: sources.Warning, Text: w.Text, Why: w.Source})
	}
	for _, u := range p.Unread {
		out = append(out, Problem{Severity: sources.Unknown, Text: u})
	}
	if len(p.Nodes) > 0 && len(p.servers()) == 1 {
		out = append(out, Problem{
			Node: p.servers()[0], Severity: sources.Warning,
			Text: "the API server is away while its only server restarts: expected, the pods live on and the step is followed over SSH",
		})
	}
	slices.SortStableFunc(out, func(a, b Problem) int { return rank(b) - rank(a) })
	return out
}

func rank(p Problem) int {
	r := int(p.Severity) * 2
	if p.Answer != NoAnswer {
		r++
	}
	return r
}

// Blocked reports whether something forbids the start.
func (p Plan) Blocked() bool {
	return slices.ContainsFunc(p.Problems(), func(x Problem) bool { return x.Severity == sources.Critical })
}

// ticks are what a person must have done or said.
func (p Plan) ticks() []Problem {
	var out []Problem
	if !p.NotesRead {
		out = append(out, Problem{
			Severity: sources.Critical, Answer: ReadNotes, Text: "the release notes are not ticked as read",
			Why: p.Notes(), Way: "look for: " + strings.Join(UrgentWords(), ", "),
		})
	}
	var stale []string
	for _, b := range p.Backups {
		if !b.Fresh {
			stale = append(stale, b.Name+" ("+b.Trouble+")")
		}
	}
	switch {
	case p.BackupReason != "":
		out = append(out, Problem{Severity: sources.Warning, Text: "goes on without fresh backups: " + p.BackupReason, Why: strings.Join(stale, ", ")})
	case len(p.Backups) == 0:
		out = append(out, Problem{
			Severity: sources.Critical, Answer: SayBackup, Text: "no backup is known of anything stateful",
			Way: "declare backups in the configuration, or say why it goes on without",
		})
	case len(stale) > 0:
		out = append(out, Problem{
			Severity: sources.Critical, Answer: SayBackup, Text: "backups are not fresh: " + strings.Join(stale, ", "),
			Way: "back up first, or say why it goes on without",
		})
	}
	if p.needsServer() && p.Datastore == Elsewhere {
		pr := Problem{
			Severity: sources.Critical, Answer: SayDatastore, Text: "the datastore is not k3s's own, so it is not saved from here",
			Why: p.DatastoreWhy, Way: "save it by its own means, and say who did",
		}
		if p.DatastoreNote != "" {
			pr.Severity, pr.Answer, pr.Text = sources.Warning, NoAnswer, "the datastore was saved by its own means: "+p.DatastoreNote
		}
		out = append(out, pr)
	}
	return out
}

// needsServer reports whether a server is changed.
func (p Plan) needsServer() bool {
	return slices.ContainsFunc(p.Nodes, func(n NodePlan) bool { return n.Server && !p.done(n) })
}

// room is what a new binary, the kept old one and what k3s unpacks need, if
// the size of the release is not known.
const room = 400 << 20

func (p Plan) machineProblems(n NodePlan) []Problem {
	m := n.Machine
	bad := func(text, way, command string) Problem {
		return Problem{Node: n.Name, Severity: sources.Critical, Text: text, Way: way, Command: command}
	}
	if m.Err != "" {
		return []Problem{bad("the machine cannot be worked on: "+m.Err, "make ssh and sudo -n work from here", sources.Typed("ssh", n.Name, "sudo -n true"))}
	}
	var out []Problem
	if m.Unit == "" {
		out = append(out, bad("neither k3s nor k3s-agent runs there as a systemd unit", "look at the machine", sources.Typed("ssh", n.Name, "systemctl status k3s k3s-agent")))
	} else if (m.Unit == "k3s") != n.Server {
		out = append(out, bad(fmt.Sprintf("its unit is %s, which does not fit its role", m.Unit), "look whether this is the right machine", sources.Typed("ssh", n.Name, "hostname; systemctl status "+m.Unit)))
	}
	if !m.Systemd {
		out = append(out, bad("systemd-run is missing: a restart would hang on the SSH line", "install systemd", ""))
	}
	if !m.Curl {
		out = append(out, bad("curl is missing on it", "install curl", sources.Typed("ssh", n.Name, "sudo apt-get install -y curl")))
	}
	r, known := p.Releases[n.Arch]
	need := int64(room)
	if known && r.Size > 0 {
		need = 3*r.Size + 64<<20
	}
	if m.Free >= 0 && m.Free < need {
		out = append(out, bad(fmt.Sprintf("%s free where %s is, %s are needed", sources.Bytes(float64(m.Free)), m.Binary, sources.Bytes(float64(need))), "make room", sources.Typed("ssh", n.Name, "df -h "+m.Binary)))
	}
	if m.Version != "" && m.Version != n.From && m.Version != p.Target {
		out = append(out, Problem{
			Node: n.Name, Severity: sources.Warning,
			Text: fmt.Sprintf("the binary on its disk is %s while %s runs: somebody changed it and did not restart", m.Version, n.From),
		})
	}
	if n.Args == nil {
		out = append(out, Problem{Node: n.Name, Severity: sources.Unknown, Text: "it does not tell its arguments (annotation k3s.io/node-args), so they cannot be compared afterwards"})
	}
	return out
}

func (p Plan) drainProblems(n NodePlan) []Problem {
	switch {
	case n.NoDrain && p.Verdict.Size != Patch:
		return []Problem{{Node: n.Name, Severity: sources.Warning, Text: "it is not drained, though a minor is crossed: upstream does not support that in place", Why: skewPolicy}}
	case n.NoDrain:
		return []Problem{{Node: n.Name, Severity: sources.Warning, Text: "it is not drained: its pods live on, and end if the new version cannot take them over"}}
	case n.Drain == nil:
		return []Problem{{Node: n.Name, Severity: sources.Critical, Answer: LeavePods, Text: "its drain could not be planned: " + n.Error}}
	}
	var out []Problem
	for _, b := range n.Drain.Blockers {
		pr := Problem{Node: n.Name, Severity: sources.Critical, Text: "its drain is blocked: " + b.Title, Why: b.Why, Answer: LeavePods}
		for _, w := range b.Ways {
			if pr.Way == "" {
				pr.Way, pr.Command = w.Text, w.Command
			}
		}
		out = append(out, pr)
	}
	for _, w := range n.Drain.Warnings {
		out = append(out, Problem{Node: n.Name, Severity: sources.Warning, Text: w.Title, Why: w.Why})
	}
	return out
}

// Redecide carries over to a newer plan what a person decided in an older one
// and may still be decided so.
func Redecide(old, now Plan) Plan {
	now.NotesRead, now.BackupReason, now.DatastoreNote = old.NotesRead, old.BackupReason, old.DatastoreNote
	now.Method, now.Ready, now.Soak = old.Method, old.Ready, old.Soak
	place := func(n NodePlan) int {
		i := slices.IndexFunc(old.Nodes, func(o NodePlan) bool { return o.Name == n.Name })
		if i < 0 {
			return len(old.Nodes)
		}
		return i
	}
	sorted := slices.Clone(now.Nodes)
	slices.SortStableFunc(sorted, func(a, b NodePlan) int { return place(a) - place(b) })
	for i := range sorted {
		if k := place(sorted[i]); k < len(old.Nodes) {
			sorted[i].NoDrain = old.Nodes[k].NoDrain
		}
	}
	moved := now
	moved.Nodes = sorted
	if CheckOrder(now.Verdict.Size, moved.members(), now.Target, moved.order()) == nil {
		now.Nodes, now.Style = sorted, old.Style
	}
	return now
}
