package upgrade

import (
	"context"
	"time"

	"daytwo/actions/drain"
	"daytwo/sources"
)

// Cluster answers for what is true now; never the last picture.
type Cluster interface {
	Version(ctx context.Context) (string, error) // of the API server
	Node(ctx context.Context, name string) (sources.Node, error)
	Nodes(ctx context.Context) ([]sources.Node, error)
	Pods(ctx context.Context) ([]sources.Pod, error)
	Workloads(ctx context.Context) ([]sources.Workload, error)
}

// Releases is where versions are published.
type Releases interface {
	Server() sources.ReleaseServer
	Channels(ctx context.Context) ([]sources.Channel, error)
	Release(ctx context.Context, tag, arch string) (sources.Release, error)
}

// Records keeps the notes of upgrades.
type Records interface {
	SaveUpgrade(ctx context.Context, n sources.UpgradeNotes, markdown string) (path string, err error)
}

// Kit is what an upgrade works with.
type Kit struct {
	Cluster  Cluster
	Drain    drain.Kit
	Hosts    sources.Hosts
	Releases Releases
	Records  Records
	Prefer   *Preference
	Snapshot func() *sources.Snapshot // the newest picture
	Clock    func() time.Time
	// Ticker makes the ticks of what waits; nil is time.NewTicker.
	Ticker func(time.Duration) (tick <-chan time.Time, stop func())
	// Ready is how long a node may take to come back, Soak how long the cluster
	// must stay as before after each; 0 is the default.
	Ready, Soak time.Duration
}

func (k *Kit) now() time.Time {
	if k.Clock == nil {
		return time.Now()
	}
	return k.Clock()
}

func (k *Kit) ticker(every time.Duration) (<-chan time.Time, func()) {
	if k.Ticker != nil {
		return k.Ticker(every)
	}
	t := time.NewTicker(every)
	return t.C, t.Stop
}

// lookEvery is how often something that is waited for is looked at.
const lookEvery = 2 * time.Second

// until looks again and again until it is there, the time is over or ctx
// ends. A look that fails is taken for "not yet"; the last reason is in the
// error. The time is counted by the kit's clock.
func (k *Kit) until(ctx context.Context, limit time.Duration, look func(context.Context) (done bool, why string)) error {
	tick, stop := k.ticker(lookEvery)
	defer stop()
	began := k.now()
	for {
		done, why := look(ctx)
		switch {
		case done:
			return nil
		case ctx.Err() != nil:
			return ctx.Err() //nolint:wrapcheck // the engine reads it
		case k.now().Sub(began) >= limit:
			return &lateError{limit, why}
		}
		select {
		case <-ctx.Done():
			return ctx.Err() //nolint:wrapcheck // the engine reads it
		case <-tick:
		}
	}
}

// lateError says that something did not come in time, and why not.
type lateError struct {
	limit time.Duration
	why   string
}

// Error says what was not so.
func (e *lateError) Error() string {
	return "not within " + sources.Span(e.limit) + ": " + e.why
}
