package views_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/sources/rules"
	"daytwo/ui"
	"daytwo/ui/uitest"
	"daytwo/views"
)

const (
	gb  = 1_000_000_000
	mib = 1 << 20
)

// world is the cluster of the tests: one server, four agents, and the night
// of the slow disk.
type world struct{ now time.Time }

func (w world) ago(d time.Duration) time.Time { return w.now.Add(-d) }

// incident is everything at once: a disk that fills, an OOM loop, a late
// certificate, a stale backup, a cordoned node.
func (w world) incident() sources.Edit {
	return func(s *sources.Snapshot) {
		seen := w.ago(12 * time.Second)
		s.Settings.Backups = []sources.DeclaredBackup{
			{Name: "mysql", CronJob: "shop/mysql-backup", Keep: 14, Offsite: true, Where: "nas:/backups/mysql"},
			{Name: "media", CronJob: "media/media-sync", Keep: 30, Offsite: true, Where: "u1.your-storagebox.de"},
			{Name: "tls keys", Keep: 2, Where: "git"},
		}
		s.Cluster = sources.Read(sources.Cluster{
			Name: "prod-fsn1", Server: "https://10.0.0.2:6443", Version: "v1.33.4+k3s1",
			Latency: 12 * time.Millisecond, ClientCert: w.now.Add(188 * day),
		}, seen)
		s.Nodes = sources.Read(w.nodes(), seen)
		s.Stats, s.Configs = w.stats(seen)
		s.Pods = sources.Read(w.pods(), seen)
		s.Workloads = sources.Read([]sources.Workload{
			{Ref: deployment("shop", "api"), Desired: 2, Ready: 1, Updated: 2, Available: 1},
			{Ref: deployment("shop", "worker"), Desired: 1, Ready: 1},
			{Ref: deployment("kube-system", "traefik"), Desired: 1, Ready: 1},
		}, seen)
		s.Budgets = sources.Read([]sources.DisruptionBudget(nil), seen)
		s.CronJobs, s.Jobs = w.jobs(seen)
		s.Ingresses = sources.Read([]sources.Ingress{{
			Ref: sources.Ref{Kind: "Ingress", Namespace: "shop", Name: "web"}, Class: "traefik",
			Hosts: []string{"shop.example.org"}, Secrets: []string{"shop-tls"},
		}}, seen)
		s.Certificates, s.Secrets = w.certificates(seen)
		s.Events = sources.Read(w.events(), seen)
		s.History = sources.Read(w.history(), seen)
		sources.SetHealth(sources.Health{Name: "api", At: seen, Latency: 12 * time.Millisecond, Note: "12ms"})(s)
	}
}

const day = 24 * time.Hour

func deployment(ns, name string) sources.Ref {
	return sources.Ref{Kind: "Deployment", Namespace: ns, Name: name}
}

func (w world) node(name string, cordoned, server bool) sources.Node {
	n := sources.Node{
		Name: name, Version: "v1.33.4+k3s1", Runtime: "containerd://2.0.5-k3s2", OSImage: "Ubuntu 24.04.3 LTS",
		Kernel: "6.8.0-71-generic", Arch: "amd64", InternalIP: "10.0.0.2", Created: w.ago(200 * day),
		CPU: 4000, Memory: 8 << 30, MaxPod: 110,
		Conditions: []sources.Condition{
			{Type: "MemoryPressure", Status: "False", Reason: "KubeletHasSufficientMemory", Since: w.ago(90 * day)},
			{Type: "DiskPressure", Status: "False", Reason: "KubeletHasNoDiskPressure", Since: w.ago(90 * day)},
			{Type: "Ready", Status: "True", Reason: "KubeletReady", Message: "kubelet is posting ready status", Since: w.ago(90 * day)},
		},
	}
	if server {
		n.Roles = []string{"control-plane", "master"}
	}
	if cordoned {
		n.Unschedulable, n.CordonedBy, n.CordonedAt = true, "kubectl-cordon", w.ago(3*day)
		n.Taints = []string{"node.kubernetes.io/unschedulable:NoSchedule"}
	}
	return n
}

func (w world) nodes() []sources.Node {
	return []sources.Node{
		w.node("master-0", false, true), w.node("worker-0", false, false), w.node("worker-1", false, false),
		w.node("worker-2", false, false), w.node("worker-3", true, false),
	}
}

// stats: worker-0's disk is at 92 %, the others are quiet.
func (w world) stats(seen time.Time) (map[string]sources.Reading[sources.NodeStats], map[string]sources.Reading[sources.NodeConfig]) {
	used := map[string]int64{"master-0": 62, "worker-0": 276, "worker-1": 93, "worker-2": 102, "worker-3": 66}
	cpu := map[string]int64{"master-0": 1240, "worker-0": 2840, "worker-1": 960, "worker-2": 1120, "worker-3": 320}
	mem := map[string]int64{"master-0": 52, "worker-0": 80, "worker-1": 33, "worker-2": 41, "worker-3": 14}
	stats, configs := map[string]sources.Reading[sources.NodeStats]{}, map[string]sources.Reading[sources.NodeConfig]{}
	for name, n := range used {
		fs := sources.Filesystem{
			Capacity: 300 * gb, Used: n * gb, Available: (300 - n) * gb,
			Inodes: 20_000_000, InodesFree: 17_000_000, InodesUsed: 3_000_000,
		}
		stats[name] = sources.Read(sources.NodeStats{
			CPU: cpu[name], Memory: mem[name] * (8 << 30) / 100, FS: fs, ImageFS: fs, From: "metrics.k8s.io", LoadAt: seen,
		}, seen)
		configs[name] = sources.Read(sources.NodeConfig{
			ImageGCHigh: 85, ImageGCLow: 80, LogMaxSize: "10Mi", LogMaxFiles: 5,
			EvictionHard: map[string]string{"nodefs.available": "5%", "imagefs.available": "5%"},
		}, seen)
	}
	return stats, configs
}

func (w world) pods() []sources.Pod {
	pod := func(ns, name, node string, owner sources.Ref, restarts int32, last sources.Termination) sources.Pod {
		since := w.ago(12 * day)
		if !last.Finished.IsZero() {
			since = last.Finished
		}
		c := sources.Container{
			Name: owner.Name, Image: "registry.example.org/" + owner.Name + ":1.8", Ready: true, Restarts: restarts,
			State: "running", Since: since, Last: last, MemLimit: 256 * mib,
		}
		return sources.Pod{
			Namespace: ns, Name: name, UID: name, Node: node, Phase: "Running", Created: w.ago(12 * day),
			Owner: owner, Ready: true, Containers: []sources.Container{c},
		}
	}
	ended := func(reason string, code int32, ago time.Duration) sources.Termination {
		return sources.Termination{Reason: reason, ExitCode: code, Started: w.ago(ago + 8*time.Minute), Finished: w.ago(ago)}
	}
	api := pod("shop", "api-6d5f7c9b8-x2x7k", "worker-0", deployment("shop", "api"), 61, ended("OOMKilled", 137, 3*time.Minute))
	api.Ready, api.Containers[0].Ready = false, false
	api.Containers[0].State, api.Containers[0].Reason = "waiting", "CrashLoopBackOff"
	out := append(make([]sources.Pod, 0, 24),
		api,
		pod("shop", "api-6d5f7c9b8-9v2ld", "worker-1", deployment("shop", "api"), 0, sources.Termination{}),
		pod("shop", "worker-75c6d9f5b-abcde", "worker-2", deployment("shop", "worker"), 4, ended("Error", 2, 50*time.Minute)),
		pod("kube-system", "traefik-5fb479b77-mm5zk", "master-0", deployment("kube-system", "traefik"), 1, ended("Completed", 0, 20*day)))
	for i := range 20 {
		out = append(out, pod("media", fmt.Sprintf("web-%d", i), fmt.Sprintf("worker-%d", i%4), deployment("media", "web"), 0, sources.Termination{}))
	}
	return out
}

func (w world) jobs(seen time.Time) (sources.Reading[[]sources.CronJob], sources.Reading[[]sources.Job]) {
	cron := func(ns, name, schedule string, last time.Duration) sources.CronJob {
		return sources.CronJob{
			Ref: sources.Ref{Kind: "CronJob", Namespace: ns, Name: name}, Schedule: schedule,
			Created: w.ago(200 * day), LastScheduled: w.ago(7 * time.Hour), LastSuccess: w.ago(last),
		}
	}
	mysql := cron("shop", "mysql-backup", "0 8 * * *", 31*time.Hour)
	job := func(name string, started time.Duration, failed bool) sources.Job {
		j := sources.Job{
			Ref: sources.Ref{Kind: "Job", Namespace: "shop", Name: name}, Owner: mysql.Ref, Started: w.ago(started),
		}
		if failed {
			j.Failed, j.Reason, j.Message = w.ago(started-10*time.Minute), "BackoffLimitExceeded", "Job has reached the specified backoff limit"
			j.Failures = 3
		} else {
			j.Completed = w.ago(started - 6*time.Minute)
		}
		return j
	}
	return sources.Read([]sources.CronJob{
			mysql, cron("media", "media-sync", "0 10 * * *", 5*time.Hour),
			cron("infra", "etcd-snapshot", "0 */6 * * *", 2*time.Hour),
		}, seen), sources.Read([]sources.Job{
			job("mysql-backup-29388480", 7*time.Hour, true), job("mysql-backup-29387040", 31*time.Hour+6*time.Minute, false),
		}, seen)
}

func (w world) certificates(seen time.Time) (sources.Reading[[]sources.Certificate], sources.Reading[[]sources.TLSSecret]) {
	cert := func(ns, name string, left time.Duration) sources.Certificate {
		return sources.Certificate{
			Ref: sources.Ref{Kind: "Certificate", Namespace: ns, Name: name}, Secret: name, Issuer: "ClusterIssuer/letsencrypt",
			DNSNames: []string{ns + ".example.org"}, Created: w.ago(300 * day), Ready: "True", Revision: 4,
			NotBefore: w.now.Add(left - 90*day), NotAfter: w.now.Add(left), Renewal: w.now.Add(left - 30*day),
		}
	}
	late := cert("shop", "shop-tls", 12*day)
	late.Renewal = w.ago(26 * time.Hour)
	late.Failures, late.LastFailure = 3, w.ago(2*time.Hour)
	late.Steps = []sources.IssueStep{
		{Ref: sources.Ref{Kind: "CertificateRequest", Namespace: "shop", Name: "shop-tls-5"}, State: "Ready=False", Reason: "Pending", Since: w.ago(2 * time.Hour)},
		{Ref: sources.Ref{Kind: "Order", Namespace: "shop", Name: "shop-tls-5-1234"}, State: "pending", Since: w.ago(2 * time.Hour)},
		{
			Ref: sources.Ref{Kind: "Challenge", Namespace: "shop", Name: "shop-tls-5-1234-0"}, State: "pending",
			Reason: "Waiting for DNS-01 challenge propagation: NS ns1.example.org returned SERVFAIL for _acme-challenge.shop.example.org.", Since: w.ago(2 * time.Hour),
		},
	}
	media := cert("media", "media-tls", 64*day)
	return sources.Read([]sources.Certificate{late, media}, seen), sources.Read([]sources.TLSSecret{{
		Ref: sources.Ref{Kind: "Secret", Namespace: "shop", Name: "shop-tls"}, NotBefore: late.NotBefore, NotAfter: late.NotAfter,
		DNSNames: late.DNSNames, Issuer: "R11", Serial: "04a1b2c3",
	}}, seen)
}

func (w world) events() []sources.Event {
	return []sources.Event{
		{
			About: sources.Ref{Kind: "Pod", Namespace: "shop", Name: "api-6d5f7c9b8-x2x7k"}, Type: "Warning", Reason: "BackOff",
			Message: "Back-off restarting failed container api in pod api-6d5f7c9b8-x2x7k", Count: 214, First: w.ago(9 * time.Hour), Last: w.ago(2 * time.Minute),
		},
		{
			About: sources.Ref{Kind: "Node", Name: "worker-0"}, Type: "Warning", Reason: "FreeDiskSpaceFailed",
			Message: "Failed to garbage collect required amount of images: wanted to free 21474836480 bytes, but freed 0 bytes", Count: 31, First: w.ago(30 * time.Hour), Last: w.ago(4 * time.Minute),
		},
		{
			About: sources.Ref{Kind: "Certificate", Namespace: "shop", Name: "shop-tls"}, Type: "Warning", Reason: "Failed",
			Message: "The certificate request has failed to complete and will be retried", Count: 3, Last: w.ago(2 * time.Hour),
		},
	}
}

// history is 141 days of a disk that fills, and an hour of load.
func (w world) history() sources.History {
	h := sources.History{Series: map[string][]sources.Point{}}
	add := func(series string, ago time.Duration, v float64) {
		h.Series[series] = append(h.Series[series], sources.Point{At: w.ago(ago), Value: v})
	}
	per := map[string]float64{"master-0": 0.2, "worker-0": 2.1, "worker-1": 0.1, "worker-2": 0.12, "worker-3": 0}
	used := map[string]float64{"master-0": 62, "worker-0": 276, "worker-1": 93, "worker-2": 102, "worker-3": 66}
	load := map[string]float64{"master-0": 0.31, "worker-0": 0.71, "worker-1": 0.24, "worker-2": 0.28, "worker-3": 0.08}
	for name, growth := range per {
		for d := 120; d >= 0; d-- {
			now := max(used[name]-growth*float64(d), 20) * gb
			add(sources.DiskUsedSeries(name), time.Duration(d)*day, now)
			add(sources.DiskAvailSeries(name), time.Duration(d)*day, 300*gb-now)
		}
		for m := 60; m >= 0; m-- {
			wave := 0.1 * math.Sin(float64(m)/7)
			add(sources.CPUSeries(name), time.Duration(m)*time.Minute, load[name]+wave)
			add(sources.MemorySeries(name), time.Duration(m)*time.Minute, load[name]+0.1)
		}
	}
	api := sources.RestartSeries(deployment("shop", "api"), "api-6d5f7c9b8-x2x7k", "api")
	for m := 60; m >= 0; m-- {
		add(api, time.Duration(m)*9*time.Minute, float64(61-m))
	}
	worker := sources.RestartSeries(deployment("shop", "worker"), "worker-75c6d9f5b-abcde", "worker")
	for i, ago := range []time.Duration{23 * time.Hour, 15 * time.Hour, 7 * time.Hour, 50 * time.Minute} {
		add(worker, ago+time.Minute, float64(i))
		add(worker, ago, float64(i+1))
	}
	return h
}

// healthy is the same cluster on a good day.
func (w world) healthy() sources.Edit {
	return func(s *sources.Snapshot) {
		w.incident()(s)
		seen := w.ago(12 * time.Second)
		s.Settings.Backups = s.Settings.Backups[1:2]
		good := w.nodes()
		good[4] = w.node("worker-3", false, false)
		s.Nodes = sources.Read(good, seen)
		s.Pods = sources.Read(w.pods()[1:2], seen)
		s.CronJobs = sources.Read(s.CronJobs.Value[1:2], seen)
		s.Jobs = sources.Read([]sources.Job(nil), seen)
		s.Certificates = sources.Read(s.Certificates.Value[1:], seen)
		s.Secrets = sources.Read([]sources.TLSSecret(nil), seen)
		s.Ingresses = sources.Read([]sources.Ingress(nil), seen)
		s.Events = sources.Read([]sources.Event(nil), seen)
		s.Stats["worker-0"] = s.Stats["worker-1"]
		h := w.history()
		h.Series[sources.DiskUsedSeries("worker-0")] = h.Series[sources.DiskUsedSeries("worker-1")]
		h.Series[sources.DiskAvailSeries("worker-0")] = h.Series[sources.DiskAvailSeries("worker-1")]
		for name := range h.Series {
			if _, _, _, restarts := sources.ParseRestartSeries(name); restarts {
				delete(h.Series, name)
			}
		}
		s.History = sources.Read(h, seen)
	}
}

// down is the API server not answering: the last picture stays.
func (w world) down() sources.Edit {
	err := errors.New("dial tcp 10.0.0.2:6443: connect: connection refused")
	return func(s *sources.Snapshot) {
		s.Cluster = s.Cluster.Failed(err)
		s.Nodes, s.Pods, s.Certificates = s.Nodes.Failed(err), s.Pods.Failed(err), s.Certificates.Failed(err)
		s.CronJobs, s.Jobs, s.Secrets = s.CronJobs.Failed(err), s.Jobs.Failed(err), s.Secrets.Failed(err)
		s.Events, s.Workloads, s.Ingresses = s.Events.Failed(err), s.Workloads.Failed(err), s.Ingresses.Failed(err)
		sources.SetHealth(sources.Health{Name: "api", At: w.ago(12 * time.Second), Err: err})(s)
	}
}

// many is a cluster of n nodes with pods each of which restarts.
func (w world) many(n, pods int) sources.Edit {
	return func(s *sources.Snapshot) {
		w.incident()(s)
		seen := w.ago(12 * time.Second)
		nodes := make([]sources.Node, 0, n)
		stats := map[string]sources.Reading[sources.NodeStats]{}
		for i := range n {
			name := fmt.Sprintf("worker-%d", i)
			nodes = append(nodes, w.node(name, false, i == 0))
			stats[name] = s.Stats["worker-1"]
		}
		all := make([]sources.Pod, 0, pods)
		for i := range pods {
			p := w.pods()[2]
			p.Name = fmt.Sprintf("job-%d-abcde", i)
			p.UID, p.Node, p.Owner = p.Name, nodes[i%n].Name, deployment("batch", fmt.Sprintf("job-%d", i))
			p.Containers = []sources.Container{p.Containers[0]}
			p.Containers[0].Restarts, p.Created = 12, w.ago(40*time.Minute)
			p.Containers[0].Last.Finished = w.ago(time.Duration(i%3000) * time.Second)
			all = append(all, p)
		}
		s.Nodes, s.Pods, s.Stats = sources.Read(nodes, seen), sources.Read(all, seen), stats
	}
}

// open shows the cockpit on a world.
func open(tb testing.TB, width, height int, o ui.Options, build ...func(world) sources.Edit) (*uitest.Driver, world) {
	tb.Helper()
	clock := uitest.NewClock()
	w := world{now: clock.Now()}
	store := sources.NewStore(sources.DefaultSettings(), rules.Judge, clock.Now)
	o.Store, o.Home, o.Objects, o.Mouse = store, views.NewCockpit(keymap.Default()), views.Objects, true
	d := uitest.NewAt(tb, o, clock, width, height)
	for _, b := range build {
		d.Publish(b(w))
	}
	return d, w
}
