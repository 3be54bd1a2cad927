package upgrade

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// Working is a workload as it was before the run.
type Working struct {
	Ref     sources.Ref `json:"ref"`
	Desired int32       `json:"desired"`
	Ready   int32       `json:"ready"`
	// Unsteady workloads restart by themselves, as rules restarts.* found or as
	// they do now: how many pods were ready at one moment tells nothing of the
	// next.
	Unsteady bool `json:"unsteady,omitempty"`
}

// baseline keeps how the workloads are before anything is touched.
func (k *Kit) baseline(ctx context.Context, s *sources.Snapshot, p *Plan) error {
	works, err := k.Cluster.Workloads(ctx)
	if err != nil {
		return fmt.Errorf("looking at the workloads as they are before: %w", err)
	}
	looping := loops(s.Pods.Value, k.now())
	for _, x := range works {
		unsteady := looping[x.Ref] || slices.ContainsFunc(s.Judged.Restarts, func(r sources.RestartStory) bool {
			return r.About == x.Ref && r.Severity >= sources.Warning
		})
		p.Working = append(p.Working, Working{x.Ref, x.Desired, x.Ready, unsteady})
	}
	pods, err := k.Cluster.Pods(ctx)
	if err != nil {
		return fmt.Errorf("looking at the pods as they are before: %w", err)
	}
	for _, x := range pods {
		if configError(x) {
			p.Sick = append(p.Sick, x.Ref().String())
		}
	}
	return nil
}

// longestBackOff is how long the kubelet waits at most before it starts a
// container again that ended by itself (its CrashLoopBackOff; the Kubernetes
// documentation on the lifecycle of pods).
const longestBackOff = 5 * time.Minute

// loops are the owners of pods that end again and again just now, also those
// that are too young for a rule on restarts in an hour: a container that ended
// before and did so again within twice the longest back-off.
func loops(pods []sources.Pod, now time.Time) map[sources.Ref]bool {
	out := map[sources.Ref]bool{}
	for _, p := range pods {
		for _, c := range p.Containers {
			ended := c.Last.Finished
			if c.State == "terminated" {
				ended = c.Since
			}
			if c.Restarts > 1 && now.Sub(ended) < 2*longestBackOff {
				out[p.Owner] = true
			}
		}
	}
	return out
}

// unsteady names the workloads whose readiness cannot be compared.
func (p Plan) unsteady() []string {
	var out []string
	for _, x := range p.Working {
		if x.Unsteady {
			out = append(out, x.Ref.String())
		}
	}
	return out
}

// wasWell reports whether a workload had all its pods before, and keeps them.
func (p Plan) wasWell(ref sources.Ref) bool {
	i := slices.IndexFunc(p.Working, func(x Working) bool { return x.Ref == ref })
	return i < 0 || p.Working[i].Ready >= p.Working[i].Desired && !p.Working[i].Unsteady
}

// fewer are the workloads that have fewer ready pods than before, and fewer
// than they want now. Those that are stranded cannot have more.
func (p Plan) fewer(now []sources.Workload, stranded func(sources.Ref) bool) []string {
	by := map[sources.Ref]sources.Workload{}
	for _, x := range now {
		by[x.Ref] = x
	}
	var out []string
	for _, was := range p.Working {
		is, ok := by[was.Ref]
		if !ok || was.Unsteady || is.Ready >= min(was.Ready, is.Desired) || stranded(was.Ref) {
			continue // one that was deleted meanwhile is somebody's wish
		}
		out = append(out, fmt.Sprintf("%s %s has %d of %d ready, %d before", strings.ToLower(was.Ref.Kind), was.Ref, is.Ready, is.Desired, was.Ready))
	}
	return out
}
