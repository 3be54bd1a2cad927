package record_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daytwo/sources"
	"daytwo/sources/record"
)

func TestNotesAreKeptAndFound(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "record")
	f := record.Open(dir, time.Now)
	if _, err := f.LastUpgrade(); !errors.Is(err, sources.ErrNotInstalled) {
		t.Errorf("no notes yet: %v", err)
	}
	published := make(chan sources.Snapshot)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- f.Source(nil).Run(ctx, func(edits ...sources.Edit) {
			var s sources.Snapshot
			for _, e := range edits {
				e(&s)
			}
			published <- s
		})
	}()
	if s := <-published; !errors.Is(s.Notes.Err, sources.ErrNotInstalled) {
		t.Errorf("published %v", s.Notes.Err)
	}
	for _, run := range []string{"20261102-0900-ab", "20261101-0900-zz"} { // the older run ends later
		path, err := f.SaveUpgrade(t.Context(), sources.UpgradeNotes{Run: run, To: run}, "# Upgrade\n")
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want it for its owner alone", path, info.Mode(), err)
		}
		if s := <-published; s.Notes.Err != nil || s.Notes.Value.Run != "20261102-0900-ab" {
			t.Errorf("published %s, %v", s.Notes.Value.Run, s.Notes.Err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "upgrade-20261102-0900-ab.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.LastUpgrade(); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("damaged notes: %v", err)
	}
}

func TestNotesNeedAPlaceAndAName(t *testing.T) {
	t.Parallel()
	if _, err := record.Open("", time.Now).SaveUpgrade(t.Context(), sources.UpgradeNotes{Run: "r"}, ""); err == nil {
		t.Error("saved nowhere")
	}
	if _, err := record.Open(t.TempDir(), time.Now).SaveUpgrade(t.Context(), sources.UpgradeNotes{Run: "../r"}, ""); err == nil {
		t.Error("a run's name led elsewhere")
	}
}
