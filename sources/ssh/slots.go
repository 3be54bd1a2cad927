package ssh

import (
	"context"
	"fmt"
	"sync"
)

// mostSessions are open at once on one line; sshd allows ten by default.
const mostSessions = 8

// slots hands out the right to have a session open, in the order asked. A
// machine that refuses one lowers the limit.
type slots struct {
	mu    sync.Mutex
	limit int
	used  int
	queue []chan struct{} // closed when it is their turn
}

func newSlots() *slots { return &slots{limit: mostSessions} }

func (s *slots) take(ctx context.Context) error {
	s.mu.Lock()
	if s.used < s.limit && len(s.queue) == 0 {
		s.used++
		s.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	s.queue = append(s.queue, turn)
	s.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, q := range s.queue {
		if q == turn {
			s.queue = append(s.queue[:i], s.queue[i+1:]...)
			return fmt.Errorf("waiting for other commands to end: %w", ctx.Err())
		}
	}
	s.used-- // it was our turn just now
	s.next()
	return fmt.Errorf("waiting for other commands to end: %w", ctx.Err())
}

func (s *slots) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used--
	s.next()
}

// next wakes who may begin. The lock is held.
func (s *slots) next() {
	for s.used < s.limit && len(s.queue) > 0 {
		s.used++
		close(s.queue[0])
		s.queue = s.queue[1:]
	}
}

// refused lowers the limit to what is open besides ours. It is false if
// nothing else is: then waiting for others is no help.
func (s *slots) refused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	others := s.used - 1
	s.limit = max(1, others)
	return others > 0
}
