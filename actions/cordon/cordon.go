// Package cordon keeps new pods off a node, and lets them on again.
package cordon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"daytwo/actions"
	"daytwo/sources"
)

// The kinds of this package.
const (
	KindCordon   actions.Kind = "cordon"
	KindUncordon actions.Kind = "uncordon"
)

// Cluster is what these actions need of a cluster.
type Cluster interface {
	// Cordoned reports whether a node takes no new pods; an error if there is
	// none of that name.
	Cordoned(ctx context.Context, node string) (bool, error)
	// Cordon makes a node take none, or take them again; false: it was so.
	Cordon(ctx context.Context, node string, on bool) (bool, error)
}

// Action cordons a node, or uncordons it.
type Action struct {
	Node string `json:"node"`
	Lift bool   `json:"lift,omitempty"` // uncordon

	cluster Cluster
}

// New keeps new pods off a node.
func New(c Cluster, node string) *Action { return &Action{Node: node, cluster: c} }

// Lift lets pods on a node again.
func Lift(c Cluster, node string) *Action { return &Action{Node: node, Lift: true, cluster: c} }

// Restore makes either again from what was saved.
func Restore(c Cluster) actions.Restore {
	return func(saved []byte) (actions.Action, error) {
		a := &Action{cluster: c}
		if err := json.Unmarshal(saved, a); err != nil {
			return nil, fmt.Errorf("reading the saved action: %w", err)
		}
		if a.Node == "" {
			return nil, errors.New("the saved action names no node")
		}
		return a, nil
	}
}

func (a *Action) verb() string {
	if a.Lift {
		return "uncordon"
	}
	return "cordon"
}

// Kind implements actions.Action.
func (a *Action) Kind() actions.Kind { return actions.Kind(a.verb()) }

// Target implements actions.Action.
func (a *Action) Target() sources.Ref { return sources.Ref{Kind: "Node", Name: a.Node} }

// Title implements actions.Action.
func (a *Action) Title() string {
	if a.Lift {
		return "Uncordon " + a.Node
	}
	return "Cordon " + a.Node
}

// Changes implements actions.Action.
func (a *Action) Changes() bool { return true }

// Confirm implements actions.Action: one keystroke undoes it.
func (a *Action) Confirm() string { return "" }

// Preflight implements actions.Action.
func (a *Action) Preflight(_ context.Context, s *sources.Snapshot) []sources.Finding {
	if !s.Nodes.Loaded() {
		return nil // the step looks for itself
	}
	others := 0
	var found *sources.Node
	for i, n := range s.Nodes.Value {
		switch {
		case n.Name == a.Node:
			found = &s.Nodes.Value[i]
		case !n.Unschedulable:
			others++
		}
	}
	finding := func(sev sources.Severity, text string) []sources.Finding {
		return []sources.Finding{{
			Rule: "run." + a.verb(), Severity: sev, About: a.Target(), Summary: text,
			Evidence: []sources.Fact{{Text: text, From: "nodes", At: s.Nodes.At}},
		}}
	}
	switch {
	case found == nil && s.Nodes.Usable():
		return finding(sources.Critical, "is not a node of this cluster")
	case found != nil && !a.Lift && others == 0:
		return finding(sources.Warning, "is the last node that takes pods; new ones will wait until it is uncordoned")
	}
	return nil
}

// Steps implements actions.Action.
func (a *Action) Steps() []actions.Step {
	step := actions.Step{
		ID: a.Node + "/" + a.verb(), Title: a.verb(), Group: a.Node,
		Command: sources.Typed("kubectl", a.verb(), a.Node),
		WayBack: sources.Typed("kubectl", "uncordon", a.Node),
		Done: func(ctx context.Context) (bool, error) {
			is, err := a.cluster.Cordoned(ctx, a.Node)
			return is != a.Lift, err
		},
		Do: func(ctx context.Context, out io.Writer) error {
			if _, err := a.cluster.Cordon(ctx, a.Node, !a.Lift); err != nil {
				return err
			}
			_, _ = fmt.Fprintf(out, "node/%s %sed\n", a.Node, a.verb())
			return nil
		},
	}
	if a.Lift {
		step.WayBack = sources.Typed("kubectl", "cordon", a.Node)
	}
	return []actions.Step{step}
}

// Offers implements actions.Undoer: the other way.
func (a *Action) Offers(run actions.Run) []actions.Offer {
	if len(run.Steps) == 0 || run.Steps[0].State != actions.Done {
		return nil // it was so before
	}
	back := &Action{Node: a.Node, Lift: !a.Lift, cluster: a.cluster}
	return []actions.Offer{{Title: back.verb() + " " + a.Node, Why: "as it was before this run", Action: back}}
}
