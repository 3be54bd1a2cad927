package ui

import (
	"reflect"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
)

// How often Bubble Tea looks for something to write. It does so by a steady
// clock, where a key waits half a tick and each tick of an idle screen costs
// about 0.15 ms of CPU: no steady clock both answers a key within 10 ms and
// rests within 2 % of a core. So its clock is slow, and hurried by what changes
// the screen.
const (
	calmFrame = 100 * time.Millisecond
	soonFrame = time.Millisecond
	// leastBetweenFrames keeps keys typed in a burst from filling a slow line.
	leastBetweenFrames = 16 * time.Millisecond
	// steadyFrames a second are written where the clock cannot be hurried.
	steadyFrames = 60
)

// pace hurries the clock of a program for a frame, and slows it down again.
type pace struct {
	program *tea.Program

	mu     sync.Mutex
	next   time.Time   // when the last frame asked for is drawn
	slower *time.Timer // slows the clock down; nil: never hurried
	turn   int         // of the slower that counts
	ended  bool
}

// tickerField is Bubble Tea's clock. It has no setting for it, so a release
// that names it otherwise, or has none, is drawn at steady frames.
func tickerField(p *tea.Program) (reflect.Value, bool) {
	field := reflect.ValueOf(p).Elem().FieldByName("ticker")
	return field, field.IsValid() && field.Type() == reflect.TypeFor[*time.Ticker]()
}

// frames is what tea.WithFPS is given.
func frames() int {
	if _, ok := tickerField(&tea.Program{}); ok {
		return int(time.Second / calmFrame)
	}
	return steadyFrames
}

// soon has a frame drawn as soon as the one before it is long enough ago. It
// is called by what the program calls, on the program's own thread: nobody
// else changes the field meanwhile.
func (p *pace) soon() {
	if p == nil {
		return
	}
	field, ok := tickerField(p.program)
	if !ok || field.IsNil() {
		return
	}
	ticker := (*time.Ticker)(field.UnsafePointer())
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.ended || now.Before(p.next) {
		return
	}
	wait := max(soonFrame, p.next.Add(leastBetweenFrames).Sub(now))
	p.next = now.Add(wait)
	ticker.Reset(wait)
	// Those ticks may come while the frame is not handed over yet, or all be
	// missed by a machine that is busy elsewhere: slow down by degrees.
	p.after(ticker, wait+5*soonFrame, leastBetweenFrames)
}

// after gives the clock another period after a time, unless it is hurried
// meanwhile. The lock is held.
func (p *pace) after(ticker *time.Ticker, d, period time.Duration) {
	if p.slower != nil {
		p.slower.Stop()
	}
	p.turn++
	turn := p.turn
	p.slower = time.AfterFunc(d, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.ended || p.turn != turn {
			return
		}
		ticker.Reset(period)
		if period < calmFrame {
			p.after(ticker, calmFrame, calmFrame)
		}
	})
}

// end leaves the clock alone.
func (p *pace) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.slower != nil {
		p.slower.Stop()
	}
}
