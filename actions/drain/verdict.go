package drain

import (
	"errors"
	"fmt"
	"strings"
)

// verdict is how it ended once nothing moves any more.
func (e *evictor) verdict() error {
	var failed []string
	for _, g := range e.guests {
		if g.state == Failed {
			failed = append(failed, g.String()+": "+g.why)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	e.tally()
	return fmt.Errorf("%d of %s are still on %s: %s", len(failed), plural(len(e.guests), "pod"), e.node, listed(failed, 3))
}

// stopped is how it ended before everything was gone.
func (e *evictor) stopped(cause error) error {
	e.tally()
	p := e.progress()
	return fmt.Errorf("stopped with %s, %s stays cordoned: %w", p.counts(), e.node, cause)
}

func (p Progress) counts() string {
	return fmt.Sprintf("%d of %s gone, %d still going, %d not touched", p.Gone, plural(p.Total, "pod"), p.Going, p.Waits+p.Fails)
}

// tally writes what moved and what did not.
func (e *evictor) tally() {
	by := map[State][]string{}
	for _, g := range e.guests {
		text := g.String()
		switch {
		case g.asks:
			text += " (its eviction was asked for and not answered)"
		case g.why != "":
			text += " (" + g.why + ")"
		}
		by[g.state] = append(by[g.state], text)
	}
	for _, x := range []struct {
		state State
		title string
	}{
		{Gone, "moved off " + e.node}, {Going, "told to go, not gone yet"}, {Waits, "not touched"}, {Failed, "refused"},
	} {
		if list := by[x.state]; len(list) > 0 {
			e.say.line("%s: %d: %s", x.title, len(list), strings.Join(list, ", "))
		}
	}
}

// errNotInPlan is for a pod that nobody has decided about.
var errNotInPlan = errors.New("it came after the plan was made, and nothing would make it again elsewhere: plan the drain again")
