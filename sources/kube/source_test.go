package kube

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"daytwo/sources"
	"daytwo/sources/demo"
)

func (b *bench) addPod(name string, labels map[string]string) {
	b.t.Helper()
	p := &core.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Spec:       core.PodSpec{Containers: []core.Container{{Name: "app", Image: "app:1"}}},
	}
	if _, err := b.admin.CoreV1().Pods(namespace).Create(b.t.Context(), p, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

func hasPod(name string) func(*sources.Snapshot) bool {
	return func(s *sources.Snapshot) bool {
		for _, p := range s.Pods.Value {
			if p.Name == name {
				return true
			}
		}
		return false
	}
}

func TestEverythingAnswers(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{}).look("admin")
	s := b.until("all readings", settled)
	for _, r := range s.Readings()[:11] {
		if r.Err != nil || r.At.IsZero() {
			t.Errorf("%s: at %v, err %v", r.Name, r.At, r.Err)
		}
	}
	c := s.Cluster.Value
	if c.Name != b.client.ContextName() || c.Server != b.URL() || !strings.HasPrefix(c.Version, "v1.") || c.Latency <= 0 {
		t.Errorf("cluster: %+v", c)
	}
	if h := s.Sources[Name]; h.Err != nil || h.At.IsZero() || !strings.HasSuffix(h.Note, "ms") {
		t.Errorf("health: %+v", h)
	}
	if !errors.Is(s.Certificates.Err, sources.ErrNotInstalled) {
		t.Errorf("cert-manager is not installed here, certificates: %+v", s.Certificates)
	}
}

func TestChangesArrive(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{}).look("admin")
	b.until("all readings", settled)
	b.addPod("new", nil)
	b.until("the new pod", hasPod("new"))
	b.CloseWatches()
	b.addPod("newer", nil)
	b.until("a pod made while watches were closed", hasPod("newer"))
	if err := b.admin.CoreV1().Pods(namespace).Delete(t.Context(), "new", metav1.DeleteOptions{GracePeriodSeconds: new(int64)}); err != nil {
		t.Fatal(err)
	}
	b.until("the pod gone", func(s *sources.Snapshot) bool { return !hasPod("new")(s) })
}

func TestOneRefusalDarkensOneReading(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{ViewerRules: roleWithout("pods")}).look("viewer")
	s := b.until("all readings", settled)
	var denied *sources.AccessError
	if !errors.As(s.Pods.Err, &denied) || denied.Error() != "no permission to list pods" || s.Pods.Loaded() {
		t.Errorf("pods: %+v", s.Pods)
	}
	for _, r := range s.Readings()[:11] {
		if r.Name != "pods" && r.Err != nil {
			t.Errorf("%s: %v", r.Name, r.Err)
		}
	}
	if s.Sources[Name].Err != nil {
		t.Errorf("the server answers, yet: %v", s.Sources[Name].Err)
	}
}

func TestPermissionArrives(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{})
	b.addPod("seen", nil)
	lift := b.Fault(demo.Fault{Resource: "pods", Code: 403})
	b.look("admin")
	b.until("the refusal", func(s *sources.Snapshot) bool {
		var denied *sources.AccessError
		return errors.As(s.Pods.Err, &denied)
	})
	lift()
	b.until("the pods", func(s *sources.Snapshot) bool { return s.Pods.Err == nil && hasPod("seen")(s) })
}

func TestServerGoneAndBack(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{})
	b.addPod("before", nil)
	b.look("admin")
	b.until("all readings", settled)
	b.StopServer()
	lost := b.until("an error everywhere", func(s *sources.Snapshot) bool {
		for _, r := range s.Readings()[:11] {
			if r.Err == nil && r.Name != "certificates" {
				return false
			}
		}
		return s.Sources[Name].Err != nil
	})
	if !hasPod("before")(lost) {
		t.Error("the last picture did not stay")
	}
	if got := lost.Pods.Err.Error(); !strings.HasPrefix(got, "api server 127.0.0.1:") || strings.Contains(got, "dial") {
		t.Errorf("said %q", got)
	}
	at := lost.Pods.At
	later := b.until("another failed probe", func(s *sources.Snapshot) bool { return s.At.After(lost.At) })
	if !later.Pods.At.Equal(at) {
		t.Errorf("the age moved on from %v to %v while nothing was read", at, later.Pods.At)
	}
	if err := b.StartServer(); err != nil {
		t.Fatal(err)
	}
	b.addPod("after", nil)
	s := b.until("recovery", func(s *sources.Snapshot) bool {
		return hasPod("after")(s) && s.Pods.Err == nil && s.Sources[Name].Err == nil && s.Nodes.Err == nil
	})
	if !s.Pods.At.After(at) {
		t.Error("the age did not begin again")
	}
}

func TestServerComesBackWithAnotherHistory(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{})
	for i := range 20 { // so that the old history is well ahead of the new
		b.addPod(fmt.Sprintf("pod-%d", i), nil)
	}
	b.look("admin")
	first := b.until("all readings", settled).Pods.At
	b.until("open watches", func(s *sources.Snapshot) bool { return s.Pods.At.Sub(first) > 2*b.client.pace.probe })
	b.RestartHistory()
	b.addPod("restored", nil)
	b.until("a change in the new history", hasPod("restored"))
}

func TestExpiredVersion(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{}).look("admin")
	b.until("all readings", settled)
	lift := b.Fault(demo.Fault{Verb: "watch", Gone: true})
	b.CloseWatches()
	b.addPod("missed", nil)
	b.Compact()
	b.until("the pod from a new list", hasPod("missed"))
	lift()
}

func TestHangingServer(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{})
	b.client = b.connect("admin")
	b.client.pace.timeout = 50 * time.Millisecond
	lift := b.Fault(demo.Fault{Hang: true})
	b.store = look(t, b.client)
	s := b.until("a hanging server", func(s *sources.Snapshot) bool { return s.Nodes.Err != nil && s.Pods.Err != nil })
	if got := s.Nodes.Err.Error(); !strings.Contains(got, "does not answer (0 s)") {
		t.Errorf("said %q", got)
	}
	lift()
	b.until("recovery", func(s *sources.Snapshot) bool { return settled(s) && s.Nodes.Err == nil && s.Pods.Err == nil })
}

func TestServerErrors(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{
		429: "api server is overloaded (429 too many requests)",
		500: "api server answered 500",
		503: "api server is not available (503)",
		401: "unauthorized: the token or client certificate was not accepted",
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			b := start(t, demo.Options{})
			lift := b.Fault(demo.Fault{Resource: "pods", Code: code, RetryAfter: time.Second})
			b.look("admin")
			s := b.until("the error", func(s *sources.Snapshot) bool { return s.Pods.Err != nil && s.Nodes.Loaded() })
			if got := s.Pods.Err.Error(); !strings.HasPrefix(got, want) || strings.Contains(got, "\n") {
				t.Errorf("said %q, want %q", got, want)
			}
			if s.Nodes.Err != nil {
				t.Errorf("nodes suffer too: %v", s.Nodes.Err)
			}
			lift()
			b.until("recovery", func(s *sources.Snapshot) bool { return s.Pods.Loaded() && s.Pods.Err == nil })
		})
	}
}

func TestTextFromOutsideIsCleaned(t *testing.T) {
	t.Parallel()
	b := start(t, demo.Options{})
	e := &core.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: namespace, Name: "evil"},
		InvolvedObject: core.ObjectReference{Kind: "Pod", Namespace: namespace, Name: "x\x1b]0;owned\x07y"},
		Type:           core.EventTypeWarning, Reason: "Back\nOff", Message: "\x1b[2Jgone \u202Eleft" + strings.Repeat("m", 9000),
		LastTimestamp: metav1.Now(),
	}
	if _, err := b.admin.CoreV1().Events(namespace).Create(t.Context(), e, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	b.look("admin")
	find := func(s *sources.Snapshot) *sources.Event {
		for i := range s.Events.Value {
			if strings.HasPrefix(s.Events.Value[i].Message, "gone") {
				return &s.Events.Value[i]
			}
		}
		return nil
	}
	got := find(b.until("the event", func(s *sources.Snapshot) bool { return find(s) != nil }))
	if got.About.Name != "xy" || got.Reason != "Back Off" || !strings.HasPrefix(got.Message, "gone leftmm") || len(got.Message) > sources.MaxMessage {
		t.Errorf("%+v", got)
	}
}
