package main

import (
	"strings"
	"testing"
	"time"

	coordination "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
)

// heldBy writes the cluster's lease as somebody's who gave the last sign of
// life some time ago.
func (u *upgrading) heldBy(who string, ago time.Duration) {
	u.t.Helper()
	leases := admin(u.t, u.w).CoordinationV1().Leases(sources.DefaultSettings().LeaseNamespace)
	seen := metav1.NewMicroTime(time.Now().Add(-ago))
	lease := &coordination.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: "daytwo", Annotations: map[string]string{"daytwo/run": "20251122T150431Z-drain-abcdef"}},
		Spec:       coordination.LeaseSpec{HolderIdentity: &who, AcquireTime: &seen, RenewTime: &seen, LeaseDurationSeconds: new(int32(60))},
	}
	_ = leases.Delete(u.t.Context(), "daytwo", metav1.DeleteOptions{}) // there may be none
	if _, err := leases.Create(u.t.Context(), lease, metav1.CreateOptions{}); err != nil {
		u.t.Fatal(err)
	}
}

// TestTakeOverByKeys: a holder that lives is waited for; from one that gave no
// sign of life the cluster is taken over by its name, unless it came back
// meanwhile.
func TestTakeOverByKeys(t *testing.T) {
	u := upgradeWorld(t)
	term := u.screen()
	cordon := func(comes ...string) {
		t.Helper()
		term.Keys("c")
		term.Wait("the question", shows("Cordon worker-0", "enter cordon"))
		term.Keys("\r")
		term.Wait("what comes of it", shows(comes...))
	}
	u.heldBy("bob@desk", 0)
	term.Keys("1j")
	term.Wait("the key on a node", shows("c cordon"))
	cordon("Cordon worker-0: not started", "held by bob@desk", "20251122T150431Z-drain-abcdef", "wait until that run is through")
	if strings.Contains(term.Screen(), "take over") {
		t.Errorf("it is offered to take over from one that lives:\n%s", term.Screen())
	}
	term.Keys("\r")
	term.Wait("the cockpit", shows("c cordon", "1 Nodes"))

	u.heldBy("bob@desk", 10*time.Minute)
	cordon("Take over from bob@desk", "gave no sign of life", "two runs would change the cluster at once", "type bob@desk to take over")
	term.Keys("bob\r")
	term.Wait("no name, no take-over", shows("type bob@desk to go on"))
	u.heldBy("bob@desk", 0)
	term.Keys("@desk\r")
	term.Wait("that he came back", shows("taking over from bob@desk: the cluster is held by bob@desk"))
	if n := len(u.s.runner.Runs()); n != 0 {
		t.Errorf("%d runs were begun", n)
	}

	u.heldBy("bob@desk", 10*time.Minute)
	cordon("Take over from bob@desk")
	term.Keys("bob@desk\r")
	term.Wait("the run at its end", shows("Cordon worker-0", "✔ done"))
	lease, err := admin(t, u.w).CoordinationV1().Leases(sources.DefaultSettings().LeaseNamespace).Get(t.Context(), "daytwo", metav1.GetOptions{})
	if err != nil || lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity == "bob@desk" {
		t.Errorf("the lease is %+v (%v)", lease.Spec, err)
	}
}
