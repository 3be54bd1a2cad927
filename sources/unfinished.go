package sources

import "time"

// Unfinished is a run of daytwo that rests somewhere between its beginning
// and its end: paused, interrupted, failed.
type Unfinished struct {
	Run    string // its id
	Title  string // "Drain worker-0"
	Target Ref
	State  string
	Step   string // the one that is next
	At, Of int    // its place, and how many there are
	Since  time.Time
	Why    string
}
