package drain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// The options that a problem can be accepted by.
const (
	acceptForce   = "force"
	acceptPending = "pending"
)

// judge tells what blocks from what one must know.
func (p *Plan) judge(o sources.Occupancy, homeless []int) {
	p.Blockers = slices.Concat(p.neverBudgets(), p.twoBudgets())
	for _, x := range slices.Concat(p.noRoom(o, homeless), p.orphans()) {
		accepted := x.Accept == acceptForce && p.Options.Force || x.Accept == acceptPending && p.Options.LeavePending
		if accepted {
			p.Warnings = append(p.Warnings, x)
		} else {
			p.Blockers = append(p.Blockers, x)
		}
	}
	p.Warnings = slices.Concat(p.Warnings, p.otherActors(o), p.notReady(o), p.pinned(), p.busyBudgets(),
		p.scratch(), p.singles(), p.stuck(), p.slow(), p.returning(), p.server())
}

// groups collects pods by what makes them, in the order in which they come.
func groups(moves []Move) (names []string, by map[string][]Move) {
	by = map[string][]Move{}
	for _, m := range moves {
		who := ownerName(m)
		if _, ok := by[who]; !ok {
			names = append(names, who)
		}
		by[who] = append(by[who], m)
	}
	return names, by
}

// ownerName is what people call a pod by: its workload, else itself.
func ownerName(m Move) string {
	if m.Owner.Name == "" {
		return m.String()
	}
	return m.Owner.String()
}

func refs(moves []Move) []sources.Ref {
	out := make([]sources.Ref, len(moves))
	for i, m := range moves {
		out[i] = m.Ref()
	}
	return out
}

// listed joins names, and counts those beyond a few.
func listed(names []string, most int) string {
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// kubectlKind is how kubectl calls a workload: "deployment/api".
func kubectlKind(r sources.Ref) string { return strings.ToLower(r.Kind) + "/" + r.Name }

// protected are the pods that move and whose going a budget counts.
func (p *Plan) protected(b sources.Budget) []Move {
	var out []Move
	for _, m := range p.Moves {
		if (m.Fate == Evict || m.Fate == Delete) && m.Running && m.Namespace == b.Ref.Namespace && slices.Contains(m.Budgets, b.Ref.Name) {
			out = append(out, m)
		}
	}
	return out
}

// free reports whether an unready pod goes though its budget is spent.
func free(m Move, b sources.Budget) bool {
	return !m.Ready && (b.Unhealthy || b.CurrentHealthy >= b.DesiredHealthy && b.DesiredHealthy > 0)
}

// neverBudgets are budgets that nobody can meet by waiting.
func (p *Plan) neverBudgets() []Problem {
	var out []Problem
	for _, b := range p.Budgets {
		held := slices.DeleteFunc(p.protected(b), func(m Move) bool { return free(m, b) })
		if !b.Never() || len(held) == 0 {
			continue
		}
		x := Problem{
			Title: fmt.Sprintf("disruption budget %s can never be met: it holds %s", b.Ref, podsOf(held)),
			About: append([]sources.Ref{b.Ref}, refs(held)...),
			Why: fmt.Sprintf("%s of %s: with all %d healthy it still wants %d, so it allows no eviction, however long one waits",
				b.Asks(), plural(int(b.Expected), "pod"), b.Expected, b.DesiredHealthy),
			Ways: p.waysOutOfNever(b, held[0]),
		}
		out = append(out, x)
	}
	return out
}

// podsOf names pods by what makes them.
func podsOf(moves []Move) string {
	names, _ := groups(moves)
	return listed(names, 3)
}

func (p *Plan) waysOutOfNever(b sources.Budget, m Move) []Way {
	if m.Leads != "" {
		return []Way{{
			Text:    "CloudNativePG keeps its primary: let the operator switch over to a replica on another node that is not cordoned, then plan again",
			Command: sources.Typed("kubectl", "cnpg", "promote", m.Leads, "-n", m.Namespace),
		}}
	}
	var out []Way
	if strings.HasPrefix(b.Ref.Name, "instance-manager") {
		out = append(out, Way{Text: "Longhorn keeps the last replica of a volume: give the volume a replica elsewhere, or set its node-drain-policy to allow-if-replica-is-stopped"})
	}
	if m.Owner.Kind == "Deployment" || m.Owner.Kind == "StatefulSet" {
		out = append(out, Way{
			Text:    "run one more, so that one may go (back again afterwards)",
			Command: sources.Typed("kubectl", "scale", kubectlKind(m.Owner), "-n", m.Namespace, fmt.Sprintf("--replicas=%d", max(m.Replicas, b.Expected)+1)),
		})
	}
	if m.Owner.Kind == "Deployment" {
		out = append(out, Way{
			Text:    "cordon the node, then restart the Deployment: the new pod starts elsewhere before the old one goes, and plan again",
			Command: sources.Typed("kubectl", "cordon", p.Node) + " && " + sources.Typed("kubectl", "rollout", "restart", kubectlKind(m.Owner), "-n", m.Namespace),
		})
	}
	return append(out, Way{
		Text:    "let the budget allow one to be away (maxUnavailable: 1), and plan again",
		Command: sources.Typed("kubectl", "edit", "pdb", b.Ref.Name, "-n", b.Ref.Namespace),
	})
}

// twoBudgets are pods that the eviction API refuses to touch.
func (p *Plan) twoBudgets() []Problem {
	var held []Move
	for _, m := range p.Moves {
		if (m.Fate == Evict || m.Fate == Delete) && m.Running && len(m.Budgets) > 1 {
			held = append(held, m)
		}
	}
	names, by := groups(held)
	var out []Problem
	for _, who := range names {
		m := by[who][0]
		out = append(out, Problem{
			Title: fmt.Sprintf("%s: %d disruption budgets select its pods (%s)", who, len(m.Budgets), strings.Join(m.Budgets, ", ")),
			About: refs(by[who]),
			Why:   "the API server evicts no pod that more than one budget selects: it answers 500, each time",
			Ways: []Way{{
				Text:    "narrow the selector of one of them, or delete the one that is not meant, and plan again",
				Command: sources.Typed("kubectl", "get", "pdb", "-n", m.Namespace, "-o", "wide"),
			}},
		})
	}
	return out
}

// noRoom is for what would stay Pending for want of room.
func (p *Plan) noRoom(o sources.Occupancy, homeless []int) []Problem {
	open := slices.ContainsFunc(o.Rooms, func(r sources.Room) bool { return r.Open })
	moving := p.Count(Evict)
	if !open && moving > 0 {
		return []Problem{{
			Title: fmt.Sprintf("no other node takes pods: %s would have nowhere to go", plural(moving, "pod")),
			Why:   "every other node is cordoned or not Ready, or there is none",
			Ways: []Way{
				{Text: "uncordon or repair another node first", Command: "kubectl get nodes"},
				{Text: "go on all the same: they stay Pending until a node takes them"},
			},
			Accept: acceptPending,
		}}
	}
	if len(homeless) == 0 {
		return nil
	}
	var moves []Move
	var cpu, memory int64
	for _, i := range homeless {
		moves = append(moves, p.Moves[i])
		cpu, memory = cpu+p.Moves[i].CPU, memory+p.Moves[i].Memory
	}
	return []Problem{{
		Title: fmt.Sprintf("no room elsewhere for %s: %s", plural(len(moves), "pod"), podsOf(moves)),
		About: refs(moves),
		Why: fmt.Sprintf("they request %d m CPU and %s memory together, more than the nodes that may take them have free (a first approximation: requests against free allocatable)",
			cpu, sources.Bytes(float64(memory))),
		Ways: []Way{
			{Text: "scale down what can wait, or add a node", Command: "kubectl describe nodes | grep -A8 'Allocated resources'"},
			{Text: "go on all the same: they stay Pending until there is room"},
		},
		Accept: acceptPending,
	}}
}

// orphans are deleted for ever.
func (p *Plan) orphans() []Problem {
	var gone []Move
	for _, m := range p.Moves {
		if m.Fate == Delete {
			gone = append(gone, m)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	m := gone[0]
	return []Problem{{
		Title: fmt.Sprintf("%s would be deleted for ever: %s", plural(len(gone), "pod"), podsOf(gone)),
		About: refs(gone),
		Why:   "no controller makes them again: what they are and hold is gone with them",
		Ways: []Way{
			{Text: "keep what they are, to make them again elsewhere", Command: sources.Typed("kubectl", "get", "pod", m.Name, "-n", m.Namespace, "-o", "yaml")},
			{Text: "go on all the same: they are deleted (kubectl calls it --force)"},
		},
		Accept: acceptForce,
	}}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// span is a duration in words of the house.
func span(d time.Duration) string { return sources.Span(d) }
