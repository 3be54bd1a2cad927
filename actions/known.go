package actions

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// lookAgain is how often the runs of other processes are looked at.
const lookAgain = 2 * time.Second

// known is a run that this process does not run, as it was read last.
type known struct {
	run  Run
	size int64 // of the journal then
	mod  time.Time
}

// Runs are all runs of this cluster on this machine, the newest first.
func (r *Runner) Runs() []Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.list == nil {
		r.list = make([]Run, 0, len(r.known)+len(r.live))
		for id, k := range r.known {
			if _, ok := r.live[id]; !ok {
				r.list = append(r.list, k.run)
			}
		}
		for _, l := range r.live {
			r.list = append(r.list, l.run)
		}
		slices.SortFunc(r.list, func(a, b Run) int { return strings.Compare(b.ID, a.ID) })
	}
	return slices.Clone(r.list)
}

// Run is one of them.
func (r *Runner) Run(id string) (Run, bool) {
	for _, run := range r.Runs() {
		if run.ID == id {
			return run, true
		}
	}
	return Run{}, false
}

// Wait returns how a run stands once this process does not run it (any more),
// or when done is closed.
func (r *Runner) Wait(id string, done <-chan struct{}) (Run, bool) {
	r.mu.Lock()
	l, ok := r.live[id]
	r.mu.Unlock()
	if ok {
		select {
		case <-l.ended:
		case <-done:
		}
	}
	return r.Run(id)
}

// watch looks at the runs of other processes until the runner is closed.
func (r *Runner) watch() {
	tick, stop := r.o.Ticker(lookAgain)
	defer stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-tick:
			r.refresh()
		}
	}
}

// refresh reads what changed on the disk.
func (r *Runner) refresh() {
	if r.o.Dir == "" {
		return
	}
	dirs, err := os.ReadDir(r.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		r.o.Log("looking for runs: %v", err)
		return
	}
	there := map[string]bool{}
	for _, d := range dirs {
		if d.IsDir() && validID(d.Name()) {
			there[d.Name()] = true
			r.reread(d.Name())
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.known {
		if !there[id] {
			delete(r.known, id)
			r.signal()
		}
	}
}

// reread looks at one run on the disk, if this process does not run it.
func (r *Runner) reread(id string) {
	r.begins.Lock() // half a beginning on the disk is not another's run
	defer r.begins.Unlock()
	r.mu.Lock()
	_, live := r.live[id]
	was, seen := r.known[id]
	r.mu.Unlock()
	if live {
		return
	}
	dir := filepath.Join(r.dir, id)
	path := filepath.Join(dir, journalName)
	info, err := os.Stat(path)
	if err != nil {
		return // being made, or another's folder
	}
	same := seen && was.size == info.Size() && was.mod.Equal(info.ModTime())
	if same && was.run.State != Running {
		return
	}
	held := heldNow(path)
	if same && held {
		return
	}
	k := known{run: runOnDisk(dir, held), size: info.Size(), mod: info.ModTime()}
	if k.run.ID == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, live := r.live[id]; live {
		return
	}
	r.known[id] = k
	r.signal()
}

// runOnDisk is a run as its journal tells; held says that a process has it.
// It has no ID if there is no run.
func runOnDisk(dir string, held bool) Run {
	run := Run{Dir: dir}
	entries, err := readJournal(dir)
	if errors.Is(err, errNoPlan) {
		return Run{}
	}
	if err != nil {
		id := filepath.Base(dir)
		return Run{
			ID: id, Title: "a run that cannot be read", State: Failed, Dir: dir,
			Err: sources.Clean(err.Error(), sources.MaxMessage) + "; it can be neither shown nor resumed",
		}
	}
	for _, e := range entries {
		run.apply(e)
	}
	if run.State == Running && !held {
		run.orphaned()
	}
	return run
}

// remember keeps a run that this process ran, with its stream.
func (r *Runner) remember(l *live) {
	k := known{run: l.run}
	if info, err := os.Stat(filepath.Join(l.run.Dir, journalName)); err == nil {
		k.size, k.mod = info.Size(), info.ModTime()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[l.run.ID] = k
	r.signal()
}
