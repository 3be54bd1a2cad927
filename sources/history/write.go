package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"

	"daytwo/sources"
)

// Add keeps samples in one transaction: all of them or, with an error, none.
// A sample that is there already stays as it is. Times count in whole
// seconds; values that are no finite number and times before 1970 are left
// out, for no source means them.
func (h *History) Add(ctx context.Context, samples []sources.Sample) error {
	if len(samples) == 0 {
		return nil
	}
	return h.with(ctx, "saving samples", func(ctx context.Context, f *file) error {
		return f.add(ctx, samples)
	})
}

// AddChanges notes texts in the order given. One that says what its series
// said last before it is left out, so that two cockpits which see the same
// change note it once.
func (h *History) AddChanges(ctx context.Context, changes []sources.Change) error {
	if len(changes) == 0 {
		return nil
	}
	return h.with(ctx, "saving changes", func(ctx context.Context, f *file) error {
		return f.addChanges(ctx, changes)
	})
}

// Preload gives the history a past, for instance the demo world's. Without a
// file the past is shown all the same, from memory.
func (h *History) Preload(ctx context.Context, samples []sources.Sample) error {
	err := h.Add(ctx, samples)
	if err != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.spare = append(h.spare, samples...)
	}
	return err
}

// rowsAtOnce is how many samples one statement inserts: most of the time of
// an insert is the way to SQLite and back.
const rowsAtOnce = 64

func insertSQL(rows int) string {
	return "INSERT OR IGNORE INTO samples (series_id, at, value) VALUES " +
		strings.TrimSuffix(strings.Repeat("(?,?,?),", rows), ",")
}

func (f *file) add(ctx context.Context, samples []sources.Sample) error {
	ids, oldest := map[string]int64{}, int64(math.MaxInt64)
	err := f.change(ctx, func(tx *sql.Tx) error {
		if err := f.refreshIDs(ctx, tx); err != nil {
			return err
		}
		b := batch{tx: tx, args: make([]any, 0, 3*rowsAtOnce)}
		defer b.close()
		for _, s := range samples {
			at := s.At.Unix()
			if at <= 0 || math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
				continue
			}
			id, err := f.id(ctx, tx, ids, s.Series)
			if err != nil {
				return err
			}
			if err := b.add(ctx, id, at, s.Value); err != nil {
				return err
			}
			oldest = min(oldest, at)
		}
		if err := b.flush(ctx); err != nil {
			return err
		}
		return thinFrom(ctx, tx, oldest)
	})
	if err == nil {
		maps.Copy(f.ids, ids)
	}
	return err
}

// batch inserts samples many at a time.
type batch struct {
	tx   *sql.Tx
	full *sql.Stmt // for rowsAtOnce
	args []any
}

func (b *batch) add(ctx context.Context, id, at int64, value float64) error {
	if b.args = append(b.args, id, at, value); len(b.args) < 3*rowsAtOnce {
		return nil
	}
	if b.full == nil {
		stmt, err := b.tx.PrepareContext(ctx, insertSQL(rowsAtOnce))
		if err != nil {
			return fmt.Errorf("preparing to insert samples: %w", err)
		}
		b.full = stmt
	}
	if _, err := b.full.ExecContext(ctx, b.args...); err != nil {
		return fmt.Errorf("inserting samples: %w", err)
	}
	b.args = b.args[:0]
	return nil
}

// flush inserts the rest.
func (b *batch) flush(ctx context.Context) error {
	if len(b.args) == 0 {
		return nil
	}
	if _, err := b.tx.ExecContext(ctx, insertSQL(len(b.args)/3), b.args...); err != nil {
		return fmt.Errorf("inserting samples: %w", err)
	}
	b.args = b.args[:0]
	return nil
}

func (b *batch) close() {
	if b.full != nil {
		_ = b.full.Close()
	}
}

func (f *file) addChanges(ctx context.Context, changes []sources.Change) error {
	const insert = `INSERT OR IGNORE INTO changes (series_id, at, text) SELECT ?1, ?2, ?3
		WHERE (SELECT text FROM changes WHERE series_id = ?1 AND at <= ?2 ORDER BY at DESC LIMIT 1) IS NOT ?3`
	ids := map[string]int64{}
	err := f.change(ctx, func(tx *sql.Tx) error {
		if err := f.refreshIDs(ctx, tx); err != nil {
			return err
		}
		for _, c := range changes {
			at := c.At.Unix()
			if at <= 0 {
				continue
			}
			id, err := f.id(ctx, tx, ids, c.Series)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, insert, id, at, c.Text); err != nil {
				return fmt.Errorf("inserting a change of %s: %w", c.Series, err)
			}
		}
		return nil
	})
	if err == nil {
		maps.Copy(f.ids, ids)
	}
	return err
}

// refreshIDs forgets the numbers of series when somebody else has changed the
// file: thinning deletes series that have no samples left.
func (f *file) refreshIDs(ctx context.Context, tx *sql.Tx) error {
	v, err := dataVersion(ctx, tx)
	if err != nil {
		return err
	}
	if v != f.idsAt {
		f.idsAt = v
		clear(f.ids)
	}
	return nil
}

// id finds or makes the number of a series. New ones go to fresh: they are
// true only once the transaction is committed.
func (f *file) id(ctx context.Context, tx *sql.Tx, fresh map[string]int64, series string) (int64, error) {
	if id, ok := f.ids[series]; ok {
		return id, nil
	}
	if id, ok := fresh[series]; ok {
		return id, nil
	}
	var id int64
	err := tx.QueryRowContext(ctx, "SELECT id FROM series WHERE name = ?", series).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRowContext(ctx, "INSERT INTO series (name, kind) VALUES (?, ?) RETURNING id",
			series, int(kindOf(series))).Scan(&id)
	}
	if err != nil {
		return 0, fmt.Errorf("naming the series %s: %w", series, err)
	}
	fresh[series] = id
	return id, nil
}
