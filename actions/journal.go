package actions

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	journalName = "journal.jsonl"
	outputName  = "output.log"

	// journalLimit is more than any run writes, in bytes.
	journalLimit = 64 << 20
)

// Journal is the memory of one run on disk: lines of JSON that are only ever
// added, each with the hash of the one before. While it is open no other
// process can open it.
type Journal struct {
	file    *os.File
	entries []Entry
	last    string // hash of the last line
	size    int64  // up to the end of the last whole line
	broken  error  // an earlier append failed: nothing may follow half a line
	before  func(Entry)
	after   func(n int, e Entry)
}

// createJournal makes the folder of a new run and its journal in it.
func createJournal(dir string) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder for runs: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the run's folder: %w", err)
	}
	j, err := holdJournal(dir, os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	for _, d := range []string{dir, filepath.Dir(dir)} { // the file's name must outlive the machine too
		if err := syncDir(d); err != nil {
			_ = j.Close()
			return nil, err
		}
	}
	return j, nil
}

// openJournal takes hold of the journal of a run that exists, reads it and
// checks its chain. What was cut off by a crash in its last line is removed.
func openJournal(dir string) (*Journal, error) {
	j, err := holdJournal(dir, 0)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(j.file, journalLimit+1))
	if err == nil {
		j.entries, j.last, j.size, err = parseJournal(text)
	}
	if err == nil && j.size < int64(len(text)) {
		err = j.file.Truncate(j.size)
	}
	if err != nil {
		_ = j.Close()
		return nil, fmt.Errorf("reading %s: %w", filepath.Join(dir, journalName), err)
	}
	return j, nil
}

func holdJournal(dir string, how int) (*Journal, error) {
	file, err := os.OpenFile(filepath.Join(dir, journalName), os.O_RDWR|os.O_APPEND|how, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the run's journal: %w", err)
	}
	if err := hold(file); err != nil {
		_ = file.Close()
		return nil, err
	}
	return &Journal{file: file}, nil
}

// readJournal reads a journal without taking hold of it.
func readJournal(dir string) ([]Entry, error) {
	file, err := os.Open(filepath.Join(dir, journalName))
	if err != nil {
		return nil, fmt.Errorf("opening the run's journal: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, journalLimit+1))
	if err != nil {
		return nil, fmt.Errorf("reading the run's journal: %w", err)
	}
	entries, _, _, err := parseJournal(text)
	return entries, err
}

// Append writes an entry and returns when it is on the disk. If it returns an
// error, the world must not be touched.
func (j *Journal) Append(e Entry) error {
	if j.broken != nil {
		return fmt.Errorf("the journal cannot be written since: %w", j.broken)
	}
	if j.before != nil {
		j.before(e)
	}
	e.Prev = j.last
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	if j.size+int64(len(line)) >= journalLimit {
		return fmt.Errorf("the journal is full: more than %d MiB", journalLimit>>20)
	}
	if _, err = j.file.Write(append(line, '\n')); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		// Half a line may be there; whatever follows would be lost behind it.
		if cut := j.file.Truncate(j.size); cut != nil {
			j.broken = err
		}
		return fmt.Errorf("writing the journal: %w", err)
	}
	j.size += int64(len(line)) + 1
	j.last = hashOf(line)
	j.entries = append(j.entries, e)
	if j.after != nil {
		j.after(len(j.entries), e)
	}
	return nil
}

// Entries are those read and written so far.
func (j *Journal) Entries() []Entry { return append([]Entry(nil), j.entries...) }

// Close lets others open it.
func (j *Journal) Close() error {
	if err := j.file.Close(); err != nil {
		return fmt.Errorf("closing the journal: %w", err)
	}
	return nil
}

// parseJournal reads lines, checks that each carries the hash of the one
// before, and returns the hash of the last and the bytes up to its end. A last
// line that is not whole was being written when the process or the machine
// ended: nobody acted on it yet, so it is left out.
func parseJournal(text []byte) (entries []Entry, last string, size int64, err error) {
	if len(text) > journalLimit {
		return nil, "", 0, fmt.Errorf("it is larger than %d MiB, which no run writes", journalLimit>>20)
	}
	for n := 1; len(text) > 0; n++ {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			break
		}
		e, err := parseEntry(line)
		switch {
		case err != nil && len(rest) == 0:
			return entries, last, size, beginsWithPlan(entries)
		case err != nil:
			return nil, "", 0, fmt.Errorf("line %d is not an entry (%w); it was changed from outside, or the disk lost it", n, err)
		case e.Prev != last:
			return nil, "", 0, fmt.Errorf("line %d does not belong behind line %d: its hash says that lines were changed or removed", n, n-1)
		}
		entries = append(entries, e)
		last = hashOf(line)
		size += int64(len(line)) + 1
		text = rest
	}
	return entries, last, size, beginsWithPlan(entries)
}

func beginsWithPlan(entries []Entry) error {
	if len(entries) == 0 {
		return errNoPlan
	}
	for i, e := range entries {
		if (e.Event == planned) != (i == 0) || (e.Plan != nil) != (i == 0) {
			return fmt.Errorf("line %d: a journal begins with its plan, and has no other", i+1)
		}
	}
	return nil
}

// errNoPlan says that a run ended before it began: nothing was done.
var errNoPlan = errors.New("it holds no plan: the run ended before it began, nothing was touched")

func parseEntry(line []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(line, &e); err != nil {
		return e, fmt.Errorf("no JSON of an entry: %w", err)
	}
	if e.Event == "" {
		return e, errors.New("it names no event")
	}
	return e, nil
}

func hashOf(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening %s to make it last: %w", path, err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("making %s last: %w", path, err)
	}
	return nil
}
