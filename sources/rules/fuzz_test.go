package rules_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/rules"
)

// FuzzForecast: growth that is really there is found within a tolerance,
// whatever noise, sampling and clock do to the samples.
func FuzzForecast(f *testing.F) {
	f.Add(uint64(1), 1.0, 0.0)
	f.Add(uint64(2), 0.2, 0.3)
	f.Add(uint64(3), 5.0, 1.0)
	f.Add(uint64(4), 0.0, 0.0)
	f.Fuzz(func(t *testing.T, seed uint64, perDay, noise float64) {
		perDay, noise = within(perDay, 4), within(noise, 1) // what a disk of 100 GB can do in two weeks
		r := rand.New(rand.NewPCG(seed, 1))
		var points []sources.Point
		for age := 14 * day; age > 0; age -= time.Duration(1+r.IntN(120)) * time.Minute {
			points = append(points, sources.Point{At: ago(age), Value: (70 - perDay*age.Hours()/24 + noise*(2*r.Float64()-1)) * gb})
		}
		for range 5 { // a glitch is no trend
			points[r.IntN(len(points))].Value = []float64{0, math.NaN(), math.Inf(1), -1}[r.IntN(4)]
		}
		points = append(points, sources.Point{At: now.Add(time.Duration(r.IntN(1000)) * time.Hour), Value: 99 * gb})
		d := worker2(t, rules.Judge(change(disk(70, time.Hour, 0, rising(70, 0)), func(s *sources.Snapshot) {
			s.History.Value.Series[sources.DiskUsedSeries("worker-2")] = points
		}), now))
		if !d.Forecast {
			t.Fatalf("no forecast: %s", d.WhyNot)
		}
		if off := math.Abs(d.Growth/gb - perDay); off > 0.02+0.2*noise {
			t.Errorf("growth %.3f GB/day, want %.3f (noise %.2f)", d.Growth/gb, perDay, noise)
		}
	})
}

// TestTeethAreNoRunaway: whatever the length and the phase of saw-teeth whose
// tops differ a little, the newest is no growth.
func TestTeethAreNoRunaway(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		length, phase := 0.3+3.2*r.Float64(), r.Float64()
		tops := make([]float64, 60)
		for i := range tops {
			tops[i] = 44.5 + r.Float64()
		}
		j := rules.Judge(change(disk(43, []time.Duration{5 * time.Minute, time.Hour}[seed%2], 14*day, func(age time.Duration) float64 {
			teeth := age.Hours()/24/length + phase
			return 40 + (tops[int(teeth)]-40)*(1-math.Mod(teeth, 1))
		})), now)
		if len(j.Findings) > 0 {
			t.Errorf("seed %d, teeth of %.1f d, %.0f %% before the next fall:\n%s", seed, length, 100*phase, listing(j.Findings))
		}
	}
}

// within folds any number into 0 to most.
func within(v, most float64) float64 {
	if v = math.Abs(math.Mod(v, most)); math.IsNaN(v) {
		return 0
	}
	return v
}

// FuzzJudge: whatever is read, Judge neither panics nor says what is not a
// finding.
func FuzzJudge(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(seed, int64(0))
	}
	f.Add(uint64(7), int64(-1)<<40)
	f.Add(uint64(8), int64(1)<<40)
	f.Fuzz(func(t *testing.T, seed uint64, shift int64) {
		s := arbitrary(rand.New(rand.NewPCG(seed, 2)))
		for _, at := range []time.Time{now, {}, now.Add(time.Duration(shift) * time.Second), time.Unix(0, 0)} {
			checkForm(t, rules.Judge(s, at))
		}
	})
}

func TestJudgeSurvivesNothing(t *testing.T) {
	t.Parallel()
	rules.Judge(nil, time.Time{})
	rules.Judge(&sources.Snapshot{}, time.Time{})
	rules.Judge(healthy(), time.Time{})
	rules.Judge(healthy(), now.AddDate(-50, 0, 0))
	rules.Judge(healthy(), now.AddDate(200, 0, 0))
}

// arbitrary is a snapshot without sense.
func arbitrary(r *rand.Rand) *sources.Snapshot {
	a := chaos{r}
	s := &sources.Snapshot{}
	if r.IntN(2) == 0 {
		s.Settings = sources.DefaultSettings()
	}
	s.Settings.Backups = []sources.DeclaredBackup{{Name: a.name(), CronJob: a.word("shop/mysql", "/", "x", "")}}
	s.Cluster = sources.Reading[sources.Cluster]{Value: sources.Cluster{Version: a.word("v1.33.4+k3s1", "v1.", "1.x", ""), ClientCert: a.time()}, At: a.time(), Err: a.err()}
	for range r.IntN(5) {
		s.Nodes.Value = append(s.Nodes.Value, a.node())
	}
	s.Nodes.At, s.Nodes.Err = a.time(), a.err()
	if r.IntN(3) > 0 {
		a.measured(s)
	}
	for range r.IntN(20) {
		s.Pods.Value = append(s.Pods.Value, a.pod())
	}
	s.Pods.At, s.Pods.Err = a.time(), a.err()
	for range r.IntN(4) {
		s.CronJobs.Value = append(s.CronJobs.Value, sources.CronJob{
			Ref:      sources.Ref{Kind: "CronJob", Namespace: "shop", Name: "backup"},
			Schedule: a.word("* * * * *", "0 0 31 2 *", "@every 1s", "@yearly", "TZ=UTC 0 3 * * *", ""), Created: a.time(), LastSuccess: a.time(), Suspended: r.IntN(2) == 0,
		})
		s.Jobs.Value = append(s.Jobs.Value, sources.Job{
			Ref: sources.Ref{Namespace: "shop", Name: a.name()}, Owner: sources.Ref{Kind: "CronJob", Namespace: "shop", Name: "backup"},
			Started: a.time(), Completed: a.time(), Failed: a.time(), Active: int32(r.IntN(2)),
		})
		s.Certificates.Value = append(s.Certificates.Value, sources.Certificate{
			Ref: sources.Ref{Namespace: "shop", Name: a.name()}, Secret: "tls", Created: a.time(),
			Ready: a.word("True", "False", ""), NotBefore: a.time(), NotAfter: a.time(), Renewal: a.time(), Failures: int64(r.IntN(4)), Steps: []sources.IssueStep{{Reason: a.word("", "x")}},
		})
		s.Secrets.Value = append(s.Secrets.Value, sources.TLSSecret{Ref: sources.Ref{Kind: "Secret", Namespace: "shop", Name: a.word("tls", "own")}, NotBefore: a.time(), NotAfter: a.time(), Err: a.err()})
		s.Events.Value = append(s.Events.Value, sources.Event{
			About: sources.Ref{Kind: "Node", Name: a.name()}, Last: a.time(),
			Reason: a.word("CertificateExpirationWarning", "CACertificateExpirationWarning", "CertificateExpirationOK", "ImageGCFailed"), Message: a.word("", " at ", "x at 2027-01-18T12:00:00Z", " at , at"),
		})
	}
	s.CronJobs.At, s.Certificates.At, s.Certificates.Err, s.Events.At = a.time(), a.time(), a.err(), a.time()
	s.Sources = map[string]sources.Health{"kube": {Err: a.err()}, "history": {Err: a.err()}, "x": {Err: a.err(), At: a.time()}}
	return s
}

type chaos struct{ *rand.Rand }

func (a chaos) word(words ...string) string { return words[a.IntN(len(words))] }

func (a chaos) name() string { return a.word("a", "worker-2", "worker-10", "x\x1b[31m", "ß字", "0") }

func (a chaos) time() time.Time {
	switch a.IntN(5) {
	case 0:
		return time.Time{}
	case 1:
		return now.Add(time.Duration(a.Int64()))
	case 2:
		return now.Add(-time.Duration(a.Int64()))
	}
	return now.Add(time.Duration(a.Int64N(int64(60*day))) - 30*day)
}

func (a chaos) err() error {
	switch a.IntN(6) {
	case 0:
		return errors.New("boom\nand more")
	case 1:
		return &sources.AccessError{Verb: "list", Resource: "things", Namespace: a.word("", "shop")}
	case 2:
		return sources.ErrNotInstalled
	}
	return nil
}

func (a chaos) number() float64 {
	return []float64{0, -1, 1, math.NaN(), math.Inf(1), math.MaxFloat64, a.Float64(), 50 * gb}[a.IntN(8)]
}

func (a chaos) bytes() int64 { return []int64{0, -1, 1, math.MaxInt64 / 4, 50 * gb}[a.IntN(5)] }

func (a chaos) fs() sources.Filesystem {
	return sources.Filesystem{Capacity: a.bytes(), Available: a.bytes(), Used: a.bytes(), Inodes: a.bytes(), InodesFree: a.bytes()}
}

func (a chaos) node() sources.Node {
	return sources.Node{
		Name: a.name(), Version: a.word("v1.34.0", "v1.20.1", "v2.0.0", ""), CPU: a.bytes(), Memory: a.bytes(),
		Unschedulable: a.IntN(2) == 0, CordonedAt: a.time(), Roles: []string{a.word("control-plane", "master", "")},
		Conditions: []sources.Condition{{Type: a.word("Ready", "DiskPressure", "NetworkUnavailable"), Status: a.word("True", "False", "Unknown", ""), Since: a.time(), Message: a.word("", "a\nb")}},
	}
}

func (a chaos) points() []sources.Point {
	var out []sources.Point
	for range a.IntN(60) {
		out = append(out, sources.Point{At: a.time(), Value: a.number()})
	}
	return out
}

func (a chaos) measured(s *sources.Snapshot) {
	s.Stats, s.Configs = map[string]sources.Reading[sources.NodeStats]{}, map[string]sources.Reading[sources.NodeConfig]{}
	series := map[string][]sources.Point{}
	for _, n := range s.Nodes.Value {
		s.Stats[n.Name] = sources.Reading[sources.NodeStats]{Value: sources.NodeStats{FS: a.fs(), ImageFS: a.fs(), ImageOwn: a.IntN(2) == 0, From: a.word("", "x")}, At: a.time(), Err: a.err()}
		s.Configs[n.Name] = sources.Reading[sources.NodeConfig]{At: a.time(), Err: a.err(), Value: sources.NodeConfig{
			ImageGCHigh:  a.number(),
			EvictionHard: map[string]string{"nodefs.available": a.word("5%", "-5%", "10Gi", "x", "", "1e999", "NaN", "NaN%"), "imagefs.available": a.word("100%", "1G")},
		}}
		for _, k := range []string{
			sources.DiskUsedSeries(n.Name), sources.CPUSeries(n.Name), sources.MemorySeries(n.Name),
			sources.RestartSeries(deployment("shop", "api"), "gone", "app"), sources.RestartSeries(deployment("shop", "api"), "a", "app"), "restarts/x", "",
		} {
			series[k] = a.points()
		}
	}
	s.History = sources.Reading[sources.History]{Value: sources.History{Series: series}, At: a.time(), Err: a.err()}
}

func (a chaos) pod() sources.Pod {
	return sources.Pod{
		Namespace: "shop", Name: a.name(), Node: a.word("", "worker-2"), Phase: a.word("Pending", "Running", "Failed", "Succeeded", "Unknown", ""),
		Reason: a.word("", "Evicted"), Created: a.time(), Deleting: a.time(), Owner: sources.Ref{Kind: "Deployment", Namespace: "shop", Name: a.word("", "api")},
		Containers: []sources.Container{{
			Name: "app", Restarts: []int32{0, 1, -5, math.MaxInt32}[a.IntN(4)], State: a.word("waiting", "running", "terminated", ""),
			Reason: a.word("CrashLoopBackOff", "ImagePullBackOff", "OOMKilled", "CreateContainerConfigError", ""), Since: a.time(),
			Last: sources.Termination{Reason: a.word("Error", "OOMKilled", ""), ExitCode: int32(a.IntN(200)), Finished: a.time()}, MemLimit: a.bytes(),
		}},
	}
}
