package actions

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"daytwo/sources"
)

// Options is what a Runner works with.
type Options struct {
	Dir      string                   // the cluster's folder; runs are kept in runs/ below it
	Who      string                   // user@host, for journals and locks
	Kinds    map[Kind]Restore         // every kind that can be started or resumed
	Snapshot func() *sources.Snapshot // the newest picture, for Preflight
	Lease    Lease                    // nil: only this machine is asked who changes the cluster
	ReadOnly bool                     // nothing that changes the cluster may run
	Clock    func() time.Time
	Log      sources.Logger
	Secrets  []string // values that must never be written down, beside what is known by its shape

	// Ticker makes the ticks by which a lease is renewed and the runs of other
	// processes are looked at; nil is time.NewTicker.
	Ticker func(time.Duration) (tick <-chan time.Time, stop func())
	// Journaling is told of each entry before it is written, Journaled of its
	// number once it is on the disk.
	Journaling func(Entry)
	Journaled  func(n int, e Entry)
}

// Runner runs actions, one goroutine a run, and keeps their journals. Its
// methods may be called from anywhere at once.
type Runner struct {
	o   Options
	dir string

	ctx    context.Context //nolint:containedctx // the lifetime of runs, which outlive the call that starts them
	cancel context.CancelCauseFunc
	done   sync.WaitGroup
	begins sync.Mutex // a run is on the disk before it is live

	mu      sync.Mutex
	live    map[string]*live
	known   map[string]known
	list    []Run // newest first; nil: to be made again
	closed  bool
	changed []chan struct{} // [0] is Changed's
}

// live is a run that this process runs.
type live struct {
	run     Run // guarded by Runner.mu, as are pausing and why
	action  Action
	steps   []Step
	writing sync.Mutex // one entry at a time, in both memories
	journal *Journal
	out     *output
	locks   locks
	pausing bool
	why     string // why it pauses, if nobody asked for it
	stop    context.CancelCauseFunc
	ended   chan struct{}
}

// RefusedError says that an action's own look at the cluster forbids it.
type RefusedError struct{ Findings []sources.Finding }

// Error names what forbids it.
func (e *RefusedError) Error() string {
	var why []string
	for _, f := range e.Findings {
		why = append(why, strings.TrimSpace(f.About.String()+" "+f.Summary))
	}
	return "not started, nothing was touched: " + strings.Join(why, "; ")
}

// NewRunner returns a runner that knows the runs in its folder. The caller
// closes it.
func NewRunner(o Options) *Runner {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	if o.Snapshot == nil {
		o.Snapshot = func() *sources.Snapshot { return &sources.Snapshot{} }
	}
	if o.Ticker == nil {
		o.Ticker = func(d time.Duration) (<-chan time.Time, func()) {
			t := time.NewTicker(d)
			return t.C, t.Stop
		}
	}
	r := &Runner{
		o: o, dir: filepath.Join(o.Dir, "runs"),
		live: map[string]*live{}, known: map[string]known{}, changed: []chan struct{}{make(chan struct{}, 1)},
	}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	r.refresh()
	r.done.Go(r.watch)
	return r
}

// Start begins an action and returns the id of its run, which goes on by
// itself. ctx bounds only what is looked at before. It returns *RefusedError
// if the cluster's state forbids it, *HeldError if another run is in the way;
// nothing was touched then.
func (r *Runner) Start(ctx context.Context, a Action) (string, error) {
	plan, steps, err := r.planOf(a)
	if err != nil {
		return "", err
	}
	if err := r.mayChange(plan.Changes); err != nil {
		return "", err
	}
	if err := forbidden(a.Preflight(ctx, r.o.Snapshot())); err != nil {
		return "", err
	}
	by := Holder{Who: r.o.Who, PID: os.Getpid(), Run: plan.Run, Since: r.o.Clock().UTC()}
	l := &live{run: Run{Dir: filepath.Join(r.dir, plan.Run)}, action: a, steps: steps}
	if err := r.lock(ctx, l, plan.Target, plan.Changes, by); err != nil {
		return "", err
	}
	if l.journal, err = createJournal(l.run.Dir); err == nil {
		err = r.begin(l, Entry{Event: planned, Plan: &plan})
	}
	if err != nil {
		r.unlock(l)
		return "", fmt.Errorf("not started, nothing was touched: %w", err)
	}
	return plan.Run, nil
}

// planOf makes the plan that is saved, and proves that the action can be made
// again from it: a run that could not be resumed must not begin.
func (r *Runner) planOf(a Action) (Plan, []Step, error) {
	var none Plan
	if r.o.Dir == "" {
		return none, nil, errNoDir
	}
	saved, err := json.Marshal(a)
	if err != nil {
		return none, nil, fmt.Errorf("saving the plan %q: %w", a.Title(), err)
	}
	if saved, err = r.redactJSON(saved); err != nil {
		return none, nil, err
	}
	id, err := newID(r.o.Clock())
	if err != nil {
		return none, nil, err
	}
	plan := Plan{Run: id, Kind: a.Kind(), Title: a.Title(), Target: a.Target(), Changes: a.Changes(), Action: saved}
	again, err := r.restore(plan.Kind, saved)
	if err != nil {
		return none, nil, fmt.Errorf("%q could not be resumed if it were interrupted, so it is not begun: %w", a.Title(), err)
	}
	steps := a.Steps()
	for _, s := range steps {
		plan.Steps = append(plan.Steps, PlanStep{
			ID: s.ID, Title: s.Title, Group: s.Group,
			Command: r.redact(s.Command), WayBack: r.redact(s.WayBack), NoSkip: s.NoSkip,
		})
	}
	if err := sameSteps(plan.Steps, again.Steps()); err != nil {
		return none, nil, fmt.Errorf("%q could not be resumed if it were interrupted, so it is not begun: %w", a.Title(), err)
	}
	return plan, steps, checkSteps(steps)
}

func (r *Runner) mayChange(changes bool) error {
	if changes && r.o.ReadOnly {
		return errors.New("this daytwo was started with --readonly and changes nothing; start it without")
	}
	return nil
}

func (r *Runner) restore(kind Kind, saved []byte) (Action, error) {
	again, ok := r.o.Kinds[kind]
	if !ok {
		return nil, fmt.Errorf("this daytwo does not know the action %q; was the run made by a newer version?", kind)
	}
	a, err := again(saved)
	if err != nil {
		return nil, fmt.Errorf("making the action %q again from what was saved: %w", kind, err)
	}
	return a, nil
}

func checkSteps(steps []Step) error {
	if len(steps) == 0 {
		return errors.New("the plan has no steps: there is nothing to do")
	}
	seen := map[string]bool{}
	for _, s := range steps {
		if s.ID == "" || seen[s.ID] || s.Do == nil {
			return fmt.Errorf("internal error: step %q has no name of its own or does nothing", s.ID)
		}
		seen[s.ID] = true
	}
	return nil
}

func sameSteps(planned []PlanStep, now []Step) error {
	if len(planned) != len(now) {
		return fmt.Errorf("its plan has %d steps, this version of daytwo makes %d of it", len(planned), len(now))
	}
	for i := range now {
		if planned[i].ID != now[i].ID {
			return fmt.Errorf("step %d of its plan is %q, this version of daytwo makes %q of it", i+1, planned[i].ID, now[i].ID)
		}
	}
	return nil
}

func forbidden(findings []sources.Finding) error {
	var critical []sources.Finding
	for _, f := range findings {
		if f.Severity == sources.Critical {
			critical = append(critical, f)
		}
	}
	if critical != nil {
		return &RefusedError{critical}
	}
	return nil
}

// newID names a run so that names sort by time.
func newID(now time.Time) (string, error) {
	b := make([]byte, 2)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("naming the run: %w", err)
	}
	now = now.UTC()
	return fmt.Sprintf("%s-%03d%s", now.Format("20060102-150405"), now.Nanosecond()/int(time.Millisecond), hex.EncodeToString(b)), nil
}

// begin writes the entries that make l this process's run, and lets it go.
func (r *Runner) begin(l *live, entries ...Entry) error {
	r.begins.Lock()
	defer r.begins.Unlock()
	l.journal.before, l.journal.after = r.o.Journaling, r.o.Journaled
	for _, e := range entries {
		if err := r.note(l, e); err != nil {
			return err
		}
	}
	if err := r.note(l, Entry{Event: taken, PID: os.Getpid()}); err != nil {
		return err
	}
	for _, text := range l.locks.notes {
		if err := r.note(l, Entry{Event: noted, Reason: text}); err != nil {
			return err
		}
	}
	out, err := openOutput(l.run.Dir, r.redactor())
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(r.ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		stop(nil)
		_ = out.Close()
		return errClosed
	}
	l.out, l.stop, l.ended = out, stop, make(chan struct{})
	l.run.Mine, l.run.Output = true, out.tape
	r.live[l.run.ID] = l
	r.signal()
	go r.work(ctx, l) // its owner is Close, which waits for l.ended and leaves behind what does not listen
	return nil
}

var errNoDir = errors.New("there is no folder to keep a run's journal in, so none can begin; set XDG_STATE_HOME or HOME to a full path")

var errClosed = errors.New("daytwo is about to end")

// note puts an entry on the disk, then in the run that is shown.
func (r *Runner) note(l *live, e Entry) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	e.At = r.o.Clock().UTC()
	if e.By == "" {
		e.By = r.o.Who
	}
	e.Reason = r.redact(e.Reason)
	if err := l.journal.Append(e); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l.run.apply(e)
	r.signal()
	return nil
}

// signal says that something is newer. r.mu is held.
func (r *Runner) signal() {
	r.list = nil
	for _, c := range r.changed {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Changed has one element when there is something newer than the last time it
// was received from. It has one reader; Watch is for more.
func (r *Runner) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed[0]
}

// Watch is a Changed of its own for another reader. It begins with a signal.
func (r *Runner) Watch() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := make(chan struct{}, 1)
	c <- struct{}{}
	r.changed = append(r.changed, c)
	return c
}
