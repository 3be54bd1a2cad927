package upgrade

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"daytwo/actions"
	"daytwo/sources"
)

// BackKind is the kind of a node's way back.
const BackKind actions.Kind = "rollback"

// BackPlan takes one node back to the version it ran before an upgrade.
type BackPlan struct {
	Cluster  string        `json:"cluster"`
	Run      string        `json:"run"` // of the upgrade
	Node     NodePlan      `json:"node"`
	From     string        `json:"from"` // what the upgrade brought
	Servers  []string      `json:"servers"`
	Uncordon bool          `json:"uncordon"` // the upgrade cordoned it
	Ready    time.Duration `json:"readyWithin"`
	Refused  string        `json:"refused,omitempty"` // why it is not done from here
	Lines    []string      `json:"lines,omitempty"`   // what to do by hand instead
}

// PlanBack plans the way back of one node of an upgrade. A server that
// crossed a minor has changed its datastore: that goes back by hand.
func PlanBack(p Plan, n NodePlan, run string, cordoned bool) BackPlan {
	b := BackPlan{
		Cluster: p.Cluster, Run: run, Node: n, From: p.Target, Servers: p.servers(), Uncordon: cordoned, Ready: p.Ready,
	}
	if n.Server && p.Verdict.Size == Minor {
		b.Refused = "a server that crossed a minor goes back only together with its datastore, which undoes what happened in the cluster since"
		b.Lines = restoreLines(p, n, run)
	}
	return b
}

// Back is the action that takes a node back.
type Back struct {
	Plan BackPlan `json:"plan"`

	kit *Kit
}

// NewBack returns the action of a plan.
func NewBack(k *Kit, p BackPlan) *Back { return &Back{Plan: p, kit: k} }

// RestoreBack makes saved ways back again.
func RestoreBack(k *Kit) actions.Restore {
	return func(saved []byte) (actions.Action, error) {
		b := NewBack(k, BackPlan{})
		if err := json.Unmarshal(saved, b); err != nil {
			return nil, fmt.Errorf("reading a saved roll-back: %w", err)
		}
		if b.Plan.Node.Name == "" {
			return nil, errors.New("a saved roll-back names no node")
		}
		return b, nil
	}
}

// Kind implements actions.Action.
func (*Back) Kind() actions.Kind { return BackKind }

// Target implements actions.Action.
func (b *Back) Target() sources.Ref { return sources.Ref{Kind: "Node", Name: b.Plan.Node.Name} }

// Title implements actions.Action.
func (b *Back) Title() string { return "Roll back " + b.Plan.Node.Name + " to " + b.Plan.Node.From }

// Changes implements actions.Action.
func (*Back) Changes() bool { return true }

// Confirm implements actions.Action: the node's name is typed.
func (b *Back) Confirm() string { return b.Plan.Node.Name }

// Machines implements actions.Visitor.
func (b *Back) Machines(actions.Run) []string { return []string{b.Plan.Node.Name} }

// Preflight implements actions.Action.
func (b *Back) Preflight(ctx context.Context, _ *sources.Snapshot) []sources.Finding {
	f := sources.Finding{Rule: "rollback.refused", Severity: sources.Critical, About: b.Target()}
	if b.Plan.Refused != "" {
		f.Summary = b.Plan.Refused
		for _, l := range b.Plan.Lines {
			f.Evidence = append(f.Evidence, sources.Fact{Text: l, From: "what to do by hand"})
		}
		return []sources.Finding{f}
	}
	_, _, old := b.Plan.Node.files()
	w := b.worker()
	ok, err := w.ask(ctx, assign("old", old)+`[ -x "$old" ] || exit 3`)
	switch {
	case err != nil:
		f.Rule, f.Summary = "rollback.machine", "the machine cannot be worked on: "+err.Error()
	case !ok:
		f.Rule, f.Summary = "rollback.binary", old+" is not there: fetch "+b.Plan.Node.From+" to it by hand, then try again"
	default:
		return nil
	}
	return []sources.Finding{f}
}

// worker does the steps with the versions turned round.
func (b *Back) worker() *worker {
	n := b.Plan.Node
	p := Plan{Cluster: b.Plan.Cluster, Target: n.From, Ready: b.Plan.Ready, Method: Swap, Verdict: Verdict{Size: Patch}}
	for _, s := range b.Plan.Servers {
		if s != n.Name {
			p.Nodes = append(p.Nodes, NodePlan{Name: s, Server: true})
		}
	}
	p.Nodes = append(p.Nodes, n)
	return &worker{kit: b.kit, plan: p, node: n}
}

// Steps implements actions.Action.
func (b *Back) Steps() []actions.Step {
	w, n := b.worker(), b.Plan.Node
	bin, _, old := n.files()
	steps := []actions.Step{{
		ID: w.id("back"), Title: "swap back", Group: n.Name,
		NoSkip:  "the restart would start the new version again",
		Command: w.ssh("sudo mv " + sources.Typed(old, bin)),
		Done: func(ctx context.Context) (bool, error) {
			return w.ask(ctx, assign("bin", bin, "to", n.From)+
				`case "$("$bin" --version | head -n 1)" in "k3s version $to" | "k3s version $to "*) exit 0 ;; esac; exit 3`)
		},
		Do: func(ctx context.Context, out io.Writer) error {
			return w.run(ctx, assign("bin", bin, "old", old, "to", n.From, "unit", n.unit())+backScript, out)
		},
	}, w.restart(), w.ready()}
	if b.Plan.Uncordon {
		steps = append(steps, w.uncordon())
	}
	for i := range steps {
		steps[i].WayBack = "upgrade it again: the run " + b.Plan.Run + " says how"
	}
	return steps
}

// Lines are what to do by hand where it is refused.
func (b *Back) Lines() []string { return slices.Clone(b.Plan.Lines) }
