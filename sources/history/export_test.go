package history

import (
	"testing"
	"time"

	"daytwo/sources"
)

// Stored reads all samples of a series from the file, not thinned.
func Stored(t *testing.T, h *History, series string) []sources.Point {
	t.Helper()
	rows, err := h.file.db.QueryContext(t.Context(), "SELECT p.at, p.value FROM samples p JOIN series s ON s.id = p.series_id WHERE s.name = ? ORDER BY p.at", series)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []sources.Point
	for rows.Next() {
		var at int64
		var v float64
		if err := rows.Scan(&at, &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, sources.Point{At: time.Unix(at, 0), Value: v})
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Exec runs SQL on the open file.
func Exec(t *testing.T, h *History, query string) {
	t.Helper()
	if _, err := h.file.db.ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

// CheckIntegrity asks SQLite whether the file is sound.
func CheckIntegrity(t *testing.T, h *History) {
	t.Helper()
	var said string
	if err := h.file.db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&said); err != nil || said != "ok" {
		t.Errorf("integrity: %s %v", said, err)
	}
}
