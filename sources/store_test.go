package sources_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"daytwo/sources"
)

func countNodes(s *sources.Snapshot, now time.Time) sources.Judgement {
	return sources.Judgement{At: now, Missing: map[string]string{"nodes": strings.Repeat("x", len(s.Nodes.Value))}}
}

func newStore() *sources.Store {
	return sources.NewStore(sources.DefaultSettings(), countNodes, time.Now)
}

func nodes(names ...string) sources.Edit {
	return func(s *sources.Snapshot) {
		var ns []sources.Node
		for _, n := range names {
			ns = append(ns, sources.Node{Name: n})
		}
		s.Nodes = sources.Read(ns, s.At)
	}
}

func TestPublishLeavesOlderSnapshotsAlone(t *testing.T) {
	t.Parallel()
	st := newStore()
	st.Publish(nodes("a"))
	old := st.Snapshot()
	st.Publish(nodes("a", "b"), sources.SetHealth(sources.Health{Name: "api"}))
	if len(old.Nodes.Value) != 1 || len(old.Sources) != 0 {
		t.Errorf("an older snapshot changed: %+v", old)
	}
	if got := st.Snapshot(); len(got.Nodes.Value) != 2 || got.Judged.Missing["nodes"] != "xx" {
		t.Errorf("the newest snapshot is not judged: %+v", got)
	}
}

// TestARuleThatPanics costs the judgement, not the program, is said once, and
// is over when the rules judge again.
func TestARuleThatPanics(t *testing.T) {
	t.Parallel()
	broken := false
	st := sources.NewStore(sources.DefaultSettings(), func(_ *sources.Snapshot, now time.Time) sources.Judgement {
		if broken {
			panic("index out of range")
		}
		return sources.Judgement{At: now, Findings: []sources.Finding{{Rule: "disk.used", Severity: sources.Warning}}}
	}, time.Now)
	broken = true
	for range 3 {
		st.Publish(nodes("a"))
	}
	s := st.Snapshot()
	if f := s.Judged.Findings; len(s.Nodes.Value) != 1 || len(f) != 2 || f[0].Severity != sources.Critical ||
		!strings.Contains(f[0].Summary, "internal error while judging: index out of range") || f[1].Rule != "disk.used" {
		t.Errorf("%+v", f)
	}
	broken = false
	st.Publish()
	if f := st.Snapshot().Judged.Findings; len(f) != 1 {
		t.Errorf("afterwards %+v", f)
	}
}

// TestRulesThatAlwaysPanic: a store can be made all the same, and the place is
// logged, once.
func TestRulesThatAlwaysPanic(t *testing.T) {
	t.Parallel()
	st := sources.NewStore(sources.DefaultSettings(), func(*sources.Snapshot, time.Time) sources.Judgement {
		panic("index out of range")
	}, time.Now)
	var logged []string
	st.LogTo(func(format string, args ...any) { logged = append(logged, fmt.Sprintf(format, args...)) })
	for range 3 {
		st.Publish()
	}
	if f := st.Snapshot().Judged.Findings; len(f) != 1 || f[0].Severity != sources.Critical {
		t.Errorf("%+v", f)
	}
	if len(logged) != 1 || !strings.Contains(logged[0], "index out of range") || !strings.Contains(logged[0], "store_test.go") {
		t.Errorf("logged %q", logged)
	}
}

func TestSignalsMerge(t *testing.T) {
	t.Parallel()
	st := newStore()
	for range 100 {
		st.Publish()
	}
	<-st.Changed()
	select {
	case <-st.Changed():
		t.Error("a second signal waits though nothing was published since")
	default:
	}
}

func TestConcurrentPublishersLoseNothing(t *testing.T) {
	t.Parallel()
	st := newStore()
	var wg sync.WaitGroup
	for _, name := range []string{"api", "kubelets", "history"} {
		wg.Go(func() {
			for range 50 {
				st.Publish(sources.SetHealth(sources.Health{Name: name}))
			}
		})
	}
	wg.Wait()
	if got := len(st.Snapshot().Sources); got != 3 {
		t.Errorf("%d sources kept of 3", got)
	}
}

// flaky panics, then fails, then runs until it is told to stop.
type flaky struct {
	starts int
	up     chan struct{}
}

func (f *flaky) Name() string { return "flaky" }

func (f *flaky) Run(ctx context.Context, _ func(...sources.Edit)) error {
	f.starts++
	switch f.starts {
	case 1:
		panic("boom")
	case 2:
		return errors.New("the line was cut")
	}
	close(f.up)
	<-ctx.Done()
	return ctx.Err()
}

func TestSuperviseRestartsAfterPanicAndError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := newStore()
		ctx, cancel := context.WithCancel(t.Context())
		src := &flaky{up: make(chan struct{})}
		done := make(chan struct{})
		var seen []string
		go func() {
			defer close(done)
			sources.Supervise(ctx, src, func(e ...sources.Edit) {
				st.Publish(e...)
				seen = append(seen, st.Snapshot().Sources["flaky"].Err.Error())
			}, func(string, ...any) {})
		}()
		<-src.up
		cancel()
		<-done
		want := []string{"internal error in source flaky: boom", "the line was cut"}
		if len(seen) != 2 || seen[0] != want[0] || seen[1] != want[1] {
			t.Errorf("health said %q, want %q", seen, want)
		}
	})
}

func TestRejudgeFollowsTheTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := newStore()
		ctx, cancel := context.WithCancel(t.Context())
		tick := make(chan time.Time)
		done := make(chan struct{})
		go func() { defer close(done); st.Rejudge(ctx, tick) }()
		<-time.After(time.Hour) // the bubble's clock, not the wall's
		tick <- time.Now()
		<-st.Changed()
		if got := st.Snapshot().Judged.At; !got.Equal(time.Now()) {
			t.Errorf("judged at %v, now is %v", got, time.Now())
		}
		cancel()
		<-done
	})
}

func TestReadingsTellWaitingFromFailing(t *testing.T) {
	t.Parallel()
	st := newStore()
	st.Publish(nodes("worker-0"), func(s *sources.Snapshot) {
		s.Pods = s.Pods.Failed(&sources.AccessError{Verb: "list", Resource: "pods"})
		s.Certificates.Err = sources.ErrNotInstalled
	})
	byName := map[string]sources.ReadingState{}
	for _, r := range st.Snapshot().Readings() {
		byName[r.Name] = r
	}
	if r := byName["pods"]; r.Waiting() || r.Err == nil || r.Err.Error() != "no permission to list pods" {
		t.Errorf("pods: %+v", r)
	}
	if r := byName["stats of worker-0"]; !r.Waiting() {
		t.Errorf("a kubelet that was not asked yet is not waited for: %+v", r)
	}
	if r := byName["certificates"]; r.Waiting() || r.Err != nil {
		t.Errorf("an absent cert-manager counts as unanswered: %+v", r)
	}
}

func TestSeriesNamesComeApart(t *testing.T) {
	t.Parallel()
	owner := sources.Ref{Kind: "Deployment", Namespace: "shop", Name: "api"}
	got, pod, container, ok := sources.ParseRestartSeries(sources.RestartSeries(owner, "api-1", "app"))
	if !ok || got != owner || pod != "api-1" || container != "app" {
		t.Errorf("%v %q %q %v", got, pod, container, ok)
	}
	if _, _, _, ok := sources.ParseRestartSeries(sources.CPUSeries("n")); ok {
		t.Error("a cpu series was taken for a restart counter")
	}
}
