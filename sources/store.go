package sources

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Judge draws a judgement from a snapshot. Pure: same input, same output.
type Judge func(*Snapshot, time.Time) Judgement

// Store holds the newest snapshot. Writers hand it edits, readers load a
// pointer. It signals "look again"; it never carries data.
type Store struct {
	judge    Judge
	now      func() time.Time
	mu       sync.Mutex // serialises writers
	cur      atomic.Pointer[Snapshot]
	changed  chan struct{}
	log      Logger // nil: nobody reads it
	panicked string // what was logged last
}

// NewStore returns a store whose first snapshot has only settings.
func NewStore(settings Settings, judge Judge, now func() time.Time) *Store {
	s := &Store{judge: judge, now: now, changed: make(chan struct{}, 1)}
	first := &Snapshot{At: now(), Settings: settings}
	s.cur.Store(first)
	next := *first
	next.Judged = s.judged(&next)
	s.cur.Store(&next)
	return s
}

// LogTo says where to log what the screen has no room for: where a rule
// panicked.
func (s *Store) LogTo(log Logger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = log
}

// Snapshot returns the newest snapshot. It must not be modified.
func (s *Store) Snapshot() *Snapshot { return s.cur.Load() }

// Changed has one element when there is something newer than the last time
// it was received from. Capacity one: signals merge, nothing piles up.
func (s *Store) Changed() <-chan struct{} { return s.changed }

// Publish applies edits to a copy, judges it anew, swaps it in and signals.
func (s *Store) Publish(edits ...Edit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := *s.cur.Load()
	for _, e := range edits {
		e(&next)
	}
	next.At = s.now()
	next.Judged = s.judged(&next)
	s.cur.Store(&next)
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// judged is the judgement of a snapshot. A rule that panics must not take the
// cockpit along: the last judgement stays, and says that it is the last.
func (s *Store) judged(next *Snapshot) (out Judgement) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		s.logPanic(fmt.Sprint(p))
		const rule = "source.failing"
		about := Ref{Kind: "Source", Name: "rules"}
		out = s.cur.Load().Judged
		out.Findings = slices.DeleteFunc(slices.Clone(out.Findings), func(f Finding) bool { return f.Rule == rule && f.About == about })
		out.Findings = slices.Insert(out.Findings, 0, Finding{
			Rule: rule, Severity: Critical, About: about,
			Summary:  Clean(fmt.Sprintf("internal error while judging: %v; the findings are those of before, please report it", p), 300),
			Evidence: []Fact{{Text: "the newest picture was not judged", From: "rules", At: next.At}},
		})
	}()
	return s.judge(next, next.At)
}

// logPanic logs where a rule panicked, once and not at every judgement.
func (s *Store) logPanic(text string) {
	if s.log != nil && text != s.panicked {
		s.panicked = text
		s.log("a rule panicked: %s\n%s", text, debug.Stack())
	}
}

// Rejudge publishes again at every tick, because findings depend on the time
// that passes (ages, overdue, stuck) even when nothing is read. It returns
// when ctx ends.
func (s *Store) Rejudge(ctx context.Context, tick <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			s.Publish()
		}
	}
}

// SetHealth returns an edit that notes one source's state.
func SetHealth(h Health) Edit {
	return func(s *Snapshot) {
		m := maps.Clone(s.Sources)
		if m == nil {
			m = map[string]Health{}
		}
		m[h.Name] = h
		s.Sources = m
	}
}
