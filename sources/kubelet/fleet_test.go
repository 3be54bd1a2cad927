package kubelet

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"daytwo/sources"
)

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("worker-%d", i)
	}
	return out
}

// simulate runs the fleet through d with a clock of its own. A node for which
// dead reports true holds its slot for the whole timeout, others answer at
// once. It returns when each node was asked.
func simulate(f *fleet, nodes []string, d time.Duration, dead func(string) error) map[string][]time.Duration {
	began := time.Unix(1_800_000_000, 0)
	now := began
	f.enrol(nodes, now)
	asked := map[string][]time.Duration{}
	type pending struct {
		at time.Time
		a  answer
	}
	var waiting []pending
	for now.Before(began.Add(d)) {
		for _, j := range f.due(now) {
			asked[j.node] = append(asked[j.node], now.Sub(began))
			if err := dead(j.node); err != nil {
				waiting = append(waiting, pending{now.Add(f.pace.timeout), answer{job: j, err: err}})
			} else {
				f.take(answer{job: j, stats: sources.NodeStats{From: "stats/summary"}}, now)
			}
		}
		next := now.Add(f.next(now))
		for _, p := range waiting { // an answer wakes the source
			if p.at.Before(next) {
				next = p.at
			}
		}
		var still []pending
		for _, p := range waiting {
			if p.at.After(next) {
				still = append(still, p)
				continue
			}
			f.take(p.a, p.at)
		}
		waiting = still
		if f.mayPublish(next) {
			f.edits(next)
		}
		now = next
	}
	return asked
}

func alive(string) error { return nil }

func TestSmallFleetIsAskedEveryHalfMinute(t *testing.T) {
	t.Parallel()
	asked := simulate(newFleet(usualPace()), names(5), 2*time.Minute, alive)
	for node, times := range asked {
		if len(times) != 4 || times[0] != 0 {
			t.Errorf("%s asked at %v", node, times)
		}
	}
}

func TestLargeFleetDoesNotHammer(t *testing.T) {
	t.Parallel()
	f := newFleet(usualPace())
	asked := simulate(f, names(2000), 5*time.Minute, alive)
	perSecond := map[int]int{}
	total := 0
	for node, times := range asked {
		for _, at := range times {
			perSecond[int(at/time.Second)]++
			total++
		}
		if len(times) < 2 {
			t.Errorf("%s asked only at %v", node, times)
		}
	}
	for second, n := range perSecond {
		if n > 20+f.pace.slots {
			t.Errorf("%d requests in second %d", n, second)
		}
	}
	if total < 5000 {
		t.Errorf("only %d requests in 5 minutes at 20 a second", total)
	}
}

// TestDeadNodesDelayNobody: as many dead nodes as there are slots, and more.
func TestDeadNodesDelayNobody(t *testing.T) {
	t.Parallel()
	silent := errors.New("its kubelet does not answer (5 s)")
	nodes := names(30)
	dead := func(n string) error {
		if n != "worker-28" && n != "worker-29" {
			return silent
		}
		return nil
	}
	asked := simulate(newFleet(usualPace()), nodes, 20*time.Minute, dead)
	for _, n := range []string{"worker-28", "worker-29"} {
		for i := 1; i < len(asked[n]); i++ {
			if gap := asked[n][i] - asked[n][i-1]; asked[n][i] > 2*time.Minute && gap > 32*time.Second {
				t.Errorf("%s waited %v at %v", n, gap, asked[n][i])
			}
		}
	}
	if n := len(asked["worker-0"]); n < 8 || n > 15 {
		t.Errorf("a dead node was asked %d times in 20 minutes", n)
	}
}

// TestTheSameFailureIsNoNews: each publication is judged and drawn anew, so
// nodes that stay dead cause none.
func TestTheSameFailureIsNoNews(t *testing.T) {
	t.Parallel()
	f := newFleet(usualPace())
	now := time.Unix(1_800_000_000, 0)
	f.enrol([]string{"a"}, now)
	for _, c := range []struct {
		err  error
		news bool
	}{
		{errors.New("does not answer"), true},
		{errors.New("does not answer"), false},
		{errors.New("refused"), true},
		{nil, true},
		{nil, true},
		{errors.New("refused"), true},
	} {
		now = now.Add(time.Hour)
		for _, j := range f.due(now) {
			f.take(answer{job: j, err: c.err}, now)
		}
		if got := f.mayPublish(now); got != c.news {
			t.Errorf("%v: published %v, want %v", c.err, got, c.news)
		}
		f.edits(now)
	}
}

func TestPermissionArrivesForAll(t *testing.T) {
	t.Parallel()
	f := newFleet(usualPace())
	now := time.Unix(1_800_000_000, 0)
	f.enrol([]string{"a", "b"}, now)
	denied := &sources.AccessError{Verb: "get", Resource: "nodes/proxy"}
	for range 5 {
		for _, m := range f.members {
			m.due = now
		}
		for _, j := range f.due(now) {
			f.take(answer{job: j, err: denied}, now)
		}
		now = now.Add(10 * time.Second)
	}
	if f.members["b"].due.Sub(now) < time.Minute {
		t.Fatal("a refused node is asked again soon; the test proves nothing")
	}
	f.members["a"].due = now
	for _, j := range f.due(now) {
		f.take(answer{job: j}, now)
	}
	if f.members["b"].due.After(now) {
		t.Error("node b waits although the permission has arrived")
	}
}

func TestFailedNodesAreAskedWhenTheServerIsBack(t *testing.T) {
	t.Parallel()
	f := newFleet(usualPace())
	now := time.Unix(1_800_000_000, 0)
	f.enrol([]string{"a", "b"}, now)
	for _, j := range f.due(now) {
		a := answer{job: j}
		if j.node == "a" {
			a.err = errors.New("api server refused the connection")
		}
		f.take(a, now)
	}
	f.enrol([]string{"a", "b"}, now.Add(time.Second))
	if jobs := f.due(now.Add(time.Second)); len(jobs) != 1 || jobs[0].node != "a" {
		t.Errorf("asked %v", jobs)
	}
}

func TestReadingsOfAFleet(t *testing.T) {
	t.Parallel()
	f := newFleet(usualPace())
	now := time.Unix(1_800_000_000, 0)
	f.enrol([]string{"good", "bad", "late"}, now)
	f.due(now)
	full := sources.NodeStats{CPU: 5, Memory: 6, From: "stats/summary", FS: sources.Filesystem{Used: 3, Available: 1}}
	f.take(answer{job: job{node: "good", config: true}, stats: full, conf: sources.NodeConfig{ImageGCHigh: 85}}, now)
	silent := errors.New("its kubelet does not answer (5 s)")
	f.take(answer{job: job{node: "bad", config: true}, err: silent, configErr: silent}, now)
	f.takeUsage(usage{at: now, nodes: map[string]load{"good": {7, 8}, "bad": {9, 10}}})
	s := &sources.Snapshot{}
	for _, e := range f.edits(now) {
		e(s)
	}
	good, bad := s.Stats["good"], s.Stats["bad"]
	if good.Err != nil || good.Value.CPU != 7 || good.Value.From != "metrics.k8s.io" || good.Value.FS.Used != 3 {
		t.Errorf("good: %+v", good)
	}
	if bad.Err == nil || bad.Value.CPU != 9 || !bad.Loaded() {
		t.Errorf("bad has CPU from metrics.k8s.io and an error for the rest: %+v", bad)
	}
	if _, told := s.Stats["late"]; told {
		t.Error("a node that was not asked yet is told of")
	}
	if s.Configs["good"].Value.ImageGCHigh != 85 || s.Configs["bad"].Err == nil {
		t.Errorf("configs: %+v", s.Configs)
	}
	if h := s.Sources[Name]; h.Note != "1/3" || h.Err != nil {
		t.Errorf("health: %+v", h)
	}
	later := now.Add(2 * usageLast)
	if r := f.reading("good", f.members["good"], later); r.Value.From != "stats/summary" || r.Value.CPU != 5 {
		t.Errorf("old metrics are still used: %+v", r)
	}
}
