package drain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"daytwo/sources"
)

// State is how a pod that must go stands.
type State string

// The states of a pod that must go.
const (
	Waits  State = "waits"
	Going  State = "going" // its eviction was accepted, it has its grace
	Gone   State = "gone"
	Failed State = "failed"
)

// Progress is how far an evictor is.
type Progress struct {
	Node  string
	Total int
	Gone  int
	Going int
	Waits int
	Fails int
	// Left is how long it takes yet: by what was seen where Known, else at
	// most so long once nothing waits. Zero with Waits means that nobody can
	// know.
	Left  time.Duration
	Known bool
	Pods  []PodProgress
	Lost  string // why this may be old
}

// PodProgress is one pod's.
type PodProgress struct {
	Pod   string
	State State
	Since time.Time
	Why   string
}

// Board is where the progress of evictions that run in this process can be
// read, by the id of their run.
type Board struct {
	mu sync.Mutex
	by map[string]Progress
}

// NewBoard returns an empty board.
func NewBoard() *Board { return &Board{by: map[string]Progress{}} }

// Of is the progress of a run's eviction.
func (b *Board) Of(run string) (Progress, bool) {
	if b == nil {
		return Progress{}, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.by[run]
	return p, ok
}

func (b *Board) put(run string, p Progress) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.by[run] = p
}

// String is "4/10 gone, 2 going, 4 wait, about 40 s left".
func (p Progress) String() string {
	words := []string{fmt.Sprintf("%d/%d gone", p.Gone, p.Total)}
	for _, x := range []struct {
		n    int
		text string
	}{{p.Going, "%d going"}, {p.Waits, "%d waiting"}, {p.Fails, "%d failed"}} {
		if x.n > 0 {
			words = append(words, fmt.Sprintf(x.text, x.n))
		}
	}
	switch {
	case p.Gone+p.Fails == p.Total:
	case p.Left > 0 && p.Known:
		words = append(words, "about "+span(p.Left)+" left")
	case p.Left > 0:
		words = append(words, "at most "+span(p.Left)+" left")
	case p.Waits > 0:
		words = append(words, "nobody can say how long")
	}
	return strings.Join(words, ", ")
}

// Bar is the share that is gone, drawn so many cells wide.
func (p Progress) Bar(width int) string {
	full := 0
	if p.Total > 0 {
		full = width * p.Gone / p.Total
	}
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

// progress is how far the evictor is now.
func (e *evictor) progress() Progress {
	p := Progress{Node: e.node, Total: len(e.guests)}
	if e.lost != nil {
		p.Lost = e.lost.Error()
	}
	for _, g := range e.guests {
		since := g.last
		switch g.state {
		case Waits:
			p.Waits++
		case Going:
			p.Going++
			since = g.asked
		case Gone:
			p.Gone++
		case Failed:
			p.Fails++
		}
		p.Pods = append(p.Pods, PodProgress{Pod: g.String(), State: g.state, Since: since, Why: g.why})
	}
	p.Left, p.Known = e.left()
	return p
}

// left estimates how long it takes yet. A pod that goes may use its grace and
// not more; one that waits for a budget takes as long as those before it did,
// which is not known until some have gone.
func (e *evictor) left() (time.Duration, bool) {
	now := e.clock.Now()
	var longest time.Duration
	known := false
	queues := map[sources.Ref]int{}
	for _, g := range e.guests {
		switch g.state {
		case Going:
			longest = max(longest, g.asked.Add(g.Grace).Sub(now))
		case Waits:
			if b, ok := e.budgetOf(g); ok {
				queues[b.Ref]++
			}
		case Gone, Failed:
		}
	}
	for ref, n := range queues {
		each, ok := e.paces[ref].each()
		if !ok {
			return 0, false
		}
		known = true
		longest = max(longest, time.Duration(n)*each)
	}
	return max(longest, 0), known
}

// show puts the progress on the board and in the stream's changing line.
func (e *evictor) show() {
	p := e.progress()
	e.board.put(e.run, p)
	e.blocked()
	e.say.progress(p)
}

// blocked says which budgets hold how many pods, when that begins and now and
// then.
func (e *evictor) blocked() {
	if e.lost != nil {
		e.say.trouble(e.lost.Error())
	}
	var order []string
	held := map[string][]*guest{}
	reason := map[string]string{}
	for _, g := range e.guests {
		b, ok := e.budgetOf(g)
		if g.state != Waits || g.asks || !ok {
			continue
		}
		key := b.Ref.String()
		if held[key] = append(held[key], g); len(held[key]) == 1 {
			order = append(order, key)
			reason[key] = e.waits(b)
			if b.Never() {
				reason[key] += "; it can never be met by waiting: change it, or run one more pod"
			}
		}
	}
	slices.Sort(order)
	for _, key := range order {
		who := fmt.Sprintf("%d pods wait", len(held[key]))
		if len(held[key]) == 1 {
			who = "pod " + held[key][0].String() + " waits"
		}
		e.say.now("budget "+key, "%s: %s (Cannot evict pod as it would violate the pod's disruption budget); the next goes at once when it is met",
			who, reason[key])
	}
	for _, g := range e.guests {
		over := e.clock.Now().Sub(g.asked) - g.Grace
		if g.state == Going && over > 10*time.Second {
			e.say.now("held "+g.UID, "pod %s should have ended %s ago: %s", g.Tenant, span(over), e.holding(g))
		}
	}
}

// holding says what may keep a pod that was told to go.
func (e *evictor) holding(g *guest) string {
	if len(g.Finalizers) > 0 {
		return "its finalizers hold it (" + strings.Join(g.Finalizers, ", ") + "): look at the controllers that set them"
	}
	return "its kubelet has not ended it: look at the node's Ready condition and its volumes; force nothing while the machine may run"
}

// pace is how often a budget lets a pod go.
type pace struct {
	first, last time.Time
	grants      int
}

func (p *pace) grant(now time.Time) {
	if p.grants++; p.grants == 1 {
		p.first = now
	}
	p.last = now
}

// each is the time from one to the next, by those that were seen.
func (p *pace) each() (time.Duration, bool) {
	if p == nil || p.grants < 2 || !p.last.After(p.first) {
		return 0, false
	}
	return p.last.Sub(p.first) / time.Duration(p.grants-1), true
}

// teller writes what happens, in kubectl's words, and says nothing twice
// within a short time.
type teller struct {
	out   io.Writer
	clock Clock
	said  map[string]time.Time
	bar   string
	drawn time.Time
	ill   string
}

func (t *teller) line(format string, args ...any) {
	t.bar = ""
	_, _ = fmt.Fprintf(t.out, format+"\n", args...) // the run's log never fails
}

// now says something about a subject, unless it was said a short time ago.
func (t *teller) now(about, format string, args ...any) {
	now := t.clock.Now()
	if last, ok := t.said[about]; ok && now.Sub(last) < remindEvery {
		return
	}
	t.said[about] = now
	t.line(format, args...)
}

// trouble says that the server does not answer; once, until it does again.
func (t *teller) trouble(text string) {
	if t.ill == text {
		return
	}
	t.ill = text
	t.line("%s; trying again", text)
}

func (t *teller) recovered() { t.ill = "" }

// progress draws the line that changes; at most once a second.
func (t *teller) progress(p Progress) {
	now := t.clock.Now()
	text := p.Bar(20) + " " + p.String()
	if text == t.bar || t.bar != "" && now.Sub(t.drawn) < time.Second {
		return
	}
	t.bar, t.drawn = text, now
	_, _ = fmt.Fprintf(t.out, "%s\r", text) // as above
}
