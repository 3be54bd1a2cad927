package demo

import (
	"maps"
	"sync"
)

// deeds counts what was done to the world, by what and to what.
type deeds struct {
	mu   sync.Mutex
	seen map[string]int
}

func (d *deeds) note(what, to string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen == nil {
		d.seen = map[string]int{}
	}
	d.seen[what+" "+to]++
}

// Deeds counts what can be done to the world only once without harm: "evict"
// and the pod's UID (granted evictions), "swap" and "restart" and the machine
// whose k3s binary was replaced or whose k3s was started.
func (w *World) Deeds() map[string]int {
	w.did.mu.Lock()
	defer w.did.mu.Unlock()
	return maps.Clone(w.did.seen)
}
