package actions

import (
	"bytes"
	"fmt"
	"sync"
	"unicode/utf8"
)

// The most that a tape keeps; what is older is forgotten, and counted.
const (
	tapeLines = 10_000
	tapeBytes = 4 << 20
	// tapeLine is where one line is cut: it is what a screen can show, and the
	// whole is in the log.
	tapeLine = 16 << 10
)

// Tape keeps the newest lines of a stream for the screen. Writing never waits
// for a reader. Lines are numbered from 0 for ever, so a reader knows how many
// it missed. Text after a carriage return takes the place of the line before
// it, as on a terminal: a progress bar is one line that changes.
type Tape struct {
	mu      sync.Mutex
	lines   []string
	first   int64 // number of lines[0]
	bytes   int
	part    []byte // the line that has no end yet
	over    int    // bytes of it beyond tapeLine
	back    bool   // a carriage return: what comes next begins the line again
	ended   bool
	changed chan struct{}
}

// NewTape returns an empty tape.
func NewTape() *Tape { return &Tape{changed: make(chan struct{}, 1)} }

// Write takes text; lines end with \n or \r\n.
func (t *Tape) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			t.extend(p)
			break
		}
		t.extend(p[:i])
		t.end()
		p = p[i+1:]
	}
	t.signal()
	return n, nil
}

// extend adds text without a line's end to the line that has none yet.
func (t *Tape) extend(p []byte) {
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\r')
		if i < 0 {
			t.put(p)
			return
		}
		t.put(p[:i])
		t.back, p = true, p[i+1:]
	}
}

// put adds text without any end. An empty rest after a carriage return leaves
// the line as it is: it may be the end of a line that ends with both.
func (t *Tape) put(p []byte) {
	if len(p) == 0 {
		return
	}
	if t.back {
		t.part, t.over, t.back = t.part[:0], 0, false
	}
	room := max(tapeLine-len(t.part), 0)
	if room < len(p) {
		t.over += len(p) - room
		p = p[:room]
	}
	t.part = append(t.part, p...)
}

// end makes a line of what has none yet.
func (t *Tape) end() {
	t.add(t.text())
	t.part, t.over, t.back = t.part[:0], 0, false
}

// text is the unfinished line, with how much of it was cut.
func (t *Tape) text() string {
	if t.over == 0 {
		return string(t.part)
	}
	kept := t.part
	for len(kept) > 0 && len(t.part)-len(kept) < utf8.UTFMax && !utf8.RuneStart(kept[len(kept)-1]) {
		kept = kept[:len(kept)-1]
	}
	if r, size := utf8.DecodeLastRune(kept); r == utf8.RuneError && size == 1 {
		kept = kept[:len(kept)-1] // the beginning of a rune whose end was cut
	}
	return fmt.Sprintf("%s… (%d bytes more)", kept, t.over+len(t.part)-len(kept))
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

// Count is how many lines there were so far, also those that are forgotten.
func (t *Tape) Count() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.first + int64(len(t.lines))
}

// Partial is the last line while it has no end yet.
func (t *Tape) Partial() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text()
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
