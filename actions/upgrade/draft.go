package upgrade

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"daytwo/actions"
	"daytwo/actions/drain"
	"daytwo/sources"
)

// How long a node may take to come back, and how long the cluster must stay
// as before after each node.
const (
	DefaultReady = 5 * time.Minute
	DefaultSoak  = 30 * time.Second
)

// Channels lists what the channels stand for now.
func (k *Kit) Channels(ctx context.Context) ([]sources.Channel, error) {
	return k.Releases.Channels(ctx)
}

// Action makes the action of a plan.
func (k *Kit) Action(p Plan) actions.Action { return New(k, p) }

// Remember keeps the order that was chosen where there was a choice.
func (k *Kit) Remember(p Plan) {
	if len(p.Verdict.Orders) > 1 {
		k.Prefer.Remember(p.Style)
	}
}

// Ask asks the policy about a target with what is known now, without looking
// at machines: it is what a list of targets shows.
func (k *Kit) Ask(s *sources.Snapshot, target string, heads []sources.Channel) Verdict {
	return Judge(question(s.Nodes.Value, s.Cluster.Value.Version, target, heads, k.Prefer.Style()))
}

func question(nodes []sources.Node, api, target string, heads []sources.Channel, prefer Style) Question {
	q := Question{Target: target, API: api, Heads: heads, Prefer: prefer}
	for _, n := range nodes {
		q.Members = append(q.Members, Member{n.Name, n.Server(), n.Version})
	}
	return q
}

// Draft looks at everything an upgrade rests on and plans it. What cannot be
// looked at is in the plan; an error means that there is nothing to plan on.
func (k *Kit) Draft(ctx context.Context, s *sources.Snapshot, target string) (Plan, error) {
	nodes, err := k.Cluster.Nodes(ctx)
	if err != nil {
		return Plan{}, fmt.Errorf("looking at the nodes to plan the upgrade: %w", err)
	}
	api, err := k.Cluster.Version(ctx)
	if err != nil {
		return Plan{}, fmt.Errorf("asking the API server for its version: %w", err)
	}
	p := Plan{
		Cluster: s.Cluster.Value.Name, Taken: k.now(), Target: target, API: api, Method: Swap,
		Ready: cmp.Or(k.Ready, DefaultReady), Soak: cmp.Or(k.Soak, DefaultSoak), Releases: map[string]sources.Release{}, Server: k.Releases.Server(),
	}
	heads, err := k.Releases.Channels(ctx)
	if err != nil {
		p.Unread = append(p.Unread, err.Error())
	}
	q := question(nodes, api, target, heads, k.Prefer.Style())
	k.releases(ctx, &p, &q, nodes)
	p.Verdict = Judge(q)
	if missing := p.unpublished(nodes); missing != "" {
		p.Verdict = refuse(p.Verdict, Reason{missing, p.Server.URL})
		p.Verdict.Orders = nil
	}
	p.Nodes = k.nodePlans(ctx, p, nodes)
	if len(p.Verdict.Orders) > 0 {
		p.Follow(p.Verdict.Orders[0].Style)
	}
	servers := slices.DeleteFunc(slices.Clone(nodes), func(n sources.Node) bool { return !n.Server() })
	p.Datastore, p.DatastoreWhy = datastoreOf(servers)
	p.Backups = backupsOf(s)
	for _, f := range s.Judged.Findings {
		p.Before = append(p.Before, sources.NoteOf(f))
	}
	return p, k.baseline(ctx, s, &p)
}

// releases looks the target up for every architecture, and the ages of both
// versions.
func (k *Kit) releases(ctx context.Context, p *Plan, q *Question, nodes []sources.Node) {
	newest := Version{}
	for _, n := range nodes {
		if v, err := ParseVersion(n.Version); err == nil && n.Server() && v.Compare(newest) > 0 {
			newest = v
		}
	}
	for _, n := range nodes {
		if _, seen := p.Releases[n.Arch]; seen {
			continue
		}
		r, err := k.Releases.Release(ctx, p.Target, n.Arch)
		switch {
		case err == nil:
			p.Releases[n.Arch], q.TargetBuilt = r, r.Built
		case errors.Is(err, sources.ErrNoRelease):
			p.Releases[n.Arch] = sources.Release{}
		default:
			p.Unread = append(p.Unread, "the release server could not be asked from here ("+err.Error()+"); the nodes may reach it all the same")
			p.Releases[n.Arch] = guess(p.Server, p.Target, n.Arch)
		}
		if old, err := k.Releases.Release(ctx, newest.String(), n.Arch); err == nil {
			q.RunningBuilt = old.Built
		}
	}
}

// unpublished names an architecture that the target does not exist for.
func (p Plan) unpublished(nodes []sources.Node) string {
	for _, n := range nodes {
		if r, ok := p.Releases[n.Arch]; ok && r.Binary == "" {
			return fmt.Sprintf("the release server has no %s for %s; type an exact tag that exists", p.Target, n.Arch)
		}
	}
	return ""
}

// nodePlans looks at every node's machine and drain at once.
func (k *Kit) nodePlans(ctx context.Context, p Plan, nodes []sources.Node) []NodePlan {
	out := make([]NodePlan, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		out[i] = NodePlan{
			Name: n.Name, Server: n.Server(), Arch: n.Arch, From: n.Version, OSImage: n.OSImage, Runtime: n.Runtime,
			Args: n.Args, Env: n.Env, NoDrain: len(nodes) == 1,
		}
		if len(p.Verdict.Refused) > 0 {
			continue // nobody asks for more
		}
		wg.Go(func() { out[i].Machine = probe(ctx, k.Hosts.Host(n.Name)) })
		wg.Go(func() {
			d, err := drain.Look(ctx, k.Drain.Cluster, n.Name, drain.Options{})
			if err != nil {
				out[i].Error = err.Error()
				return
			}
			out[i].Drain = &d
		})
	}
	wg.Wait()
	slices.SortFunc(out, func(a, b NodePlan) int { return sources.CompareNames(a.Name, b.Name) })
	return out
}

// probe looks at a machine. What it says is text from outside.
func probe(ctx context.Context, h sources.Host) Machine {
	m := Machine{Free: -1}
	var said bytes.Buffer
	if err := h.Run(ctx, sources.Command{Line: probeScript, Root: true, Stdout: &said}); err != nil {
		m.Err = err.Error()
		return m
	}
	for line := range strings.Lines(said.String()) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = sources.Clean(value, sources.MaxName)
		switch key {
		case "arch":
			m.Arch = value
		case "unit":
			m.Unit = value
		case "binary":
			m.Binary = value
		case "version":
			m.Version = value
		case "free":
			if kb, err := strconv.ParseInt(value, 10, 64); err == nil {
				m.Free = kb << 10
			}
		case "sqlite3":
			m.SQLite = true
		case "curl":
			m.Curl = true
		case "systemd-run":
			m.Systemd = true
		}
	}
	if !strings.HasPrefix(m.Binary, "/") {
		m.Binary = ""
	}
	return m
}

// backupsOf are the backups as the rules judge them.
func backupsOf(s *sources.Snapshot) []BackupSeen {
	var out []BackupSeen
	for _, b := range s.Judged.Backups {
		seen := BackupSeen{Name: b.Name, Last: b.Last, Fresh: b.Severity == sources.OK && !b.Last.IsZero(), Trouble: b.Summary, Declared: b.Declared}
		if !seen.Fresh && seen.Trouble == "" {
			seen.Trouble = "no success is known"
		}
		out = append(out, seen)
	}
	return out
}
