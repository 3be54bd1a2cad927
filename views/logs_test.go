package views_test

import (
	"context"
	"testing"
	"time"

	"daytwo/actions/trail"
	"daytwo/sources"
	"daytwo/ui"
	"daytwo/views"
)

// told is a log source that tells which log is read, and ends.
type told struct{}

func (told) Log(_ context.Context, ask sources.LogAsk, sink sources.LogSink) error {
	text := "present run of " + ask.Container
	if ask.Previous {
		text = "run before of " + ask.Container
	}
	sink.Line([]byte(text + " \x1b[2Jhere"))
	return nil
}

// TestLogsByKey opens the logs of all pods of an owner on its finding, and
// those of the run before.
func TestLogsByKey(t *testing.T) {
	t.Parallel()
	var last *trail.Logs
	read := func(asks []sources.LogAsk, name string) *trail.Logs {
		last = trail.ReadLogs(t.Context(), trail.LogOptions{Source: told{}, Asks: asks, Keep: trail.Keep{Dir: t.TempDir(), Name: name, At: time.Time{}}})
		for !last.Tape().Ended() {
			<-last.Tape().Changed()
		}
		return last
	}
	d, _ := open(t, 120, 40, ui.Options{Tools: []func(ui.Frame, sources.Ref) []ui.Command{views.LogsTool(read)}}, world.incident)
	d.Press("3")
	d.See("l logs")
	d.Press("l")
	d.See("shop/api", "9v2ld | present run of api", "x2x7k | present run of api", "p run before", "here")
	d.NotSee("[2J")
	d.Press("p")
	d.See("shop/api, the run before", "run before of api", "p present run")
	d.NotSee("9v2ld")
	d.Press("esc")
	d.NotSee("run before of api")
	if last.Trouble() != "" || last.Path() == "" {
		t.Errorf("not kept: %q %q", last.Path(), last.Trouble())
	}
}
