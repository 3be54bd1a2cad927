package ssh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"daytwo/sources"
)

// Fleet is the way to every node's machine. It implements sources.Hosts and
// sources.Trust.
type Fleet struct {
	opts Options
	ctx  context.Context //nolint:containedctx // the fleet's own life: lines outlive who asked first
	stop context.CancelFunc
	work sync.WaitGroup
	keys keyring

	accepting sync.Mutex // one writer of known_hosts

	mu    sync.Mutex
	lines map[string]*attempt // by all hops
	user  *userConfig
	looks map[string]look // what is known of each node's machine
	noted chan struct{}   // something in looks changed: look again
}

// attempt is a line, or one being opened. done is closed when it is known
// which; line and err are then fixed.
type attempt struct {
	done chan struct{}
	line *line
	err  error
}

// New makes the way; nothing is dialled before something is run. The caller
// closes it.
func New(ctx context.Context, o Options) *Fleet {
	f := &Fleet{opts: o.withDefaults(), lines: map[string]*attempt{}, looks: map[string]look{}, noted: make(chan struct{}, 1)}
	f.ctx, f.stop = context.WithCancel(ctx)
	return f
}

// Close ends all lines and waits for what belongs to them. Units go on.
func (f *Fleet) Close() {
	f.mu.Lock()
	f.stop() // within the lock: nobody begins a line behind our back
	f.mu.Unlock()
	f.work.Wait()
}

// Host is the machine of a node.
func (f *Fleet) Host(node string) sources.Host { return &host{fleet: f, node: node} }

// config reads the user's files once.
func (f *Fleet) config() (userConfig, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.user == nil {
		c, err := readUserConfig(f.opts.ConfigFiles, f.opts.Home, f.opts.Log)
		if err != nil {
			return c, err
		}
		f.user = &c
	}
	return *f.user, nil
}

var errClosed = errors.New("closed, for daytwo ends")

// line is the shared connection over all hops, opened if there is none.
func (f *Fleet) line(ctx context.Context, node string, hops []hop) (*line, error) {
	key := routeKey(hops)
	for {
		a, err := f.attempt(ctx, node, key, hops)
		if err != nil {
			return nil, err
		}
		select {
		case <-a.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the line to %s: %w", node, ctx.Err())
		}
		if a.err != nil {
			return nil, a.err
		}
		if a.line.use() {
			return a.line, nil
		}
		f.forget(key, a)
	}
}

// attempt joins the one that is going on, or begins one. It goes on when
// ctx ends: others may have joined.
func (f *Fleet) attempt(ctx context.Context, node, key string, hops []hop) (*attempt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		return nil, fmt.Errorf("the line to %s: %w", node, errClosed)
	}
	if a := f.lines[key]; a != nil {
		return a, nil
	}
	a := &attempt{done: make(chan struct{})}
	f.lines[key] = a
	own := f.ctx
	if quiet(ctx) {
		own = Quiet(own)
	}
	f.work.Go(func() {
		a.line, a.err = f.open(own, node, hops)
		if a.err != nil {
			f.forget(key, a)
		}
		close(a.done)
		if a.line != nil {
			a.line.tend(f.ctx)
			f.forget(key, a)
		}
	})
	return a, nil
}

// forget drops a line that ended or never came to be.
func (f *Fleet) forget(key string, a *attempt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lines[key] == a {
		delete(f.lines, key)
	}
}

func routeKey(hops []hop) string {
	var key strings.Builder
	for _, h := range hops {
		key.WriteString(h.user + "@" + h.address() + "\n")
	}
	return key.String()
}
