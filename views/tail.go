package views

import "daytwo/actions"

// mostTail is how many lines of a stream are kept for the screen.
const mostTail = 500

// tail keeps the newest lines of a tape.
type tail struct {
	tape  *actions.Tape
	next  int64
	lines []string
}

// follow changes to a tape; nil keeps what there is.
func (t *tail) follow(tape *actions.Tape) {
	if tape != nil && tape != t.tape {
		*t = tail{tape: tape}
	}
}

func (t *tail) changed() <-chan struct{} {
	if t.tape == nil {
		return nil
	}
	return t.tape.Changed()
}

// read takes what is new and returns all that is kept.
func (t *tail) read() []string {
	if t.tape == nil {
		return nil
	}
	first, lines := t.tape.After(t.next)
	t.next = first + int64(len(lines))
	t.lines = append(t.lines, lines...)
	if n := len(t.lines) - mostTail; n > 0 {
		t.lines = append([]string(nil), t.lines[n:]...)
	}
	return t.lines
}
