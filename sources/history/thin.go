package history

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"
)

// What is kept: every sample of the last two days, one an hour for thirty,
// one a day beyond, 400 of those.
const (
	rawAge   = 2 * day
	hourAge  = 30 * day
	keepDays = 400
)

// Thin leaves out what is older than its resolution: in each hour beyond 48 h
// and each day beyond 30 d one sample stays, chosen by the series' kind (two
// for counters, and none of most that stand still). It works in one transaction on whole hours and days only, so
// that running it again, or in two processes, changes nothing more. Counters
// older than 400 days go, and series without samples. The changes stay.
func (h *History) Thin(ctx context.Context, now time.Time) error {
	return h.with(ctx, "thinning the history", func(ctx context.Context, f *file) error {
		return f.change(ctx, func(tx *sql.Tx) error { return thin(ctx, tx, now) })
	})
}

func thin(ctx context.Context, tx *sql.Tx, now time.Time) error {
	for _, pass := range [...]struct {
		mark  string
		age   time.Duration
		width int64
	}{{"hours", rawAge, 3600}, {"days", hourAge, 86400}} {
		var from int64
		if err := tx.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = ?", pass.mark).Scan(&from); err != nil {
			return fmt.Errorf("reading how far %s are thinned: %w", pass.mark, err)
		}
		from -= from % pass.width
		to := now.Add(-pass.age).Unix()
		if to -= to % pass.width; to <= from {
			continue
		}
		if err := thinRange(ctx, tx, from, to, pass.width); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE meta SET value = ? WHERE name = ?", to, pass.mark); err != nil {
			return fmt.Errorf("noting how far %s are thinned: %w", pass.mark, err)
		}
		if pass.mark == "days" {
			if err := expire(ctx, tx, to, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// thinFrom lets the next Thin begin at samples that came late.
func thinFrom(ctx context.Context, tx *sql.Tx, oldest int64) error {
	if oldest == math.MaxInt64 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, "UPDATE meta SET value = ?1 WHERE value > ?1", oldest); err != nil {
		return fmt.Errorf("noting that old samples came: %w", err)
	}
	return nil
}

// thinSQL deletes of one series from ?2 to before ?3 what does not stand for
// its bucket of ?4 seconds.
func thinSQL(k kind) string {
	order := "at DESC"
	switch k {
	case lowest:
		order = "value, at"
	case highest:
		order = "value DESC, at"
	case latest, load, counter:
	}
	keep := "nth = 1"
	if k == counter {
		keep = "nth = 1 OR at = since"
	}
	return `DELETE FROM samples WHERE series_id = ?1 AND at >= ?2 AND at < ?3 AND at NOT IN (
		SELECT at FROM (SELECT at, row_number() OVER (PARTITION BY at/?4 ORDER BY ` + order + `) AS nth,
			min(at) OVER (PARTITION BY at/?4) AS since
			FROM samples WHERE series_id = ?1 AND at >= ?2 AND at < ?3) WHERE ` + keep + `)`
}

// stillSQL deletes of one counter from ?2 to before ?3 what lies between two
// samples of the same value, but for the first of each ?4 seconds: each check
// that cron starts notes every counter, and most stand still.
const stillSQL = `DELETE FROM samples WHERE series_id = ?1 AND at IN (
	SELECT at FROM (SELECT at, value,
		(SELECT at FROM samples b WHERE b.series_id = ?1 AND b.at < s.at ORDER BY b.at DESC LIMIT 1) AS before,
		(SELECT value FROM samples b WHERE b.series_id = ?1 AND b.at < s.at ORDER BY b.at DESC LIMIT 1) AS was,
		(SELECT value FROM samples b WHERE b.series_id = ?1 AND b.at > s.at ORDER BY b.at LIMIT 1) AS will
		FROM samples s WHERE series_id = ?1 AND at >= ?2 AND at < ?3)
	WHERE was = value AND will = value AND before/?4 = at/?4)`

func thinRange(ctx context.Context, tx *sql.Tx, from, to, width int64) error {
	byKind, err := seriesByKind(ctx, tx)
	if err != nil {
		return err
	}
	for k, ids := range byKind {
		if err := thinEach(ctx, tx, thinSQL(k), ids, from, to, width); err != nil {
			return err
		}
	}
	return thinEach(ctx, tx, stillSQL, byKind[counter], from, to, stillWidth)
}

// thinEach runs one of the statements above for each series.
func thinEach(ctx context.Context, tx *sql.Tx, query string, ids []int64, from, to, width int64) error {
	stmt, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return fmt.Errorf("preparing to thin: %w", err)
	}
	defer func() { _ = stmt.Close() }()
	for _, id := range ids {
		if _, err := stmt.ExecContext(ctx, id, from, to, width); err != nil {
			return fmt.Errorf("thinning samples: %w", err)
		}
	}
	return nil
}

// seriesByKind lists the numbers of all series.
func seriesByKind(ctx context.Context, tx *sql.Tx) (map[kind][]int64, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, kind FROM series ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("reading the series: %w", err)
	}
	defer func() { _ = rows.Close() }()
	out := map[kind][]int64{}
	for rows.Next() {
		var id int64
		var k kind
		if err := rows.Scan(&id, &k); err != nil {
			return nil, fmt.Errorf("reading a series: %w", err)
		}
		out[k] = append(out[k], id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the series: %w", err)
	}
	return out, nil
}

// expire drops the days beyond 400, counted and not reckoned, counters that
// ended with their pods, and series that have nothing left.
func expire(ctx context.Context, tx *sql.Tx, days int64, now time.Time) error {
	const oldDays = `DELETE FROM samples WHERE series_id = ?1 AND at < (SELECT at FROM samples
		WHERE series_id = ?1 AND at < ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3)`
	const oldCounters = `DELETE FROM samples WHERE series_id IN (SELECT id FROM series WHERE kind = ?1) AND at < ?2`
	const empty = `DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM samples p WHERE p.series_id = id)
		AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.series_id = id)`
	byKind, err := seriesByKind(ctx, tx)
	if err != nil {
		return err
	}
	delete(byKind, counter)
	for _, ids := range byKind {
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, oldDays, id, days, keepDays-1); err != nil {
				return fmt.Errorf("dropping the oldest days: %w", err)
			}
		}
	}
	if _, err := tx.ExecContext(ctx, oldCounters, int(counter), now.Add(-keepDays*day).Unix()); err != nil {
		return fmt.Errorf("dropping old restart counters: %w", err)
	}
	if _, err := tx.ExecContext(ctx, empty); err != nil {
		return fmt.Errorf("dropping empty series: %w", err)
	}
	return nil
}
