package kube

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/go-logr/logr/funcr"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"daytwo/sources"
)

// Name is the source's name in Snapshot.Sources.
const Name = "api"

// Source returns the source that lists and watches the cluster.
func (c *Client) Source() sources.Source { return &source{c: c} }

type source struct{ c *Client }

// Name implements sources.Source.
func (*source) Name() string { return Name }

// Run implements sources.Source.
func (s *source) Run(ctx context.Context, publish func(...sources.Edit)) error {
	ctx = s.c.logged(ctx)
	ctx, cancel := context.WithCancelCause(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel(nil)
	start := func(what string, fn func(context.Context)) {
		running.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					s.c.log("%s panicked: %v\n%s", what, p, debug.Stack())
					cancel(fmt.Errorf("internal error while reading %s: %v", what, p))
				}
			}()
			fn(ctx)
		})
	}
	w := newWorld(s.c)
	start("the server's state", w.probe.run)
	for _, r := range w.reflectors() {
		start(r.TypeDescription(), r.RunWithContext)
	}
	start("TLS secrets", w.secrets.run)
	w.publish(ctx, publish)
	return context.Cause(ctx) //nolint:wrapcheck // ours
}

// logged keeps what client-go has to say off the terminal.
func (c *Client) logged(ctx context.Context) context.Context {
	return klog.NewContext(ctx, funcr.New(func(prefix, args string) { c.log("%s %s", prefix, args) }, funcr.Options{}))
}

// reflector lists and watches one resource into a table.
func (w *world) reflector(r resource, to store) *cache.Reflector {
	l := &lister{resource: r, c: w.c, rest: w.c.set.CoreV1().RESTClient(), to: to, lost: w.probe.now}
	if r.custom {
		l.rest = w.c.custom
	}
	lw := noWatchList{&cache.ListWatch{ListWithContextFunc: l.list, WatchFuncWithContext: l.watch}}
	out := cache.NewReflectorWithOptions(lw, nil, to, cache.ReflectorOptions{
		Name: r.name, TypeDescription: r.name,
		Backoff: &wait.Backoff{Duration: w.c.pace.retry, Cap: w.c.pace.retryMax, Factor: 2, Jitter: 0.2, Steps: 10},
	})
	out.WatchListPageSize = pageSize
	return out
}

// noWatchList keeps the reflector from asking for a streamed first list,
// which it would collect in one more store, and which not every server gives.
type noWatchList struct{ *cache.ListWatch }

// IsWatchListSemanticsUnSupported is looked for by client-go.
func (noWatchList) IsWatchListSemanticsUnSupported() bool { return true }

// publish turns what changed into edits. What changes after a quiet time is
// published at once; while changes never end, publications come further apart,
// for each is judged and drawn anew.
func (w *world) publish(ctx context.Context, publish func(...sources.Edit)) {
	gap, busy := time.Duration(0), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.dirty:
		}
		if edits := w.edits(); len(edits) > 0 {
			publish(edits...)
		}
		gap = w.gap(gap, busy)
		pause(ctx, gap)
		busy = len(w.dirty) > 0
	}
}

// gap is the least time to the next publication. last is the one before, busy
// says whether something changed in it.
func (w *world) gap(last time.Duration, busy bool) time.Duration {
	for _, f := range w.feeds {
		if s := f.state(); s.at.IsZero() && s.err == nil {
			return w.c.pace.first
		}
	}
	if !busy {
		return w.c.pace.coalesce
	}
	return max(w.c.pace.coalesce, min(2*last, w.c.pace.coalesceMost))
}

// edits are all changes since the last call.
func (w *world) edits() []sources.Edit {
	edits, broken := w.probe.edits()
	for _, o := range w.outputs {
		if e := o.edit(broken); e != nil {
			edits = append(edits, e)
		}
	}
	w.rosterFromNodes()
	return edits
}

// rosterFromNodes tells who asks each node which nodes there are.
func (w *world) rosterFromNodes() {
	var names []string
	w.nodes.each(func(n *sources.Node) { names = append(names, n.Name) })
	w.c.roster.set(names)
}

// confirm moves the age of everything an open watch keeps true.
func (w *world) confirm(now time.Time) {
	for _, f := range w.feeds {
		f.confirm(now)
	}
}
