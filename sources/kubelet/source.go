// Package kubelet asks every node's kubelet for its filesystems and its live
// configuration, through the API server's node proxy, and metrics.k8s.io for
// CPU and memory. A node that does not answer delays no other.
package kubelet

import (
	"context"
	"sync"
	"time"

	"daytwo/sources"
	"daytwo/sources/kube"
)

// Name is the source's name in Snapshot.Sources.
const Name = "kubelets"

// Cluster is what is asked; *kube.Client in the program.
type Cluster interface {
	// Nodes returns the names of the nodes and a channel that is closed when
	// they change or the API server is back.
	Nodes() ([]string, <-chan struct{})
	// Get asks the API server for a path within d.
	Get(ctx context.Context, path string, need kube.Need, d time.Duration) ([]byte, error)
}

// pace is how often is asked; tests make it quick.
type pace struct {
	summary  time.Duration // between two summaries of one node
	config   time.Duration // between two readings of its configuration
	metrics  time.Duration // between two readings of metrics.k8s.io
	absent   time.Duration // the same while it is not installed
	retryMax time.Duration // longest pause after failures of one node
	timeout  time.Duration // of one request to one node
	start    time.Duration // least time between two publications at first
	steady   time.Duration // the same once every node has answered
	rate     float64       // requests a second, all nodes together
	slots    int           // requests at once
}

func usualPace() pace {
	return pace{
		summary: 30 * time.Second, config: 30 * time.Minute, metrics: 10 * time.Second, absent: time.Minute,
		retryMax: 2 * time.Minute, timeout: 5 * time.Second, start: 250 * time.Millisecond, steady: 10 * time.Second,
		rate: 20, slots: 8,
	}
}

// New returns the source that asks the kubelets of the nodes that c knows.
func New(c Cluster) sources.Source { return &source{c: c, now: time.Now, pace: usualPace()} }

type source struct {
	c    Cluster
	now  func() time.Time
	pace pace
}

// Name implements sources.Source.
func (*source) Name() string { return Name }

// Run implements sources.Source.
func (s *source) Run(ctx context.Context, publish func(...sources.Edit)) error {
	f := newFleet(s.pace)
	answers, usage := make(chan answer), make(chan usage)
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	running.Go(func() { s.readMetrics(ctx, usage) })

	names, changed := s.c.Nodes()
	f.enrol(names, s.now())
	wake := time.NewTimer(0)
	defer wake.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err() //nolint:wrapcheck // the caller's own
		case <-changed:
			names, changed = s.c.Nodes()
			f.enrol(names, s.now())
		case a := <-answers:
			f.take(a, s.now())
		case u := <-usage:
			f.takeUsage(u)
		case <-wake.C:
		}
		for _, job := range f.due(s.now()) {
			running.Go(func() { s.ask(ctx, job, answers) })
		}
		if f.mayPublish(s.now()) {
			publish(f.edits(s.now())...)
		}
		wake.Reset(f.next(s.now()))
	}
}

// ask reads one node and hands in what it said.
func (s *source) ask(ctx context.Context, j job, answers chan<- answer) {
	a := s.read(ctx, j)
	select {
	case answers <- a:
	case <-ctx.Done():
	}
}
