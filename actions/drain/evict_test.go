package drain_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"daytwo/actions/drain"
	"daytwo/sources"
	"daytwo/sources/demo"
)

// TestEmptyMovesEverything: the pods go, in kubectl's words, and their
// successors run elsewhere.
func TestEmptyMovesEverything(t *testing.T) {
	t.Parallel()
	x := begin(t)
	x.cordon("worker-0")
	before := x.onNode("worker-0")
	x.passes()
	if err := x.ends(x.empty(t.Context(), "worker-0")); err != nil {
		t.Fatal(err)
	}
	if left := x.onNode("worker-0"); len(left) > 0 {
		t.Errorf("still there: %v", left)
	}
	for _, pod := range before {
		_, name, _ := strings.Cut(pod, "/")
		if out := x.out.String(); !strings.Contains(out, "evicting pod "+pod+"\n") || !strings.Contains(out, "pod/"+name+" evicted\n") {
			t.Errorf("nothing is said of %s in:\n%s", pod, out)
		}
	}
	p, ok := x.board.Of("run")
	if !ok || p.Gone != len(before) || p.Total != len(before) {
		t.Errorf("the board says %v", p)
	}
}

// TestEmptyWaitsForTheBudget: a budget that allows nothing is explained, asked
// no 540 times, and when it allows again the pod goes.
func TestEmptyWaitsForTheBudget(t *testing.T) {
	t.Parallel()
	x := begin(t)
	x.pod("shop", "lonely", "worker-0", nil)
	x.budget("shop", "guard", map[string]string{"solo": "lonely"}, "1", "")
	x.cordon("worker-0")
	x.passes()
	done := x.empty(t.Context(), "worker-0")
	x.says("pod shop/lonely waits: disruption budget guard needs 1 healthy and has 1")
	x.until("all others are gone", func() bool { p, _ := x.board.Of("run"); return p.Waits == 1 && p.Gone == p.Total-1 })
	if !strings.Contains(x.out.String(), "nobody can say how long") || !strings.Contains(x.out.String(), "never be met by waiting") {
		t.Errorf("an honest word is missing in:\n%s", x.out)
	}
	if n := strings.Count(x.out.String(), "guard needs"); n > 10 {
		t.Errorf("it is said %d times", n)
	}
	asked := x.world.Requests("create", "pods")
	x.patchBudget("shop", "guard", `{"spec":{"minAvailable":0}}`)
	if err := x.ends(done); err != nil {
		t.Fatal(err)
	}
	if asked > 60 {
		t.Errorf("%d evictions were asked for while the budget allowed none", asked)
	}
	if left := x.onNode("worker-0"); len(left) > 0 {
		t.Errorf("still there: %v", left)
	}
}

// TestEmptyGoesOneByOne: several pods of one budget go as fast as it allows.
func TestEmptyGoesOneByOne(t *testing.T) {
	t.Parallel()
	x := begin(t)
	x.scale("shop", "web", 8)
	x.cordon("worker-1")
	mine := 0
	for _, p := range x.onNode("worker-1") {
		if strings.HasPrefix(p, "shop/web-") {
			mine++
		}
	}
	if mine < 2 {
		t.Fatalf("only %d of shop/web are on worker-1", mine)
	}
	x.passes()
	if err := x.ends(x.empty(t.Context(), "worker-1")); err != nil {
		t.Fatal(err)
	}
	if left := x.onNode("worker-1"); len(left) > 0 {
		t.Errorf("still there: %v", left)
	}
}

// TestEmptyEndsAtOnceWhenCancelled: it says what moved and what did not.
func TestEmptyEndsAtOnceWhenCancelled(t *testing.T) {
	t.Parallel()
	x := begin(t)
	x.pod("shop", "lonely", "worker-0", nil)
	x.budget("shop", "guard", map[string]string{"solo": "lonely"}, "1", "")
	x.cordon("worker-0")
	x.passes()
	ctx, cancel := context.WithCancelCause(t.Context())
	done := x.empty(ctx, "worker-0")
	x.until("the others go", func() bool { p, ok := x.board.Of("run"); return ok && p.Waits == 1 })
	cancel(errors.New("stopped by ann"))
	began := time.Now()
	err := x.ends(done)
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s to end", took)
	}
	if err == nil || !strings.Contains(err.Error(), "stopped by ann") || !strings.Contains(err.Error(), "worker-0 stays cordoned") {
		t.Errorf("the error says %v", err)
	}
	for _, words := range []string{"not touched: 1: shop/lonely", "disruption budget guard needs 1"} {
		if !strings.Contains(x.out.String(), words) {
			t.Errorf("%q is missing in:\n%s", words, x.out)
		}
	}
}

// TestEmptySurvivesTheServer: an API server that is away for a moment ends
// nothing.
func TestEmptySurvivesTheServer(t *testing.T) {
	t.Parallel()
	x := begin(t)
	x.pod("shop", "lonely", "worker-0", nil)
	x.budget("shop", "guard", map[string]string{"solo": "lonely"}, "1", "")
	x.cordon("worker-0")
	x.passes()
	done := x.empty(t.Context(), "worker-0")
	x.says("pod shop/lonely waits")
	x.world.StopServer()
	x.says("refused the connection; trying again")
	if err := x.world.StartServer(); err != nil {
		t.Fatal(err)
	}
	var err error
	if x.admin, err = client(t, x.world, "admin").ForChanges(); err != nil { // the old one's connection is broken
		t.Fatal(err)
	}
	x.patchBudget("shop", "guard", `{"spec":{"minAvailable":0}}`)
	if err := x.ends(done); err != nil {
		t.Fatal(err)
	}
}

// TestEmptyRetriesWhatPasses and does not retry what never will.
func TestEmptyRetriesWhatPasses(t *testing.T) {
	t.Parallel()
	x := begin(t)
	x.cordon("worker-0")
	x.passes()
	lift := x.world.Fault(demo.Fault{Verb: "create", Resource: "pods", Subresource: "eviction", Code: 503})
	done := x.empty(t.Context(), "worker-0")
	x.says("trying again")
	lift()
	if err := x.ends(done); err != nil {
		t.Fatal(err)
	}
}

// TestEmptyRefusesTwoBudgets: the pod that two budgets select is named, with
// what helps; the others go all the same.
func TestEmptyRefusesTwoBudgets(t *testing.T) {
	t.Parallel()
	x := begin(t)
	x.pod("shop", "lonely", "worker-0", nil)
	x.budget("shop", "one", map[string]string{"solo": "lonely"}, "", "1")
	x.budget("shop", "two", map[string]string{"solo": "lonely"}, "", "1")
	x.cordon("worker-0")
	x.passes()
	err := x.ends(x.empty(t.Context(), "worker-0"))
	if err == nil || !strings.Contains(err.Error(), "shop/lonely") || !strings.Contains(err.Error(), "more than one") {
		t.Errorf("the error says %v", err)
	}
	if left := x.onNode("worker-0"); len(left) != 1 {
		t.Errorf("still there: %v", left)
	}
}

// TestEmptyLeavesTheSuccessor: a pod of the same name that is already made
// again on another node is not the one to evict.
func TestEmptyLeavesTheSuccessor(t *testing.T) {
	t.Parallel()
	x := begin(t)
	old := x.pod("shop", "db-9", "worker-0", nil)
	zero := int64(0)
	if err := x.admin.CoreV1().Pods("shop").Delete(t.Context(), "db-9", metav1.DeleteOptions{GracePeriodSeconds: &zero}); err != nil {
		t.Fatal(err)
	}
	successor := x.pod("shop", "db-9", "worker-1", nil)
	err := x.op.Evict(t.Context(), sources.Tenant{Namespace: "shop", Name: "db-9", UID: string(old.UID)}, false)
	refused, ok := errors.AsType[*sources.EvictionError](err)
	if !ok || refused.Why != sources.RefusedGone {
		t.Fatalf("evicting the one that is gone: %v", err)
	}
	x.passes()
	gone := sources.Tenant{Namespace: "shop", Name: "db-9", UID: string(old.UID), Goes: true}
	if err := drain.Empty(t.Context(), x.op, "worker-0", []sources.Tenant{gone}, x.out, drain.WithClock(x.clock)); err != nil {
		t.Fatal(err)
	}
	now, err := x.admin.CoreV1().Pods("shop").Get(t.Context(), "db-9", metav1.GetOptions{})
	if err != nil || now.UID != successor.UID || now.DeletionTimestamp != nil {
		t.Errorf("the successor: %v, %v", now, err)
	}
}

// TestEmptyHonoursGraceAndFinalizers: a pod that a finalizer holds is waited
// for, and the finalizer is named.
func TestEmptyHonoursGraceAndFinalizers(t *testing.T) {
	t.Parallel()
	x := begin(t)
	x.pod("shop", "held", "worker-0", func(p *core.Pod) { p.Finalizers = []string{"example.org/hold"} })
	x.cordon("worker-0")
	x.passes()
	done := x.empty(t.Context(), "worker-0")
	x.says("its finalizers hold it (example.org/hold)")
	if _, err := x.admin.CoreV1().Pods("shop").Patch(t.Context(), "held", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := x.ends(done); err != nil {
		t.Fatal(err)
	}
}
