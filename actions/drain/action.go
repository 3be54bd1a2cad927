package drain

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"daytwo/actions"
	"daytwo/sources"
)

// Kind is this action's.
const Kind actions.Kind = "drain"

// Action drains one node as planned.
type Action struct {
	Plan Plan `json:"plan"`

	cluster  Cluster
	board    *Board
	uncordon func(node string) actions.Action
}

// Kit is what a drain works with.
type Kit struct {
	Cluster Cluster
	Board   *Board // nil: nobody reads the progress
	// Uncordon makes the action that is offered after a drain that stopped.
	Uncordon func(node string) actions.Action
}

// New returns the action of a plan.
func New(k Kit, p Plan) *Action {
	return &Action{Plan: p, cluster: k.Cluster, board: k.Board, uncordon: k.Uncordon}
}

// Restore makes saved drains again.
func Restore(k Kit) actions.Restore {
	return func(saved []byte) (actions.Action, error) {
		a := New(k, Plan{})
		if err := json.Unmarshal(saved, a); err != nil {
			return nil, fmt.Errorf("reading a saved drain: %w", err)
		}
		if a.Plan.Node == "" {
			return nil, fmt.Errorf("a saved drain names no node")
		}
		return a, nil
	}
}

// Kind implements actions.Action.
func (*Action) Kind() actions.Kind { return Kind }

// Target implements actions.Action.
func (a *Action) Target() sources.Ref { return sources.Ref{Kind: "Node", Name: a.Plan.Node} }

// Title implements actions.Action.
func (a *Action) Title() string { return "Drain " + a.Plan.Node }

// Changes implements actions.Action.
func (*Action) Changes() bool { return true }

// Confirm implements actions.Action: the node's name is typed.
func (a *Action) Confirm() string { return a.Plan.Node }

// Preflight implements actions.Action: it looks again, and what blocks now
// forbids the start.
func (a *Action) Preflight(ctx context.Context, _ *sources.Snapshot) []sources.Finding {
	refused, err := a.cluster.Refused(ctx)
	if err != nil {
		return []sources.Finding{a.finding("drain.look", sources.Critical, "could not ask what is permitted: "+err.Error(), "")}
	}
	var out []sources.Finding
	for _, r := range refused {
		out = append(out, a.finding("drain.permission", sources.Critical, r.Error(), "docs/rbac/operate.yaml has the role that a drain needs"))
	}
	if len(out) > 0 {
		return out
	}
	fresh, err := Look(ctx, a.cluster, a.Plan.Node, a.Plan.Options)
	if err != nil {
		return []sources.Finding{a.finding("drain.look", sources.Critical, err.Error(), "")}
	}
	for _, b := range fresh.Blockers {
		out = append(out, a.finding("drain.blocked", sources.Critical, b.Title, b.Why))
	}
	for _, w := range fresh.Warnings {
		out = append(out, a.finding("drain.warning", sources.Warning, w.Title, w.Why))
	}
	return out
}

func (a *Action) finding(rule string, s sources.Severity, summary, why string) sources.Finding {
	f := sources.Finding{Rule: rule, Severity: s, About: a.Target(), Summary: summary}
	if why != "" {
		f.Evidence = []sources.Fact{{Text: why, From: "drain plan", At: a.Plan.Taken}}
	}
	return f
}

// Steps implements actions.Action.
func (a *Action) Steps() []actions.Step { return Steps(a.cluster, a.board, a.Plan, "") }

// Steps are the steps of a drain, for other actions that drain on their way;
// prefix comes before each id.
func Steps(c Cluster, b *Board, p Plan, prefix string) []actions.Step {
	back := ""
	if !p.Cordoned {
		back = sources.Typed("kubectl", "uncordon", p.Node)
	}
	return []actions.Step{
		{
			ID: prefix + "cordon", Title: "cordon", Group: p.Node,
			Command: sources.Typed("kubectl", "cordon", p.Node), WayBack: back,
			NoSkip: "without it the scheduler puts pods back while they are evicted",
			Done:   func(ctx context.Context) (bool, error) { return c.Cordoned(ctx, p.Node) },
			Do: func(ctx context.Context, out io.Writer) error {
				changed, err := c.Cordon(ctx, p.Node, true)
				if err != nil {
					return fmt.Errorf("cordoning %s: %w", p.Node, err)
				}
				say(out, "node/%s %s", p.Node, already(changed, "cordoned"))
				return nil
			},
		},
		{
			ID: prefix + "evict", Title: "evict", Group: p.Node, Command: p.Command(), WayBack: back,
			Done: func(ctx context.Context) (bool, error) {
				left, err := p.left(ctx, c)
				return err == nil && len(left) == 0, err
			},
			Do: func(ctx context.Context, out io.Writer) error { return p.evict(ctx, c, b, out) },
		},
		{
			ID: prefix + "verify", Title: "verify", Group: p.Node, WayBack: back,
			Command: sources.Typed("kubectl", "get", "pods", "-A", "--field-selector", "spec.nodeName="+p.Node),
			Do:      func(ctx context.Context, out io.Writer) error { return p.verify(ctx, c, out) },
		},
	}
}

func say(out io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(out, format+"\n", args...) // the run's log never fails
}

func already(changed bool, done string) string {
	if changed {
		return done
	}
	return "already " + done
}

// left are the pods that must go yet. One that tolerates a cordon and came
// back after it was evicted is not chased.
func (p Plan) left(ctx context.Context, c Cluster) ([]sources.Tenant, error) {
	now, err := c.Leaving(ctx, p.Node)
	if err != nil {
		return nil, fmt.Errorf("looking at the pods on %s: %w", p.Node, err)
	}
	return slices.DeleteFunc(now, func(t sources.Tenant) bool { return t.ComesBack && !p.knows(t.UID) }), nil
}

func (p Plan) knows(uid string) bool {
	return slices.ContainsFunc(p.Moves, func(m Move) bool { return m.UID == uid })
}

// evict is the step that takes the pods away.
func (p Plan) evict(ctx context.Context, c Cluster, b *Board, out io.Writer) error {
	cordoned, err := c.Cordoned(ctx, p.Node)
	if err != nil {
		return fmt.Errorf("looking whether %s is still cordoned: %w", p.Node, err)
	}
	if !cordoned {
		return fmt.Errorf("somebody uncordoned %s meanwhile, so nothing was evicted: find out who, then drain it again", p.Node)
	}
	pods, err := p.left(ctx, c)
	if err != nil {
		return err
	}
	for _, t := range pods {
		switch {
		case t.Orphan && !p.Options.Force:
			return fmt.Errorf("pod %s would be deleted for ever, and the plan does not say that it may: plan the drain again", t)
		case t.Orphan && !p.knows(t.UID):
			return fmt.Errorf("pod %s: %w", t, errNotInPlan)
		}
	}
	if stay := p.staying(); stay != "" {
		say(out, "Warning: ignoring DaemonSet-managed Pods: %s", stay)
	}
	return Empty(ctx, c, p.Node, pods, out, Showing(b, actions.CurrentRun(ctx).ID))
}

// staying names the pods that a drain leaves, as kubectl does.
func (p Plan) staying() string {
	var names []string
	for _, m := range p.Moves {
		if m.Fate == Stay && m.Stays == "DaemonSet" {
			names = append(names, m.String())
		}
	}
	return listed(names, 20)
}

// verify looks once more at the node that should be empty.
func (p Plan) verify(ctx context.Context, c Cluster, out io.Writer) error {
	cordoned, err := c.Cordoned(ctx, p.Node)
	if err != nil {
		return fmt.Errorf("looking whether %s is still cordoned: %w", p.Node, err)
	}
	if !cordoned {
		return fmt.Errorf("%s was uncordoned meanwhile: new pods may be on it", p.Node)
	}
	now, err := c.Leaving(ctx, p.Node)
	if err != nil {
		return fmt.Errorf("looking at the pods on %s: %w", p.Node, err)
	}
	var again, back []string
	for _, t := range now {
		if t.ComesBack && !p.knows(t.UID) {
			back = append(back, t.String())
		} else {
			again = append(again, t.String())
		}
	}
	if len(again) > 0 {
		return fmt.Errorf("%s on %s again: %s; retry the step before", plural(len(again), "pod"), p.Node, listed(again, 3))
	}
	if len(back) > 0 {
		say(out, "came back because it tolerates a cordon: %s", listed(back, 5))
	}
	say(out, "node/%s drained", p.Node)
	return nil
}

// ours reports whether this run cordoned the node.
func (a *Action) ours(run actions.Run) bool {
	if a.Plan.Cordoned {
		return false
	}
	for _, s := range run.Steps {
		if s.ID == "cordon" {
			return s.State == actions.Done || s.Tries > 0
		}
	}
	return false
}

// Offers implements actions.Undoer: uncordon, if the drain cordoned it.
func (a *Action) Offers(run actions.Run) []actions.Offer {
	if a.uncordon == nil || !a.ours(run) || run.State == actions.Running {
		return nil
	}
	return []actions.Offer{{
		Title: "uncordon " + a.Plan.Node, Why: "this drain cordoned it; pods that moved stay where they are now",
		Action: a.uncordon(a.Plan.Node),
	}}
}

// Leaves implements actions.Leaver.
func (a *Action) Leaves(run actions.Run) []string {
	var out []string
	if a.ours(run) {
		out = append(out, fmt.Sprintf("%s stays cordoned: new pods do not start there until somebody uncordons it (kubectl uncordon %s)", a.Plan.Node, a.Plan.Node))
	}
	if p, ok := a.board.Of(run.ID); ok && p.Gone < p.Total {
		out = append(out, p.counts())
	}
	return out
}
