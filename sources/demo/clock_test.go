package demo_test

import (
	"sync"
	"time"

	"daytwo/sources/demo"
)

// clock is a test's own time.
type clock struct {
	mu sync.Mutex
	at time.Time
	w  *demo.World
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// pass moves the time on second by second, with a step of the world at each.
func (c *clock) pass(d time.Duration) {
	for range int(d / time.Second) {
		c.mu.Lock()
		c.at = c.at.Add(time.Second)
		c.mu.Unlock()
		c.w.Step()
	}
}
