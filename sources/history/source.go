package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"daytwo/sources"
)

// Snapshots gives the newest snapshot; *sources.Store does.
type Snapshots interface{ Snapshot() *sources.Snapshot }

const (
	// refreshEvery is how often memory is thinned, and read anew from the
	// file if another cockpit wrote to it.
	refreshEvery = 10 * time.Minute
	thinEvery    = time.Hour
	// mostUnsaved samples wait in memory for the file to work again.
	mostUnsaved = 50_000
	// lastSave is how long the end waits for the last samples to be saved.
	lastSave = 2 * time.Second
)

// Source returns the source "history": with each tick it draws samples from
// the newest snapshot, keeps them, and publishes the past. It publishes once
// at its start too, and saves what it has not yet taken at its end, so that
// one look of "daytwo check" is remembered as well.
func (h *History) Source(store Snapshots, tick <-chan time.Time) sources.Source {
	return &recorder{h: h, store: store, tick: tick, sampler: newSampler(), live: newLive(sources.History{})}
}

// recorder is the source. Its state outlives a Run, which may be started
// again.
type recorder struct {
	h       *History
	store   Snapshots
	tick    <-chan time.Time
	sampler *sampler
	live    live

	unsaved   []sources.Sample
	untold    []sources.Change // changes not saved yet
	saved     time.Time        // last success
	refreshed time.Time
	thinned   time.Time
	opened    int    // which opening of the file was last read
	telling   string // of a damaged file
	told      string
}

func (r *recorder) Name() string { return "history" }

func (r *recorder) Run(ctx context.Context, publish func(...sources.Edit)) error {
	r.refresh(ctx, r.h.clock())
	publish(r.edits(r.h.clock())...)
	r.thin(ctx, r.h.clock())
	for {
		select {
		case <-ctx.Done():
			r.end(ctx)
			return fmt.Errorf("the history was told to end: %w", ctx.Err())
		case <-r.tick:
		}
		now := r.h.clock()
		r.record(ctx)
		if since := now.Sub(r.refreshed); since >= refreshEvery || since < 0 || r.h.openings() != r.opened {
			r.refresh(ctx, now)
		}
		publish(r.edits(now)...)
		if since := now.Sub(r.thinned); since >= thinEvery || since < 0 {
			r.thin(ctx, now)
		}
	}
}

// record takes what the newest snapshot has and saves it, together with what
// could not be saved before.
func (r *recorder) record(ctx context.Context) {
	samples, changes := r.sampler.take(r.store.Snapshot(), r.live.past)
	r.live.grow(samples)
	r.untold = append(r.untold, r.live.note(changes)...)
	r.unsaved = append(r.unsaved, samples...)
	if over := len(r.unsaved) - mostUnsaved; over > 0 {
		r.h.log("history: %d samples are lost, the oldest of %d that could not be saved", over, len(r.unsaved))
		r.unsaved = append([]sources.Sample(nil), r.unsaved[over:]...)
	}
	r.save(ctx)
}

func (r *recorder) save(ctx context.Context) {
	if err := r.h.Add(ctx, r.unsaved); err != nil {
		r.h.log("history: %v", err)
		return
	}
	r.unsaved = r.unsaved[:0]
	if err := r.h.AddChanges(ctx, r.untold); err != nil {
		r.h.log("history: %v", err)
		return
	}
	r.untold = nil
	r.saved = r.h.clock()
}

// refresh reads the past if it was never read or others have written, else
// it thins what is in memory.
func (r *recorder) refresh(ctx context.Context, now time.Time) {
	first := r.refreshed.IsZero()
	r.refreshed, r.told = now, r.telling
	r.live.grow(r.h.takeSpare())
	if opened := r.h.openings(); !first && opened != r.opened {
		r.restore(ctx)
	} else if !first && !r.h.changedByOthers(ctx) {
		r.live.thin(now)
		return
	}
	past, err := r.h.Load(ctx, now)
	if err != nil {
		r.h.log("history: %v", err)
		r.live.thin(now)
		return
	}
	r.opened = r.h.openings()
	r.live = newLive(past)
	r.live.grow(r.unsaved)
	r.live.note(r.untold)
	r.saved = now
}

// restore gives a file that was opened since the last refresh, because the
// one before was damaged or gone or there was none, what memory knows. What
// it has already is left as it is.
func (r *recorder) restore(ctx context.Context) {
	if err := errors.Join(r.h.Add(ctx, flatten(r.live.past)), r.h.AddChanges(ctx, r.live.past.Changes)); err != nil {
		r.h.log("history: %v", err)
		r.unsaved, r.untold = flatten(r.live.past), r.live.past.Changes
	}
}

// thin thins the file; trouble with that can wait.
func (r *recorder) thin(ctx context.Context, now time.Time) {
	r.thinned = now
	if err := r.h.Thin(ctx, now); err != nil && ctx.Err() == nil {
		r.h.log("history: %v", err)
	}
}

// end saves what came since the last tick.
func (r *recorder) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSave)
	defer cancel()
	r.record(ctx)
}

// edits publishes the past and the state of the file. While that does not
// work the past is still true, from memory: it has the age of now and the
// error. A file that was set aside is told until the next refresh.
func (r *recorder) edits(now time.Time) []sources.Edit {
	past := sources.Read(r.live.past, now)
	health := sources.Health{Name: r.Name(), At: r.saved}
	if since := r.live.since(); !since.IsZero() {
		health.Note = sources.Span(now.Sub(since))
	}
	if err := r.h.Trouble(); err != nil {
		past.Err, health.Err = err, err
	} else if r.telling = r.h.Damaged(); r.telling != r.told {
		health.Err = errors.New(r.telling)
	}
	return []sources.Edit{
		func(s *sources.Snapshot) { s.History = past },
		sources.SetHealth(health),
	}
}

// flatten makes samples of a history.
func flatten(past sources.History) []sources.Sample {
	var out []sources.Sample
	for name, points := range past.Series {
		for _, p := range points {
			out = append(out, sources.Sample{At: p.At, Series: name, Value: p.Value})
		}
	}
	return out
}
