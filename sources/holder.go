package sources

import (
	"fmt"
	"time"
)

// Holder is who has hold of a cluster or of a target.
type Holder struct {
	Who   string    `json:"who"` // user@host
	PID   int       `json:"pid,omitempty"`
	Run   string    `json:"run,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// String is what a person reads: "ana@jump (process 4242, run …)".
func (h Holder) String() string {
	text := h.Who
	if text == "" {
		return "somebody unknown"
	}
	switch {
	case h.PID != 0 && h.Run != "":
		text += fmt.Sprintf(" (process %d, run %s)", h.PID, h.Run)
	case h.PID != 0:
		text += fmt.Sprintf(" (process %d)", h.PID)
	case h.Run != "":
		text += fmt.Sprintf(" (run %s)", h.Run)
	}
	return text
}

// HeldError says that something else runs and who runs it.
type HeldError struct {
	What string // "the cluster", "node worker-0", "this run"
	By   Holder
	// Orphaned: the holder stopped saying that it is alive. Who knows that it
	// is gone may take over, by its name.
	Orphaned bool
	Seen     time.Time // when the holder last said so; zero if not known
}

// Error says what is held by whom since when, and what to do.
func (e *HeldError) Error() string {
	text := fmt.Sprintf("%s is held by %s", e.What, e.By)
	if !e.By.Since.IsZero() {
		text += " since " + e.By.Since.UTC().Format("2006-01-02 15:04 UTC")
	}
	if e.Orphaned {
		return text + ", who gave no sign of life since " + e.Seen.UTC().Format("2006-01-02 15:04:05 UTC") +
			"; ask them, resume or abandon their run, or take over"
	}
	return text + "; wait until that run is through, or ask them"
}
