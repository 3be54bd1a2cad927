package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
	"daytwo/sources/demo"
)

// TestRestartStorm: 5,000 pods that restart within five seconds are a few
// publications, and the last one has them all.
func TestRestartStorm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, list := filled(5000)
		for _, f := range w.feeds {
			if f != &w.pods.feed {
				f.fail(sources.ErrNotInstalled)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		publications, snap := 0, &sources.Snapshot{}
		done.Go(func() {
			w.publish(ctx, func(edits ...sources.Edit) {
				publications++
				for _, e := range edits {
					e(snap)
				}
			})
		})
		for _, obj := range list {
			<-time.After(time.Millisecond)
			s, ok := obj.(*small)
			if !ok {
				t.Fatal("not small")
			}
			p, ok := s.value.(*pod)
			if !ok {
				t.Fatal("not a pod")
			}
			next := *p
			next.Containers = []sources.Container{{Name: "app", Restarts: 99}}
			_ = w.pods.Update(&small{ObjectMeta: s.ObjectMeta, value: &next})
		}
		<-time.After(2 * time.Second)
		cancel()
		done.Wait()
		if publications > 10 { // four in the first seconds, then one every two seconds, and the rest
			t.Errorf("%d publications", publications)
		}
		restarted := 0
		for _, p := range snap.Pods.Value {
			if p.Containers[0].Restarts == 99 {
				restarted++
			}
		}
		if restarted != 5000 {
			t.Errorf("the last publication has %d restarts of 5000", restarted)
		}
	})
}

// TestAStormOfPodEventsKeepsThoseOfNodes: a node's word about its disk or its
// certificates is older than thousands of back-offs.
func TestAStormOfPodEventsKeepsThoseOfNodes(t *testing.T) {
	t.Parallel()
	w, _ := filled(0)
	now := time.Unix(1_800_000_000, 0)
	add := func(kind string, n int, at time.Time) {
		for i := range n {
			name := fmt.Sprintf("%s-%d", kind, i)
			_ = w.warnings.Add(&small{
				ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
				value:      &sources.Event{About: sources.Ref{Kind: kind, Name: name}, Last: at.Add(time.Duration(i) * time.Second)},
			})
		}
	}
	add("Node", 3, now)
	add("Pod", mostEvents+100, now.Add(time.Hour))
	list := w.eventList()
	if len(list) != mostEvents+3 || list[0].About.Kind != "Pod" || list[len(list)-1].About.Name != "Node-0" {
		t.Errorf("%d events, first %v, last %v", len(list), list[0].About, list[len(list)-1].About)
	}
}

func TestInstalledLater(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{Scenario: demo.Incident})
	lift := b.Fault(demo.Fault{Resource: "certificates", Code: 404})
	b.look("admin")
	b.until("no cert-manager", func(s *sources.Snapshot) bool { return errors.Is(s.Certificates.Err, sources.ErrNotInstalled) })
	lift()
	b.until("certificates", func(s *sources.Snapshot) bool { return s.Certificates.Err == nil && len(s.Certificates.Value) > 0 })
	b.Fault(demo.Fault{Resource: "certificates", Code: 404})
	b.CloseWatches()
	b.until("cert-manager removed", func(s *sources.Snapshot) bool {
		return errors.Is(s.Certificates.Err, sources.ErrNotInstalled) && len(s.Certificates.Value) == 0
	})
}

// TestRefusedButAbsent: RBAC refuses before anybody looks whether a resource
// exists; a role that is silent on what is not installed lacks nothing.
func TestRefusedButAbsent(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{})
	b.Fault(demo.Fault{Resource: "certificates", Code: 403})
	b.look("admin")
	s := b.until("an answer", func(s *sources.Snapshot) bool { return s.Certificates.Err != nil })
	if !errors.Is(s.Certificates.Err, sources.ErrNotInstalled) {
		t.Errorf("said %v", s.Certificates.Err)
	}
}

// line is a TCP connection to a server that can be cut without a word, as by
// a router that forgot it: nothing is refused, nothing arrives.
type line struct {
	net.Listener

	to string

	mu   sync.Mutex
	dead map[net.Conn]bool // by either end
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out := &line{Listener: l, to: to, dead: map[net.Conn]bool{}}
	go out.serve(t.Context())
	t.Cleanup(func() { _ = l.Close() })
	return out
}

func (l *line) serve(ctx context.Context) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		far, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		l.mu.Lock()
		l.dead[near], l.dead[far] = false, false
		l.mu.Unlock()
		context.AfterFunc(ctx, func() { _ = near.Close(); _ = far.Close() })
		go l.pass(near, far)
		go l.pass(far, near)
	}
}

func (l *line) pass(from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		l.mu.Lock()
		dead := l.dead[from]
		l.mu.Unlock()
		if dead && err == nil {
			continue // swallowed
		}
		if dead {
			return
		}
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			_ = to.Close()
			return
		}
	}
}

// forget makes every open connection go nowhere; new ones work.
func (l *line) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.dead {
		l.dead[c] = true
	}
}

func TestDeadLineIsNoticed(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{})
	raw, err := b.Kubeconfig("admin")
	if err != nil {
		t.Fatal(err)
	}
	l := newLine(t, strings.TrimPrefix(b.URL(), "https://"))
	raw = []byte(strings.ReplaceAll(string(raw), b.URL(), "https://"+l.Addr().String()))
	b.client, err = Connect(Options{Kubeconfig: file(t, raw), ping: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	b.client.pace = quick()
	b.client.pace.timeout = 100 * time.Millisecond
	b.store = look(t, b.client)
	first := b.until("all readings", settled).Pods.At
	b.until("open watches", func(s *sources.Snapshot) bool { return s.Pods.At.After(first) })
	l.forget()
	b.addPod("unheard", nil)
	b.until("the pod over a new connection", func(s *sources.Snapshot) bool {
		return hasPod("unheard")(s) && s.Pods.Err == nil && s.Sources[Name].Err == nil
	})
}
