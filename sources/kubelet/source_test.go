package kubelet

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/demo"
	"daytwo/sources/kube"
)

// cluster is a client without the API source: the test tells it the nodes.
type cluster struct {
	*kube.Client

	names []string
}

func (c cluster) Nodes() ([]string, <-chan struct{}) { return c.names, nil }

func quick() pace {
	p := usualPace()
	p.summary, p.metrics, p.absent, p.retryMax = 20*time.Millisecond, 20*time.Millisecond, 20*time.Millisecond, 40*time.Millisecond
	p.start, p.steady, p.timeout, p.rate = time.Millisecond, time.Millisecond, 250*time.Millisecond, 1000
	return p
}

var nodeNames = []string{"master-0", "worker-0", "worker-1", "worker-2", "worker-3"}

// watch runs the source against a world until the test ends.
func watch(t *testing.T, w *demo.World, user string, p pace) *sources.Store {
	t.Helper()
	raw, err := w.Kubeconfig(user)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := kube.Connect(kube.Options{Kubeconfig: path})
	if err != nil {
		t.Fatal(err)
	}
	judge := func(*sources.Snapshot, time.Time) sources.Judgement { return sources.Judgement{} }
	store := sources.NewStore(sources.DefaultSettings(), judge, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	src := &source{c: cluster{c, nodeNames}, now: time.Now, pace: p}
	var done sync.WaitGroup
	done.Go(func() { _ = src.Run(ctx, store.Publish) })
	t.Cleanup(func() { cancel(); done.Wait() })
	return store
}

func world(t *testing.T, o demo.Options) *demo.World {
	t.Helper()
	o.Tick = make(chan time.Time)
	w, err := demo.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func until(t *testing.T, store *sources.Store, what string, ok func(*sources.Snapshot) bool) *sources.Snapshot {
	t.Helper()
	limit := time.NewTimer(20 * time.Second) // only a failing test gets there
	defer limit.Stop()
	for {
		if s := store.Snapshot(); ok(s) {
			return s
		}
		select {
		case <-store.Changed():
		case <-limit.C:
			t.Fatalf("never seen: %s; last %+v", what, store.Snapshot().Stats)
		}
	}
}

func TestEveryNodeIsRead(t *testing.T) {
	t.Parallel()
	store := watch(t, world(t, demo.Options{}), "admin", quick())
	s := until(t, store, "all nodes with metrics", func(s *sources.Snapshot) bool {
		for _, n := range nodeNames {
			if s.Stats[n].Value.From != "metrics.k8s.io" || !s.Configs[n].Loaded() {
				return false
			}
		}
		return true
	})
	w0 := s.Stats["worker-0"]
	if w0.Err != nil || w0.Value.FS.Percent() < 80 || w0.Value.FS.Inodes == 0 || w0.Value.ImageFS.Used == 0 || w0.Value.ImageOwn {
		t.Errorf("worker-0: %+v", w0)
	}
	if c := s.Configs["worker-0"].Value; c.ImageGCHigh != 85 || c.EvictionHard["nodefs.available"] != "5%" || c.LogMaxFiles == 0 {
		t.Errorf("configuration: %+v", c)
	}
	if h := s.Sources[Name]; h.Note != "5/5" || h.Err != nil || h.At.IsZero() {
		t.Errorf("health: %+v", h)
	}
}

func TestSilentKubelet(t *testing.T) {
	t.Parallel()
	w := world(t, demo.Options{})
	lift := w.KubeletDown("worker-2")
	store := watch(t, w, "admin", quick())
	s := until(t, store, "four of five", func(s *sources.Snapshot) bool {
		return s.Sources[Name].Note == "4/5" && s.Stats["worker-2"].Err != nil
	})
	if got := s.Stats["worker-2"].Err.Error(); got != "its kubelet does not answer (0 s)" {
		t.Errorf("said %q", got)
	}
	if s.Configs["worker-2"].Err == nil || s.Sources[Name].Err != nil {
		t.Errorf("configuration %+v, health %+v", s.Configs["worker-2"], s.Sources[Name])
	}
	lift()
	until(t, store, "five of five", func(s *sources.Snapshot) bool {
		return s.Sources[Name].Note == "5/5" && s.Stats["worker-2"].Usable() && s.Configs["worker-2"].Usable()
	})
}

func TestNoPermissionForNodeProxy(t *testing.T) {
	t.Parallel()
	w := world(t, demo.Options{})
	lift := w.Fault(demo.Fault{Resource: "nodes", Subresource: "proxy", Code: 403})
	store := watch(t, w, "admin", quick())
	s := until(t, store, "CPU without disks", func(s *sources.Snapshot) bool {
		r := s.Stats["worker-3"]
		return r.Value.From == "metrics.k8s.io" && r.Err != nil
	})
	var denied *sources.AccessError
	if !errors.As(s.Stats["worker-3"].Err, &denied) || denied.Error() != "no permission to get nodes/proxy" {
		t.Errorf("said %v", s.Stats["worker-3"].Err)
	}
	if !errors.As(s.Sources[Name].Err, &denied) {
		t.Errorf("health: %+v", s.Sources[Name])
	}
	lift()
	until(t, store, "recovery", func(s *sources.Snapshot) bool { return s.Sources[Name].Note == "5/5" })
}

func TestSummaryStandsInForMetrics(t *testing.T) {
	t.Parallel()
	for _, code := range []int{403, 404, 503} {
		w := world(t, demo.Options{})
		w.Fault(demo.Fault{Verb: "list", Resource: "nodes", Code: code})
		store := watch(t, w, "admin", quick())
		s := until(t, store, "CPU from the summary", func(s *sources.Snapshot) bool { return s.Sources[Name].Note == "5/5" })
		if v := s.Stats["worker-1"].Value; v.From != "stats/summary" || v.CPU <= 0 || v.Memory <= 0 {
			t.Errorf("with %d from metrics.k8s.io: %+v", code, v)
		}
	}
}

func TestParseSummaryStopsBeforeThePods(t *testing.T) {
	t.Parallel()
	got, err := parseSummary(strings.NewReader(`{"version":1,"node":{"nodeName":"a","fs":{"availableBytes":1,"capacityBytes":9,"usedBytes":7,"inodes":5},
		"runtime":{"imageFs":{"capacityBytes":20,"inodes":6,"usedBytes":2}},"cpu":{"usageNanoCores":250000000},"memory":{"workingSetBytes":42}},"pods":[ this is never read`))
	if err != nil || got.FS.Used != 7 || !got.ImageOwn || got.CPU != 250 || got.Memory != 42 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "<html>", "[]", `{"pods":[]}`, `{"node":`, `{"node":"x"}`, `{"pods":[`} {
		if _, err := parseSummary(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was taken for a summary", bad)
		}
	}
}

func TestParseConfig(t *testing.T) {
	t.Parallel()
	got, err := parseConfig([]byte(`{"kubeletconfig":{"imageGCHighThresholdPercent":85,"imageGCLowThresholdPercent":80,
		"evictionHard":{"nodefs.available":"5%\u001b[31m"},"containerLogMaxSize":"10Mi","containerLogMaxFiles":5}}`))
	if err != nil || got.ImageGCLow != 80 || got.EvictionHard["nodefs.available"] != "5%" || got.LogMaxFiles != 5 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "{}", "[]", `{"kubeletconfig":7}`} {
		if _, err := parseConfig([]byte(bad)); err == nil {
			t.Errorf("%q was taken for a configuration", bad)
		}
	}
}
