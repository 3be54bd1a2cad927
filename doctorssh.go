package main

import (
	"context"
	"fmt"
	"sync"

	"daytwo/sources"
)

// mostDoctored machines are asked at once.
const mostDoctored = 8

// machine is how one node's machine could be reached.
type machine struct {
	node, login string
	reached     bool
	err         error
}

// machines says for each node whether its machine can be logged in to and
// whether that is, or becomes, root. Nothing is tried where there is no key.
func (d *diagnosis) machines(ctx context.Context, s *session, snap *sources.Snapshot) {
	if !s.hosts.Able() {
		d.ok("ssh", "not set up: no key, no agent and nothing in the configuration; disk forensics and upgrades need it (ssh in the configuration)")
		return
	}
	found := make([]machine, len(snap.Nodes.Value))
	room := make(chan struct{}, mostDoctored)
	var work sync.WaitGroup
	for i, n := range snap.Nodes.Value {
		room <- struct{}{}
		work.Go(func() {
			defer func() { <-room }()
			found[i] = machine{node: n.Name, login: s.hosts.Login(n.Name)}
			found[i].reached, found[i].err = s.hosts.Probe(ctx, n.Name)
		})
	}
	work.Wait()
	for _, m := range found {
		d.machine(m)
	}
}

func (d *diagnosis) machine(m machine) {
	what := "ssh to " + m.node
	switch {
	case m.err == nil:
		d.ok(what, m.login+", root works")
	case m.reached:
		d.lacks(what, fmt.Sprintf("%s works, but not as root: %v", m.login, m.err))
	default:
		d.lacks(what, m.err.Error())
	}
}
