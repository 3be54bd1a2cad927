package drain

import (
	"slices"

	"daytwo/sources"
)

// place finds room for each pod that moves, the largest first, and returns
// those for which there is none though some node would take them. It is a
// first approximation: requests against what is free of allocatable, without
// spread, preferences, priorities and what else starts meanwhile.
func (p *Plan) place(rooms []sources.Room) (homeless []int) {
	free := slices.DeleteFunc(slices.Clone(rooms), func(r sources.Room) bool { return !r.Open })
	order := make([]int, 0, len(p.Moves))
	for i, m := range p.Moves {
		if m.Fate == Evict {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return int(p.Moves[b].Memory>>20-p.Moves[a].Memory>>20) + int(p.Moves[b].CPU-p.Moves[a].CPU)
	})
	for _, i := range order {
		m := &p.Moves[i]
		best := -1
		for j, r := range free {
			if slices.Contains(m.Fits, r.Node) && holds(r, m.Tenant) && (best < 0 || r.Memory > free[best].Memory) {
				best = j
			}
		}
		if best < 0 {
			if len(m.Fits) > 0 {
				homeless = append(homeless, i)
			}
			continue
		}
		r := &free[best]
		m.To = r.Node
		r.CPU, r.Memory, r.Pods = r.CPU-m.CPU, r.Memory-m.Memory, r.Pods-1
		r.Ports = append(slices.Clone(r.Ports), m.Ports...)
	}
	slices.Sort(homeless)
	return homeless
}

// holds reports whether a node has room for a pod.
func holds(r sources.Room, t sources.Tenant) bool {
	taken := slices.ContainsFunc(t.Ports, func(p int32) bool { return slices.Contains(r.Ports, p) })
	return r.CPU >= t.CPU && r.Memory >= t.Memory && r.Pods >= 1 && !taken
}
