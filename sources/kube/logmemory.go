package kube

import (
	"bytes"
	"hash/maphash"
	"time"
)

// logMemory knows which lines of a log were handed on, so that none is handed
// on twice when the log is read again from a time on. The server takes that
// time in whole seconds, lines of one second may bear one time, and those of
// two outputs may be out of order: so all lines of the last two seconds in
// which any were written are remembered.
type logMemory struct {
	seed       maphash.Seed
	old, young second
	again      map[uint64]int // what may come once more; nil after that time

	edge     uint64    // the first line of all; what is before it was not asked for
	edgeAt   time.Time // its time; zero while there is none
	begin    bool      // the next line is it
	skipping bool      // what comes may be before it
}

// second is what was read of one second.
type second struct {
	at    time.Time
	stamp string // the time as written, down to its second
	lines []uint64
}

func newLogMemory() *logMemory { return &logMemory{seed: maphash.MakeSeed(), begin: true} }

// since is the time from which to read the log again; zero if nothing was.
func (m *logMemory) since() time.Time {
	if !m.old.at.IsZero() {
		return m.old.at
	}
	return m.young.at
}

// rewind prepares for a log that is read again from since on.
func (m *logMemory) rewind() {
	m.again = make(map[uint64]int, len(m.old.lines)+len(m.young.lines))
	for _, lines := range [][]uint64{m.old.lines, m.young.lines} {
		for _, l := range lines {
			m.again[l]++
		}
	}
	m.skipping = !m.edgeAt.IsZero() && m.since().Equal(m.edgeAt.Truncate(time.Second))
}

// anew is for another run of the container, all of which is asked for.
func (m *logMemory) anew() { m.edgeAt, m.skipping = time.Time{}, false }

// beforeEdge reports that a line that comes again was not asked for: it is of
// the second in which the reading began, and older than its first line.
func (m *logMemory) beforeEdge(sum uint64, stamp []byte) bool {
	if !m.skipping {
		return false
	}
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	m.skipping = sum != m.edge && err == nil && !at.After(m.edgeAt)
	return m.skipping
}

// fresh takes a line with its time in front and returns it without, and
// whether it was not handed on before.
func (m *logMemory) fresh(line []byte) ([]byte, bool) {
	stamp, text, ok := bytes.Cut(line, []byte{' '})
	if !ok {
		text = nil // an empty line comes without the space
	}
	if !m.turn(stamp) {
		return line, true // not a time: the server has none to give
	}
	sum := maphash.Bytes(m.seed, line)
	if m.beforeEdge(sum, stamp) {
		return text, false
	}
	if n := m.again[sum]; n > 0 {
		m.again[sum]--
		return text, false
	}
	if m.begin {
		m.begin = false
		m.edge = sum
		m.edgeAt, _ = time.Parse(time.RFC3339Nano, string(stamp)) // turn knows that it is a time
	}
	m.young.lines = append(m.young.lines, sum)
	return text, true
}

// turn begins a new second if the line is younger than those before; false if
// there is no time on it.
func (m *logMemory) turn(stamp []byte) bool {
	const upToSecond = len("2006-01-02T15:04:05")
	if len(stamp) < upToSecond {
		return false
	}
	if string(stamp[:upToSecond]) == m.young.stamp {
		return true
	}
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return false
	}
	if at = at.Truncate(time.Second); at.After(m.young.at) {
		spare := m.old.lines[:0]
		m.old = m.young
		m.young = second{at: at, stamp: string(stamp[:upToSecond]), lines: spare}
	}
	return true
}
