package drain

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"daytwo/sources"
)

// Cluster is what a drain looks at and changes.
type Cluster interface {
	// Occupancy looks at a node from all sides that matter for a plan.
	Occupancy(ctx context.Context, node string) (sources.Occupancy, error)
	// Refused names the permissions that a drain needs and has not.
	Refused(ctx context.Context) ([]error, error)
	// Cordoned reports whether a node takes no new pods.
	Cordoned(ctx context.Context, node string) (bool, error)
	// Cordon makes a node take none, or take them again; false: it was so.
	Cordon(ctx context.Context, node string, on bool) (bool, error)
	// Leaving are the pods that a drain would take off the node now.
	Leaving(ctx context.Context, node string) ([]sources.Tenant, error)
	// Evict asks for this very pod's eviction; *sources.EvictionError is the
	// server's refusal.
	Evict(ctx context.Context, t sources.Tenant, dryRun bool) error
	// Watch keeps the node's pods and their budgets in sight.
	Watch(ctx context.Context, node string) (sources.Watched, error)
}

// Options are what a person decides about a drain.
type Options struct {
	Force        bool `json:"force"`        // also pods that nothing makes again
	LeavePending bool `json:"leavePending"` // also where there is no room for what moves
}

// Fate is what becomes of a pod.
type Fate string

// The fates of a pod.
const (
	Evict  Fate = "evict"          // it goes, its owner makes another one elsewhere
	Delete Fate = "delete"         // it goes for ever
	Clear  Fate = "clear"          // it has ended already
	Stay   Fate = "stay"           // it stays where it is
	Leaves Fate = "leaves already" // it is being deleted
)

// Move is one pod of the plan.
type Move struct {
	sources.Tenant

	Fate  Fate   `json:"fate"`
	To    string `json:"to,omitempty"`    // where there would be room for it
	Probe string `json:"probe,omitempty"` // what the server said to a rehearsal; "" if it would go now
}

// Problem is something that a person must know before. Ways are what helps,
// the gentlest first.
type Problem struct {
	Title string        `json:"title"`
	About []sources.Ref `json:"about,omitempty"`
	Why   string        `json:"why"`
	Ways  []Way         `json:"ways,omitempty"`
	// Accept names the option that lets it happen all the same; "" if nothing
	// does.
	Accept string `json:"accept,omitempty"`
}

// Way is one way out of a problem.
type Way struct {
	Text    string `json:"text"`
	Command string `json:"command,omitempty"`
}

// Plan is a drain as a person has seen it.
type Plan struct {
	Node       string           `json:"node"`
	Taken      time.Time        `json:"taken"`
	Options    Options          `json:"options"`
	Server     bool             `json:"server"`
	Cordoned   bool             `json:"cordoned"` // before anything was done
	CordonedBy string           `json:"cordonedBy,omitempty"`
	Moves      []Move           `json:"moves"`
	Budgets    []sources.Budget `json:"budgets"`
	Blockers   []Problem        `json:"blockers"`
	Warnings   []Problem        `json:"warnings"`
	Unread     []string         `json:"unread,omitempty"`
	Rehearsed  bool             `json:"rehearsed"` // evictions were tried with dry-run
	Rehearsal  string           `json:"rehearsal,omitempty"`
}

// Make plans the drain of a node that was looked at. It is a pure function.
func Make(o sources.Occupancy, with Options) Plan {
	p := Plan{
		Node: o.Node, Taken: o.At, Options: with, Server: o.Server, Cordoned: o.Cordoned, CordonedBy: o.CordonedBy,
		Budgets: o.Budgets, Unread: o.Unread,
	}
	for _, t := range o.Tenants {
		p.Moves = append(p.Moves, Move{Tenant: t, Fate: fateOf(t)})
	}
	homeless := p.place(o.Rooms)
	p.judge(o, homeless)
	return p
}

func fateOf(t sources.Tenant) Fate {
	switch {
	case !t.Goes:
		return Stay
	case !t.Deleting.IsZero():
		return Leaves
	case t.Finished:
		return Clear
	case t.Orphan:
		return Delete
	}
	return Evict
}

// Command is what a person would type in place of this drain.
func (p Plan) Command() string {
	words := []string{"kubectl", "drain", p.Node, "--ignore-daemonsets", "--delete-emptydir-data"}
	if p.Count(Delete) > 0 {
		words = append(words, "--force")
	}
	return sources.Typed(words...)
}

// Count is how many pods have a fate.
func (p Plan) Count(f Fate) int {
	n := 0
	for _, m := range p.Moves {
		if m.Fate == f {
			n++
		}
	}
	return n
}

// Leaving are the pods that must be gone in the end.
func (p Plan) Leaving() []Move {
	return slices.DeleteFunc(slices.Clone(p.Moves), func(m Move) bool { return m.Fate == Stay })
}

// Slowest is the longest grace of the pods that go: how long the last one may
// take to end once it was asked.
func (p Plan) Slowest() (time.Duration, Move) {
	var slow Move
	for _, m := range p.Leaving() {
		if m.Fate != Clear && m.Grace > slow.Grace {
			slow = m
		}
	}
	return slow.Grace, slow
}

// Look looks at a node and plans its drain. Rehearse adds what the server
// would say to each eviction now.
func Look(ctx context.Context, c Cluster, node string, with Options) (Plan, error) {
	o, err := c.Occupancy(ctx, node)
	if err != nil {
		return Plan{}, fmt.Errorf("looking at %s to plan its drain: %w", node, err)
	}
	return Make(o, with), nil
}

// rehearsals go out at once.
const rehearsals = 8

// Rehearse asks the server for each eviction without doing it (dry-run): it
// checks disruption budgets, admission and permission as they are now.
func Rehearse(ctx context.Context, c Cluster, p Plan) Plan {
	p.Moves = slices.Clone(p.Moves)
	var wg sync.WaitGroup
	slots := make(chan struct{}, rehearsals)
	errs := make([]error, len(p.Moves))
	for i, m := range p.Moves {
		if m.Fate != Evict && m.Fate != Delete {
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = c.Evict(ctx, m.Tenant, true)
		})
	}
	wg.Wait()
	p.Rehearsed = true
	var other []string
	for i, err := range errs {
		if err == nil {
			continue
		}
		refused, ok := asRefusal(err)
		if !ok { // not about the pod: no permission, no server
			p.Rehearsed = false
			if !slices.Contains(other, err.Error()) {
				other = append(other, err.Error())
			}
			continue
		}
		p.Moves[i].Probe = refused.Said
	}
	p.Rehearsal = strings.Join(other, "; ")
	return p
}
