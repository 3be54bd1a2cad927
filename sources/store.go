package sources

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Judge draws a judgement from a snapshot. Pure: same input, same output.
type Judge func(*Snapshot, time.Time) Judgement

// Store holds the newest snapshot. Writers hand it edits, readers load a
// pointer. It signals "look again"; it never carries data.
type Store struct {
	judge   Judge
	now     func() time.Time
	mu      sync.Mutex // serialises writers
	cur     atomic.Pointer[Snapshot]
	changed chan struct{}
}

// NewStore returns a store whose first snapshot has only settings.
func NewStore(settings Settings, judge Judge, now func() time.Time) *Store {
	s := &Store{judge: judge, now: now, changed: make(chan struct{}, 1)}
	first := &Snapshot{At: now(), Settings: settings}
	first.Judged = judge(first, first.At)
	s.cur.Store(first)
	return s
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
	next.Judged = s.judge(&next, next.At)
	s.cur.Store(&next)
	select {
	case s.changed <- struct{}{}:
	default:
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
