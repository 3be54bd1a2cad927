package forensics

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// ahead asks the quick probe that comes next while one is waited for: most of
// what a quick one takes is the beginning of a session. Two long walks over a
// disk are never asked beside each other.
type ahead struct {
	mu    sync.Mutex
	asked map[string]asked
}

// asked is a probe that was asked ahead. What ended with its ctx, because the
// run was stopped, is no answer for the one that goes on.
type asked struct {
	ctx  context.Context //nolint:containedctx // whether it ended is all that is asked of it
	back <-chan reply
}

// ask returns where the answer to a probe comes, and asks the next one as well.
// What is asked ends with ctx.
func (h *ahead) ask(ctx context.Context, all []probe, id string, ask func(context.Context, probe) reply) <-chan reply {
	h.mu.Lock()
	defer h.mu.Unlock()
	begin := func(p probe) asked {
		back := make(chan reply, 1)
		go func() {
			defer func() { // the runner's own guard is on the step's goroutine only
				if broken := recover(); broken != nil {
					back <- reply{got: &bounded{}, errs: &bounded{}, err: fmt.Errorf("internal error, please report it: %v", broken)}
				}
			}()
			back <- ask(ctx, p)
		}()
		return asked{ctx, back}
	}
	valid := func(a asked) bool { return a.back != nil && a.ctx.Err() == nil }
	n := slices.IndexFunc(all, func(p probe) bool { return p.id == id })
	mine := h.asked[id]
	if delete(h.asked, id); !valid(mine) {
		mine = begin(all[n])
	}
	// Behind the first nobody knows yet whether the node can be spoken to.
	if next := n + 1; !all[n].first && next < len(all) && all[next].limit == quick && !valid(h.asked[all[next].id]) {
		if h.asked == nil {
			h.asked = map[string]asked{}
		}
		h.asked[all[next].id] = begin(all[next])
	}
	return mine.back
}
