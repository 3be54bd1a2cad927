package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"daytwo/sources"
)

// Name is this source's in the snapshot.
const Name = "record"

// Folder is where the notes of one cluster are kept. The zero Folder keeps
// nothing and finds nothing.
type Folder struct {
	dir   string
	clock func() time.Time
	saved chan struct{} // capacity 1: look again
}

// Open names a cluster's folder; it is made when the first note is saved.
func Open(dir string, clock func() time.Time) *Folder {
	return &Folder{dir: dir, clock: clock, saved: make(chan struct{}, 1)}
}

// upgrade notes are upgrade-<run>.json and .md in the folder.
const upgradePrefix = "upgrade-"

// SaveUpgrade writes the notes of an upgrade, twice if it is told twice.
func (f *Folder) SaveUpgrade(_ context.Context, n sources.UpgradeNotes, markdown string) (path string, err error) {
	if f.dir == "" {
		return "", errors.New("saving the upgrade notes: no folder for the record is known, neither XDG_STATE_HOME nor HOME is set to a full path")
	}
	if strings.ContainsAny(n.Run, `/\`) || n.Run == "" {
		return "", fmt.Errorf("saving the upgrade notes: %q is no name of a run", n.Run)
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return "", fmt.Errorf("saving the upgrade notes: %w", err)
	}
	text, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return "", fmt.Errorf("saving the upgrade notes: %w", err)
	}
	base := filepath.Join(f.dir, upgradePrefix+n.Run)
	for _, file := range []struct {
		path string
		text []byte
	}{{base + ".md", []byte(markdown)}, {base + ".json", append(text, '\n')}} {
		if err := write(file.path, file.text); err != nil {
			return "", fmt.Errorf("saving the upgrade notes: %w", err)
		}
	}
	select {
	case f.saved <- struct{}{}:
	default:
	}
	return base + ".md", nil
}

// write puts a whole file in its place.
func write(path string, text []byte) error {
	part := path + ".part"
	file, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(part, path)
	}
	return err //nolint:wrapcheck // it names the file
}

// LastUpgrade reads the newest notes; ErrNotInstalled where there are none.
func (f *Folder) LastUpgrade() (sources.UpgradeNotes, error) {
	found, err := filepath.Glob(filepath.Join(f.dir, upgradePrefix+"*.json"))
	if err != nil {
		return sources.UpgradeNotes{}, fmt.Errorf("looking for upgrade notes: %w", err)
	}
	if f.dir == "" || len(found) == 0 {
		return sources.UpgradeNotes{}, sources.ErrNotInstalled
	}
	slices.Sort(found) // runs are named so that names sort by time
	path := found[len(found)-1]
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sources.UpgradeNotes{}, sources.ErrNotInstalled
	case err != nil:
		return sources.UpgradeNotes{}, fmt.Errorf("reading the upgrade notes: %w", err)
	}
	var n sources.UpgradeNotes
	if err := json.Unmarshal(text, &n); err != nil {
		return n, fmt.Errorf("reading the upgrade notes: %s is damaged: %w; move it away to go by the notes before it", path, err)
	}
	return n, nil
}

// Source publishes the newest notes, again whenever tick comes or new ones
// were saved.
func (f *Folder) Source(tick <-chan time.Time) sources.Source { return &source{f, tick} }

type source struct {
	folder *Folder
	tick   <-chan time.Time
}

// Name implements sources.Source.
func (*source) Name() string { return Name }

// Run implements sources.Source.
func (s *source) Run(ctx context.Context, publish func(...sources.Edit)) error {
	for {
		notes, err := s.folder.LastUpgrade()
		reading := sources.Reading[sources.UpgradeNotes]{Value: notes, At: s.folder.clock(), Err: err}
		publish(func(snap *sources.Snapshot) { snap.Notes = reading })
		select {
		case <-ctx.Done():
			return nil
		case <-s.tick:
		case <-s.folder.saved:
		}
	}
}
