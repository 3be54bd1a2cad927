package kube

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"daytwo/sources"
)

// quick makes everything that waits wait little.
func quick() pace {
	return pace{
		probe: 20 * time.Millisecond, version: time.Hour, coalesce: time.Millisecond,
		denied: 20 * time.Millisecond, absent: 20 * time.Millisecond, secrets: 20 * time.Millisecond,
		retry: 5 * time.Millisecond, retryMax: 20 * time.Millisecond, timeout: 2 * time.Second,
	}
}

// look runs a client's source into a new store until the test ends.
func look(t *testing.T, c *Client) *sources.Store {
	t.Helper()
	judge := func(*sources.Snapshot, time.Time) sources.Judgement { return sources.Judgement{} }
	store := sources.NewStore(sources.DefaultSettings(), judge, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { _ = c.Source().Run(ctx, store.Publish) })
	t.Cleanup(func() { cancel(); done.Wait() })
	return store
}

// until waits for a snapshot that satisfies ok and returns it.
func until(t *testing.T, store *sources.Store, what string, ok func(*sources.Snapshot) bool) *sources.Snapshot {
	t.Helper()
	limit := time.NewTimer(20 * time.Second) // only a failing test gets there
	defer limit.Stop()
	for {
		s := store.Snapshot()
		if ok(s) {
			return s
		}
		select {
		case <-store.Changed():
		case <-limit.C:
			for _, r := range s.Readings() {
				t.Logf("%-20s at %v err %v", r.Name, r.At, r.Err)
			}
			t.Fatalf("never seen: %s", what)
		}
	}
}

// settled reports that every reading of the API answered.
func settled(s *sources.Snapshot) bool {
	for _, r := range s.Readings()[:11] {
		if r.Waiting() {
			return false
		}
	}
	return true
}

func file(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
