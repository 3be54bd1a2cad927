package forensics

import (
	"context"
	"sync"
)

// ahead asks the quick probe that comes next while one is waited for: most of
// what a quick one takes is the beginning of a session. Two that walk a disk
// are never asked beside each other.
type ahead struct {
	mu    sync.Mutex
	asked map[string]<-chan reply
}

// ask returns where the answer to a probe comes, and asks the next one as well.
// What is asked ends with ctx.
func (h *ahead) ask(ctx context.Context, all []probe, id string, ask func(context.Context, probe) reply) <-chan reply {
	h.mu.Lock()
	defer h.mu.Unlock()
	begin := func(p probe) <-chan reply {
		back := make(chan reply, 1)
		go func() { back <- ask(ctx, p) }()
		return back
	}
	var mine <-chan reply
	for n, p := range all {
		if p.id != id {
			continue
		}
		if mine = h.asked[id]; mine == nil {
			mine = begin(p)
		}
		delete(h.asked, id)
		// Behind the first nobody knows yet whether the node can be spoken to.
		if next := n + 1; !p.first && next < len(all) && all[next].limit == quick && h.asked[all[next].id] == nil {
			if h.asked == nil {
				h.asked = map[string]<-chan reply{}
			}
			h.asked[all[next].id] = begin(all[next])
		}
	}
	return mine
}
