package ssh

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"daytwo/sources"
)

// look is how the last connection to a node's machine went.
type look struct {
	at  time.Time
	err error
}

// note remembers how a connection went.
func (f *Fleet) note(node string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.looks[node]
	f.looks[node] = look{at: time.Now(), err: err}
	if !before.at.IsZero() && fmt.Sprint(before.err) == fmt.Sprint(err) {
		return
	}
	select {
	case f.noted <- struct{}{}:
	default:
	}
}

// forgive forgets failures and what was read of the user's files: a person
// did something about them.
func (f *Fleet) forgive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for node, l := range f.looks {
		if l.err != nil {
			delete(f.looks, node)
		}
	}
	f.user = nil
	select {
	case f.noted <- struct{}{}:
	default:
	}
}

// How old the last look at a machine may be before it is looked at again. A
// machine that took no key may ban who tries again and again.
const (
	lookEvery   = 5 * time.Minute
	deniedEvery = time.Hour
	probeTime   = dialTime + greetTime
	mostProbes  = 8 // at once
)

// due reports whether a node's machine should be looked at.
func (l look) due(now time.Time) bool {
	every := lookEvery
	if _, denied := errors.AsType[*DeniedError](l.err); denied {
		every = deniedEvery
	}
	return l.at.IsZero() || now.Sub(l.at) >= every
}

// meant reports whether somebody said how the machine of a node is reached.
// Without that nobody's keys are shown to a machine before something is to be
// run there.
func (f *Fleet) meant(node string) bool {
	if f.opts.Settings.Given() {
		return true
	}
	cfg, err := f.config()
	if err != nil {
		return false
	}
	return cfg.names(node) || cfg.names(addressOf(f.opts.Nodes(), node))
}

// Probe logs in to a node's machine, and becomes root there. reached says
// whether the login worked, whatever came of the rest.
func (f *Fleet) Probe(ctx context.Context, node string) (reached bool, err error) {
	ctx, stop := context.WithTimeout(ctx, probeTime)
	defer stop()
	h := f.Host(node)
	if err := h.Run(ctx, sources.Command{Line: "true"}); err != nil {
		return false, err
	}
	return true, h.Run(ctx, sources.Command{Line: "true", Root: true})
}

// Login is who would log in to a node's machine and where, for people.
func (f *Fleet) Login(node string) string {
	hops, err := f.route(node)
	if err != nil {
		return ""
	}
	last := hops[len(hops)-1]
	text := last.user + "@" + last.address()
	var over []string
	for _, h := range hops[:len(hops)-1] {
		over = append(over, h.address())
	}
	if len(over) > 0 {
		text += " over " + strings.Join(over, ", ")
	}
	return text
}

// Source looks at the machines now and then, those that somebody said how to
// reach, and tells of all that were spoken to.
func (f *Fleet) Source() sources.Source { return &watch{fleet: f} }

type watch struct{ fleet *Fleet }

// Name is what the header calls it.
func (w *watch) Name() string { return "ssh" }

// Run publishes what is known of the machines until ctx ends.
func (w *watch) Run(ctx context.Context, publish func(...sources.Edit)) error {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		publish(sources.SetHealth(w.fleet.health()))
		w.probe(ctx)
		if ctx.Err() != nil {
			return nil
		}
		publish(sources.SetHealth(w.fleet.health()))
		select {
		case <-ctx.Done():
			return nil
		case <-w.fleet.noted:
		case <-tick.C:
		}
	}
}

// probe looks at the machines whose turn it is.
func (w *watch) probe(ctx context.Context) {
	var work sync.WaitGroup
	room := make(chan struct{}, mostProbes)
	for _, n := range w.fleet.opts.Nodes() {
		if !w.fleet.last(n.Name).due(time.Now()) || !w.fleet.meant(n.Name) {
			continue
		}
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
		}
		work.Go(func() {
			defer func() { <-room }()
			ctx, stop := context.WithTimeout(Quiet(ctx), probeTime)
			defer stop()
			if err := w.fleet.Host(n.Name).Run(ctx, sources.Command{Line: "true"}); err != nil && ctx.Err() == nil {
				w.fleet.note(n.Name, err)
			} else if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				w.fleet.note(n.Name, fmt.Errorf("%s does not answer within %v", n.Name, probeTime))
			}
		})
	}
	work.Wait()
}

func (f *Fleet) last(node string) look {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.looks[node]
}

// health is what the header says: machines that answer of those known of.
func (f *Fleet) health() sources.Health {
	h := sources.Health{Name: "ssh"}
	var good, all int
	var failed []string
	for _, n := range f.opts.Nodes() {
		l := f.last(n.Name)
		if l.at.IsZero() {
			if f.meant(n.Name) {
				all++
			}
			continue
		}
		all++
		if l.err != nil {
			failed = append(failed, l.err.Error())
			continue
		}
		good++
		if l.at.After(h.At) {
			h.At = l.at
		}
	}
	if all == 0 {
		h.Off, h.Note = true, "not set up"
		if _, err := f.config(); err != nil {
			h.Off, h.Note, h.Err = false, "", err
		}
		return h
	}
	h.Note = fmt.Sprintf("%d/%d", good, all)
	slices.Sort(failed)
	switch len(failed) {
	case 0:
	case 1:
		h.Err = errors.New(failed[0])
	default:
		h.Err = fmt.Errorf("%d of %d machines cannot be reached; the first: %s", len(failed), all, failed[0])
	}
	return h
}

// Able reports whether there is anything to log in with: a configuration, an
// agent, or one of the usual keys.
func (f *Fleet) Able() bool {
	if f.opts.Settings.Given() || f.opts.AgentSocket != "" {
		return true
	}
	for _, n := range f.opts.Nodes() {
		if f.meant(n.Name) {
			return true
		}
	}
	for _, kind := range usualKeys() {
		if _, err := os.Stat(filepath.Join(f.opts.Home, ".ssh", kind)); f.opts.Home != "" && err == nil {
			return true
		}
	}
	return false
}
