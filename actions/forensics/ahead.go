package forensics

import (
	"context"
	"fmt"
)

// ahead is the quick probe that was asked while the one before it was waited
// for: most of what a quick one takes is the beginning of a session. Two long
// walks over a disk are never asked beside each other.
type ahead struct {
	id   string
	back <-chan reply
	stop context.CancelFunc
}

// end ends what was asked, and waits for that.
func (a *ahead) end() {
	if a.stop != nil {
		a.stop()
		<-a.back
	}
	*a = ahead{}
}

// ask asks the node one probe, and the next one ahead. Steps come one after the
// other, so that nobody else touches what was asked.
func (i *Inspection) ask(ctx context.Context, p probe) reply {
	early := i.ahead
	i.ahead = ahead{}
	if early.id != p.id {
		early.end() // its step was skipped
	}
	if next, ok := i.next(p); ok {
		i.ahead = i.begin(ctx, next)
	}
	if early.back == nil {
		return p.ask(ctx, i.with.Hosts.Host(i.Node), i.with.Clock)
	}
	defer early.stop()
	return <-early.back
}

// next is the probe after p if it may be asked beside it. Behind the first
// nobody knows yet whether the node can be spoken to.
func (i *Inspection) next(p probe) (probe, bool) {
	all := probes(i.Unit())
	for n := range all[1:] {
		if all[n].id == p.id && !p.first && all[n+1].limit == quick {
			return all[n+1], true
		}
	}
	return probe{}, false
}

func (i *Inspection) begin(ctx context.Context, p probe) ahead {
	ctx, stop := context.WithCancel(ctx)
	back := make(chan reply, 1)
	go func() {
		defer func() { // the runner's own guard is on the step's goroutine only
			if broken := recover(); broken != nil {
				back <- reply{got: &bounded{}, errs: &bounded{}, err: fmt.Errorf("internal error, please report it: %v", broken)}
			}
		}()
		back <- p.ask(ctx, i.with.Hosts.Host(i.Node), i.with.Clock)
	}()
	return ahead{p.id, back, stop}
}
