package drain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"daytwo/sources"
)

// How an eviction is tried again.
const (
	asking       = 32 // evictions that are under way at once
	firstRetry   = 500 * time.Millisecond
	longestRetry = 8 * time.Second
	probeAfter   = 30 * time.Second // a budget that says no is asked all the same, should its status be wrong
	mostRefusals = 12               // of a server that is there and will not, with nothing to wait for
	remindEvery  = 30 * time.Second
	parting      = 500 * time.Millisecond // for evictions under way when it is stopped
)

// Clock is the time that an evictor goes by.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// wallClock is the clock of the machine.
type wallClock struct{}

func (wallClock) Now() time.Time                         { return time.Now() }
func (wallClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// guest is a pod on its way off the node.
type guest struct {
	sources.Tenant

	state State
	asked time.Time // when its eviction was accepted
	tries int       // failed in a row
	again time.Time // not before
	asks  bool      // an eviction is under way
	told  bool      // its first eviction was announced
	last  time.Time // when one was last answered, or since when it is held
	why   string    // why it waits or failed
}

// evictor takes pods off a node. One goroutine runs it; evictions run beside
// it and answer through a channel.
type evictor struct {
	c       Cluster
	node    string
	clock   Clock
	say     *teller
	board   *Board
	run     string
	guests  []*guest
	budgets map[sources.Ref]sources.Budget
	spent   map[sources.Ref]spending
	paces   map[sources.Ref]*pace
	lost    error // why the sight is old
	under   int   // evictions that are not answered yet
	answers chan answer
}

// spending is what was taken from a budget since its status was seen.
type spending struct {
	version string
	taken   int32
}

type answer struct {
	g   *guest
	err error
}

// Empty evicts pods from a node and waits until they are gone, as kubectl
// drain does, in its words. Pods that come meanwhile are left alone, as are
// successors of the same name elsewhere. It ends at once when ctx does.
func Empty(ctx context.Context, c Cluster, node string, pods []sources.Tenant, out io.Writer, o ...Option) error {
	e := &evictor{
		c: c, node: node, clock: wallClock{},
		spent: map[sources.Ref]spending{}, paces: map[sources.Ref]*pace{}, answers: make(chan answer, len(pods)),
	}
	for _, set := range o {
		set(e)
	}
	e.say = &teller{out: out, clock: e.clock, said: map[string]time.Time{}}
	for _, p := range pods {
		e.guests = append(e.guests, &guest{Tenant: p, state: Waits})
	}
	if len(e.guests) == 0 {
		return nil
	}
	watched, err := c.Watch(ctx, node)
	if err != nil {
		return fmt.Errorf("watching the pods of %s while they go: %w", node, err)
	}
	defer watched.Close()
	return e.work(ctx, watched)
}

// Option changes how a node is emptied.
type Option func(*evictor)

// WithClock sets the time to go by; tests do.
func WithClock(c Clock) Option { return func(e *evictor) { e.clock = c } }

// Showing puts the progress on a board, under a run's id.
func Showing(b *Board, run string) Option {
	return func(e *evictor) { e.board, e.run = b, run }
}

// work looks, asks and waits until every pod is gone or has failed.
func (e *evictor) work(ctx context.Context, watched sources.Watched) error {
	asks, cancel := context.WithCancel(context.WithoutCancel(ctx)) // they end in a moment, and how is worth knowing
	defer func() {
		cancel()
		for ; e.under > 0; e.under-- {
			<-e.answers
		}
	}()
	for {
		e.see(watched.Sight())
		e.ask(asks)
		e.show()
		if e.settled() {
			return e.verdict()
		}
		select {
		case <-ctx.Done():
			e.lastAnswers()
			return e.stopped(context.Cause(ctx))
		case <-watched.Changed():
		case a := <-e.answers:
			e.answered(a)
		case <-e.clock.After(e.rest()):
		}
	}
}

// lastAnswers waits a moment for the evictions that are under way.
func (e *evictor) lastAnswers() {
	enough := e.clock.After(parting)
	for e.under > 0 {
		select {
		case a := <-e.answers:
			e.answered(a)
		case <-enough:
			return
		}
	}
}

// see takes in what the node looks like now.
func (e *evictor) see(s sources.Sight) {
	e.budgets, e.lost = s.Budgets, s.Err
	now := e.clock.Now()
	here := make(map[string]sources.Tenant, len(s.Tenants))
	for _, t := range s.Tenants {
		here[t.UID] = t
	}
	for ref := range s.Budgets {
		if e.paces[ref] == nil {
			e.paces[ref] = &pace{}
		}
	}
	for _, g := range e.guests {
		if g.state == Gone || g.state == Failed {
			continue
		}
		t, ok := here[g.UID]
		if !ok {
			e.gone(g)
			continue
		}
		orphan, goes := g.Orphan, g.Goes
		g.Tenant = t
		g.Orphan, g.Goes = orphan, goes
		if !t.Deleting.IsZero() && g.state != Going {
			g.state, g.asked, g.why = Going, now, ""
		}
	}
}

func (e *evictor) gone(g *guest) {
	g.state, g.why, g.last = Gone, "", e.clock.Now()
	e.say.line("pod/%s evicted", g.Name)
}

// ask sends evictions for all pods that may go now, a bounded number at once.
func (e *evictor) ask(ctx context.Context) {
	now := e.clock.Now()
	for _, g := range e.guests {
		if e.under == asking {
			return
		}
		if g.state != Waits || g.asks || now.Before(g.again) || !e.may(g, now) {
			continue
		}
		if !g.told {
			e.say.line("evicting pod %s", g.Tenant)
		}
		g.asks, g.told = true, true
		e.under++
		go func(t sources.Tenant) { // ends with its request; work waits for the answer
			e.answers <- answer{g, e.c.Evict(ctx, t, false)}
		}(g.Tenant)
	}
}

// may decides by what the budgets say now whether to ask for a pod. A pod that
// its budget does not count, or more than one selects, is asked for: the
// server knows better.
func (e *evictor) may(g *guest, now time.Time) bool {
	b, counted := e.budgetOf(g)
	if !counted {
		return true
	}
	s := e.spent[b.Ref]
	if s.version != b.Version {
		s = spending{version: b.Version}
	}
	if b.Settled && b.Allowed > s.taken {
		s.taken++
		e.spent[b.Ref] = s
		return true
	}
	g.why = e.waits(b)
	if g.last.IsZero() {
		g.last = now
		return false
	}
	return now.Sub(g.last) >= probeAfter
}

// budgetOf is the one budget that decides over a pod now.
func (e *evictor) budgetOf(g *guest) (sources.Budget, bool) {
	if !g.Running || len(g.Budgets) != 1 {
		return sources.Budget{}, false
	}
	b, ok := e.budgets[sources.Ref{Kind: "PodDisruptionBudget", Namespace: g.Namespace, Name: g.Budgets[0]}]
	return b, ok && !free(Move{Tenant: g.Tenant}, b)
}

// answered takes in what the server said to an eviction.
func (e *evictor) answered(a answer) {
	g, now := a.g, e.clock.Now()
	e.under--
	g.asks, g.last = false, now
	if g.state == Gone || g.state == Going {
		return
	}
	refused, ok := asRefusal(a.err)
	switch {
	case a.err == nil:
		g.state, g.asked, g.tries, g.why = Going, now, 0, ""
		e.say.recovered()
		if b, ok := e.budgetOf(g); ok {
			e.paces[b.Ref].grant(now)
		}
	case errors.As(a.err, new(*sources.AccessError)):
		g.state, g.why = Failed, a.err.Error()
	case !ok:
		e.later(g, a.err.Error(), 0)
		e.say.trouble(a.err.Error())
	default:
		e.refused(g, refused)
	}
	if g.state == Failed {
		e.say.line("error when evicting pods/%q -n %q: %s", g.Name, g.Namespace, g.why)
	}
}

// refused sorts a refusal by what helps.
func (e *evictor) refused(g *guest, r *sources.EvictionError) {
	switch r.Why {
	case sources.RefusedGone:
		e.gone(g)
		e.say.line("  a pod of this name may be elsewhere by now; it is another one and not touched")
	case sources.RefusedByBudget:
		e.later(g, r.Said, r.After)
		if b, ok := e.budgetOf(g); ok && b.Settled && b.Allowed <= 0 {
			g.again = time.Time{} // its change is what to wait for, not a time
			g.tries = 0
		}
	case sources.RefusedTwoBudget:
		g.state = Failed
		g.why = r.Said + " (more than one disruption budget selects it; narrow one of them, then try again)"
	case sources.RefusedForGood:
		g.state, g.why = Failed, r.Said
	case sources.RefusedForNow:
		e.later(g, r.Said, r.After)
		e.say.trouble("the API server answered: " + r.Said)
		if g.tries >= mostRefusals {
			g.state = Failed
		}
	}
}

// later puts a pod off: half a second, then twice as long each time.
func (e *evictor) later(g *guest, why string, after time.Duration) {
	wait := min(firstRetry<<min(g.tries, 8), longestRetry)
	g.tries++
	g.why = why
	g.again = e.clock.Now().Add(max(wait, min(after, longestRetry)))
}

// waits says why a pod is not asked for.
func (e *evictor) waits(b sources.Budget) string {
	if !b.Settled {
		return fmt.Sprintf("disruption budget %s was changed and is not counted yet", b.Ref.Name)
	}
	return fmt.Sprintf("disruption budget %s needs %d healthy and has %d", b.Ref.Name, b.DesiredHealthy, b.CurrentHealthy)
}

// rest is how long to wait if nothing happens: for the next try, and a second
// so that what is shown stays true.
func (e *evictor) rest() time.Duration {
	now, wait := e.clock.Now(), time.Second
	for _, g := range e.guests {
		if g.state == Waits && !g.asks && g.again.After(now) {
			wait = min(wait, g.again.Sub(now))
		}
	}
	return max(wait, 10*time.Millisecond)
}

func (e *evictor) settled() bool {
	return !slices.ContainsFunc(e.guests, func(g *guest) bool { return g.state != Gone && g.state != Failed })
}

func asRefusal(err error) (*sources.EvictionError, bool) {
	return errors.AsType[*sources.EvictionError](err)
}
