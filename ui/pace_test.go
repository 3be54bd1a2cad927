package ui

import (
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// TestClockCanBeHurried holds the release of Bubble Tea that go.mod names to
// what pace needs of it: without, the screen still works, but a key waits for
// a steady clock.
func TestClockCanBeHurried(t *testing.T) {
	t.Parallel()
	field, ok := tickerField(tea.NewProgram(nil))
	if !ok {
		t.Fatal("Bubble Tea's program has no field ticker of type *time.Ticker: see pace.go")
	}
	if !field.IsNil() {
		t.Error("a program that does not run yet has a clock")
	}
	if got, want := frames(), int(time.Second/calmFrame); got != want {
		t.Errorf("drawn at %d frames a second at rest, want %d", got, want)
	}
}
