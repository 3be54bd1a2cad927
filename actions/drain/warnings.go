package drain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// long is a grace that one notices.
const long = time.Minute

func (p *Plan) otherActors(o sources.Occupancy) []Problem {
	var out []Problem
	for _, f := range o.Actors {
		out = append(out, Problem{
			Title: f.Text, Why: f.From + " says so: two that drain at once leave less room, and one may uncordon what the other has just cordoned",
			Ways: []Way{{Text: "wait until it is through, or stop it"}},
		})
	}
	if p.Cordoned {
		by := "somebody"
		if p.CordonedBy != "" {
			by = p.CordonedBy
		}
		out = append(out, Problem{
			Title: "the node was cordoned before, by " + by,
			Why:   "so it stays cordoned whatever happens here: who cordoned it has a reason",
		})
	}
	return out
}

func (p *Plan) notReady(o sources.Occupancy) []Problem {
	if o.Ready {
		return nil
	}
	return []Problem{{
		Title: "the node is not Ready",
		Why:   "its kubelet may not end the pods: they are then Terminating until it answers again",
		Ways:  []Way{{Text: "look at the kubelet first; force nothing while the machine may still run", Command: sources.Typed("kubectl", "describe", "node", p.Node)}},
	}}
}

// pinned are pods that cannot run elsewhere.
func (p *Plan) pinned() []Problem {
	var disk, choosy []Move
	var claims []string
	for _, m := range p.Moves {
		if m.Fate != Evict || len(m.Fits) > 0 {
			continue
		}
		here := slices.IndexFunc(m.Claims, func(c sources.Claim) bool { return c.Here })
		if here < 0 {
			choosy = append(choosy, m)
			continue
		}
		disk = append(disk, m)
		claims = append(claims, m.Claims[here].Name)
	}
	var out []Problem
	if len(disk) > 0 {
		out = append(out, Problem{
			Title: fmt.Sprintf("%s stays Pending until this node is back: its volume is on this node's disk", podsOf(disk)),
			About: refs(disk),
			Why:   "a local volume (" + listed(claims, 3) + ") cannot follow its pod; the data stays here and is safe, its service is away meanwhile",
			Ways:  []Way{{Text: "uncordon soon, or move the data first (dump and restore)"}},
		})
	}
	if len(choosy) > 0 {
		out = append(out, Problem{
			Title: fmt.Sprintf("%s stays Pending: no other node fits its selector, affinity or tolerations", podsOf(choosy)),
			About: refs(choosy), Why: "they run on this node only, by their own rules",
		})
	}
	return out
}

// busyBudgets are budgets that make one wait.
func (p *Plan) busyBudgets() []Problem {
	var out []Problem
	for _, b := range p.Budgets {
		moves := p.protected(b)
		if len(moves) == 0 || b.Never() {
			continue
		}
		lacking := b.DesiredHealthy + 1 - b.CurrentHealthy
		switch {
		case !b.Settled:
			out = append(out, Problem{
				Title: fmt.Sprintf("disruption budget %s has just been changed", b.Ref), About: []sources.Ref{b.Ref},
				Why: "its controller has not counted yet: what it allows shows in a moment",
			})
		case b.Allowed <= 0:
			why := fmt.Sprintf("%s: it needs %d healthy and has %d; the first goes when %s more", b.Asks(), b.DesiredHealthy, b.CurrentHealthy, areReady(lacking))
			if slices.ContainsFunc(moves, func(m Move) bool { return !m.Ready && !free(m, b) }) {
				why += "; an unhealthy pod of its own holds it, and will until that pod is healthy"
			}
			out = append(out, Problem{
				Title: fmt.Sprintf("disruption budget %s allows no eviction now: %s waits", b.Ref, podsOf(moves)),
				About: append([]sources.Ref{b.Ref}, refs(moves)...), Why: why,
				Ways: []Way{{Text: "see what is not healthy", Command: sources.Typed("kubectl", "get", "pods", "-n", b.Ref.Namespace)}},
			})
		case int(b.Allowed) < len(moves):
			out = append(out, Problem{
				Title: fmt.Sprintf("disruption budget %s lets %d of %d go at a time", b.Ref, b.Allowed, len(moves)),
				About: []sources.Ref{b.Ref}, Why: "each next one waits until another is ready elsewhere",
			})
		}
	}
	return out
}

func areReady(n int32) string {
	if n <= 1 {
		return "one is ready"
	}
	return fmt.Sprintf("%d are ready", n)
}

// scratch is data that kubectl deletes without a word.
func (p *Plan) scratch() []Problem {
	var with []Move
	var bytes int64
	unknown := 0
	for _, m := range p.Moves {
		if m.Fate != Evict && m.Fate != Delete || len(m.Scratch) == 0 {
			continue
		}
		with = append(with, m)
		for _, s := range m.Scratch {
			if s.Bytes < 0 {
				unknown++
			} else {
				bytes += s.Bytes
			}
		}
	}
	if len(with) == 0 {
		return nil
	}
	size := sources.Bytes(float64(bytes))
	switch {
	case unknown > 0 && bytes == 0:
		size = "size not known"
	case unknown > 0:
		size = "at least " + size
	}
	slices.SortStableFunc(with, func(a, b Move) int { return int(scratchBytes(b)>>10 - scratchBytes(a)>>10) })
	return []Problem{{
		Title: fmt.Sprintf("emptyDir data is lost: %s in %s", size, podsOf(with)), About: refs(with),
		Why:  "an emptyDir goes with its pod; a cache fills again, anything else is gone",
		Ways: []Way{{Text: "copy out what is wanted", Command: sources.Typed("kubectl", "cp", "-n", with[0].Namespace, with[0].Name+":/PATH", ".")}},
	}}
}

func scratchBytes(m Move) (sum int64) {
	for _, s := range m.Scratch {
		sum += max(s.Bytes, 0)
	}
	return sum
}

// singles are away while they move.
func (p *Plan) singles() []Problem {
	var one []Move
	for _, m := range p.Moves {
		if m.Fate == Evict && m.Replicas == 1 {
			one = append(one, m)
		}
	}
	if len(one) == 0 {
		return nil
	}
	var why strings.Builder
	why.WriteString("each is away until its new pod is ready")
	for _, m := range one {
		if text := known(m.Owner.Name); text != "" {
			why.WriteString("; " + m.Owner.Name + ": " + text)
		}
	}
	names, _ := groups(one)
	return []Problem{{
		Title: fmt.Sprintf("%s with one replica only: %s", plural(len(names), "workload"), listed(names, 4)), About: refs(one), Why: why.String(),
	}}
}

// known says what a cluster misses without some of its usual parts.
func known(name string) string {
	for part, text := range map[string]string{
		"coredns":                   "no cluster DNS meanwhile",
		"traefik":                   "no ingress meanwhile",
		"metrics-server":            "no CPU and memory figures meanwhile",
		"local-path-provisioner":    "no new local volumes meanwhile",
		"prometheus":                "a gap in the figures",
		"system-upgrade-controller": "upgrades by Plan pause",
	} {
		if strings.Contains(name, part) {
			return text
		}
	}
	return ""
}

// stuck are pods that may not go though they were told to.
func (p *Plan) stuck() []Problem {
	var out []Problem
	var held, going []Move
	for _, m := range p.Leaving() {
		if len(m.Finalizers) > 0 {
			held = append(held, m)
		}
		if m.Fate == Leaves {
			going = append(going, m)
		}
	}
	if len(held) > 0 {
		out = append(out, Problem{
			Title: fmt.Sprintf("finalizers hold %s", podsOf(held)), About: refs(held),
			Why: "it is gone only after a controller has taken its finalizer away (" + strings.Join(held[0].Finalizers, ", ") + ")",
		})
	}
	if len(going) > 0 {
		over := slices.ContainsFunc(going, func(m Move) bool { return m.Deleting.Before(p.Taken) })
		why := "it is waited for"
		if over {
			why += "; its grace is over already, so something holds it: a finalizer, a volume, or a kubelet that does not answer"
		}
		out = append(out, Problem{Title: fmt.Sprintf("already being deleted: %s", podsOf(going)), About: refs(going), Why: why})
	}
	return out
}

// slow is the grace that decides how long the drain may take.
func (p *Plan) slow() []Problem {
	grace, m := p.Slowest()
	if grace <= long {
		return nil
	}
	return []Problem{{
		Title: fmt.Sprintf("%s may take %s to end", ownerName(m), span(grace)), About: []sources.Ref{m.Ref()},
		Why: "its terminationGracePeriodSeconds is honoured",
	}}
}

// returning are pods that a cordon does not keep off.
func (p *Plan) returning() []Problem {
	var back []Move
	for _, m := range p.Moves {
		if m.Fate == Evict && m.ComesBack {
			back = append(back, m)
		}
	}
	if len(back) == 0 {
		return nil
	}
	return []Problem{{
		Title: fmt.Sprintf("%s tolerates a cordon and may come back to this node", podsOf(back)), About: refs(back),
		Why: "its tolerations let it run where nothing new should; it is evicted once, not chased",
	}}
}

func (p *Plan) server() []Problem {
	if !p.Server {
		return nil
	}
	return []Problem{{
		Title: "this node carries the control plane",
		Why:   "its API server goes on while it is drained: k3s is no pod",
	}}
}
