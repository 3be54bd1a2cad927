package upgrade

import (
	"context"
	"fmt"
	"io"
	"strings"

	"daytwo/actions"
	"daytwo/actions/drain"
	"daytwo/sources"
)

// steps are what a plan comes to. It is a pure function of the plan.
func (a *Action) steps() []actions.Step {
	p := a.Plan
	var out []actions.Step
	saved := false
	for _, n := range p.Nodes {
		if p.done(n) {
			continue
		}
		if n.Server && !saved {
			saved = true
			out = append(out, a.saveStep(n))
		}
		out = append(out, a.nodeSteps(n)...)
	}
	return append(out, a.notesStep())
}

// nodeSteps bring one node to the target.
func (a *Action) nodeSteps(n NodePlan) []actions.Step {
	w := &worker{kit: a.kit, plan: a.Plan, node: n}
	prefix := n.Name + "/"
	var out []actions.Step
	if !n.NoDrain && n.Drain != nil {
		out = drain.Steps(a.kit.Drain.Cluster, a.kit.Drain.Board, *n.Drain, prefix)
		for i := range out {
			if strings.HasSuffix(out[i].ID, "/verify") {
				out[i].Title = "empty"
			}
		}
	}
	last := ""
	if len(out) > 0 {
		last = out[len(out)-1].WayBack
	}
	out = append(out, w.fetch(last), w.swap(), w.restart(), w.ready(), w.same())
	if !n.NoDrain && n.Drain != nil && !n.Drain.Cordoned {
		out = append(out, w.healthy("daemonsets", "DaemonSets ready", false), w.uncordon())
	}
	return append(out, w.healthy("workloads", "workloads as before", true))
}

// worker makes and does the steps of one node.
type worker struct {
	kit  *Kit
	plan Plan
	node NodePlan
}

func (w *worker) host() sources.Host { return w.kit.Hosts.Host(w.node.Name) }

// ssh is a command as a person would type it.
func (w *worker) ssh(line string) string {
	return "ssh " + sources.Quote(w.node.Name) + " " + sources.Quote(line)
}

// wayBack undoes a node that has the new binary.
func (w *worker) wayBack() string {
	bin, _, old := w.node.files()
	line := "sudo mv " + sources.Typed(old, bin) + " && sudo systemctl restart " + w.node.unit()
	if w.node.Server && w.plan.Verdict.Size == Minor {
		return "a server goes back across a minor only with its datastore: " + strings.Join(restoreLines(w.plan, w.node, "RUN"), "; ")
	}
	if !w.node.NoDrain && w.node.Drain != nil && !w.node.Drain.Cordoned {
		return w.ssh(line) + " && " + sources.Typed("kubectl", "uncordon", w.node.Name)
	}
	return w.ssh(line)
}

func (w *worker) id(step string) string { return w.node.Name + "/" + step }

// fetch gets the new binary onto the node.
func (w *worker) fetch(wayBack string) actions.Step {
	bin, next, _ := w.node.files()
	r := w.release()
	return actions.Step{
		ID: w.id("fetch"), Title: "fetch + sha256", Group: w.node.Name, WayBack: wayBack,
		NoSkip: "without the verified file there is nothing to put in its place",
		Command: w.ssh("sudo curl -fLo " + sources.Typed(next, r.Binary) + " && curl -fL " + sources.Quote(r.Sums) +
			" | grep ' " + r.File + "$' && sha256sum " + sources.Quote(next)),
		Done: func(ctx context.Context) (bool, error) {
			return w.ask(ctx, assign("bin", bin, "new", next, "to", w.plan.Target)+
				`for f in "$new" "$bin"; do if [ -x "$f" ]; then case "$("$f" --version | head -n 1)" in "k3s version $to" | "k3s version $to "*) exit 0 ;; esac; fi; done; exit 3`)
		},
		Do: func(ctx context.Context, out io.Writer) error {
			script := assign("url", r.Binary, "sums", r.Sums, "file", r.File, "planned", r.SHA256, "new", next, "to", w.plan.Target) + fetchScript
			return w.detached(ctx, "fetch", script, out, w.plan.Ready*2)
		},
	}
}

// release is where the node's binary comes from.
func (w *worker) release() sources.Release {
	if r, ok := w.plan.Releases[w.node.Arch]; ok {
		return r
	}
	return guess(w.plan.Server, w.plan.Target, w.node.Arch)
}

// guess makes the addresses of a release that could not be asked for.
func guess(s sources.ReleaseServer, tag, arch string) sources.Release {
	file, sums := "k3s", "sha256sum-amd64.txt"
	switch arch {
	case "arm64":
		file, sums = "k3s-arm64", "sha256sum-arm64.txt"
	case "arm":
		file, sums = "k3s-armhf", "sha256sum-arm.txt"
	}
	below := strings.TrimRight(s.URL, "/") + "/download/" + strings.ReplaceAll(tag, "+", "%2B") + "/"
	return sources.Release{Tag: tag, Arch: arch, File: file, Binary: below + file, Sums: below + sums}
}

// swap puts the new binary in its place.
func (w *worker) swap() actions.Step {
	bin, next, old := w.node.files()
	return actions.Step{
		ID: w.id("swap"), Title: "swap", Group: w.node.Name, WayBack: w.wayBack(),
		NoSkip:  "the restart would start the old version again",
		Command: w.ssh("sudo ln " + sources.Typed(bin, old) + " && sudo mv " + sources.Typed(next, bin)),
		Done: func(ctx context.Context) (bool, error) {
			return w.ask(ctx, assign("bin", bin, "to", w.plan.Target)+
				`case "$("$bin" --version | head -n 1)" in "k3s version $to" | "k3s version $to "*) exit 0 ;; esac; exit 3`)
		},
		Do: func(ctx context.Context, out io.Writer) error {
			return w.run(ctx, assign("bin", bin, "new", next, "old", old, "from", w.node.From, "to", w.plan.Target)+swapScript, out)
		},
	}
}

// restart makes the node run the new binary: by systemctl, or by the install
// script.
func (w *worker) restart() actions.Step {
	bin, _, _ := w.node.files()
	unit := w.node.unit()
	s := actions.Step{
		ID: w.id("restart"), Title: "restart", Group: w.node.Name, WayBack: w.wayBack(),
		NoSkip:  "the node would go on with the old version",
		Command: w.ssh("sudo systemctl restart " + unit),
	}
	script := assign("unit", unit) + restartScript
	if w.plan.Method == Installer {
		s.Title = "install and restart"
		s.Command = w.ssh("curl -fsSL " + sources.Quote(w.plan.Server.Install) +
			" -o install.sh && sudo env INSTALL_K3S_SKIP_DOWNLOAD=true INSTALL_K3S_FORCE_RESTART=true <the unit's environment> sh install.sh <the unit's arguments>")
		script = assign("unit", unit, "bin", bin, "from", w.node.From, "install", w.plan.Server.Install) + installScript
	}
	s.Done = func(ctx context.Context) (bool, error) { return w.restarted(ctx) }
	s.Do = func(ctx context.Context, out io.Writer) error {
		if w.soleServer() {
			say(out, "the API server is away while its only server restarts: this is expected, and followed over SSH")
		}
		return w.detached(ctx, "restart", script, out, w.plan.Ready)
	}
	return s
}

// restarted reports whether this run restarted the node already, by the unit
// that did it; after a reboot nobody knows of that, and the node itself tells.
func (w *worker) restarted(ctx context.Context) (bool, error) {
	for try := tries(ctx); try >= 0; try-- {
		s, err := w.look(ctx, w.unitName(ctx, "restart", try))
		if err != nil {
			return false, err
		}
		if s.Known {
			return !s.Running && s.Exit == 0, nil
		}
	}
	if tries(ctx) == 0 {
		return false, nil // it was never begun
	}
	n, err := w.kit.Cluster.Node(ctx, w.node.Name)
	if err != nil {
		return false, nil //nolint:nilerr // a server that restarts cannot answer: not yet
	}
	return n.Version == w.plan.Target, nil
}

// soleServer reports whether nobody answers for the API while this node is
// away.
func (w *worker) soleServer() bool { return w.node.Server && len(w.plan.servers()) == 1 }

// uncordon lets pods come again.
func (w *worker) uncordon() actions.Step {
	return actions.Step{
		ID: w.id("uncordon"), Title: "uncordon", Group: w.node.Name, WayBack: w.wayBack(),
		Command: sources.Typed("kubectl", "uncordon", w.node.Name),
		Done: func(ctx context.Context) (bool, error) {
			on, err := w.kit.Drain.Cluster.Cordoned(ctx, w.node.Name)
			return err == nil && !on, err
		},
		Do: func(ctx context.Context, out io.Writer) error {
			if _, err := w.kit.Drain.Cluster.Cordon(ctx, w.node.Name, false); err != nil {
				return fmt.Errorf("uncordoning %s: %w", w.node.Name, err)
			}
			say(out, "node/%s uncordoned", w.node.Name)
			return nil
		},
	}
}

// say writes a line to a run's log, which never fails.
func say(out io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(out, format+"\n", args...)
}
