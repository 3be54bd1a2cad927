package actions

import (
	"path/filepath"
)

// Action is what a run does, made again from what was saved of it: for its
// offers, and for what it would leave. It reads the disk.
func (r *Runner) Action(id string) (Action, error) {
	r.mu.Lock()
	l, ok := r.live[id]
	r.mu.Unlock()
	if ok {
		return l.action, nil
	}
	if !validID(id) {
		return nil, noRun(id)
	}
	entries, err := readJournal(filepath.Join(r.dir, id))
	if err != nil {
		return nil, err
	}
	return r.restore(entries[0].Plan.Kind, entries[0].Plan.Action)
}
