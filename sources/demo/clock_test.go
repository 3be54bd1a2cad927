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
		c.jump(time.Second)
	}
}

// jump moves the time on at once, with one step of the world after it.
func (c *clock) jump(d time.Duration) {
	c.mu.Lock()
	c.at = c.at.Add(d)
	c.mu.Unlock()
	c.w.Step()
}
