package rules_test

import (
	"fmt"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/rules"
)

// restarted is a pod of shop/api that restarted n times and ended last so
// long ago.
func restarted(name string, n int32, created, last time.Duration, reason string) sources.Pod {
	p := aPod("shop", name, "api")
	p.Created = ago(created)
	p.Containers[0].Restarts = n
	p.Containers[0].Last = sources.Termination{Reason: reason, ExitCode: 2, Finished: ago(last)}
	return p
}

// looping is a pod whose container waits to be started again.
func looping(p sources.Pod) sources.Pod {
	p.Containers[0].State, p.Containers[0].Reason = "waiting", "CrashLoopBackOff"
	return p
}

func pods(ps ...sources.Pod) func(*sources.Snapshot) {
	return func(s *sources.Snapshot) { s.Pods.Value = ps }
}

// counter puts samples of shop/api's container into history: value by age.
func counter(pod string, points ...sources.Point) func(*sources.Snapshot) {
	return func(s *sources.Snapshot) {
		s.History.Value.Series[sources.RestartSeries(deployment("shop", "api"), pod, "app")] = points
	}
}

func at(age time.Duration, v float64) sources.Point { return sources.Point{At: ago(age), Value: v} }

func TestRestartCounts(t *testing.T) {
	t.Parallel()
	const hour, minute = time.Hour, time.Minute
	for name, c := range map[string]struct {
		edits                   []func(*sources.Snapshot)
		hour, day, total, inRow int
		wants                   []want
	}{
		"new pod, no samples: all within its life": {
			[]func(*sources.Snapshot){pods(restarted("api-1", 7, 40*minute, 3*minute, "OOMKilled"))},
			7, 7, 7, 1,
			[]want{{"restarts.rate", sources.Warning, "shop/api", []string{"7 in 1 h · last OOMKilled 3 min ago · limit 256Mi"}}},
		},
		"old pod, no samples: the last is known, the rest spread over its life": {
			[]func(*sources.Snapshot){pods(restarted("api-1", 61, 30*day, 3*minute, "Error"))}, 1, 2, 61, 1, nil,
		},
		"old pod, no samples, looping now": {
			[]func(*sources.Snapshot){pods(looping(restarted("api-1", 40, 30*day, 2*minute, "Error")))},
			1, 2, 40, 1,
			[]want{{"restarts.loop", sources.Warning, "shop/api", []string{"CrashLoopBackOff · 2 in 24 h · last exit 2 2 min ago"}}},
		},
		"looping and over the limit is one finding": {
			[]func(*sources.Snapshot){pods(looping(restarted("api-1", 7, 40*minute, 3*minute, "Error")))},
			7, 7, 7, 1,
			[]want{{"restarts.rate", sources.Warning, "shop/api", []string{"7 in 1 h · last exit 2"}}},
		},
		"a new pod of the same name that reaches the old one's count": {
			[]func(*sources.Snapshot){
				pods(restarted("api-1", 12, 50*minute, 2*minute, "Error")),
				counter("api-1", at(3*hour, 12), at(2*hour, 12), at(49*minute, 0), at(30*minute, 5), at(0, 12)),
			},
			12, 12, 12, 1,
			[]want{{"restarts.rate", sources.Warning, "shop/api", []string{"12 in 1 h"}}},
		},
		"samples tell when": {
			[]func(*sources.Snapshot){
				pods(restarted("api-1", 30, 30*day, 2*minute, "Error")),
				counter("api-1", append(every(minute, 50*minute, func(a time.Duration) float64 { return 29 - float64(int(a/(10*minute))) }), at(0, 30))...),
			},
			6, 6, 30, 1,
			[]want{{"restarts.rate", sources.Warning, "shop/api", []string{"6 in 1 h", "last exit 2 2 min ago"}}},
		},
		"hourly checks, one some seconds late": {
			[]func(*sources.Snapshot){
				pods(restarted("api-1", 11, 30*day, 3*day, "Error")),
				counter("api-1", at(2*day, 5), at(2*hour+5*time.Second, 5), at(hour+5*time.Second, 5)),
			},
			6, 6, 11, 1,
			[]want{{"restarts.rate", sources.Warning, "shop/api", []string{"6 in 1 h"}}},
		},
		"the pod says more than the newest sample": {
			[]func(*sources.Snapshot){pods(restarted("api-1", 12, 30*day, 20*time.Second, "Error")), counter("api-1", at(30*minute, 4), at(minute, 4))},
			8, 8, 12, 1,
			[]want{{"restarts.rate", sources.Warning, "shop/api", []string{"8 in 1 h"}}},
		},
		"nothing is counted twice": {
			[]func(*sources.Snapshot){pods(restarted("api-1", 5, 30*day, 4*minute, "Error")), counter("api-1", at(10*minute, 4), at(3*minute, 5), at(minute, 5))},
			1, 1, 5, 1, nil,
		},
		"five is not over five": {
			[]func(*sources.Snapshot){pods(restarted("api-1", 5, 40*minute, minute, "Error"))}, 5, 5, 5, 1, nil,
		},
		"a new pod does not reset the story": {
			[]func(*sources.Snapshot){
				pods(restarted("api-2", 3, 20*minute, minute, "Error")),
				counter("api-1", at(50*minute, 2), at(40*minute, 4), at(30*minute, 6)),
			},
			7, 7, 3, 1,
			[]want{{"restarts.rate", sources.Warning, "shop/api", []string{"7 in 1 h"}}},
		},
		"same name, new pod: the counter fell": {
			[]func(*sources.Snapshot){pods(restarted("api-0", 2, 10*minute, minute, "Error")), counter("api-0", at(2*hour, 90), at(20*minute, 90), at(5*minute, 1))},
			2, 2, 2, 1, nil,
		},
		"pods together": {
			[]func(*sources.Snapshot){pods(restarted("api-1", 3, 30*minute, minute, "Error"), restarted("api-2", 4, 30*minute, 2*minute, "Error"))},
			7, 7, 7, 1,
			[]want{{"restarts.rate", sources.Warning, "shop/api", []string{"7 in 1 h", "2 pods"}}},
		},
		"every day": {
			[]func(*sources.Snapshot){
				pods(restarted("api-1", 9, 30*day, 5*hour, "Error")),
				counter("api-1", every(hour, 4*day-hour, func(a time.Duration) float64 { return 9 - float64(int((a+19*hour)/day)) })...),
			},
			0, 1, 9, 4,
			[]want{{"restarts.daily", sources.Warning, "shop/api", []string{"restarts every day for 4 d · 1 in 24 h · last exit 2 5 h ago"}}},
		},
		"every other day": {
			[]func(*sources.Snapshot){
				pods(restarted("api-1", 2, 30*day, 5*hour, "Error")),
				counter("api-1", at(3*day, 0), at(2*day+5*hour, 0), at(2*day+4*hour, 1), at(6*hour, 1), at(4*hour, 2)),
			},
			0, 1, 2, 1, nil,
		},
		"not watched for days: no days are claimed": {
			[]func(*sources.Snapshot){pods(restarted("api-1", 40, 30*day, 2*hour, "Error")), counter("api-1", at(6*day, 10), at(5*day, 10))},
			0, 6, 40, 1, nil,
		},
		"the future": {
			[]func(*sources.Snapshot){pods(restarted("api-1", 1, -hour, -2*hour, "Error")), counter("api-1", at(-3*hour, 7))},
			1, 1, 1, 1, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := expect(t, change(c.edits...), c.wants...)
			if len(j.Restarts) != 1 {
				t.Fatalf("%d rows", len(j.Restarts))
			}
			r := j.Restarts[0]
			if r.Hour != c.hour || r.Day != c.day || r.Total != c.total || r.DaysInRow != c.inRow {
				t.Errorf("hour %d day %d total %d in row %d; want %d %d %d %d", r.Hour, r.Day, r.Total, r.DaysInRow, c.hour, c.day, c.total, c.inRow)
			}
			for i := 1; i < len(r.Times); i++ {
				if r.Times[i].At.Before(r.Times[i-1].At) {
					t.Error("times are not oldest first")
				}
			}
		})
	}
}

// What thousands of pods do at once makes a short timeline that loses none.
func TestRestartTimelineIsBounded(t *testing.T) {
	t.Parallel()
	var ps []sources.Pod
	for i := range 3000 {
		ps = append(ps, restarted(fmt.Sprintf("api-%d", i), 2, 10*day, time.Duration(i)*time.Second, "Error"))
	}
	r := rules.Judge(change(pods(ps...)), now).Restarts[0]
	sum := 0.0
	for _, p := range r.Times {
		sum += p.Value
	}
	if len(r.Times) > 256 || sum != 6000 || r.Total != 6000 {
		t.Errorf("%d points sum to %v, total %d", len(r.Times), sum, r.Total)
	}
}

func TestRestartReasons(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit   func(*sources.Container)
		reason string
	}{
		"exit code": {func(c *sources.Container) {
			c.Last = sources.Termination{Reason: "Error", ExitCode: 137, Finished: ago(time.Minute)}
		}, "exit 137"},
		"completed": {func(c *sources.Container) {
			c.Last = sources.Termination{Reason: "Completed", Finished: ago(time.Minute)}
		}, "exit 0"},
		"signal": {func(c *sources.Container) {
			c.Last = sources.Termination{Reason: "Error", Signal: 9, Finished: ago(time.Minute)}
		}, "signal 9"},
		"start": {func(c *sources.Container) {
			c.Last = sources.Termination{Reason: "StartError", Finished: ago(time.Minute)}
		}, "StartError"},
		"loop alone": {func(c *sources.Container) {
			c.State, c.Reason, c.Last = "waiting", "CrashLoopBackOff", sources.Termination{}
		}, "CrashLoopBackOff"},
		"just killed": {func(c *sources.Container) {
			c.State, c.Reason, c.Since = "terminated", "OOMKilled", ago(time.Second)
			c.Last = sources.Termination{Reason: "Error", ExitCode: 1, Finished: ago(time.Hour)}
		}, "OOMKilled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := restarted("api-1", 2, day, time.Minute, "")
			c.edit(&p.Containers[0])
			var wants []want
			if p.Containers[0].State == "waiting" {
				wants = []want{{"restarts.loop", sources.Warning, "shop/api", []string{"CrashLoopBackOff · 2 in 24 h · last 6 h ago"}}}
			}
			j := expect(t, change(pods(p)), wants...)
			if got := j.Restarts[0].Reason; got != c.reason {
				t.Errorf("reason %q, want %q", got, c.reason)
			}
		})
	}
}

func TestRestartRowsWorstFirst(t *testing.T) {
	t.Parallel()
	quiet := restarted("b-1", 3, 30*day, 20*day, "Error")
	quiet.Owner.Name = "b"
	busy := restarted("a-1", 2, 30*day, time.Minute, "Error")
	busy.Owner.Name = "a"
	bad := restarted("z-1", 8, 30*time.Minute, time.Minute, "Error")
	bad.Owner.Name = "z"
	j := rules.Judge(change(pods(quiet, busy, bad, aPod("shop", "never-1", "never"))), now)
	var got string
	for _, r := range j.Restarts {
		got += r.About.Name
	}
	if got != "zab" {
		t.Errorf("order %s", got)
	}
}

// 5,000 failing pods of one owner are one line, whatever their trouble.
func TestPodRules(t *testing.T) {
	t.Parallel()
	pod := func(f func(*sources.Pod)) sources.Pod {
		p := aPod("shop", "api-1", "api")
		f(&p)
		return p
	}
	waits := func(reason, message string) sources.Pod {
		return pod(func(p *sources.Pod) {
			p.Phase = "Pending"
			p.Created = ago(time.Minute)
			p.Containers[0].State, p.Containers[0].Reason, p.Containers[0].Message = "waiting", reason, message
		})
	}
	var many []sources.Pod
	for i := range 5000 {
		p := waits("ImagePullBackOff", "Back-off pulling image")
		p.Name = fmt.Sprintf("api-%d", i)
		many = append(many, p)
	}
	for name, c := range map[string]struct {
		pods  []sources.Pod
		wants []want
	}{
		"unschedulable": {[]sources.Pod{pod(func(p *sources.Pod) {
			p.Phase, p.Node, p.Created, p.Message = "Pending", "", ago(12*time.Minute), "0/3 nodes are available: 3 Insufficient memory."
		})}, []want{{"pod.pending", sources.Warning, "shop/api", []string{"pending for 12 min · 0/3 nodes are available"}}}},
		"pending for a moment": {[]sources.Pod{pod(func(p *sources.Pod) { p.Phase, p.Created = "Pending", ago(9*time.Minute) })}, nil},
		"terminating": {
			[]sources.Pod{pod(func(p *sources.Pod) { p.Deleting, p.Finalizers = ago(25*time.Minute), []string{"example.com/hold"} })},
			[]want{{"pod.terminating", sources.Warning, "shop/api", []string{"terminating for 25 min · finalizer example.com/hold"}}},
		},
		"within its grace period": {[]sources.Pod{pod(func(p *sources.Pod) { p.Deleting = now.Add(time.Hour) })}, nil},
		"config":                  {[]sources.Pod{waits("CreateContainerConfigError", `secret "db" not found`)}, []want{{"pod.config", sources.Warning, "shop/api", []string{`CreateContainerConfigError: secret "db" not found · 1 of 1 ready`}}}},
		"image":                   {[]sources.Pod{waits("ErrImagePull", "rpc error")}, []want{{"pod.image", sources.Warning, "shop/api", []string{"ErrImagePull: registry/app:1.2"}}}},
		"starting":                {[]sources.Pod{waits("ContainerCreating", "")}, nil},
		"escape sequences":        {[]sources.Pod{waits("CreateContainerError", "\x1b[31mred\x07\nmore")}, []want{{"pod.config", sources.Warning, "shop/api", []string{"CreateContainerError: red · "}}}},
		"many":                    {many, []want{{"pod.image", sources.Warning, "shop/api", []string{"5000 pods"}}}},
		"evicted": {[]sources.Pod{pod(func(p *sources.Pod) {
			p.Phase, p.Reason, p.Message, p.Created = "Failed", "Evicted", "The node was low on resource: ephemeral-storage.", ago(5*time.Hour)
			p.Ended = ago(3 * time.Hour)
		})}, []want{{"pod.evicted", sources.Warning, "worker-2", []string{"1 pod evicted, last 3 h ago · The node was low"}}}},
		"evicted long ago": {[]sources.Pod{pod(func(p *sources.Pod) { p.Phase, p.Reason, p.Ended = "Failed", "Evicted", ago(80*time.Hour) })}, nil},
		"an old pod, evicted now": {[]sources.Pod{pod(func(p *sources.Pod) {
			p.Phase, p.Reason, p.Created, p.Ended = "Failed", "Evicted", ago(120*time.Hour), ago(10*time.Minute)
		})}, []want{{"pod.evicted", sources.Warning, "worker-2", []string{"1 pod evicted, last 10 min ago"}}}},
		"an old pod, evicted nobody says when": {[]sources.Pod{pod(func(p *sources.Pod) {
			p.Phase, p.Reason, p.Created, p.Message = "Failed", "Evicted", ago(120*time.Hour), "low on resource"
		})}, []want{{"pod.evicted", sources.Warning, "worker-2", []string{"1 pod evicted · low on resource"}}}},
		"finished job": {[]sources.Pod{pod(func(p *sources.Pod) { p.Phase = "Succeeded" }), pod(func(p *sources.Pod) { p.Phase, p.Reason = "Failed", "Error" })}, nil},
		"no owner": {[]sources.Pod{pod(func(p *sources.Pod) {
			p.Phase, p.Created, p.Owner = "Pending", ago(time.Hour), sources.Ref{}
		})}, []want{{"pod.pending", sources.Warning, "shop/api-1", []string{"waiting on worker-2"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, change(pods(c.pods...)), c.wants...)
		})
	}
}

func TestPendingIsExplainedByEvents(t *testing.T) {
	t.Parallel()
	p := aPod("shop", "db-0", "db")
	p.Phase, p.Created = "Pending", ago(time.Hour)
	s := change(pods(p), func(s *sources.Snapshot) {
		s.Events.Value = []sources.Event{
			{About: p.Ref(), Type: "Warning", Reason: "FailedMount", Message: "old", Last: ago(50 * time.Minute)},
			{About: p.Ref(), Type: "Warning", Reason: "FailedAttachVolume", Message: "Multi-Attach error", Last: ago(time.Minute)},
		}
	})
	expect(t, s, want{"pod.pending", sources.Warning, "shop/db", []string{"FailedAttachVolume: Multi-Attach error"}})
}
