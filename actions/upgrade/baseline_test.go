package upgrade_test

import (
	"slices"
	"strings"
	"testing"

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
