// Package say shows progress: one line a step, with the seconds since the start.
package say

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Log writes progress. Its methods may be called from several goroutines.
type Log struct {
	mu    sync.Mutex
	out   io.Writer
	start time.Time
}

// New returns a log that counts from now.
func New(out io.Writer) *Log { return &Log{out: out, start: time.Now()} }

// Step writes one line.
func (l *Log) Step(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.out, "[%4ds] %s\n", int(time.Since(l.start).Seconds()), fmt.Sprintf(format, args...))
}
