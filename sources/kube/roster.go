package kube

import (
	"slices"
	"sync"
)

// roster is the list of node names that the API source last saw, for what
// asks each node.
type roster struct {
	mu      sync.Mutex
	names   []string
	changed chan struct{} // closed and replaced at each change
}

func (r *roster) init() { r.changed = make(chan struct{}) }

func (r *roster) set(names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Equal(names, r.names) {
		return
	}
	r.names = names
	r.signal()
}

// again signals though the names are the same: the server came back.
func (r *roster) again() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.signal()
}

func (r *roster) signal() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// Nodes returns the names of the nodes that Source last saw, and a channel
// that is closed when they change or the API server was gone and is back. The
// slice must not be modified.
func (c *Client) Nodes() ([]string, <-chan struct{}) {
	c.roster.mu.Lock()
	defer c.roster.mu.Unlock()
	return c.roster.names, c.roster.changed
}
