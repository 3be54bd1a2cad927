package trail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"daytwo/actions"
	"daytwo/sources"
)

// Kubectl answers kubectl's command lines.
type Kubectl interface {
	Kubectl(ctx context.Context, args []string, out io.Writer) error
}

// Kit is what commands of the trail work with.
type Kit struct {
	Kubectl Kubectl
	Check   func(args []string) error // why Kubectl could not answer
	Hosts   sources.Hosts
	Own     []sources.TrailCommand
	Clock   func() time.Time
	Most    int    // machines at once; 0 is 8
	Dir     string // where output is kept if that is asked for; "" keeps none
	Book    *Book  // where the user's own commands are written down
}

const mostMachines = 8

// How a command on one target stands, beside the states of a reading.
const (
	Waiting   State = "waiting"
	Running   State = "running"
	Done      State = "done"
	Cancelled State = "cancelled"
)

// Over reports whether nothing more comes.
func (s State) Over() bool { return s != Waiting && s != Running && s != Reading }

// Stand is how a command stands on one target.
type Stand struct {
	Name  string // of the node; "" is the cluster
	Typed string // the command
	State State
	Exit  int    // code, where it ran to an end
	Why   string // it failed
	Lines int64  // of output
	Last  string // of them
	Began time.Time
	Ended time.Time
	Tape  *actions.Tape
}

// Fan is one command that runs on one or more targets. Close ends it.
type Fan struct {
	kit    Kit
	line   Line
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	targets []*target
	changed chan struct{}

	keeping sync.Mutex
	paper   *Paper
}

// target is one machine, or the cluster.
type target struct {
	fan *Fan
	run func(context.Context, io.Writer) error
	is  Stand // guarded by the fan's lock
	own int64 // lines on the tape that are not output, the same

	out    sync.Mutex // stdout and stderr come from two goroutines
	strain *actions.Strainer
	kept   int64 // lines that are in the paper, guarded by keeping
}

// Start begins a line on nodes, or in the cluster if it is for that.
func (k Kit) Start(ctx context.Context, l Line, nodes []sources.Node) *Fan {
	ctx, cancel := context.WithCancel(ctx)
	f := &Fan{kit: k, line: l, cancel: cancel, changed: make(chan struct{}, 1)}
	if l.Node {
		for _, n := range nodes {
			f.add(n.Name, l.Typed(n), func(ctx context.Context, out io.Writer) error {
				return k.Hosts.Host(n.Name).Run(ctx, sources.Command{Line: l.On(n), Root: l.Root, Stdout: out, Stderr: out})
			})
		}
	} else {
		f.add("", l.Typed(sources.Node{}), func(ctx context.Context, out io.Writer) error {
			words, err := splitWords(l.Command)
			if err != nil {
				return err
			}
			return k.Kubectl.Kubectl(ctx, words, out)
		})
	}
	ended := f.noted()
	var work sync.WaitGroup
	slots := make(chan struct{}, cmp.Or(k.Most, mostMachines))
	for _, t := range f.targets {
		work.Go(func() {
			select {
			case slots <- struct{}{}:
				f.work(ctx, t)
				<-slots
			case <-ctx.Done():
				f.end(t, ctx.Err(), true)
			}
		})
	}
	f.done.Go(func() {
		work.Wait()
		ended()
	})
	return f
}

func (f *Fan) add(name, typed string, run func(context.Context, io.Writer) error) {
	t := &target{fan: f, run: run}
	t.is = Stand{Name: name, Typed: typed, State: Waiting, Tape: actions.NewTape()}
	t.strain = actions.NewStrainer(t.is.Tape)
	t.say("$ " + typed)
	f.targets = append(f.targets, t)
}

// noted writes down that a command of the user's own runs; what is returned
// writes its end down.
func (f *Fan) noted() func() {
	if f.line.ReadsOnly() || f.kit.Book == nil {
		return func() {}
	}
	names := make([]string, 0, len(f.targets))
	for _, t := range f.targets {
		names = append(names, t.is.Name)
	}
	ended, err := f.kit.Book.Begin(Deed{What: "command", On: names, Line: f.line.Command})
	if err != nil {
		for _, t := range f.targets {
			t.say(noteMark + "it is not written down that this runs: " + sources.Clean(err.Error(), 200))
		}
	}
	return func() { ended(f.outcome()) }
}

// outcome is how it ended, each way with its targets.
func (f *Fan) outcome() string {
	var how []string
	for _, s := range f.Stands() {
		text := string(s.State)
		if s.State == Failed {
			text = s.Why
		}
		how = append(how, cmp.Or(s.Name, "cluster")+": "+text)
	}
	return strings.Join(how, "; ")
}

func (f *Fan) work(ctx context.Context, t *target) {
	f.set(t, func(s *Stand) { s.State, s.Began = Running, f.kit.Clock() })
	err := t.run(ctx, t)
	t.out.Lock()
	t.strain.Flush()
	t.out.Unlock()
	f.end(t, err, ctx.Err() != nil)
}

// end says how a target ended, on its tape too if that is not the end one
// expects.
func (f *Fan) end(t *target, err error, cancelled bool) {
	state, exit, why := Done, 0, ""
	failed, ran := errors.AsType[*sources.ExitError](err)
	switch {
	case err == nil:
	case cancelled:
		state = Cancelled
	case ran:
		state, exit, why = Failed, failed.Code, exitWords(failed)
	default:
		state, why = Failed, sources.Clean(err.Error(), 300)
	}
	switch {
	case state == Cancelled:
		t.say(noteMark + "cancelled")
	case why != "":
		t.say(noteMark + why)
	}
	f.set(t, func(s *Stand) { s.State, s.Exit, s.Why, s.Ended = state, exit, why, f.kit.Clock() })
	t.is.Tape.End()
	f.save(t)
	f.signal()
}

// exitWords says how a command failed. What it said is above, on the tape.
func exitWords(e *sources.ExitError) string {
	if e.Signal != "" {
		return "ended by signal " + e.Signal
	}
	return fmt.Sprintf("exit code %d", e.Code)
}

func (f *Fan) set(t *target, change func(*Stand)) {
	f.mu.Lock()
	change(&t.is)
	f.mu.Unlock()
	f.signal()
}

func (f *Fan) signal() {
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// say puts a line that is not output on the target's tape.
func (t *target) say(text string) {
	t.fan.mu.Lock()
	t.own++
	t.fan.mu.Unlock()
	t.out.Lock()
	defer t.out.Unlock()
	_, _ = t.strain.Write([]byte(text + "\n"))
}

// Write takes output.
func (t *target) Write(p []byte) (int, error) {
	t.out.Lock()
	_, _ = t.strain.Write(p)
	t.out.Unlock()
	t.fan.save(t)
	t.fan.signal()
	return len(p), nil
}

// Stands are copies of how each target stands, in the order they were asked
// for.
func (f *Fan) Stands() []Stand {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Stand, len(f.targets))
	for i, t := range f.targets {
		out[i] = t.is
		n := t.is.Tape.Count()
		out[i].Lines = max(n-t.own, 0)
		if out[i].Lines > 0 {
			out[i].Last = lastSaid(t.is.Tape, n)
		}
	}
	return out
}

// lastSaid is the last of n lines that is not ours.
func lastSaid(tape *actions.Tape, n int64) string {
	_, lines := tape.After(max(n-2, 0))
	for _, l := range slices.Backward(lines) {
		if !strings.HasPrefix(l, noteMark) {
			return l
		}
	}
	return ""
}

// Line is what runs.
func (f *Fan) Line() Line { return f.line }

// Running reports whether any target is not over.
func (f *Fan) Running() bool {
	return slices.ContainsFunc(f.Stands(), func(s Stand) bool { return !s.State.Over() })
}

// Changed has one element when something is newer than the last time it was
// received from.
func (f *Fan) Changed() <-chan struct{} { return f.changed }

// Cancel ends what runs and what waits; it does not wait for that.
func (f *Fan) Cancel() { f.cancel() }

// Wait waits until every target is over.
func (f *Fan) Wait() { f.done.Wait() }

// Close ends the command and waits for its end.
func (f *Fan) Close() {
	f.cancel()
	f.done.Wait()
	f.keeping.Lock()
	defer f.keeping.Unlock()
	if f.paper != nil {
		f.paper.Close()
	}
}
