package actions_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"daytwo/actions"
	"daytwo/sources"
)

// world is what the actions of these tests change: things that are done, and
// how often each was.
type world struct {
	mu    sync.Mutex
	done  map[string]bool
	times map[string]int
	blind map[string]error // cannot be looked at
	fails map[string]error // cannot be done
	hold  map[string]chan struct{}
	begun chan string
}

func newWorld() *world {
	return &world{
		done: map[string]bool{}, times: map[string]int{}, blind: map[string]error{}, fails: map[string]error{},
		hold: map[string]chan struct{}{}, begun: make(chan string, 100),
	}
}

func (w *world) look(name string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.done[name], w.blind[name]
}

func (w *world) do(ctx context.Context, name string, out io.Writer) error {
	w.mu.Lock()
	hold, err := w.hold[name], w.fails[name]
	w.times[name]++
	w.mu.Unlock()
	w.begun <- name
	_, _ = fmt.Fprintf(out, "doing %s\n", name)
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
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done[name] = true
	return nil
}

func (w *world) set(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
}

func (w *world) count(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.times[name]
}

// chores is an action of named steps.
type chores struct {
	Names  []string
	Where  string
	Looks  bool // changes nothing
	Secret string
	NoSkip string
	w      *world
	find   []sources.Finding
}

func (c *chores) Kind() actions.Kind  { return "chores" }
func (c *chores) Title() string       { return "Chores at " + c.Where }
func (c *chores) Confirm() string     { return "" }
func (c *chores) Changes() bool       { return !c.Looks }
func (c *chores) Target() sources.Ref { return sources.Ref{Kind: "Node", Name: c.Where} }
func (c *chores) Preflight(context.Context, *sources.Snapshot) []sources.Finding {
	return c.find
}

func (c *chores) Leaves(r actions.Run) []string {
	return []string{fmt.Sprintf("%s stays as it is after %d steps", c.Where, r.At)}
}

func (c *chores) Steps() []actions.Step {
	var steps []actions.Step
	for _, n := range c.Names {
		steps = append(steps, actions.Step{
			ID: n, Title: "do " + n, Group: c.Where, Command: "make " + n, WayBack: "unmake " + n, NoSkip: c.NoSkip,
			Done: func(context.Context) (bool, error) { return c.w.look(n) },
			Do:   func(ctx context.Context, out io.Writer) error { return c.w.do(ctx, n, out) },
		})
	}
	return steps
}

func kinds(w *world) map[actions.Kind]actions.Restore {
	return map[actions.Kind]actions.Restore{"chores": func(saved []byte) (actions.Action, error) {
		c := &chores{w: w}
		return c, json.Unmarshal(saved, c)
	}}
}

// never is a ticker that does not tick.
func never(time.Duration) (<-chan time.Time, func()) { return nil, func() {} }

func newRunner(t *testing.T, dir string, w *world, change ...func(*actions.Options)) *actions.Runner {
	t.Helper()
	o := actions.Options{
		Dir: dir, Who: "ana@jump", Kinds: kinds(w), Ticker: never, Log: t.Logf,
		Clock: func() time.Time { return time.Date(2026, 11, 22, 15, 4, 5, 0, time.UTC) },
	}
	for _, c := range change {
		c(&o)
	}
	r := actions.NewRunner(o)
	t.Cleanup(func() {
		ctx, stop := context.WithCancel(context.Background())
		stop()
		r.Close(ctx, "the test is over")
	})
	return r
}

func start(t *testing.T, r *actions.Runner, a actions.Action) string {
	t.Helper()
	id, err := r.Start(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// rests waits until a run rests and checks how.
func rests(t *testing.T, r *actions.Runner, id string, want actions.State) actions.Run {
	t.Helper()
	run, ok := r.Wait(id, t.Context().Done())
	if !ok || run.State != want {
		t.Fatalf("run %s is %q (%s), want %q", id, run.State, run.Err, want)
	}
	return run
}

func states(run actions.Run) string {
	var out []string
	for _, s := range run.Steps {
		out = append(out, s.ID+" "+string(s.State))
	}
	return strings.Join(out, ", ")
}

func TestStepsRunInOrderAndWhatIsTrueIsNotDone(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(), t.TempDir()
	w.done["b"] = true
	r := newRunner(t, dir, w)
	id := start(t, r, &chores{Names: []string{"a", "b", "c"}, Where: "worker-0", w: w})
	run := rests(t, r, id, actions.Done)
	if got := states(run); got != "a done, b already true, c done" {
		t.Errorf("steps are %s", got)
	}
	if w.count("a") != 1 || w.count("b") != 0 || w.count("c") != 1 {
		t.Errorf("done a %d, b %d, c %d times", w.count("a"), w.count("b"), w.count("c"))
	}
	log, err := os.ReadFile(filepath.Join(run.Dir, "output.log"))
	if err != nil || !strings.Contains(string(log), "$ make a\ndoing a\n") {
		t.Errorf("log is %q, %v", log, err)
	}
	if _, lines := run.Output.After(0); strings.Join(lines, "\n")+"\n" != string(log) {
		t.Errorf("screen has %q, log %q", lines, log)
	}
	again := newRunner(t, dir, w)
	if old, ok := again.Run(id); !ok || old.State != actions.Done || states(old) != states(run) {
		t.Errorf("read from the disk it is %+v", old)
	}
}

func TestCriticalFindingForbidsTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld()
	r := newRunner(t, t.TempDir(), w)
	_, err := r.Start(t.Context(), &chores{Names: []string{"a"}, Where: "x", w: w, find: []sources.Finding{
		{Severity: sources.Warning, Summary: "odd"}, {Severity: sources.Critical, Summary: "would lose data"},
	}})
	if refused := (*actions.RefusedError)(nil); !errors.As(err, &refused) || !strings.Contains(err.Error(), "would lose data") || strings.Contains(err.Error(), "odd") {
		t.Errorf("error is %v", err)
	}
	if len(r.Runs()) != 0 || w.count("a") != 0 {
		t.Error("it began all the same")
	}
}
