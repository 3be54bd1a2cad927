package upgrade

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"daytwo/actions"
	"daytwo/sources"
)

// notesStep writes down what was done; rules compare it with reality from
// then on.
func (a *Action) notesStep() actions.Step {
	return actions.Step{
		ID: "notes", Title: "write notes",
		Command: "# who, when, from and to of each node, arguments, order, durations, findings before and after",
		Do: func(ctx context.Context, out io.Writer) error {
			run := actions.CurrentRun(ctx)
			var nodes []sources.Node
			err := a.kit.until(ctx, a.Plan.Ready, func(ctx context.Context) (bool, string) {
				var err error
				if nodes, err = a.kit.Cluster.Nodes(ctx); err != nil {
					return false, err.Error()
				}
				return true, ""
			})
			if err != nil {
				return fmt.Errorf("looking at the nodes for the notes: %w", err)
			}
			notes := a.notes(run, nodes)
			text := Markdown(notes)
			if run.Dir != "" {
				if err := os.WriteFile(filepath.Join(run.Dir, "upgrade-notes.md"), []byte(text), 0o600); err != nil {
					return fmt.Errorf("writing the notes beside the run: %w", err)
				}
			}
			path, err := a.kit.Records.SaveUpgrade(ctx, notes, text)
			if err != nil {
				return err
			}
			say(out, "notes: %s", path)
			return nil
		},
	}
}

// notes puts together what is known of a run.
func (a *Action) notes(run actions.Run, nodes []sources.Node) sources.UpgradeNotes {
	p := a.Plan
	n := sources.UpgradeNotes{
		Run: run.ID, Cluster: p.Cluster, Who: run.Who, Began: run.Began, Ended: a.kit.now(), From: p.From(), To: p.Target,
		Order: fmt.Sprintf("%s (%s)", p.Style, p.Verdict.Why.Text), Method: string(p.Method), Read: p.Notes() + ", ticked as read",
		Backup: "no server was changed", Before: p.Before, After: []sources.NoteFinding{},
	}
	for _, s := range p.Nodes {
		if s.Server && !p.done(s) {
			n.Backup = fmt.Sprintf("%s saved on %s in %s, with the token", p.Datastore, s.Name, s.savedDir(run.ID))
			break
		}
	}
	if p.Datastore == Elsewhere && p.DatastoreNote != "" {
		n.Backup = "external datastore: " + p.DatastoreNote
	}
	if p.BackupReason != "" {
		n.Reasons = append(n.Reasons, "without fresh backups: "+p.BackupReason)
	}
	if a.kit.Snapshot != nil {
		for _, f := range a.kit.Snapshot().Judged.Findings {
			n.After = append(n.After, sources.NoteOf(f))
		}
	}
	n.Nodes = p.nodeNotes(run, nodes)
	return n
}

// nodeNotes are the nodes in the order in which they went, then the others.
func (p Plan) nodeNotes(run actions.Run, now []sources.Node) []sources.NodeNotes {
	var out []sources.NodeNotes
	add := func(name, from, to string) {
		i := slices.IndexFunc(now, func(n sources.Node) bool { return n.Name == name })
		if i < 0 {
			return
		}
		x := now[i]
		took, skipped := stepsOf(run, name)
		out = append(out, sources.NodeNotes{
			Name: name, Server: x.Server(), From: from, To: to, Version: x.Version, OSImage: x.OSImage, Runtime: x.Runtime,
			Args: x.Args, Env: x.Env, Duration: took, Skipped: skipped,
		})
	}
	for _, n := range p.Nodes {
		to := p.Target
		if p.done(n) {
			to = ""
		}
		add(n.Name, n.From, to)
	}
	for _, n := range now {
		if !slices.ContainsFunc(p.Nodes, func(x NodePlan) bool { return x.Name == n.Name }) {
			add(n.Name, n.Version, "")
		}
	}
	return out
}

// stepsOf is how long a node's steps took, and which were left out.
func stepsOf(run actions.Run, node string) (took time.Duration, skipped []string) {
	for _, s := range run.Steps {
		if s.Group != node {
			continue
		}
		if !s.Began.IsZero() && s.Ended.After(s.Began) {
			took += s.Ended.Sub(s.Began)
		}
		if s.State == actions.Skipped {
			skipped = append(skipped, s.Title+": "+s.Reason)
		}
	}
	return took, skipped
}

// Markdown is the notes for people.
func Markdown(n sources.UpgradeNotes) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Upgrade of %s: %s → %s", n.Cluster, strings.Join(n.From, ", "), n.To)
	line("")
	line("- who: %s", n.Who)
	line("- when: %s to %s (%s)", stamp(n.Began), stamp(n.Ended), sources.Span(n.Ended.Sub(n.Began)))
	line("- order: %s", n.Order)
	line("- method: %s", n.Method)
	line("- release notes: %s", n.Read)
	line("- datastore: %s", n.Backup)
	for _, r := range n.Reasons {
		line("- %s", r)
	}
	line("- run: %s", n.Run)
	line("")
	line("| node | role | from | to | took | OS | container runtime |")
	line("|---|---|---|---|---|---|---|")
	for _, x := range n.Nodes {
		role, to, took := "agent", x.To, sources.Span(x.Duration)
		if x.Server {
			role = "server"
		}
		if to == "" {
			to, took = "left as it is", ""
		}
		line("| %s | %s | %s | %s | %s | %s | %s |", x.Name, role, x.From, to, took, x.OSImage, x.Runtime)
	}
	line("")
	line("## How k3s was started")
	line("")
	for _, x := range n.Nodes {
		args := "not told"
		if x.Args != nil {
			args = "`" + sources.Typed(x.Args...) + "`"
		}
		line("- %s: %s", x.Name, args)
		for _, s := range x.Skipped {
			line("  - left out: %s", s)
		}
	}
	for _, part := range []struct {
		title string
		found []sources.NoteFinding
	}{{"Findings before", n.Before}, {"Findings after", n.After}} {
		line("")
		line("## %s", part.title)
		line("")
		if len(part.found) == 0 {
			line("none")
		}
		for _, f := range part.found {
			line("- %s %s %s: %s", f.Severity, f.Rule, f.About, f.Summary)
		}
	}
	return b.String()
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
