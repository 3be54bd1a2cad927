package upgrade_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"daytwo/actions/upgrade"
	"daytwo/sources"
)

// TestFewerReadyThanBefore: what was steady must be as before; what restarted
// by itself before is named and not compared.
func TestFewerReadyThanBefore(t *testing.T) {
	t.Parallel()
	ref := func(name string) sources.Ref { return sources.Ref{Kind: "Deployment", Namespace: "shop", Name: name} }
	p := upgrade.Plan{Working: []upgrade.Working{
		{Ref: ref("web"), Desired: 3, Ready: 3},
		{Ref: ref("api"), Desired: 2, Ready: 1},
		{Ref: ref("gone"), Desired: 1, Ready: 1},
		{Ref: ref("looping"), Desired: 1, Ready: 1, Unsteady: true},
	}}
	now := []sources.Workload{{Ref: ref("web"), Desired: 3, Ready: 2}, {Ref: ref("api"), Desired: 2, Ready: 1}, {Ref: ref("looping"), Desired: 1}}
	if got, want := upgrade.Fewer(p, now), []string{"deployment shop/web has 2 of 3 ready, 3 before"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	told := slices.ContainsFunc(p.Problems(), func(x upgrade.Problem) bool {
		return x.Severity == sources.Warning && strings.Contains(x.Text, "cannot be told: shop/looping")
	})
	if !told {
		t.Errorf("the plan does not say what cannot be compared: %+v", p.Problems())
	}
}

// TestYoungLoops: a pod that was made minutes ago may be in a loop before a
// rule on an hour says so; one restart, or one of yesterday, is no loop.
func TestYoungLoops(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 11, 22, 15, 0, 0, 0, time.UTC)
	pod := func(name string, c sources.Container) sources.Pod {
		return sources.Pod{Owner: sources.Ref{Kind: "Deployment", Namespace: "shop", Name: name}, Containers: []sources.Container{{Name: "sidecar", State: "running"}, c}}
	}
	ended := func(ago time.Duration) sources.Termination { return sources.Termination{Finished: now.Add(-ago)} }
	got := upgrade.Loops([]sources.Pod{
		pod("eating", sources.Container{Restarts: 2, State: "running", Last: ended(time.Minute)}),
		pod("backing-off", sources.Container{Restarts: 9, State: "waiting", Last: ended(5 * time.Minute)}),
		pod("just-ended", sources.Container{Restarts: 3, State: "terminated", Since: now, Last: ended(20 * time.Minute)}),
		pod("once", sources.Container{Restarts: 1, State: "running", Last: ended(time.Minute)}),
		pod("calmed", sources.Container{Restarts: 9, State: "running", Last: ended(11 * time.Minute)}),
		pod("never", sources.Container{State: "running"}),
	}, now)
	var names []string
	for ref := range got {
		names = append(names, ref.Name)
	}
	slices.Sort(names)
	if want := []string{"backing-off", "eating", "just-ended"}; !slices.Equal(names, want) {
		t.Errorf("in a loop are %v, want %v", names, want)
	}
}
