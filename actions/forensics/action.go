package forensics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"daytwo/actions"
	"daytwo/sources"
)

// InspectKind names the forensics of a node.
const InspectKind actions.Kind = "forensics"

// apiProbe is the one that asks the kubelet instead of the node.
const apiProbe = "kubelet"

// Means is what forensics and clean-ups work with.
type Means struct {
	Hosts   sources.Hosts
	Kubelet Kubelet // nil: not asked
	Pods    Pods    // nil: finished pods are not deleted from here
	Clock   func() time.Time
}

// Inspection looks at what is on a node's disk and changes nothing.
type Inspection struct {
	Node    string
	Picture Picture

	with  Means
	ahead ahead
}

// Inspect plans the forensics of a node from what is known of it.
func Inspect(m Means, s *sources.Snapshot, node string) *Inspection {
	return &Inspection{Node: node, Picture: PictureOf(s, node), with: m}
}

// RestoreInspection makes a saved one again.
func RestoreInspection(m Means) actions.Restore {
	return func(saved []byte) (actions.Action, error) {
		i := &Inspection{with: m}
		if err := json.Unmarshal(saved, i); err != nil {
			return nil, fmt.Errorf("reading a saved forensics: %w", err)
		}
		return i, nil
	}
}

// Kind is InspectKind.
func (i *Inspection) Kind() actions.Kind { return InspectKind }

// Target is the node.
func (i *Inspection) Target() sources.Ref { return sources.Ref{Kind: "Node", Name: i.Node} }

// Title names what is done.
func (i *Inspection) Title() string { return "Forensics of " + i.Node }

// Changes is false: nothing but reading.
func (i *Inspection) Changes() bool { return false }

// Machines implements actions.Visitor.
func (i *Inspection) Machines(actions.Run) []string { return []string{i.Node} }

// Confirm asks for nothing to be typed.
func (i *Inspection) Confirm() string { return "" }

// Preflight has nothing to forbid: a sick node is what it is for.
func (i *Inspection) Preflight(context.Context, *sources.Snapshot) []sources.Finding { return nil }

// Unit is k3s's systemd unit on the node.
func (i *Inspection) Unit() string {
	if i.Picture.Server {
		return "k3s"
	}
	return "k3s-agent"
}

// Steps are the probes, one after the other, and the verdict.
func (i *Inspection) Steps() []actions.Step {
	all := probes(i.Unit())
	steps := make([]actions.Step, 0, len(all)+2)
	for _, p := range all {
		steps = append(steps, actions.Step{
			ID: p.id, Title: p.title, Group: i.Node,
			Command: sources.Typed("ssh", i.Node, "sudo "+p.line()),
			Do:      func(ctx context.Context, out io.Writer) error { return i.probe(ctx, p, out) },
		})
	}
	steps = append(steps, actions.Step{
		ID: apiProbe, Title: "kubelet's view", Group: i.Node,
		Command: sources.Typed("kubectl", "get", "--raw", "/api/v1/nodes/"+i.Node+"/proxy/stats/summary"),
		Do:      i.askKubelet,
	})
	return append(steps, actions.Step{
		ID: "verdict", Title: "verdict", Group: i.Node,
		NoSkip: "it is what all of this is for",
		Do:     i.conclude,
	})
}

// Planned is a probe as a plan shows it: without what makes it stand back.
type Planned struct{ Title, Command string }

// Plan lists the probes.
func (i *Inspection) Plan() []Planned {
	all := probes(i.Unit())
	out := make([]Planned, 0, len(all))
	for _, p := range all {
		out = append(out, Planned{p.title, p.command})
	}
	return append(out, Planned{"kubelet's view", "kubectl get --raw /api/v1/nodes/" + i.Node + "/proxy/stats/summary"})
}

var errNoFolder = errors.New("internal error: forensics ran outside a run, there is no folder to keep its answers in")

var errNoKubelet = errors.New("there is no API server to ask it through")

func folder(ctx context.Context) (string, error) {
	if dir := actions.CurrentRun(ctx).Dir; dir != "" {
		return dir, nil
	}
	return "", errNoFolder
}

// probe runs one probe and keeps its answer.
func (i *Inspection) probe(ctx context.Context, p probe, out io.Writer) error {
	dir, err := folder(ctx)
	if err != nil {
		return err
	}
	r, f, err := p.take(ctx, i.ask(ctx, p), out)
	if err != nil {
		i.ahead.end()
	}
	switch {
	case err != nil && ctx.Err() == nil:
		return fmt.Errorf("nothing could be looked at on %s: %w", i.Node, err)
	case err != nil:
		return err
	}
	return save(dir, r, f)
}

// askKubelet keeps what the kubelet says of its pods.
func (i *Inspection) askKubelet(ctx context.Context, out io.Writer) error {
	dir, err := folder(ctx)
	if err != nil {
		return err
	}
	path := "/api/v1/nodes/" + i.Node + "/proxy/stats/summary"
	r := Result{ID: apiProbe, Title: "kubelet's view", Command: sources.Typed("kubectl", "get", "--raw", path), Began: i.with.Clock()}
	var f Facts
	err = errNoKubelet
	if i.with.Kubelet != nil {
		f.Pods, err = i.with.Kubelet.PodDisks(ctx, i.Node)
	}
	r.Took = i.with.Clock().Sub(r.Began)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("asking the kubelet: %w", context.Cause(ctx))
	case err != nil:
		r.Err = clean(err.Error())
		_, _ = fmt.Fprintf(out, "unknown: %s\n", r.Err)
	default:
		all := make([]Size, 0, len(f.Pods))
		for _, p := range f.Pods {
			all = append(all, Size{p.Namespace + "/" + p.Pod, p.Ephemeral})
		}
		for _, l := range tellSizes(all, "") {
			_, _ = fmt.Fprintln(out, l)
		}
	}
	return save(dir, r, f)
}

// conclude makes the verdict of what the probes kept, and keeps it.
func (i *Inspection) conclude(ctx context.Context, out io.Writer) error {
	dir, err := folder(ctx)
	if err != nil {
		return err
	}
	results, facts, err := load(dir, probes(i.Unit()))
	if err != nil {
		return err
	}
	v := judge(i.Node, actions.CurrentRun(ctx).ID, i.with.Clock(), i.Picture, results, facts)
	v.compare(previous(dir, i.Node))
	if err := writeJSON(filepath.Join(dir, verdictFile), v); err != nil {
		return err
	}
	text := v.Markdown()
	if err := writeFile(filepath.Join(dir, "verdict.md"), []byte(text)); err != nil {
		return err
	}
	_, _ = fmt.Fprint(out, text)
	return v.blind()
}

// blind is the error of a look that saw nothing of the machine.
func (v *Verdict) blind() error {
	if len(v.Accounts) > 0 || len(v.Unknown) == 0 {
		return nil
	}
	for _, r := range v.Unknown {
		if r.ID != apiProbe && r.Err != v.Unknown[0].Err {
			return nil
		}
	}
	return fmt.Errorf("nothing could be looked at on %s: %s", v.Node, v.Unknown[0].Err)
}
