package upgrade

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"daytwo/actions"
	"daytwo/actions/drain"
	"daytwo/sources"
)

// ready waits until the node is back with the new version.
func (w *worker) ready() actions.Step {
	return actions.Step{
		ID: w.id("ready"), Title: "ready at " + w.plan.Target, Group: w.node.Name, WayBack: w.wayBack(),
		Command: sources.Typed("kubectl", "get", "node", w.node.Name, "-o", "wide"),
		Done: func(ctx context.Context) (bool, error) {
			back, why := w.back(ctx)
			if !back && strings.HasPrefix(why, apiAway) && !w.soleServer() {
				return false, errors.New(why)
			}
			return back, nil
		},
		Do: func(ctx context.Context, out io.Writer) error { return w.awaitReady(ctx, out) },
	}
}

const apiAway = "the API server does not answer: "

// back reports whether the node is Ready at the target, and if not, what is
// wanting.
func (w *worker) back(ctx context.Context) (bool, string) {
	n, err := w.kit.Cluster.Node(ctx, w.node.Name)
	if err != nil {
		return false, apiAway + err.Error()
	}
	c, ok := n.Condition("Ready")
	switch {
	case n.Version != w.plan.Target:
		return false, fmt.Sprintf("%s reports %s, not %s yet", w.node.Name, n.Version, w.plan.Target)
	case !ok || c.Status != "True":
		return false, strings.TrimSpace(fmt.Sprintf("%s is %s but not Ready: %s %s", w.node.Name, n.Version, c.Reason, c.Message))
	}
	return true, ""
}

func (w *worker) awaitReady(ctx context.Context, out io.Writer) error {
	told := ""
	var crashed error
	first := -1
	err := w.kit.until(ctx, w.plan.Ready, func(ctx context.Context) (bool, string) {
		back, why := w.back(ctx)
		text := why
		if strings.HasPrefix(why, apiAway) && w.soleServer() {
			text = "the API server is not back yet, as expected while its only server restarts"
		}
		if text != told && !back {
			say(out, "%s", text)
			told = text
		}
		if back {
			return true, ""
		}
		n, ok := w.crashes(ctx)
		if ok && (first < 0 || n < first) {
			first = n
		}
		if ok && n-first >= mostCrashes {
			crashed = fmt.Errorf("%s started and ended %d times there meanwhile", w.node.unit(), n-first)
			return true, ""
		}
		return false, why
	})
	if err == nil {
		err = crashed
	}
	if err == nil {
		say(out, "node/%s is Ready at %s", w.node.Name, w.plan.Target)
		w.sayVersion(ctx, out)
		return nil
	}
	if ctx.Err() != nil {
		return err
	}
	w.lastWords(ctx, out)
	unit := w.node.unit()
	return fmt.Errorf("%s did not come back: %w. Look first at: %s, then %s. The way back: roll the node back (%s)",
		w.node.Name, err, w.ssh("sudo journalctl -u "+unit+" -n 50 --no-pager"), w.ssh("systemctl status "+unit+"; df -h"), w.wayBack())
}

// mostCrashes is how often k3s may end by itself before nobody waits for it
// any longer.
const mostCrashes = 5

// crashes is how often systemd started k3s again by itself; false where that
// cannot be asked.
func (w *worker) crashes(ctx context.Context) (int, bool) {
	var said bytes.Buffer
	line := "systemctl show -p NRestarts --value " + w.node.unit() + ".service"
	if err := w.host().Run(ctx, sources.Command{Line: line, Stdout: &said}); err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(said.String()))
	return n, err == nil
}

// sayVersion tells what the API server answers as. It is part of the same
// process as the kubelet that is Ready, so it proves nothing more; behind a
// load balancer it may be another server's.
func (w *worker) sayVersion(ctx context.Context, out io.Writer) {
	if !w.node.Server {
		return
	}
	v, err := w.kit.Cluster.Version(ctx)
	switch {
	case err != nil:
		say(out, "the API server does not tell its version: %v", err)
	case v != w.plan.Target:
		say(out, "the API server answers as %s: another server than this one answered", v)
	default:
		say(out, "the API server answers as %s", v)
	}
}

// lastWords writes what the node's own log says.
func (w *worker) lastWords(ctx context.Context, out io.Writer) {
	unit := w.node.unit()
	say(out, "what %s says on %s:", unit, w.node.Name)
	line := "systemctl is-active " + unit + ".service; journalctl -u " + unit + ".service -n 40 --no-pager -o short-iso"
	if err := w.host().Run(ctx, sources.Command{Line: line, Root: true, Stdout: out, Stderr: out}); err != nil && !over(err) {
		say(out, "it cannot be asked over SSH either: %v", err)
	}
}

// same compares how k3s was started with how it was started before.
func (w *worker) same() actions.Step {
	return actions.Step{
		ID: w.id("args"), Title: "arguments as before", Group: w.node.Name, WayBack: w.wayBack(),
		Command: sources.Typed("kubectl", "get", "node", w.node.Name, "-o", `jsonpath={.metadata.annotations.k3s\.io/node-args}`),
		Do: func(ctx context.Context, out io.Writer) error {
			if w.node.Args == nil {
				say(out, "%s did not tell its arguments before, so there is nothing to compare", w.node.Name)
				return nil
			}
			err := w.kit.until(ctx, time.Minute, func(ctx context.Context) (bool, string) {
				n, err := w.kit.Cluster.Node(ctx, w.node.Name)
				if err != nil {
					return false, err.Error()
				}
				why := w.changed(n)
				return why == "", why
			})
			if err != nil {
				return fmt.Errorf("k3s on %s was not started as before: %w; its unit or its configuration was changed, compare /etc/systemd/system/%s.service and /etc/rancher/k3s/config.yaml", w.node.Name, err, w.node.unit())
			}
			say(out, "node/%s: %s", w.node.Name, sources.Typed(w.node.Args...))
			return nil
		},
	}
}

// changed says how the node's start differs from before; "" if it does not.
func (w *worker) changed(n sources.Node) string {
	switch {
	case n.Args == nil:
		return "it tells no arguments any more"
	case !slices.Equal(n.Args, w.node.Args):
		return "arguments were " + sources.Typed(w.node.Args...) + ", are " + sources.Typed(n.Args...)
	case !maps.Equal(n.Env, w.node.Env):
		return "its environment (K3S_…) is not the same"
	}
	return ""
}

// healthy compares the cluster with what it was before the run. Before the
// node is uncordoned (whole is false) only what must run on it counts.
func (w *worker) healthy(step, title string, whole bool) actions.Step {
	return actions.Step{
		ID: w.id(step), Title: title, Group: w.node.Name, WayBack: w.wayBack(),
		Command: "kubectl get deployments,statefulsets,daemonsets -A",
		Do: func(ctx context.Context, out io.Writer) error {
			if err := w.settle(ctx, out, whole); err != nil {
				if ctx.Err() != nil {
					return err
				}
				return fmt.Errorf("%w. Nothing goes on to the next node like this: look at what is named, then retry, or roll %s back", err, w.node.Name)
			}
			return nil
		},
	}
}

// settle waits until nothing is worse than before, and then until it has
// stayed so for the time of the soak.
func (w *worker) settle(ctx context.Context, out io.Writer, whole bool) error {
	told := ""
	var since time.Time
	soak := w.plan.Soak
	if !whole {
		soak = 0
	}
	err := w.kit.until(ctx, w.plan.Ready+soak, func(ctx context.Context) (bool, string) {
		worse, err := w.worse(ctx, whole)
		if err != nil {
			since = time.Time{}
			return false, err.Error()
		}
		text := strings.Join(worse, "; ")
		if text != told {
			if text != "" {
				say(out, "not yet: %s", text)
			}
			told = text
		}
		if len(worse) > 0 {
			since = time.Time{}
			return false, text
		}
		if since.IsZero() {
			since = w.kit.now()
			if soak > 0 {
				say(out, "as before; it must stay so for %s", sources.Span(soak))
			}
		}
		return w.kit.now().Sub(since) >= soak, "it did not stay as before"
	})
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		return fmt.Errorf("the cluster is not as before: %w", err)
	}
	names := w.plan.unsteady()
	say(out, "%d workloads are as before", len(w.plan.Working)-len(names))
	if len(names) > 0 {
		say(out, "not compared, for they restarted by themselves before too: %s", strings.Join(names, ", "))
	}
	return nil
}

// worse lists what is not as it was before the run.
func (w *worker) worse(ctx context.Context, whole bool) ([]string, error) {
	node, err := w.kit.Cluster.Node(ctx, w.node.Name)
	if err != nil {
		return nil, err
	}
	pods, err := w.kit.Cluster.Pods(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	if c, ok := node.Condition("Ready"); !ok || c.Status != "True" {
		out = append(out, w.node.Name+" is not Ready")
	}
	if whole && w.node.Args != nil {
		if why := w.changed(node); why != "" {
			out = append(out, why)
		}
	}
	out = append(out, w.sickPods(pods)...)
	if !whole {
		return out, nil
	}
	now, err := w.kit.Cluster.Workloads(ctx)
	if err != nil {
		return nil, err
	}
	return append(out, w.plan.fewer(now, w.stranded)...), nil
}

// sickPods are the DaemonSet pods of this node that are not ready, and pods
// anywhere that cannot be configured and could before.
func (w *worker) sickPods(pods []sources.Pod) []string {
	var out []string
	for _, p := range pods {
		if p.Node == w.node.Name && p.Owner.Kind == "DaemonSet" && !p.Ready && p.Deleting.IsZero() && w.plan.wasWell(p.Owner) {
			out = append(out, p.Ref().String()+" of DaemonSet "+p.Owner.Name+" is not ready")
		}
		if configError(p) && !slices.Contains(w.plan.Sick, p.Ref().String()) {
			out = append(out, p.Ref().String()+" has CreateContainerConfigError")
		}
	}
	return out
}

func configError(p sources.Pod) bool {
	return slices.ContainsFunc(p.Containers, func(c sources.Container) bool { return c.Reason == "CreateContainerConfigError" })
}

// stranded reports whether a workload's pods wait for this node, which stays
// cordoned because it was so before.
func (w *worker) stranded(ref sources.Ref) bool {
	d := w.node.Drain
	return d != nil && d.Cordoned && !w.node.NoDrain &&
		slices.ContainsFunc(d.Moves, func(m drain.Move) bool { return m.Owner == ref && m.Fate == drain.Evict && m.To == "" })
}
