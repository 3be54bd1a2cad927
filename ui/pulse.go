package ui

import (
	"fmt"
	"runtime/debug"
	"time"

	tea "charm.land/bubbletea/v2"
)

// leastBetweenLooks limits how often a changed snapshot is looked at. Every
// message renders a view, so messages are limited, not frames.
const leastBetweenLooks = 50 * time.Millisecond

// look waits until the store has changed, and at least for pause since now.
// It ends with the program.
func (r *Root) look(pause time.Duration) tea.Cmd {
	if r.o.Driven {
		return nil
	}
	changed, done := r.o.Store.Changed(), r.done
	return func() tea.Msg {
		if !wait(done, pause) {
			return nil
		}
		select {
		case <-done:
			return nil
		case <-changed:
			return changedMsg{}
		}
	}
}

// lookRuns waits until a run has changed, as look does for the store.
func (r *Root) lookRuns(pause time.Duration) tea.Cmd {
	if r.o.Driven || r.o.Runner == nil {
		return nil
	}
	changed, done := r.o.Runner.Changed(), r.done
	return func() tea.Msg {
		if !wait(done, pause) {
			return nil
		}
		select {
		case <-done:
			return nil
		case <-changed:
			return RunsMsg{}
		}
	}
}

func (r *Root) lookAtRuns() {
	if r.o.Runner != nil {
		r.runs = r.o.Runner.Runs()
	}
}

// leastBetweenReads limits how often a stream is read: thirty times a second
// is more than an eye reads, and each read draws the screen.
const leastBetweenReads = 33 * time.Millisecond

// watch is the waiting for what the top view watches.
type watch struct {
	from <-chan struct{}
	stop chan struct{} // closed when another view is on top
}

// rewatch waits for what the top view watches, and no longer for what another
// did that is covered now or gone.
func (r *Root) rewatch(msg tea.Msg) tea.Cmd {
	if r.o.Driven {
		return nil
	}
	var from <-chan struct{}
	if w, ok := r.top().(Watcher); ok {
		from = w.Watch()
	}
	pause := time.Duration(0)
	if from == r.watch.from {
		if m, ok := msg.(watchedMsg); !ok || m.from != from {
			return nil // it is waited for already
		}
		pause = leastBetweenReads
	}
	if r.watch.stop != nil && from != r.watch.from {
		close(r.watch.stop)
		r.watch.stop = nil
	}
	if r.watch.from = from; from == nil {
		return nil
	}
	if r.watch.stop == nil {
		r.watch.stop = make(chan struct{})
	}
	return await(from, r.watch.stop, r.done, pause)
}

// await waits for a change after a pause, or for either end.
func await(from, stop, done <-chan struct{}, pause time.Duration) tea.Cmd {
	return func() tea.Msg {
		if !wait(done, pause) {
			return nil
		}
		select {
		case <-done:
		case <-stop:
		case <-from:
			return watchedMsg{from}
		}
		return nil
	}
}

// calmBeat is the time between heartbeats while nothing on the screen counts
// seconds: each draws the whole screen.
const calmBeat = 5 * time.Second

// beat waits for the next heartbeat, on a full second of the clock, or the end.
func (r *Root) beat() tea.Cmd {
	if r.o.Driven {
		return nil
	}
	now, done, step := r.o.Clock(), r.done, calmBeat
	if r.countsSeconds() {
		step = time.Second
	}
	next := now.Truncate(step).Add(step)
	return func() tea.Msg {
		if !wait(done, next.Sub(now)) {
			return nil
		}
		return heartbeatMsg{}
	}
}

// countsSeconds reports whether something in sight tells seconds: how old a
// stale picture or a piece of evidence is, or a toast that goes away.
func (r *Root) countsSeconds() bool {
	return len(r.views) > 1 || going(r.runs) || stale(r.snapshot) || r.frame.Now.Before(r.toast.until)
}

// wait lets a time pass; false if done was closed meanwhile.
func wait(done <-chan struct{}, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return false
	case <-timer.C:
		return true
	}
}

// guard makes a panic within a command, and within the commands it returns,
// end the program in order instead of with a stack on the terminal.
func (r *Root) guard(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer func() {
			if p := recover(); p != nil {
				msg = failedMsg{r.internal(p)}
			}
		}()
		msg = cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i, c := range batch {
				batch[i] = r.guard(c)
			}
		}
		return msg
	}
}

// broke ends the program after a panic in Update or View.
func (r *Root) broke(p any) { r.fail(r.internal(p)) }

// internal logs a panic with its stack and makes an error of one sentence.
func (r *Root) internal(p any) error {
	r.o.Log("panic: %v\n%s", p, debug.Stack())
	return fmt.Errorf("internal error while drawing the screen: %v; the log has the details, please report it", p)
}
