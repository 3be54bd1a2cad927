package views

import (
	"time"

	"daytwo/sources"
	"daytwo/ui"
)

// memo keeps what a part without the focus looks like: a screen is drawn
// after every message, and most messages (a key, the mouse, the pulse of a
// clock) change nothing but the focused part.
type memo struct {
	key  memoKey
	text string
}

// memoKey is all that such a picture depends on beside the part's own state.
type memoKey struct {
	snapshot           *sources.Snapshot
	second             time.Time // ages are shown in whole seconds
	width, height      int
	dark, color, ascii bool
}

func keyOf(f ui.Frame, width, height int) memoKey {
	return memoKey{
		snapshot: f.Snapshot, second: f.Now.Truncate(time.Second), width: width, height: height,
		dark: f.Theme.Dark, color: f.Theme.Color, ascii: f.Theme.ASCII,
	}
}
