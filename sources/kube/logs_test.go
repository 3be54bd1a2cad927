package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
	"daytwo/sources/demo"
)

// paper keeps what a log was handed on as, and lets a test wait for it.
type paper struct {
	mu    sync.Mutex
	lines []string
	notes []string
	more  chan struct{}
}

func newPaper() *paper { return &paper{more: make(chan struct{}, 1)} }

func (p *paper) Line(text []byte) {
	p.mu.Lock()
	p.lines = append(p.lines, string(text))
	p.mu.Unlock()
}

func (p *paper) Note(text string) {
	p.mu.Lock()
	p.notes = append(p.notes, text)
	p.mu.Unlock()
	p.Pause()
}

func (p *paper) Pause() {
	select {
	case p.more <- struct{}{}:
	default:
	}
}

func (p *paper) read() (lines, notes []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines...), append([]string(nil), p.notes...)
}

// wait returns once ok says so of the lines and notes so far.
func (p *paper) wait(t *testing.T, what string, ok func(lines, notes []string) bool) {
	t.Helper()
	limit := time.NewTimer(20 * time.Second) // only a failing test gets there
	defer limit.Stop()
	for {
		lines, notes := p.read()
		if ok(lines, notes) {
			return
		}
		select {
		case <-p.more:
		case <-limit.C:
			t.Fatalf("never seen: %s; %d lines, the last %q, notes %q", what, len(lines), lines[max(0, len(lines)-3):], notes)
		}
	}
}

func count(n int) func(lines, notes []string) bool {
	return func(lines, _ []string) bool { return len(lines) >= n }
}

// running makes a pod that runs.
func (b *bench) running(name string) {
	b.t.Helper()
	b.addPod(name, nil)
	pods := b.admin.CoreV1().Pods(namespace)
	p, err := pods.Get(b.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	p.Status = core.PodStatus{Phase: core.PodRunning, ContainerStatuses: []core.ContainerStatus{{
		Name: "app", ContainerID: "containerd://first", State: core.ContainerState{Running: &core.ContainerStateRunning{StartedAt: metav1.Now()}},
	}}}
	if _, err := pods.UpdateStatus(b.t.Context(), p, metav1.UpdateOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

// write lets the pod's container write numbered lines.
func (b *bench) write(pod string, from, to int) {
	b.t.Helper()
	var lines []string
	for i := from; i < to; i++ {
		lines = append(lines, fmt.Sprintf("line %06d", i))
	}
	if err := b.WriteLog(namespace, pod, "app", lines...); err != nil {
		b.t.Fatal(err)
	}
}

// follow reads a log until the test ends; the channel has how it ended.
func (b *bench) follow(ask sources.LogAsk) (*paper, <-chan error, context.CancelFunc) {
	b.t.Helper()
	return b.followAs("admin", ask)
}

func (b *bench) followAs(user string, ask sources.LogAsk) (*paper, <-chan error, context.CancelFunc) {
	b.t.Helper()
	ask.Pod.Kind, ask.Pod.Namespace, ask.Container = "Pod", namespace, "app"
	p, ended := newPaper(), make(chan error, 1)
	c := b.connect(user)
	ctx, cancel := context.WithCancel(b.t.Context())
	go func() { ended <- c.Log(ctx, ask, p) }()
	b.t.Cleanup(cancel)
	return p, ended, cancel
}

func each(t *testing.T, p *paper, n int) {
	t.Helper()
	lines, notes := p.read()
	for i, l := range lines {
		if want := fmt.Sprintf("line %06d", i); l != want {
			t.Fatalf("line %d is %q, want %q (of %d; notes %q)", i, l, want, len(lines), notes)
		}
	}
	if len(lines) != n {
		t.Fatalf("%d lines, want %d", len(lines), n)
	}
}

// TestLogLosesAndRepeatsNothing over broken connections and an API server
// that is away, while many lines bear the same time.
func TestLogLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{})
	b.running("api")
	b.write("api", 0, 5000)
	p, ended, cancel := b.follow(sources.LogAsk{Pod: sources.Ref{Name: "api"}, Follow: true})
	n := 5000
	for round := range 6 {
		p.wait(t, "all lines so far", count(n))
		switch round % 2 {
		case 0:
			b.CutLogs()
		default:
			b.StopServer()
			b.write("api", n, n+100)
			n += 100
			p.wait(t, "that the server is away", func(_, notes []string) bool { return strings.Contains(strings.Join(notes, "\n"), "trying again") })
			if err := b.StartServer(); err != nil {
				t.Fatal(err)
			}
		}
		b.write("api", n, n+1000)
		n += 1000
	}
	p.wait(t, "the last line", count(n))
	each(t, p, n)
	_, notes := p.read()
	if all := strings.Join(notes, "\n"); !strings.Contains(all, "nothing is lost by that") || !strings.Contains(all, "connected again") {
		t.Errorf("notes: %q", notes)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

// TestLogGoesOnAfterARestart, with what the run before wrote last, also if
// the restart came while the connection was lost, and ends with the pod.
func TestLogGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{})
	b.running("api")
	b.write("api", 0, 10)
	p, ended, _ := b.follow(sources.LogAsk{Pod: sources.Ref{Name: "api"}, Follow: true})
	p.wait(t, "the first run", count(10))
	restart := func() {
		if err := b.RestartContainer(namespace, "api", "app", 137); err != nil {
			t.Fatal(err)
		}
	}
	b.write("api", 10, 20)
	restart()
	b.write("api", 20, 30)
	p.wait(t, "the second run", count(30))
	b.StopServer()
	b.write("api", 30, 40)
	restart()
	b.write("api", 40, 50)
	if err := b.StartServer(); err != nil {
		t.Fatal(err)
	}
	p.wait(t, "the third run", count(50))
	each(t, p, 50)
	b.write("api", 50, 60)
	if err := b.admin.CoreV1().Pods(namespace).Delete(t.Context(), "api", metav1.DeleteOptions{GracePeriodSeconds: new(int64)}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	each(t, p, 60)
	_, notes := p.read()
	all := strings.Join(notes, "\n")
	for _, want := range []string{"the container restarted; it had ended with exit code 137, Error", "the pod is gone"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in the notes %q", want, notes)
		}
	}
}

// TestLogWithoutThePod: who may read logs but not pods still reads on over a
// broken connection and a restart, is told what cannot be told, and an end of
// the pod is not made up.
func TestLogWithoutThePod(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{ViewerRules: []rbac.PolicyRule{{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"pods/log"}}}})
	b.running("api")
	b.write("api", 0, 10)
	p, ended, _ := b.followAs("viewer", sources.LogAsk{Pod: sources.Ref{Name: "api"}, UID: "some", Follow: true})
	p.wait(t, "the first lines", count(10))
	b.CutLogs()
	b.write("api", 10, 20)
	p.wait(t, "what came after the cut", count(20))
	if err := b.RestartContainer(namespace, "api", "app", 1); err != nil {
		t.Fatal(err)
	}
	b.write("api", 20, 30)
	p.wait(t, "the second run", count(30))
	_, notes := p.read()
	all := strings.Join(notes, "\n")
	const want = "no permission to get pods: it cannot be told whether this container ended or restarts, so its log is asked for again and again"
	if strings.Count(all, want) != 1 || strings.Contains(all, "gone") {
		t.Errorf("notes %q, want %q once", notes, want)
	}
	if err := b.admin.CoreV1().Pods(namespace).Delete(t.Context(), "api", metav1.DeleteOptions{GracePeriodSeconds: new(int64)}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	each(t, p, 30)
	if _, notes := p.read(); notes[len(notes)-1] != "the pod is gone" {
		t.Errorf("notes: %q", notes)
	}
}

// TestLogOfAnotherPodOfTheName is not taken for a restart: a StatefulSet's pod
// that is made anew has a log of its own.
func TestLogOfAnotherPodOfTheName(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{})
	pods := b.admin.CoreV1().Pods(namespace)
	b.running("api")
	b.write("api", 0, 10)
	first, err := pods.Get(t.Context(), "api", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ask := sources.LogAsk{Pod: sources.Ref{Name: "api"}, UID: string(first.UID), Follow: true}
	p, ended, _ := b.follow(ask)
	p.wait(t, "the first lines", count(10))
	if err := pods.Delete(t.Context(), "api", metav1.DeleteOptions{GracePeriodSeconds: new(int64)}); err != nil {
		t.Fatal(err)
	}
	b.running("api")
	b.write("api", 50, 60)
	late, lateEnded, _ := b.follow(ask)
	for _, end := range []<-chan error{ended, lateEnded} {
		if err := <-end; err != nil {
			t.Errorf("ended with %v", err)
		}
	}
	each(t, p, 10)
	each(t, late, 0)
	for _, p := range []*paper{p, late} {
		if _, notes := p.read(); len(notes) != 1 || notes[0] != "the pod is gone" {
			t.Errorf("notes: %q", notes)
		}
	}
}

// TestLogParts: the run before, the last lines, and what cannot be had.
func TestLogParts(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{})
	b.running("api")
	b.write("api", 0, 10)
	ask := sources.LogAsk{Pod: sources.Ref{Name: "api"}}
	ask.Previous = true
	_, ended, _ := b.follow(ask)
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "previous terminated container") {
		t.Errorf("there is no run before: %v", err)
	}
	if err := b.RestartContainer(namespace, "api", "app", 1); err != nil {
		t.Fatal(err)
	}
	b.write("api", 10, 30)
	for _, c := range []struct {
		ask  sources.LogAsk
		want string
		n    int
	}{
		{sources.LogAsk{Previous: true}, "line 000000", 10},
		{sources.LogAsk{}, "line 000010", 20},
		{sources.LogAsk{Tail: 3}, "line 000027", 3},
		{sources.LogAsk{Since: time.Hour}, "line 000010", 20},
	} {
		c.ask.Pod = sources.Ref{Name: "api"}
		p, ended, _ := b.follow(c.ask)
		if err := <-ended; err != nil {
			t.Errorf("%+v: %v", c.ask, err)
		}
		if lines, _ := p.read(); len(lines) != c.n || lines[0] != c.want {
			t.Errorf("%+v: %d lines: %q", c.ask, len(lines), lines)
		}
	}
	_, ended, _ = b.follow(sources.LogAsk{Pod: sources.Ref{Name: "nobody"}, Follow: true})
	if err := <-ended; err == nil || !strings.Contains(err.Error(), `"nobody" not found`) {
		t.Errorf("no such pod: %v", err)
	}
	defer b.Fault(demo.Fault{Resource: "pods", Subresource: "log", Code: 403})()
	_, ended, _ = b.follow(sources.LogAsk{Pod: sources.Ref{Name: "api"}, Follow: true})
	if err := <-ended; err == nil || err.Error() != "no permission to get pods/log" {
		t.Errorf("forbidden: %v", err)
	}
}

// TestLogFromItsLastLines: what is older than them does not come after a broken
// connection, though it was written in the same second.
func TestLogFromItsLastLines(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{})
	b.running("api")
	b.write("api", 9000, 9500)
	b.write("api", 0, 10)
	p, _, _ := b.follow(sources.LogAsk{Pod: sources.Ref{Name: "api"}, Follow: true, Tail: 10})
	p.wait(t, "the last lines", count(10))
	b.CutLogs()
	p.wait(t, "that it is read again", func(_, notes []string) bool { return len(notes) == 2 })
	b.write("api", 10, 20)
	p.wait(t, "what is new", count(20))
	each(t, p, 20)
}

// BenchmarkLog is how many lines a second come from an API server.
func BenchmarkLog(b *testing.B) {
	const lines = 200_000
	w, err := demo.Start(b.Context(), demo.Options{Scenario: demo.Healthy, Tick: make(chan time.Time)})
	if err != nil {
		b.Fatal(err)
	}
	c := clientOf(b, w)
	pod, text := somePod(b, c), make([]string, lines)
	for i := range text {
		text[i] = fmt.Sprintf("2025-11-22T15:04:31Z level=info msg=\"request served\" id=%08d ms=12", i)
	}
	if err := w.WriteLog(pod.Namespace, pod.Name, pod.Spec.Containers[0].Name, text...); err != nil {
		b.Fatal(err)
	}
	ask := sources.LogAsk{Pod: sources.Ref{Namespace: pod.Namespace, Name: pod.Name}, Container: pod.Spec.Containers[0].Name}
	for b.Loop() {
		n := counter(0)
		if err := c.Log(b.Context(), ask, &n); err != nil || int(n) != lines {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(lines*b.N)/b.Elapsed().Seconds(), "lines/s")
}

type counter int

func (n *counter) Line([]byte) { *n++ }
func (*counter) Note(string)   {}
func (*counter) Pause()        {}

func clientOf(tb testing.TB, w *demo.World) *Client {
	tb.Helper()
	raw, err := w.Kubeconfig("admin")
	if err != nil {
		tb.Fatal(err)
	}
	c, err := Connect(Options{Kubeconfig: file(tb, raw)})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func somePod(tb testing.TB, c *Client) core.Pod {
	tb.Helper()
	pods, err := c.set.CoreV1().Pods("").List(tb.Context(), metav1.ListOptions{FieldSelector: "status.phase=Running"})
	if err != nil || len(pods.Items) == 0 {
		tb.Fatal(len(pods.Items), err)
	}
	return pods.Items[0]
}
