package actions

import (
	"bytes"
	"sync"
)

// The most that a tape keeps; what is older is forgotten, and counted.
const (
	tapeLines = 10_000
	tapeBytes = 4 << 20
)

// Tape keeps the newest lines of a stream for the screen. Writing never waits
// for a reader. Lines are numbered from 0 for ever, so a reader knows how many
// it missed.
type Tape struct {
	mu      sync.Mutex
	lines   []string
	first   int64 // number of lines[0]
	bytes   int
	part    []byte // the line that has no end yet
	ended   bool
	changed chan struct{}
}

// NewTape returns an empty tape.
func NewTape() *Tape { return &Tape{changed: make(chan struct{}, 1)} }

// Write takes text; lines end with \n.
func (t *Tape) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			t.part = append(t.part, p...)
			break
		}
		t.add(string(append(t.part, p[:i]...)))
		t.part, p = t.part[:0], p[i+1:]
	}
	t.signal()
	return n, nil
}

func (t *Tape) add(line string) {
	t.lines = append(t.lines, line)
	t.bytes += len(line)
	for len(t.lines) > 1 && (len(t.lines) > tapeLines || t.bytes > tapeBytes) {
		t.bytes -= len(t.lines[0])
		t.lines[0] = ""
		t.lines, t.first = t.lines[1:], t.first+1
	}
}

// After returns the kept lines numbered from n on, and the number of the first
// of them: greater than n by as many as were forgotten.
func (t *Tape) After(n int64) (first int64, lines []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first = max(n, t.first)
	if skip := first - t.first; skip < int64(len(t.lines)) {
		lines = append(lines, t.lines[skip:]...)
	}
	return first, lines
}

// Partial is the last line while it has no end yet.
func (t *Tape) Partial() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.part)
}

// End says that nothing more comes.
func (t *Tape) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	t.signal()
}

// Ended reports that nothing more comes.
func (t *Tape) Ended() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended
}

// Changed has one element when there is something newer than the last time it
// was received from.
func (t *Tape) Changed() <-chan struct{} { return t.changed }

func (t *Tape) signal() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}
