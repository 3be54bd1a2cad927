package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// schemaVersion is PRAGMA user_version of the files this program writes.
const schemaVersion = 1

// Times are Unix seconds. kind is what thinning keeps, see kind. meta has the
// times up to which thinning is done.
const schema = `
CREATE TABLE IF NOT EXISTS series  (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS samples (series_id INTEGER NOT NULL, at INTEGER NOT NULL, value REAL NOT NULL,
	PRIMARY KEY (series_id, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (series_id INTEGER NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL,
	PRIMARY KEY (series_id, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta    (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO meta VALUES ('hours', 0), ('days', 0);
PRAGMA user_version = 1`

// openFile opens the database, and makes it and its folder where they are
// absent: readable by their owner only.
func openFile(ctx context.Context, path string) (*file, error) {
	if err := private(path); err != nil {
		return nil, err
	}
	// WAL lets one cockpit read while another writes, and survives kill -9;
	// synchronous=NORMAL then risks the last samples at a power cut, not the
	// file (https://www.sqlite.org/pragma.html#pragma_synchronous).
	uri := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: "_busy_timeout=5000&_journal_mode=WAL" +
		"&_synchronous=NORMAL&_txlock=immediate&_dqs=0&_defensive=1"}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	db.SetMaxOpenConns(1) // data_version and the page cache belong to a connection
	f := &file{db: db, ids: map[string]int64{}}
	if err := f.prepare(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	if f.info, err = os.Stat(path); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("looking at the file: %w", err)
	}
	return f, nil
}

// private makes folder and file with no rights for others. SQLite gives its
// -wal and -shm files the rights of the database. An existing file is never
// opened here: closing it would drop the locks that SQLite holds on it within
// this process (https://www.sqlite.org/howtocorrupt.html, 2.2).
func private(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the folder %s: %w", dir, err)
	}
	made, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case err == nil:
		if err := made.Close(); err != nil {
			return fmt.Errorf("making the file: %w", err)
		}
	case !errors.Is(err, fs.ErrExist):
		return fmt.Errorf("making the file: %w", err)
	}
	for _, p := range [...]string{dir, path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(p)
		if err != nil || info.Mode().Perm()&0o077 == 0 {
			continue
		}
		if err := os.Chmod(p, info.Mode().Perm()&0o700); err != nil {
			return fmt.Errorf("taking others' rights: %w", err)
		}
	}
	return nil
}

// prepare makes the tables in a new file and refuses one of a later version.
func (f *file) prepare(ctx context.Context) error {
	var version int
	if err := f.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("reading its version: %w", err)
	}
	switch {
	case version == schemaVersion:
		return nil
	case version > schemaVersion:
		return fmt.Errorf("schema %d, this one knows %d: %w", version, schemaVersion, errNewer)
	}
	return f.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, schema); err != nil {
			return fmt.Errorf("making its tables: %w", err)
		}
		return nil
	})
}

// change runs do in one transaction that holds the write lock from its start.
func (f *file) change(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// querier is a database or a transaction of it.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// dataVersion changes when another connection has changed the file.
func dataVersion(ctx context.Context, q querier) (int64, error) {
	var v int64
	if err := q.QueryRowContext(ctx, "PRAGMA data_version").Scan(&v); err != nil {
		return 0, fmt.Errorf("asking for changes: %w", err)
	}
	return v, nil
}

// isDamage reports whether an error says that the file is no sound database.
func isDamage(err error) bool {
	code := resultCode(err)
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}

// resultCode is SQLite's primary result code, 0 if an error is not SQLite's.
func resultCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// explain says in one sentence what cannot be done, why and what helps. The
// reason comes first: panes cut what is long.
func explain(doing, path string, err error) error {
	why, help := "the history file cannot be used", "see the reason at the end"
	code := resultCode(err)
	switch {
	case errors.Is(err, errNewer):
		why, help = "a newer daytwo wrote the history", "use that one, or move the file away"
	case code == sqlite3.SQLITE_FULL:
		why, help = "no space left for the history", "free some space"
	case code == sqlite3.SQLITE_READONLY || errors.Is(err, fs.ErrPermission) || code == sqlite3.SQLITE_CANTOPEN:
		why, help = "the state folder cannot be written", "make it writable or set XDG_STATE_HOME"
	case code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED:
		why, help = "another program holds the history locked", "end it; daytwo tries again every minute"
	case code == 0:
		why, help = "the state folder cannot be used", "make it writable or set XDG_STATE_HOME"
	}
	return fmt.Errorf("%s: %s: %s; samples stay in memory until this works, %s: %w", why, doing, path, help, err)
}
