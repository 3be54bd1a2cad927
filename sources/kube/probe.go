package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/version"

	"daytwo/sources"
)

// probe asks the server every few seconds whether it is well: the watches
// say nothing when nothing happens, and nothing either when the line is dead.
type probe struct {
	c    *Client
	wake func()
	ok   func(time.Time) // called after each good answer
	kick chan struct{}   // capacity 1: probe now

	mu        sync.Mutex
	cluster   sources.Cluster
	at        time.Time // last good answer
	err       error
	asked     bool
	told      time.Time // last time that woke who publishes
	versionAt time.Time
}

// run probes until ctx ends.
func (p *probe) run(ctx context.Context) {
	for ctx.Err() == nil {
		p.once(ctx)
		t := time.NewTimer(p.c.pace.probe)
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-p.kick:
		}
		t.Stop()
	}
}

// now makes the next probe come at once, where the server is believed well.
func (p *probe) now() {
	p.mu.Lock()
	doubt := p.asked && p.err == nil
	p.mu.Unlock()
	if !doubt {
		return
	}
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

func (p *probe) once(ctx context.Context) {
	began := time.Now()
	err := p.c.ready(ctx)
	latency := time.Since(began)
	at := p.c.now()
	release, known := "", false
	if err == nil && p.versionDue(at) {
		began = time.Now()
		release, known = p.c.release(ctx)
		latency = min(latency, time.Since(began)) // the first request also opens the connection
	}
	if ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	back := err == nil && p.err != nil
	news := !p.asked || back || err != nil || at.Sub(p.told) >= p.c.pace.calm
	p.err, p.asked = err, true
	if news {
		p.told = at
	}
	if err == nil {
		p.at, p.cluster.Latency = at, latency
	}
	if known {
		p.cluster.Version, p.versionAt = release, at
	}
	p.mu.Unlock()
	if err == nil {
		p.ok(at)
	}
	if back {
		p.c.roster.again()
	}
	if news || known {
		p.wake()
	}
}

// versionDue reports whether to read /version again: now and then, and after
// the server was gone, when it may have been upgraded.
func (p *probe) versionDue(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err != nil || p.versionAt.IsZero() || now.Sub(p.versionAt) >= p.c.pace.version
}

// release is the server's gitVersion; known says whether it told.
func (c *Client) release(ctx context.Context) (text string, known bool) {
	raw, err := c.Get(ctx, "/version", Need{Verb: "get", Resource: "/version"}, c.pace.timeout)
	var v version.Info
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil {
		c.log("reading /version of %s: %v", c.host, err)
		return "", false
	}
	return sources.Clean(v.GitVersion, sources.MaxName), true
}

// edits are the snapshot's Cluster and this source's health.
func (p *probe) edits() (edits []sources.Edit, broken error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.asked {
		return nil, nil
	}
	cluster := p.cluster
	cluster.Name, cluster.Server, cluster.ClientCert = sources.Clean(p.c.context, sources.MaxName), p.c.server, p.c.clientCert
	reading := sources.Reading[sources.Cluster]{Value: cluster, At: p.at, Err: p.err}
	health := sources.Health{Name: Name, At: p.at, Latency: cluster.Latency, Err: p.err, Note: milliseconds(cluster.Latency)}
	if p.at.IsZero() {
		health.Note = ""
	}
	return []sources.Edit{
		func(s *sources.Snapshot) { s.Cluster = reading },
		sources.SetHealth(health),
	}, p.err
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%dms", max(1, d.Milliseconds()))
}

// ready asks /readyz, which also looks at the server's database; /version
// where a role may not ask that.
func (c *Client) ready(ctx context.Context) error {
	_, err := c.Get(ctx, "/readyz", Need{Verb: "get", Resource: "/readyz"}, c.pace.timeout)
	var denied *sources.AccessError
	if errors.As(err, &denied) || errors.Is(err, sources.ErrNotInstalled) {
		_, err = c.Get(ctx, "/version", Need{Verb: "get", Resource: "/version"}, c.pace.timeout)
	}
	if why := notReady(err); why != "" {
		return &plainError{text: "api server is not ready: " + why, err: err}
	}
	return err
}

// notReady picks the failed checks out of what /readyz answered; "" if err is
// something else.
func notReady(err error) string {
	var status *apierrors.StatusError
	if !errors.As(err, &status) || status.Status().Code != 500 {
		return ""
	}
	said := []string{status.Status().Message}
	if d := status.Status().Details; d != nil {
		for _, cause := range d.Causes {
			said = append(said, cause.Message)
		}
	}
	var bad []string
	for line := range strings.Lines(strings.Join(said, "\n")) {
		if check, ok := strings.CutPrefix(strings.TrimSpace(line), "[-]"); ok {
			name, _, _ := strings.Cut(check, " ")
			bad = append(bad, sources.Clean(name, 60)+" failed")
		}
	}
	return strings.Join(bad, ", ")
}
