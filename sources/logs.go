package sources

import (
	"context"
	"time"
)

// LogAsk says which log to read: that of one container of one pod.
type LogAsk struct {
	Pod       Ref
	UID       string // of the pod, where one of the same name may follow it; "": whichever there is
	Container string
	Previous  bool          // of the container's run before the present one
	Follow    bool          // go on with what is written, also after a restart
	Since     time.Duration // only what is younger; 0: whatever its age
	Tail      int64         // only so many lines of what is there already; 0: all
}

// LogSink takes what a log holds, in order and each line once. It is called
// by one goroutine at a time.
type LogSink interface {
	// Line takes one line as it was written, without its line break and not
	// cleaned; text may be used only until Line returns.
	Line(text []byte)
	// Note takes a remark on the log itself: a lost connection, a restart.
	Note(text string)
	// Pause says that no more lines are at hand: what is buffered should show.
	Pause()
}

// Logs reads logs of containers.
type Logs interface {
	// Log hands a log to sink until it ends: at the end of what is there, or,
	// if it is followed, when the container will write no more. A connection
	// that is lost is made again. It returns ctx's error if that ended first.
	Log(ctx context.Context, ask LogAsk, sink LogSink) error
}
