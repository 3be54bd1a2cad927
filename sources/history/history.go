package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"daytwo/sources"
)

// FileName is the name of the database within the cluster's folder.
const FileName = "history.db"

// Options says where the history is kept.
type Options struct {
	Dir   string           // the cluster's state folder, see Dir; made if absent
	Clock func() time.Time // nil is time.Now
	Log   sources.Logger   // nil drops messages
}

// History is one cluster's memory. Its methods may be called from several
// goroutines.
type History struct {
	path  string
	clock func() time.Time
	log   sources.Logger

	mu      sync.Mutex
	opened  int              // how often the file was opened
	file    *file            // nil while there is none that can be used
	trouble error            // why there is none
	damaged string           // what was set aside and where, "" if nothing
	spare   []sources.Sample // preloaded, but there was no file to put them in
}

// Open opens or creates the history in a folder. Trouble with the file is no
// error: it is logged, told by Trouble and by the source's health, and tried
// again with each use. The only error is a ctx that has ended.
func Open(ctx context.Context, o Options) (*History, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("opening the history in %s: %w", o.Dir, err)
	}
	h := &History{clock: o.Clock, log: o.Log}
	if o.Dir != "" {
		h.path = filepath.Join(o.Dir, FileName)
	}
	if h.clock == nil {
		h.clock = time.Now
	}
	if h.log == nil {
		h.log = func(string, ...any) {}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.ready(ctx); err != nil {
		h.log("history: %v", err)
	}
	return h, nil
}

// Close ends the use of the file. What was added is safe without it.
func (h *History) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file == nil {
		return nil
	}
	err := h.file.db.Close()
	h.file = nil
	if err != nil {
		return fmt.Errorf("closing the history file %s: %w", h.path, err)
	}
	return nil
}

// Trouble says why samples are in memory only, nil if they are not.
func (h *History) Trouble() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.trouble
}

// Damaged says what was wrong with a file that was set aside since Open, and
// where it is now; "" if there was none.
func (h *History) Damaged() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.damaged
}

// openings counts how often a file was opened: a new count means that the
// file may be another one.
func (h *History) openings() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.opened
}

// takeSpare hands over what was preloaded without a file.
func (h *History) takeSpare() []sources.Sample {
	h.mu.Lock()
	defer h.mu.Unlock()
	spare := h.spare
	h.spare = nil
	return spare
}

// with runs f on the open file; a file that turns out to be damaged is set
// aside, and f runs once more on a fresh one. Its error is what Trouble says
// until f works again.
func (h *History) with(ctx context.Context, doing string, f func(context.Context, *file) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.ready(ctx); err != nil {
		return err
	}
	err := f(ctx, h.file)
	if isDamage(err) {
		if err = h.replace(ctx, err); err == nil {
			err = f(ctx, h.file)
		}
	}
	switch {
	case err == nil:
		h.trouble = nil
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	h.trouble = explain(doing, h.path, err)
	return h.trouble
}

// ready makes sure that the file is open and still the one that has the
// name: it is opened anew where somebody moved or deleted it meanwhile.
func (h *History) ready(ctx context.Context) error {
	if h.path == "" {
		h.trouble = errors.New("no state folder is known: samples stay in memory and end with daytwo; set XDG_STATE_HOME or HOME")
		return h.trouble
	}
	if h.file != nil {
		if h.file.named(h.path) {
			return nil
		}
		h.log("history: %s was moved or deleted while in use; beginning anew", h.path)
		h.forget()
	}
	f, err := openFile(ctx, h.path)
	if isDamage(err) {
		if err = h.moveAside(err); err == nil {
			f, err = openFile(ctx, h.path)
		}
	}
	if err != nil {
		h.trouble = explain("opening the history", h.path, err)
		return h.trouble
	}
	h.file, h.trouble = f, nil
	h.opened++
	return nil
}

// replace puts a fresh file in the place of the open, damaged one.
func (h *History) replace(ctx context.Context, why error) error {
	mine := h.file.named(h.path)
	h.forget()
	if mine { // else somebody else replaced it already
		if err := h.moveAside(why); err != nil {
			return err
		}
	}
	return h.ready(ctx)
}

func (h *History) forget() {
	if err := h.file.db.Close(); err != nil {
		h.log("history: closing %s: %v", h.path, err)
	}
	h.file = nil
}

// moveAside renames a damaged file and what belongs to it, and says so.
func (h *History) moveAside(why error) error {
	stamp := h.clock().UTC().Format("20060102-150405")
	aside := h.path + ".corrupt-" + stamp
	for n := 2; exists(aside); n++ {
		aside = fmt.Sprintf("%s.corrupt-%s-%d", h.path, stamp, n)
	}
	for _, part := range [...]string{"", "-wal", "-shm"} {
		if err := os.Rename(h.path+part, aside+part); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("setting a damaged history aside: %w", err)
		}
	}
	h.damaged = fmt.Sprintf("the history was damaged and begins anew; the old file is %s (%v)", aside, why)
	h.log("history: %s", h.damaged)
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// errNewer is a file that a later version of daytwo wrote.
var errNewer = errors.New("a newer daytwo wrote it")

// file is one open database.
type file struct {
	db    *sql.DB
	info  os.FileInfo
	ids   map[string]int64 // series by name
	idsAt int64            // data_version the ids are true for
	read  int64            // data_version when it was last loaded
}

// named reports whether path still leads to this file.
func (f *file) named(path string) bool {
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, f.info)
}
