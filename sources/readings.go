package sources

import (
	"errors"
	"maps"
	"slices"
	"time"
)

// ReadingState is a reading without its value: what was looked at, when, and
// why it could not be looked at again.
type ReadingState struct {
	Name string
	At   time.Time // zero: never read
	Err  error
}

// Waiting reports that nothing has answered yet, neither well nor badly.
func (r ReadingState) Waiting() bool { return r.At.IsZero() && r.Err == nil }

// Readings lists every reading of the snapshot in a fixed order, the API's
// first, then each node's.
func (s *Snapshot) Readings() []ReadingState {
	out := []ReadingState{
		state("cluster", s.Cluster), state("nodes", s.Nodes), state("pods", s.Pods),
		state("workloads", s.Workloads), state("disruption budgets", s.Budgets),
		state("cron jobs", s.CronJobs), state("jobs", s.Jobs), state("ingresses", s.Ingresses),
		state("certificates", s.Certificates), state("TLS secrets", s.Secrets),
		state("events", s.Events), state("history", s.History),
	}
	return append(out, s.nodeReadings()...)
}

// nodeReadings has one entry for each known node, so that a node whose
// kubelet was not asked yet shows as waited for.
func (s *Snapshot) nodeReadings() []ReadingState {
	names := map[string]bool{}
	for _, n := range s.Nodes.Value {
		names[n.Name] = true
	}
	out := make([]ReadingState, 0, 2*len(names))
	for _, n := range slices.Sorted(maps.Keys(names)) {
		out = append(out, state("stats of "+n, s.Stats[n]), state("configuration of "+n, s.Configs[n]))
	}
	return out
}

func state[T any](name string, r Reading[T]) ReadingState {
	st := ReadingState{Name: name, At: r.At, Err: r.Err}
	if errors.Is(r.Err, ErrNotInstalled) {
		st.Err = nil // an answer, not a failure
		if st.At.IsZero() {
			st.At = time.Unix(0, 0)
		}
	}
	return st
}
