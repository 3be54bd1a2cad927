package drain_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"

	"daytwo/actions"
	"daytwo/actions/drain"
	"daytwo/sources/demo"
	"daytwo/sources/kube"
)

// clock is the world's time, which tests let pass as fast as the machine can.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// After wakes early: the evictor looks at the time itself.
func (*clock) After(time.Duration) <-chan time.Time { return time.After(2 * time.Millisecond) }

// trial is a demo world, an operator of it, and what a drain said.
type trial struct {
	*testing.T

	world *demo.World
	clock *clock
	op    *kube.Operator
	admin kubernetes.Interface
	board *drain.Board
	out   *tape
}

// tape is a stream that may be read while it is written.
type tape struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tape) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.Write(p)
}

func (t *tape) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

func client(t *testing.T, w *demo.World, user string) *kube.Client {
	t.Helper()
	raw, err := w.Kubeconfig(user)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err = os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := kube.Connect(kube.Options{Kubeconfig: file})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// begin opens the healthy world, in which nothing moves before passes.
func begin(t *testing.T) *trial {
	t.Helper()
	x := &trial{T: t, clock: &clock{now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}, board: drain.NewBoard(), out: &tape{}}
	var err error
	x.world, err = demo.Start(t.Context(), demo.Options{Scenario: demo.Healthy, Clock: x.clock.Now, Tick: make(chan time.Time)})
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, x.world, "admin")
	if x.op, err = c.Operator(); err != nil {
		t.Fatal(err)
	}
	if x.admin, err = c.ForChanges(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		x.clock.add(time.Second)
		x.world.Step()
	}
	return x
}

// passes lets time pass until the test ends.
func (x *trial) passes() {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				x.clock.add(250 * time.Millisecond)
				x.world.Step()
			}
		}
	})
	x.Cleanup(func() { cancel(); done.Wait() })
}

// empty evicts what a plan takes away, beside the test.
func (x *trial) empty(ctx context.Context, node string) <-chan error {
	x.Helper()
	pods, err := x.op.Leaving(ctx, node)
	if err != nil {
		x.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- drain.Empty(ctx, x.op, node, pods, x.out, drain.WithClock(x.clock), drain.Showing(x.board, "run"))
	}()
	return done
}

func (x *trial) cordon(node string) {
	x.Helper()
	if _, err := x.op.Cordon(x.Context(), node, true); err != nil {
		x.Fatal(err)
	}
}

// ends waits for an end, with a bound against a test that hangs.
func (x *trial) ends(done <-chan error) error {
	x.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(20 * time.Second):
		x.Fatalf("it does not end; it said:\n%s", x.out)
		return nil
	}
}

// says waits until the stream has some words.
func (x *trial) says(words string) {
	x.Helper()
	x.until("the stream says "+words, func() bool { return strings.Contains(x.out.String(), words) })
}

func (x *trial) until(what string, ok func() bool) {
	x.Helper()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			x.Fatalf("not seen: %s; the stream:\n%s", what, x.out)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// onNode are the pods on a node that a drain would take.
func (x *trial) onNode(node string) []string {
	x.Helper()
	left, err := x.op.Leaving(x.Context(), node)
	if err != nil {
		x.Fatal(err)
	}
	var out []string
	for _, t := range left {
		out = append(out, t.String())
	}
	return out
}

// pod makes a running pod on a node, with what change says.
func (x *trial) pod(ns, name, node string, change func(*core.Pod)) *core.Pod {
	x.Helper()
	p := &core.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name, Labels: map[string]string{"solo": name}},
		Spec: core.PodSpec{NodeName: node, Containers: []core.Container{{
			Name: "main", Image: "busybox",
		}}},
	}
	if change != nil {
		change(p)
	}
	out, err := x.admin.CoreV1().Pods(ns).Create(x.Context(), p, metav1.CreateOptions{})
	if err != nil {
		x.Fatal(err)
	}
	for range 20 {
		x.clock.add(time.Second)
		x.world.Step()
	}
	return out
}

// budget makes a disruption budget and lets it be counted.
func (x *trial) budget(ns, name string, match map[string]string, least, most string) {
	x.Helper()
	b := &policy.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name},
		Spec:       policy.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: match}},
	}
	for text, to := range map[string]**intstr.IntOrString{least: &b.Spec.MinAvailable, most: &b.Spec.MaxUnavailable} {
		if text != "" {
			n := intstr.Parse(text)
			*to = &n
		}
	}
	if _, err := x.admin.PolicyV1().PodDisruptionBudgets(ns).Create(x.Context(), b, metav1.CreateOptions{}); err != nil {
		x.Fatal(err)
	}
	x.world.Step()
	x.world.Step()
}

var _ actions.Action = (*drain.Action)(nil)

func (x *trial) patchBudget(ns, name, patch string) {
	x.Helper()
	if _, err := x.admin.PolicyV1().PodDisruptionBudgets(ns).Patch(x.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		x.Fatal(err)
	}
}

func (x *trial) scale(ns, name string, to int32) {
	x.Helper()
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, to)
	if _, err := x.admin.AppsV1().Deployments(ns).Patch(x.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		x.Fatal(err)
	}
	for range 20 {
		x.clock.add(time.Second)
		x.world.Step()
	}
}
