package upgrade

import (
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
