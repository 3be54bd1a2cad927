package views_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"daytwo/actions"
	"daytwo/keymap"
	"daytwo/sources"
	"daytwo/sources/rules"
	"daytwo/ui"
	"daytwo/ui/uitest"
	"daytwo/views"

	tea "charm.land/bubbletea/v2"
)

// hands are what the runs of these tests change.
type hands struct {
	mu    sync.Mutex
	fails map[string]error
	holds map[string]chan struct{}
	done  []string
}

// chore is an action of two nodes' worth of steps.
type chore struct {
	Name  string `json:"name"`
	hands *hands
}

func (c chore) Kind() actions.Kind  { return "upgrade" }
func (c chore) Target() sources.Ref { return sources.Ref{Kind: "Cluster", Name: c.Name} }
func (c chore) Title() string       { return "Upgrade v1.33.4+k3s1 → " + c.Name }
func (c chore) Changes() bool       { return true }
func (c chore) Confirm() string     { return "prod-fsn1" }
func (c chore) Preflight(context.Context, *sources.Snapshot) []sources.Finding {
	return nil
}

func (c chore) Leaves(actions.Run) []string { return []string{"worker-0 stays cordoned"} }

func (c chore) Offers(r actions.Run) []actions.Offer {
	if r.State != actions.Failed {
		return nil
	}
	return []actions.Offer{{Title: "roll worker-0 back", Why: "its old binary is kept", Action: chore{Name: "back", hands: c.hands}}}
}

func (c chore) Steps() []actions.Step {
	step := func(group, title, command, back, noSkip string) actions.Step {
		id := strings.Trim(group+"/"+title, "/")
		return actions.Step{
			ID: id, Title: title, Group: group, Command: command, WayBack: back, NoSkip: noSkip,
			Do: func(ctx context.Context, out io.Writer) error { return c.hands.do(ctx, id, out) },
		}
	}
	out := []actions.Step{step("", "preflight", "kubectl get nodes", "", "it decides whether the rest may run")}
	for _, n := range []string{"worker-0", "worker-1", "master-0"} {
		back := "ssh " + n + " 'mv /usr/local/bin/k3s.v1.33.4+k3s1 /usr/local/bin/k3s && systemctl restart k3s-agent'"
		out = append(out,
			step(n, "drain", "kubectl drain "+n, "kubectl uncordon "+n, ""),
			step(n, "swap and restart", "ssh "+n+" systemctl restart k3s-agent", back, ""),
			step(n, "uncordon", "kubectl uncordon "+n, "", ""))
	}
	return out
}

func (h *hands) do(ctx context.Context, id string, out io.Writer) error {
	h.mu.Lock()
	hold, err := h.holds[id], h.fails[id]
	h.mu.Unlock()
	_, _ = fmt.Fprintf(out, "15:08:12 worker-0 k3s[9188]: level=info msg=\"doing %s\"\n", id)
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.done = append(h.done, id)
	return nil
}

func (h *hands) set(do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	do()
}

// bench is a screen on a runner of its own.
type bench struct {
	*uitest.Driver
	t      *testing.T
	runner *actions.Runner
	hands  *hands
	clock  *uitest.Clock
	o      ui.Options // of the screen
}

func newBench(t *testing.T, dir string, width, height int, o ui.Options) *bench {
	t.Helper()
	b := &bench{t: t, clock: uitest.NewClock(), hands: &hands{fails: map[string]error{}, holds: map[string]chan struct{}{}}}
	b.runner = actions.NewRunner(actions.Options{
		Dir: dir, Who: "ops@laptop", Clock: b.clock.Now,
		Kinds: map[actions.Kind]actions.Restore{"upgrade": func(saved []byte) (actions.Action, error) {
			c := chore{hands: b.hands}
			err := json.Unmarshal(saved, &c)
			return c, err
		}},
	})
	t.Cleanup(func() {
		ctx, stop := context.WithCancel(context.Background())
		stop()
		b.runner.Close(ctx, "the test ended")
	})
	runs := views.Runs{Runner: b.runner}
	begin := func(f ui.Frame, _ sources.Ref) []ui.Command {
		return []ui.Command{{Key: f.Keys.Tools.Upgrade, Risk: keymap.Changes, Do: func() tea.Cmd {
			return runs.Begin(chore{Name: "v1.33.6+k3s1", hands: b.hands}, "three nodes, one by one")
		}}}
	}
	store := sources.NewStore(sources.DefaultSettings(), rules.Judge, b.clock.Now)
	o.Store, o.Home, o.Objects, o.Runner = store, views.NewCockpit(keymap.Default()), views.Objects, b.runner
	o.Tools = []func(ui.Frame, sources.Ref) []ui.Command{begin, runs.Tool}
	b.o = o
	b.Driver = uitest.NewAt(t, o, b.clock, width, height)
	b.Publish(world{now: b.clock.Now()}.incident())
	return b
}

// upgrade starts the action as a person does.
func (b *bench) upgrade() {
	b.t.Helper()
	b.Press("u")
	b.See("three nodes, one by one", "type prod-fsn1 to upgrade")
	b.Type("prod-fsn1")
	b.Press("enter")
}

// until waits until the newest run is so, and lets the screen look.
func (b *bench) until(what string, holds func(actions.Run) bool) actions.Run {
	b.t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		if runs := b.runner.Runs(); len(runs) > 0 && holds(runs[0]) {
			b.Send(ui.RunsChanged())
			return runs[0]
		}
		select {
		case <-b.runner.Changed():
		case <-look.C: // a stream is no change of a run
		case <-limit.C:
			b.t.Fatalf("waited in vain for %s:\n%s", what, b.Screen())
		}
	}
}

func in(s actions.State) func(actions.Run) bool {
	return func(r actions.Run) bool { return r.State == s && (!r.Mine || s == actions.Running) }
}

// doing holds when a step has begun and said so.
func doing(step int) func(actions.Run) bool {
	return func(r actions.Run) bool {
		if r.At != step || r.Steps[step].State != actions.Running || r.Output == nil {
			return false
		}
		_, lines := r.Output.After(0)
		return slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "doing "+r.Steps[step].ID+`"`) })
	}
}

// golden compares a screen of a run: the end of its id is chance.
func (b *bench) golden(name string) {
	b.t.Helper()
	screen := b.Screen()
	for _, r := range b.runner.Runs() {
		screen = strings.ReplaceAll(screen, r.ID, r.ID[:16]+"abcdef")
	}
	uitest.Golden(b.t, name, screen)
}

func TestARunFromItsQuestionToItsEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir(), 120, 40, ui.Options{Color: true})
	hold := make(chan struct{})
	b.hands.holds["worker-0/swap and restart"] = hold
	b.upgrade()
	b.until("the restart", doing(2))
	b.Advance(18 * time.Second)
	b.See("Upgrade v1.33.4+k3s1 → v1.33.6+k3s1", "journal saved", "00:18", "▸ worker-0 2/3", "✔ drain", "▸ swap and restart 18 s",
		"way back ssh worker-0 'mv", "space pause after step", "x stop", "y copy command", "o whole log", "esc leave, it goes on")
	b.golden("run-120x40")
	b.Press("y")
	if got := b.Clipboard(); got != "ssh worker-0 systemctl restart k3s-agent" {
		t.Errorf("copied %q", got)
	}
	b.Press("space")
	b.Send(ui.RunsChanged())
	b.Advance(5 * time.Second)
	b.See("pauses after this step", "space do not pause")
	b.Press("esc")
	b.See("▸ upgrade 3/10 worker-0 swap and restart", "Attention")
	b.Press("r", "enter")
	close(hold)
	b.until("the pause", in(actions.Paused))
	b.See("paused before worker-0: uncordon", "space go on", "S skip step", "A abandon")
	b.Press("space")
	b.until("the end", in(actions.Done))
	b.See("✔ done")
	b.NotSee("space pause", "x stop", "A abandon")
	if len(b.hands.done) != 10 {
		t.Errorf("done: %v", b.hands.done)
	}
}

func TestAFailedRunSaysWhatHelps(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir(), 120, 40, ui.Options{Color: true})
	b.hands.fails["worker-0/swap and restart"] = errors.New("k3s-agent did not come back: look at journalctl -u k3s-agent")
	b.upgrade()
	b.until("the failure", in(actions.Failed))
	b.See("✖ failed at worker-0: swap and restart", "look at journalctl -u k3s-agent", "1 roll worker-0 back", "its old binary is kept", "R retry step")
	b.golden("run-failed-120x40")
	b.Press("S", "enter")
	b.See("Skip worker-0: swap and restart", "it needs some words")
	b.Type("done by hand")
	b.Press("enter")
	b.until("the end", in(actions.Done))
	b.See("○ worker-0: swap and restart skipped by ops@laptop: done by hand", "✔ done")
	if slices.Contains(b.hands.done, "worker-0/swap and restart") {
		t.Error("the skipped step was done")
	}
	b.Press("esc", "r")
	b.See("done", "Upgrade v1.33.4+k3s1", "ops@laptop")
}

func TestARetryAndAStop(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir(), 80, 24, ui.Options{Color: true})
	b.hands.fails["preflight"] = errors.New("no answer")
	b.upgrade()
	b.until("the failure", in(actions.Failed))
	b.Press("S")
	b.See("skip step: it decides whether the rest may run")
	b.hands.set(func() {
		delete(b.hands.fails, "preflight")
		b.hands.holds["worker-1/drain"] = make(chan struct{})
	})
	b.Press("R")
	b.until("the drain", doing(4))
	b.Press("x")
	b.See("Interrupts worker-1: drain where it stands")
	b.golden("run-stop-80x24")
	b.Press("enter")
	b.until("the stop", in(actions.Interrupted))
	b.Advance(5 * time.Second)
	b.See("▲ interrupted at worker-1: drain", "R resume")
	b.golden("run-interrupted-80x24")
	b.Press("A")
	b.See("It leaves as it is:", "worker-0 stays cordoned", "why is it abandoned?")
	b.Type("another day")
	b.Press("enter")
	b.until("the end", in(actions.Abandoned))
	b.See("abandoned", "another day", "worker-0 stays cordoned")
	b.NotSee("R resume")
}

// TestAnUnfinishedRunIsAnnounced to who opens the cockpit after another was
// closed in the middle of a run.
func TestAnUnfinishedRunIsAnnounced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := newBench(t, dir, 120, 40, ui.Options{Color: true})
	first.hands.holds["worker-0/drain"] = make(chan struct{})
	first.upgrade()
	first.until("the drain", doing(1))

	watcher := newBench(t, dir, 120, 40, ui.Options{Color: true})
	watcher.See("▸ upgrade 2/10 worker-0 drain by")
	watcher.Press("r", "enter")
	watcher.See("this screen only looks at it", "doing preflight")
	watcher.Press("x")
	watcher.See("only that process can steer it")

	ctx, stop := context.WithCancel(t.Context())
	stop()
	first.runner.Close(ctx, "the laptop was closed")
	second := newBench(t, dir, 120, 40, ui.Options{Color: true})
	second.See("▲ upgrade interrupted r", "v1.33.6+k3s1 is interrupted; r shows it")
	second.Press("r")
	second.golden("runs-120x40")
	second.Press("enter")
	second.Advance(10 * time.Second)
	second.See("▲ interrupted at worker-0: drain", "the laptop was closed", "doing preflight", "R resume")
	second.Press("R")
	second.until("the end", in(actions.Done))
	if want := 9; len(second.hands.done) != want {
		t.Errorf("done after the resume: %v", second.hands.done)
	}
}

func TestRunScreens(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		w, h int
		o    ui.Options
	}{
		"run-80x24":        {80, 24, ui.Options{Color: true}},
		"run-200x50":       {200, 50, ui.Options{Color: true}},
		"run-ascii-120x40": {120, 40, ui.Options{ASCII: true}},
		"run-plain-120x40": {120, 40, ui.Options{Theme: ui.None}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, t.TempDir(), c.w, c.h, c.o)
			b.hands.holds["worker-1/swap and restart"] = make(chan struct{})
			b.upgrade()
			b.until("the second restart", doing(5))
			b.Advance(75 * time.Second)
			b.golden(name)
			for _, size := range [][2]int{{1, 1}, {40, 8}, {57, 11}, {101, 31}, {230, 60}} {
				b.Resize(size[0], size[1]) // the driver measures
				b.Press("k", "j")
			}
		})
	}
}
