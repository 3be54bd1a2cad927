package trail

import (
	"errors"
	"fmt"
	"time"

	"daytwo/sources"
)

// Ending is how something ended that was done by hand.
type Ending struct {
	Took time.Duration
	Exit int    // code, where it ran to an end
	Err  error  // why it did not begin, or was cut off
	Note string // why it is not written down; "" if it is
}

// Does lets somebody do something by hand, and writes down that it begins and
// how it ends.
func (b *Book) Does(d Deed, run func() error) Ending {
	ended, noted := b.Begin(d)
	began := b.Clock()
	err := run()
	e := Ending{Took: b.Clock().Sub(began), Err: err}
	how := "exit code 0"
	if exit, ok := errors.AsType[*sources.ExitError](err); ok {
		e.Exit, e.Err = exit.Code, nil
		how = exitWords(exit)
	} else if err != nil {
		how = err.Error()
	}
	ended(how)
	if noted != nil {
		e.Note = sources.Clean(noted.Error(), 300)
	}
	return e
}

// String says how it ended: "after 3 min, exit code 130".
func (e Ending) String() string {
	if e.Err != nil {
		return "after " + sources.Span(e.Took) + ": " + sources.Clean(e.Err.Error(), 500)
	}
	return fmt.Sprintf("after %s, exit code %d", sources.Span(e.Took), e.Exit)
}
