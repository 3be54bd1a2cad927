package upgrade

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"daytwo/actions"
	"daytwo/actions/drain"
	"daytwo/sources"
)

// Kind is this action's.
const Kind actions.Kind = "upgrade"

// Action upgrades a cluster as planned.
type Action struct {
	Plan Plan `json:"plan"`

	kit *Kit
}

// New returns the action of a plan.
func New(k *Kit, p Plan) *Action { return &Action{Plan: p, kit: k} }

// Restore makes saved upgrades again.
func Restore(k *Kit) actions.Restore {
	return func(saved []byte) (actions.Action, error) {
		a := New(k, Plan{})
		if err := json.Unmarshal(saved, a); err != nil {
			return nil, fmt.Errorf("reading a saved upgrade: %w", err)
		}
		if a.Plan.Target == "" || len(a.Plan.Nodes) == 0 {
			return nil, errors.New("a saved upgrade names no target or no nodes")
		}
		return a, nil
	}
}

// Kind implements actions.Action.
func (*Action) Kind() actions.Kind { return Kind }

// Target implements actions.Action: the cluster as a whole.
func (a *Action) Target() sources.Ref { return sources.Ref{Kind: "Cluster", Name: a.Plan.Cluster} }

// Title implements actions.Action.
func (a *Action) Title() string {
	return "Upgrade " + strings.Join(a.Plan.From(), ", ") + " → " + a.Plan.Target
}

// From are the versions that the plan's nodes run, the oldest first.
func (p Plan) From() []string {
	var out []Version
	for _, n := range p.Nodes {
		if v, err := ParseVersion(n.From); err == nil && !p.done(n) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, Version.Compare)
	var text []string
	for _, v := range slices.Compact(out) {
		text = append(text, v.String())
	}
	return text
}

// Changes implements actions.Action.
func (*Action) Changes() bool { return true }

// Confirm implements actions.Action: the cluster's name is typed.
func (a *Action) Confirm() string { return a.Plan.Cluster }

// Machines implements actions.Visitor: of those that change, and have a step
// left.
func (a *Action) Machines(r actions.Run) []string {
	left := map[string]bool{}
	for _, s := range r.Steps[min(r.At, len(r.Steps)):] {
		left[s.Group] = true
	}
	var out []string
	for _, n := range a.Plan.Nodes {
		if !a.Plan.done(n) && (left[n.Name] || len(r.Steps) == 0) {
			out = append(out, n.Name)
		}
	}
	return out
}

// Steps implements actions.Action.
func (a *Action) Steps() []actions.Step { return a.steps() }

// Preflight implements actions.Action: it looks again at all that the plan
// rests on; what is not so any more forbids the start.
func (a *Action) Preflight(ctx context.Context, _ *sources.Snapshot) []sources.Finding {
	var out []sources.Finding
	add := func(s sources.Severity, node, text, why string) {
		about := a.Target()
		if node != "" {
			about = sources.Ref{Kind: "Node", Name: node}
		}
		f := sources.Finding{Rule: "upgrade.plan", Severity: s, About: about, Summary: text}
		if why != "" {
			f.Evidence = []sources.Fact{{Text: why, From: "upgrade plan", At: a.Plan.Taken}}
		}
		out = append(out, f)
	}
	for _, p := range a.Plan.Problems() {
		add(p.Severity, p.Node, p.Text, p.Why)
	}
	a.preflightNodes(ctx, add)
	refused, err := a.kit.Drain.Cluster.Refused(ctx)
	if err != nil {
		add(sources.Critical, "", "could not ask what is permitted: "+err.Error(), "")
	}
	for _, r := range refused {
		add(sources.Critical, "", r.Error(), "docs/rbac/operate.yaml has the role that an upgrade needs")
	}
	for _, n := range a.preflightMachines(ctx) {
		add(sources.Critical, n.Name, "the machine cannot be worked on: "+n.Machine.Err, "")
	}
	return out
}

// preflightNodes: every node still as planned, none come or gone, and its
// drain not blocked.
func (a *Action) preflightNodes(ctx context.Context, add func(sources.Severity, string, string, string)) {
	nodes, err := a.kit.Cluster.Nodes(ctx)
	if err != nil {
		add(sources.Critical, "", "the nodes cannot be looked at: "+err.Error(), "")
		return
	}
	for _, p := range a.Plan.Nodes {
		i := slices.IndexFunc(nodes, func(n sources.Node) bool { return n.Name == p.Name })
		switch {
		case i < 0:
			add(sources.Critical, p.Name, "is no longer in the cluster: plan again", "")
			continue
		case nodes[i].Version != p.From:
			add(sources.Critical, p.Name, fmt.Sprintf("runs %s now, not %s: plan again", nodes[i].Version, p.From), "")
		case a.Plan.done(p) || p.NoDrain || p.Drain == nil:
			continue
		}
		fresh, err := drain.Look(ctx, a.kit.Drain.Cluster, p.Name, p.Drain.Options)
		if err != nil {
			add(sources.Critical, p.Name, "its drain cannot be planned: "+err.Error(), "")
			continue
		}
		for _, b := range fresh.Blockers {
			add(sources.Critical, p.Name, "its drain is blocked: "+b.Title, b.Why)
		}
	}
	for _, n := range nodes {
		if n.Version != a.Plan.Target && !slices.ContainsFunc(a.Plan.Nodes, func(p NodePlan) bool { return p.Name == n.Name }) {
			add(sources.Warning, n.Name, "is not in the plan and stays at "+n.Version, "")
		}
	}
}

// preflightMachines are the nodes whose machine cannot be worked on now.
func (a *Action) preflightMachines(ctx context.Context) []NodePlan {
	nodes := slices.Clone(a.Plan.Nodes)
	var wg sync.WaitGroup
	for i := range nodes {
		if a.Plan.done(nodes[i]) {
			nodes[i].Machine.Err = ""
			continue
		}
		wg.Go(func() {
			nodes[i].Machine.Err = ""
			if err := a.kit.Hosts.Host(nodes[i].Name).Run(ctx, sources.Command{Line: "true", Root: true}); err != nil {
				nodes[i].Machine.Err = err.Error()
			}
		})
	}
	wg.Wait()
	return slices.DeleteFunc(nodes, func(n NodePlan) bool { return n.Machine.Err == "" })
}

// touched are the nodes whose binary a run changed or began to change, the
// last first; finished says whether the run brought them to their end.
func (a *Action) touched(run actions.Run) (nodes []NodePlan, finished map[string]bool) {
	finished = map[string]bool{}
	for _, n := range slices.Backward(a.Plan.Nodes) {
		began := false
		for _, s := range run.Steps {
			switch s.ID {
			case n.Name + "/swap":
				began = s.Tries > 0 || s.State == actions.Done || s.State == actions.AlreadyTrue
			case n.Name + "/workloads":
				finished[n.Name] = s.State == actions.Done
			}
		}
		if began {
			nodes = append(nodes, n)
		}
	}
	return nodes, finished
}

// cordonedByUs are the nodes that the run cordoned and has not let go.
func (a *Action) cordonedByUs(run actions.Run) []string {
	var out []string
	for _, n := range a.Plan.Nodes {
		if n.NoDrain || n.Drain == nil || n.Drain.Cordoned {
			continue
		}
		on := false
		for _, s := range run.Steps {
			switch s.ID {
			case n.Name + "/cordon":
				on = s.State == actions.Done || s.Tries > 0
			case n.Name + "/uncordon":
				on = on && s.State != actions.Done && s.State != actions.AlreadyTrue
			}
		}
		if on {
			out = append(out, n.Name)
		}
	}
	return out
}

// Offers implements actions.Undoer: roll back the node where it stopped, then
// those before it, and uncordon what was cordoned and not changed.
func (a *Action) Offers(run actions.Run) []actions.Offer {
	if run.State == actions.Running || run.State == actions.Waiting {
		return nil
	}
	nodes, finished := a.touched(run)
	var out []actions.Offer
	for _, n := range nodes {
		why := "it stopped here: " + n.From + " is kept on the node"
		if finished[n.Name] {
			why = "it was brought to " + a.Plan.Target + " and found well"
		}
		back := PlanBack(a.Plan, n, run.ID, slices.Contains(a.cordonedByUs(run), n.Name))
		if back.Refused != "" {
			why = "refused: " + back.Refused
		}
		out = append(out, actions.Offer{Title: "roll back " + n.Name + " to " + n.From, Why: why, Action: NewBack(a.kit, back)})
	}
	for _, name := range a.cordonedByUs(run) {
		if a.kit.Drain.Uncordon != nil && !slices.ContainsFunc(nodes, func(n NodePlan) bool { return n.Name == name }) {
			out = append(out, actions.Offer{
				Title: "uncordon " + name, Why: "this run cordoned it and changed nothing else there", Action: a.kit.Drain.Uncordon(name),
			})
		}
	}
	return out
}

// Leaves implements actions.Leaver.
func (a *Action) Leaves(run actions.Run) []string {
	var out []string
	for _, name := range a.cordonedByUs(run) {
		out = append(out, fmt.Sprintf("%s stays cordoned until somebody uncordons it (kubectl uncordon %s)", name, name))
	}
	nodes, finished := a.touched(run)
	for _, n := range nodes {
		_, _, old := n.files()
		if finished[n.Name] {
			out = append(out, fmt.Sprintf("%s runs %s; %s is kept there", n.Name, a.Plan.Target, old))
		} else {
			out = append(out, fmt.Sprintf("%s is half-way: its binary may be %s, and %s is kept there", n.Name, a.Plan.Target, old))
		}
	}
	for _, n := range a.Plan.Nodes {
		if !a.Plan.done(n) && !slices.ContainsFunc(nodes, func(x NodePlan) bool { return x.Name == n.Name }) {
			out = append(out, n.Name+" stays at "+n.From)
		}
	}
	return out
}
