package history

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"daytwo/sources"
)

// Load reads what is shown of the past at now: of each series at most about
// 400 points (less in clusters of hundreds of nodes), the lowest of each
// stretch for disk use, load for one day and restart counters for thirty,
// and every change. Nothing later than now is loaded.
func (h *History) Load(ctx context.Context, now time.Time) (sources.History, error) {
	var out sources.History
	err := h.with(ctx, "reading the history", func(ctx context.Context, f *file) error {
		version, err := dataVersion(ctx, f.db)
		if err != nil {
			return err
		}
		if out, err = f.load(ctx, now); err == nil {
			f.read = version
		}
		return err
	})
	return out, err
}

// changedByOthers reports whether another process wrote since the last Load.
// Trouble is for Load to tell.
func (h *History) changedByOthers(ctx context.Context) bool {
	changed := true
	_ = h.with(ctx, "reading the history", func(ctx context.Context, f *file) error {
		v, err := dataVersion(ctx, f.db)
		changed = err != nil || v != f.read
		return err
	})
	return changed
}

func (f *file) load(ctx context.Context, now time.Time) (sources.History, error) {
	names, err := f.series(ctx)
	if err != nil {
		return sources.History{}, err
	}
	out := sources.History{Series: make(map[string][]sources.Point, len(names))}
	if err := f.loadSamples(ctx, now, names, out.Series); err != nil {
		return sources.History{}, err
	}
	out.Changes, err = f.loadChanges(ctx, now, names)
	return out, err
}

// series returns all names by number.
func (f *file) series(ctx context.Context) (map[int64]string, error) {
	rows, err := f.db.QueryContext(ctx, "SELECT id, name FROM series")
	if err != nil {
		return nil, fmt.Errorf("reading the series: %w", err)
	}
	defer func() { _ = rows.Close() }()
	names := map[int64]string{}
	for rows.Next() {
		var id int64
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return nil, fmt.Errorf("reading a series: %w", err)
		}
		names[id] = name
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the series: %w", err)
	}
	return names, nil
}

// loadSamples walks through all samples in the order of series and time.
// CROSS JOIN keeps SQLite to that order, which the primary key gives free.
func (f *file) loadSamples(ctx context.Context, now time.Time, names map[int64]string, out map[string][]sources.Point) error {
	const query = `SELECT p.series_id, p.at, p.value FROM series s CROSS JOIN samples p
		WHERE p.series_id = s.id AND p.at <= ?1 AND p.at >= CASE s.kind WHEN 1 THEN ?2 WHEN 4 THEN ?3 ELSE 0 END
		ORDER BY s.id, p.at`
	rows, err := f.db.QueryContext(ctx, query, now.Unix(), now.Add(-loadShown).Unix(), now.Add(-counterShown).Unix())
	if err != nil {
		return fmt.Errorf("reading samples: %w", err)
	}
	defer func() { _ = rows.Close() }()
	t := newThinner(now, gauges(maps.Values(names)))
	var id, at, current int64
	var value float64
	for rows.Next() {
		if err := rows.Scan(&id, &at, &value); err != nil {
			return fmt.Errorf("reading a sample: %w", err)
		}
		if id != current {
			put(out, names[current], t)
			t.begin(kindOf(names[id]))
			current = id
		}
		t.add(sources.Point{At: time.Unix(at, 0), Value: value})
	}
	put(out, names[current], t)
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading samples: %w", err)
	}
	return nil
}

// put files the points of a series; a name is absent for one that another
// process has just made.
func put(out map[string][]sources.Point, name string, t *thinner) {
	if points := t.points(); name != "" && len(points) > 0 {
		out[name] = points
	}
}

// loadChanges leaves out what repeats: two processes may have written it.
func (f *file) loadChanges(ctx context.Context, now time.Time, names map[int64]string) ([]sources.Change, error) {
	rows, err := f.db.QueryContext(ctx, "SELECT series_id, at, text FROM changes WHERE at <= ? ORDER BY at, series_id", now.Unix())
	if err != nil {
		return nil, fmt.Errorf("reading changes: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []sources.Change
	said := map[int64]string{}
	for rows.Next() {
		var id, at int64
		var text string
		if err := rows.Scan(&id, &at, &text); err != nil {
			return nil, fmt.Errorf("reading a change: %w", err)
		}
		if before, ok := said[id]; (ok && before == text) || names[id] == "" {
			continue
		}
		said[id] = text
		out = append(out, sources.Change{At: time.Unix(at, 0), Series: names[id], Text: text})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading changes: %w", err)
	}
	return slices.Clip(out), nil
}
