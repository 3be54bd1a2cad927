package views_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"daytwo/actions/trail"
	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/ui"
	"daytwo/ui/uitest"
	"daytwo/views"
)

// told is a log source that tells which log is read: a log after the other, so
// that screens are the same each time. What is followed ends with its reader.
type told struct {
	asks []sources.LogAsk
	done []chan struct{}
}

func (s told) Log(ctx context.Context, ask sources.LogAsk, sink sources.LogSink) error {
	i := slices.Index(s.asks, ask)
	if i > 0 {
		<-s.done[i-1]
	}
	text := "present run of " + ask.Container
	if ask.Previous {
		text = "run before of " + ask.Container
	}
	how := "everything"
	switch {
	case ask.Tail > 0:
		how = fmt.Sprintf("the last %d", ask.Tail)
	case ask.Since > 0:
		how = "since " + ask.Since.String()
	}
	sink.Line([]byte(text + " \x1b[2Jhere: " + how))
	sink.Line([]byte(`2025-11-22T15:04:29Z level=info msg="request served" path=/cart/` + strings.Repeat("0123456789", 9) + " ms=12"))
	if !ask.Previous {
		sink.Note("api server closed the connection; trying again, nothing is lost by that")
		sink.Line([]byte(`2025-11-22T15:04:31Z level=error msg="upstream timed out" path=/checkout ms=3000`))
	}
	sink.Pause()
	close(s.done[i])
	if ask.Follow {
		<-ctx.Done()
	}
	return nil
}

// readers makes readings of told logs whose lines are there at once; last is
// the newest of them.
type readers struct {
	t    *testing.T
	last *trail.Logs
	asks []sources.LogAsk
	open bool
}

func (r *readers) read(asks []sources.LogAsk, name string, open bool) *trail.Logs {
	source, lines := told{asks: asks}, int64(0)
	for _, a := range asks {
		source.done = append(source.done, make(chan struct{}))
		if lines += 4; a.Previous {
			lines -= 2
		}
	}
	r.asks, r.open = asks, open
	r.last = trail.ReadLogs(r.t.Context(), trail.LogOptions{
		Source: source, Asks: asks, Open: open, Keep: trail.Keep{Dir: r.t.TempDir(), Name: name, At: time.Time{}},
	})
	r.t.Cleanup(r.last.Close)
	for r.last.Tape().Count() < lines {
		<-r.last.Tape().Changed()
	}
	return r.last
}

// several gives the pods of shop/api a second container, and one that prepares
// and fails.
func several(w world) sources.Edit {
	return func(s *sources.Snapshot) {
		pods := w.pods()
		for i := range pods[:2] {
			pods[i].Containers = append(pods[i].Containers,
				sources.Container{Name: "exporter", State: "running"},
				sources.Container{Name: "migrate", Init: true, State: "terminated", Reason: "Completed"})
		}
		s.Pods = sources.Read(pods, w.now)
	}
}

func logsView(t *testing.T, width, height int, pods func(world) sources.Edit) (*uitest.Driver, *readers) {
	t.Helper()
	r := &readers{t: t}
	tools := []func(ui.Frame, sources.Ref) []ui.Command{views.LogsTool(r.read)}
	d, _ := open(t, width, height, ui.Options{Keys: keymap.Default(), Color: true, Tools: tools}, world.incident, pods)
	d.Press("3", "l")
	return d, r
}

// TestLogsByKey opens the logs of all pods of an owner on its finding, chooses
// a container, how far back, and the run before.
func TestLogsByKey(t *testing.T) {
	t.Parallel()
	d, r := logsView(t, 120, 40, several)
	d.See("shop/api · 2 pods · last 200 lines", "x2x7k/api      | present run of api here: the last 200", "9v2ld/exporter | present run of exporter", "live, follows", "c container", "s since", "p run before")
	d.NotSee("[2J", "migrate")
	d.Press("c")
	d.See("2 pods · container api · last 200 lines", "9v2ld | present run of api", "x2x7k | present run of api")
	d.NotSee("exporter")
	d.Press("c", "c")
	d.See("container migrate", "present run of migrate")
	d.Press("c", "c")
	for _, since := range []string{"1 min", "5 min", "1 h"} {
		d.Press("s")
		d.See("container api · last "+since, "here: since ")
	}
	d.Press("s")
	d.See("container api · all of it", "here: everything")
	d.Press("s")
	d.See("last 200 lines")
	if !r.open || len(r.asks) != 2 || r.asks[0].UID != "api-6d5f7c9b8-x2x7k" || !r.asks[0].Follow {
		t.Errorf("asked for %+v, open %v", r.asks, r.open)
	}
	d.Press("p")
	d.See("shop/api · 1 pod · the run before", "run before of api", "p present run", "ended")
	d.NotSee("9v2ld", "live")
	if r.open {
		t.Error("a run that is over waits for more pods")
	}
	d.Press("p")
	d.See("present run of exporter")
	d.Press("esc")
	d.NotSee("present run of exporter")
	if r.last.Trouble() != "" || r.last.Path() == "" {
		t.Errorf("not kept: %q %q", r.last.Path(), r.last.Trouble())
	}
}

// TestLogsSearched by key: hits are counted through, and told apart from no hit.
func TestLogsSearched(t *testing.T) {
	t.Parallel()
	d, _ := logsView(t, 120, 40, several)
	d.Press("/")
	d.Type("upstream")
	d.Press("enter")
	d.See("/upstream  n next, N previous")
	if s := d.Styled(); strings.Count(s, "upstream") < 4 || !strings.Contains(s, "mupstream\x1b") {
		t.Errorf("hits do not stand out: %q", s)
	}
	d.Press("N", "N", "N", "N")
	d.See("no hit before this")
	d.Press("esc", "/")
	d.Type("nowhere")
	d.Press("enter")
	d.See("not in the newest 16 lines")
	d.Press("esc")
	d.See("c container")
}

// TestLogsOfOneContainer have nothing to choose, and say so.
func TestLogsOfOneContainer(t *testing.T) {
	t.Parallel()
	d, _ := logsView(t, 120, 40, func(w world) sources.Edit {
		return func(s *sources.Snapshot) {
			pods := w.pods()
			for i := range pods {
				pods[i].Containers[0].Last = sources.Termination{}
			}
			s.Pods = sources.Read(pods, w.now)
		}
	})
	d.See("shop/api · 2 pods · last 200 lines", "x2x7k | present run of api")
	d.Press("c")
	d.See("container: shop/api has no other container")
	d.Press("p")
	d.See("run before: no container of shop/api ran before its present run")
}

func TestLogsScreens(t *testing.T) {
	t.Parallel()
	for _, s := range sizes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			d, _ := logsView(t, s.width, s.height, several)
			d.Golden("logs-" + s.name)
			d.Press("c", "s", "s", "/")
			d.Type("upstream")
			d.Press("enter")
			d.Golden("logs-search-" + s.name)
		})
	}
}

// silent is a log source that is asked in vain until let, and then has nothing.
type silent struct{ let, read chan struct{} }

func (s silent) Log(ctx context.Context, _ sources.LogAsk, sink sources.LogSink) error {
	select {
	case <-s.let:
		sink.Pause()
		s.read <- struct{}{}
	case <-ctx.Done():
	}
	<-ctx.Done()
	return nil
}

// TestLogsThatWereNotReadAreNotEmpty: that nothing was written is said only of
// what was read.
func TestLogsThatWereNotReadAreNotEmpty(t *testing.T) {
	t.Parallel()
	source, asked := silent{make(chan struct{}), make(chan struct{}, 9)}, 0
	read := func(asks []sources.LogAsk, name string, open bool) *trail.Logs {
		asked = len(asks)
		l := trail.ReadLogs(t.Context(), trail.LogOptions{Source: source, Asks: asks, Open: open, Keep: trail.Keep{Dir: t.TempDir(), Name: name}})
		t.Cleanup(l.Close)
		return l
	}
	tools := []func(ui.Frame, sources.Ref) []ui.Command{views.LogsTool(read)}
	d, _ := open(t, 120, 40, ui.Options{Keys: keymap.Default(), Color: true, Tools: tools}, world.incident)
	d.Press("3", "l", "s")
	d.See("last 1 min", "nothing was read yet")
	close(source.let)
	for range asked {
		<-source.read
	}
	d.See("nothing was written in the last 1 min")
}
